from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tunewright.errors import ProjectError
from tunewright.monitor.alerts import Alert, start, step
from tunewright.monitor.conditions import Observation, above
from tunewright.monitor.expressions import col
from tunewright.monitor.sinks import JsonLines, PrometheusFile, Stdout, Webhook, prometheus
from tunewright.monitor.watch import Monitor

ALERT = Alert(metric="long.rate", condition=above(0.5), called='say "long"')
STANDING, EVENT = step(ALERT, start(ALERT), Observation(1.0, 0.75, 10))
STANDINGS = {ALERT.name: (ALERT, STANDING)}


def test_lines_of_json(tmp_path, capsys):
    sink = JsonLines(tmp_path / "deep" / "alerts.jsonl")
    sink.send(EVENT, STANDINGS)
    sink.send(EVENT, STANDINGS)
    Stdout().send(EVENT, STANDINGS)
    lines = [*sink.path.read_text().splitlines(), *capsys.readouterr().out.splitlines()]
    assert [json.loads(line) for line in lines] == [EVENT.to_json()] * 3


def test_figures_for_prometheus(tmp_path):
    sink = PrometheusFile(tmp_path / "alerts.prom")
    sink.send(EVENT, STANDINGS)
    text = sink.path.read_text()
    assert text == prometheus(STANDINGS)
    labels = r'{alert="say \"long\"",metric="long.rate",severity="warning"}'
    assert f"tunewright_alert_firing{labels} 1\n" in text
    assert f"tunewright_alert_value{labels} 0.75\n" in text
    assert "# TYPE tunewright_alert_fired_total counter" in text


@pytest.fixture
def receiver():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.got.append(json.loads(body))
            self.send_response(server.answer)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.answer = [], 200
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_webhook_gets_what_slack_takes(receiver):
    Webhook(f"http://127.0.0.1:{receiver.server_port}/secret").send(EVENT, STANDINGS)
    [got] = receiver.got
    assert got["text"] == EVENT.message
    assert {field["title"] for field in got["attachments"][0]["fields"]} >= {"key", "value", "severity"}


def test_a_webhook_that_is_not_taken_raises(receiver):
    receiver.answer = 500
    with pytest.raises(OSError, match="500"):
        Webhook(f"http://127.0.0.1:{receiver.server_port}/secret").send(EVENT, STANDINGS)


def test_a_webhook_keeps_its_secret_and_takes_no_other_scheme():
    assert "secret" not in repr(Webhook("https://example.org/secret"))
    with pytest.raises(ProjectError, match="https"):
        Webhook("file:///etc/passwd")


def test_what_a_webhook_refuses_is_sent_again_with_the_same_key(receiver, tmp_path):
    receiver.answer = 503
    alert = Alert(metric="long.rate", condition=above(0.5), window=4)
    sink = Webhook(f"http://127.0.0.1:{receiver.server_port}/secret")
    told = {"checks": [(col("length") > 5).edge("long")], "alerts": [alert], "sinks": [sink], "folder": tmp_path / "m"}
    with Monitor("m", **told) as monitor:
        monitor.log({"id": ["a", "b", "c", "d"], "length": [9, 9, 9, 9]})
        monitor.alerts.deliver()
        [parcel] = monitor.alerts.waiting
        assert "503" in parcel.error
        assert "secret" not in parcel.error
    receiver.answer = 200
    with Monitor("m", **told) as monitor:
        monitor.alerts.deliver(now=parcel.due + 3600)
        assert monitor.alerts.waiting == []
        [(key, name, _)] = monitor.alerts.taken
    sent = [
        {field["title"]: field["value"] for field in one["attachments"][0]["fields"]}["key"] for one in receiver.got
    ]
    assert len(sent) >= 2
    assert {key, *sent} == {parcel.event.key}
    assert name == "webhook"


def test_figures_for_prometheus_keep_to_the_text_format():
    hard = Alert(metric="a\\b.rate", condition=above(0.5), called='two\nlines "quoted" \\ end')
    text = prometheus({hard.name: (hard, STANDING)})
    sample = re.compile(
        r'[a-zA-Z_:][a-zA-Z0-9_:]*\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\} -?[0-9.e+-]+'
    )
    lines = text.splitlines()
    assert text.endswith("\n")
    for line in lines:
        assert line.startswith(("# TYPE ", "# HELP ")) or sample.fullmatch(line), line
    families = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(families) == len({*families})
    counters = [line.split()[2] for line in lines if line.startswith("# TYPE ") and line.endswith(" counter")]
    assert all(name.endswith("_total") for name in counters)
