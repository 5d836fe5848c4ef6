from __future__ import annotations

import importlib.util
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx2
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from tunewright.errors import DataError, MonitorError
from tunewright.serve.app import create_app
from tunewright.serve.desk import Desk
from tunewright.serve.guard import ARROW, Rules
from tunewright.serve.monitor import PUBLIC, routes
from tunewright.serve.service import bound, serve_monitor

SCRIPT = Path(__file__).with_name("service_scenario.py")
TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def scenario():
    made = importlib.util.spec_from_file_location("service_scenario", SCRIPT)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


RECEIVING = scenario().receiving


def rows(start, count):
    return [
        {"id": f"r{number:04d}", "text": f"row {number}", "predicted": "positive", "probability": number % 10 / 10}
        for number in range(start, start + count)
    ]


def as_arrow(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.fixture
def desk(tmp_path):
    desk = Desk(partial(RECEIVING, tmp_path / "watch"))
    yield desk
    desk.close()


@pytest.fixture
def client(desk):
    rules = Rules(token=TOKEN, port=8000, public=PUBLIC, hosts=frozenset({"testserver"}))
    app = create_app("monitor", [routes(desk)], rules=rules, version="1", close=desk.close)
    return TestClient(app, headers=BEARER, raise_server_exceptions=False)


def test_rows_come_as_rows_columns_or_arrow(client):
    found = client.post("/log", json=rows(0, 20)).json()
    assert found == {
        "ids": [f"r{number:04d}" for number in range(20)],
        "acknowledged": 20,
        "duplicates": 0,
        "marked": {"unsure": 10, "long": 0},
        "errors": {},
    }
    columns = pa.Table.from_pylist(rows(20, 5))
    assert client.post("/log", json=columns.to_pydict()).json()["acknowledged"] == 5
    stream = as_arrow(pa.Table.from_pylist(rows(24, 5)))
    found = client.post("/log", content=stream, headers={"Content-Type": ARROW}).json()
    assert (found["acknowledged"], found["duplicates"]) == (4, 1)
    assert client.get("/report").json()["rows"] == 29


def test_an_id_that_comes_again_with_another_text_is_told(client):
    client.post("/log", json=rows(0, 3))
    found = client.post("/log", json=[rows(0, 1)[0] | {"text": "another"}]).json()
    assert (found["acknowledged"], found["duplicates"]) == (0, 1)
    assert "another content" in found["errors"]["id"]


def test_rows_without_an_id_get_one_each(client):
    row = {name: value for name, value in rows(0, 1)[0].items() if name != "id"}
    found = [client.post("/log", json=[row, row]).json() for _ in range(2)]
    assert len({id for one in found for id in one["ids"]}) == 4


def test_labels_come_later(client):
    client.post("/log", json=rows(0, 4))
    asked = {"ids": ["r0000", "r0001"], "label": ["positive", "negative"]}
    assert client.post("/attach", json=asked).json()["acknowledged"] == 2
    assert client.post("/attach", json=asked).json()["duplicates"] == 2
    assert client.get("/report").json()["labels"] == 2


def test_labels_that_the_task_does_not_have_are_named(client):
    client.post("/log", json=rows(0, 3))
    asked = {"ids": ["r0000", "r0001", "r0002"], "label": ["positive", "postive", "postive"]}
    found = client.post("/attach", json=asked).json()
    assert (found["acknowledged"], found["unknown"]) == (3, {"postive": 2})


def test_what_is_known_can_be_read(client):
    client.post("/log", json=rows(0, 100))
    assert client.get("/collected").json()["rows"]
    found = client.get("/collected", params={"reason": "unsure"}).json()
    assert {"unsure"} == {reason for row in found["rows"] for reason in row["reasons"]}
    alerts = client.get("/alerts").json()
    assert [(alert["metric"], alert["state"], alert["n"]) for alert in alerts["alerts"]] == [
        ("unsure.rate", "quiet", 100)
    ]
    figures = client.get("/metrics")
    assert figures.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'tunewright_marked_total{check="unsure"} 50' in figures.text.splitlines()
    assert "tunewright_rows_total 100" in figures.text.splitlines()
    assert 'tunewright_alert_firing{alert="unsure.rate above 0.9"' in figures.text


def test_health_tells_strangers_only_that_it_lives(client):
    found = client.get("/health").json()
    assert found["monitor"] == "production"
    assert found["most"] == 64
    assert client.get("/health", headers={"Authorization": ""}).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "content", "status", "message"),
    [
        ("/log", b"{", 422, "expected JSON"),
        ("/log", b"[" * 100_000, 422, "expected JSON"),
        ("/log", b"\xff", 422, "expected JSON"),
        ("/log", b"1", 422, "expected columns"),
        ("/log", b"[1]", 422, "expected columns"),
        ("/log", b'[{"id": "a"}]', 422, "text field 'text'"),
        ("/log", b'[{"id": null, "text": "a"}]', 422, "expected an id"),
        ("/log", b'[{"id": "a", "text": {}}]', 422, "wrong type"),
        ("/log", b'[{"id": "a", "text": "a"}]', 422, "probability"),
        ("/log", b'{"id": ["a"], "text": "ab"}', 422, "a list of values"),
        ("/log", b'[{"id": 1e999, "text": "\\ud800"}]', 422, ""),
        ("/log", b'[{"id": 123456789012345678901234567890, "text": "a"}]', 422, ""),
        ("/attach", b'{"ids": ["a"]}', 422, "at least one column"),
        ("/attach", b'{"ids": ["unknown"], "label": ["positive"]}', 422, "never logged"),
        ("/attach", b'{"ids": [], "label": 1}', 422, "a list of values"),
        ("/attach", b'{"ids": ["a"], "other": ["positive"]}', 422, "no ground truth"),
    ],
)
def test_what_is_wrong_is_one_error_and_takes_nothing(client, path, content, status, message):
    client.post("/log", json=rows(0, 2))
    found = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert found.status_code == status, found.text
    assert message in found.json()["error"]["message"]
    assert client.get("/report").json()["rows"] == 2


def test_what_is_no_arrow_stream_is_refused(client):
    whole = as_arrow(pa.Table.from_pylist(rows(0, 5)))
    for content in (b"", b"nonsense", whole[:100], whole[:-40], b"\xff" * 64):
        found = client.post("/log", content=content, headers={"Content-Type": ARROW})
        assert found.status_code == 422, found.text
    assert client.get("/report").json()["rows"] == 0


def test_what_is_not_there_is_told_as_every_error_is(client):
    for found, status in (
        (client.get("/nothing"), 404),
        (client.get("/log"), 405),
        (client.post("/report", json={}), 405),
        (client.get("/collected", params={"reason": "nothing"}), 409),
        (client.get("/collected", params={"reason": "x" * 201}), 422),
    ):
        assert found.status_code == status
        assert set(found.json()["error"]) == {"kind", "message", "fix"}


def test_reading_changes_nothing(client):
    client.post("/log", json=rows(0, 10))
    before = client.get("/report").json()
    reads = [route["path"] for route in documented(client) if route["method"] == "get"]
    assert reads == ["/alerts", "/collected", "/health", "/metrics", "/report"]
    for path in reads:
        assert client.get(path).status_code == 200
    assert client.get("/report").json() == before


def documented(client):
    paths = client.get("/openapi.json").json()["paths"]
    return [{"path": path, "method": method} for path in sorted(paths) for method in paths[path]]


def test_the_document_needs_the_token_and_says_that_one_is_needed(client):
    assert client.get("/openapi.json", headers={"Authorization": ""}).status_code == 401
    document = client.get("/openapi.json").json()
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert document["paths"]["/health"]["get"]["security"] == [{}, {"token": []}]
    assert client.get("/docs").status_code == 404


def test_a_full_disk_is_told_as_something_that_passes(client, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    client.post("/log", json=rows(0, 2))
    with monkeypatch.context() as patch:
        patch.setattr("tunewright.monitor.journal.os.fsync", full)
        found = client.post("/log", json=rows(2, 2))
    assert (found.status_code, found.headers["retry-after"]) == (503, "1")
    assert "No space left" in found.json()["error"]["message"]
    assert client.post("/log", json=rows(2, 2)).json()["acknowledged"] == 2


def test_a_failure_nobody_foresaw_is_an_error_as_all_are(client, monkeypatch, caplog):
    monkeypatch.setattr("tunewright.verbs.receiver.as_production", lambda *_: {}["a secret text"])
    found = client.post("/log", json=rows(0, 1))
    assert (found.status_code, found.json()["error"]["kind"]) == (500, "internal")
    assert "KeyError" in caplog.text
    assert "secret" not in found.text + caplog.text


def test_more_requests_than_may_wait_are_told_to_come_again(tmp_path):
    desk = Desk(partial(RECEIVING, tmp_path, seconds=0.3), most=2)
    rules = Rules(token=TOKEN, port=8000, hosts=frozenset({"testserver"}))
    app = create_app("monitor", [routes(desk)], rules=rules, version="1", close=desk.close)
    with TestClient(app, headers=BEARER) as client, ThreadPoolExecutor(5) as threads:
        found = list(threads.map(lambda start: client.post("/log", json=rows(start, 1)), range(5)))
        busy = [one for one in found if one.status_code == 503]
        assert len(busy) == 3
        assert {one.headers["retry-after"] for one in busy} == {"1"}
        assert client.get("/report").json()["rows"] == 2
    assert client.get("/report").status_code == 503  # it is closed


def test_what_an_answer_was_not_waited_for_is_done_all_the_same(tmp_path):
    desk = Desk(partial(RECEIVING, tmp_path, seconds=0.4))
    rules = Rules(token=TOKEN, port=8000, hosts=frozenset({"testserver"}), patience=0.1)
    app = create_app("monitor", [routes(desk)], rules=rules, version="1", close=desk.close)
    with TestClient(app, headers=BEARER) as client:
        assert client.post("/log", json=rows(0, 1)).status_code == 503
    with RECEIVING(tmp_path) as receiver:
        assert receiver.log(rows(0, 1)).duplicates == 1


class Service:
    """The scenario as a process, and a client of it."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, folder, TOKEN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        port = self.process.stdout.readline().strip()
        assert port, self.process.stderr.read()
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=BEARER, timeout=30)

    def post(self, batch):
        return self.client.post("/log", json=batch)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        told, errors = self.process.communicate(timeout=30)
        self.client.close()
        return self.process.returncode, told, errors


def report(folder):
    with RECEIVING(folder) as receiver:
        return receiver.report()


def test_concurrent_senders_lose_nothing_and_double_nothing(tmp_path):
    service = Service(tmp_path)
    batches = [rows(start, 7) for start in range(0, 700, 7)] * 2  # each is sent twice
    random.Random(1).shuffle(batches)
    with ThreadPoolExecutor(8) as threads:
        found = [one.json() for one in threads.map(service.post, batches)]
    assert sum(one["acknowledged"] for one in found) == 700
    assert sum(one["duplicates"] for one in found) == 700
    assert service.client.get("/report").json()["rows"] == 700
    assert service.stop() == (0, "stopped\n", "")
    assert report(tmp_path).rows == 700


@pytest.mark.slow
def test_what_was_acknowledged_before_a_kill_is_there_and_counts_once(tmp_path):
    acknowledged, chance = set(), random.Random(3)
    batches = [rows(start, 3) for start in range(0, 900, 3)]

    def send(service, batch):
        try:
            answer = service.post(batch)
        except httpx2.TransportError:
            return
        if answer.status_code == 200:
            acknowledged.update(answer.json()["ids"])

    for _ in range(2):
        service = Service(tmp_path)
        killer = threading.Timer(chance.uniform(0.05, 0.5), service.process.kill)
        killer.start()
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(partial(send, service), batches))
        killer.join()
        service.stop(signal.SIGKILL)
        with RECEIVING(tmp_path) as receiver:
            again = receiver.log([row for batch in batches for row in batch if row["id"] in acknowledged])
        assert again.acknowledged == 0
    service = Service(tmp_path)
    for batch in batches:
        send(service, batch)
    service.stop()
    found = report(tmp_path)
    assert (found.rows, len(acknowledged)) == (900, 900)
    assert found.checks["unsure"]["marked"] == 450


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_waits(tmp_path, how):
    service = Service(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        sent = [threads.submit(service.post, rows(start, 5)) for start in range(0, 500, 5)]
        sent[8].result()
        code, told, errors = service.stop(how)
    answers = [one.result() for one in sent if one.exception() is None]
    acknowledged = sum(one.json()["acknowledged"] for one in answers if one.status_code == 200)
    assert (code, told, errors) == (0, "stopped\n", "")
    found = report(tmp_path)
    assert found.rows >= acknowledged > 0
    assert not [*(tmp_path / "journal").iterdir()] or all(
        path.stat().st_size == 0 for path in (tmp_path / "journal").iterdir()
    )


def test_two_do_not_write_at_once(tmp_path):
    service = Service(tmp_path)
    with pytest.raises(MonitorError, match="another process writes"):
        report(tmp_path)
    second = subprocess.run([sys.executable, SCRIPT, tmp_path, TOKEN], capture_output=True, text=True, check=False)
    assert "another process writes" in second.stderr
    service.stop()


def test_a_port_that_is_taken_is_told():
    with bound("127.0.0.1", 0) as taken, pytest.raises(DataError, match="cannot be listened on"):
        serve_monitor(None, port=taken.getsockname()[1], ready=print)
    with pytest.raises(DataError, match="cannot be listened on"):
        serve_monitor(None, host="no.such.host.invalid", ready=print)
