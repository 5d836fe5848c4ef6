from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tunewright.errors import MonitorError, ProjectError
from tunewright.monitor.alerts import Alert
from tunewright.monitor.conditions import above
from tunewright.monitor.expressions import col, truth
from tunewright.monitor.outbox import Outbox
from tunewright.monitor.simulation import simulate
from tunewright.monitor.watch import Monitor

LONG = (col("length") > 5).edge("long")
WRONG = (col("output") != truth("gts")).edge("wrong")
RATE = Alert(metric="long.rate", condition=above(0.5), window=3)


class Mean:
    """A fold; it fails on a negative length."""

    name, needs, fingerprint = "mean", frozenset({"length"}), "1"

    def start(self, reference):
        return {"rows": 0, "sum": 0}

    def update(self, state, rows):
        lengths = rows["length"].to_pylist()
        if min(lengths) < 0:
            raise ValueError("negative")
        return {"rows": state["rows"] + len(lengths), "sum": state["sum"] + sum(lengths)}

    def report(self, state):
        return {"rows": state["rows"], "mean": state["sum"] / state["rows"], "odd": "text"}


class Kept:
    """A sink that keeps what it takes, or refuses it."""

    def __init__(self, name="kept"):
        self.name, self.events, self.broken = name, [], False

    def send(self, event, standings):
        if self.broken:
            raise ConnectionError("no route")
        self.events.append(event)


def opened(folder, *, alerts=(RATE,), **changes) -> Monitor:
    settings = {"checks": [LONG, WRONG, Mean()], "segment": 10, "alerts": alerts, **changes}
    return Monitor("alerts", folder=folder / "m", **settings)


def batch(first: int, *lengths: int) -> dict:
    ids = [f"r{first + place}" for place in range(len(lengths))]
    return {"id": ids, "output": ["yes"] * len(ids), "length": [*lengths]}


STREAM = [batch(3 * number, *([9] * 3 if number in (4, 5, 6, 11, 12) else [1] * 3)) for number in range(16)]


def killed(monitor: Monitor) -> None:
    """As if the process had died: nothing is flushed, saved or sent."""
    monitor.alerts._due = None
    monitor._held.close()


def told(monitor: Monitor) -> tuple:
    events = [replace(event, time=0.0) for event in monitor.alerts.events]
    history = [(seen.value, seen.n) for seen in monitor.alerts.history(RATE)]
    state = monitor.alerts.standings[RATE.name][1].state
    return events, history, state


def test_an_alert_fires_resolves_and_is_sent(tmp_path):
    sink = Kept()
    with opened(tmp_path, sinks=[sink]) as monitor:
        for rows in STREAM:
            assert not monitor.log(rows).errors
    assert [event.state for event in sink.events] == ["firing", "resolved", "firing", "resolved"]


def test_a_stream_with_kills_gives_the_same_alerts(tmp_path):
    with opened(tmp_path / "one") as monitor:
        for rows in STREAM:
            monitor.log(rows)
        expected = told(monitor)
    for rows in STREAM:
        monitor = opened(tmp_path / "other")
        monitor.log(rows)
        killed(monitor)
    with opened(tmp_path / "other") as monitor:
        assert told(monitor) == expected
        assert expected[0]


def test_the_outbox_survives_a_kill_and_a_sink_that_does_not_answer(tmp_path):
    sink, other = Kept(), Kept("other")
    sink.broken = True
    monitor = opened(tmp_path, sinks=[sink, other])
    for rows in STREAM[:7]:
        assert not monitor.log(rows).errors
    monitor.alerts.deliver(now=0.0)
    killed(monitor)
    assert len(other.events) == 1
    sink.broken = False
    with opened(tmp_path, sinks=[sink, other]) as monitor:
        [parcel] = monitor.alerts.waiting
        assert (parcel.sink, parcel.attempts >= 1, parcel.error) == ("kept", True, "ConnectionError: no route")
        monitor.alerts.deliver(now=parcel.due - 1)
        assert sink.events == []
        monitor.alerts.deliver(now=parcel.due)
        assert monitor.alerts.waiting == []
    assert sink.events == other.events


def test_a_slow_sink_does_not_hold_up_logging(tmp_path):
    class Slow(Kept):
        def send(self, event, standings):
            time.sleep(1.0)
            super().send(event, standings)

    sink = Slow()
    with opened(tmp_path, sinks=[sink]) as monitor:
        for rows in STREAM[:7]:
            monitor.log(rows)
        assert sink.events == []
    assert len(sink.events) == 1


def test_a_rate_that_waits_for_ground_truth(tmp_path):
    alert = Alert(metric="wrong.rate", condition=above(0.4), window=2)
    with opened(tmp_path, alerts=[alert]) as monitor:
        monitor.log(STREAM[0])
        assert monitor.alerts.history(alert) == []
        monitor.attach(["r0", "r1"], ["yes", "no"])
        [seen] = monitor.alerts.history(alert)
        assert (seen.value, seen.n) == (0.5, 2)


def test_a_number_of_a_fold_and_what_can_be_tried_on_it(tmp_path):
    alert = Alert(metric="mean.mean", condition=above(2), window=3)
    with opened(tmp_path, alerts=[alert]) as monitor:
        for rows in STREAM[:6]:
            monitor.log(rows)
        history = monitor.alerts.history(alert)
        assert [seen.n for seen in history] == [3, 6, 9, 12, 15, 18]
        assert all(seen.whole for seen in history)
        assert len(simulate(alert, history).events) == len(monitor.alerts.events) == 1


def test_failures_of_checks_are_counted_by_the_metric_errors(tmp_path):
    alert = Alert(metric="errors", condition=above(0), window=3)
    with opened(tmp_path, alerts=[alert]) as monitor:
        monitor.log(batch(0, 1, 1, 1))
        assert "mean" in monitor.log(batch(3, -1, 1, 1)).errors
        assert [seen.value for seen in monitor.alerts.history(alert)] == [0.0, 1.0]


def test_a_number_that_is_not_reported_is_told_and_stops_nothing(tmp_path):
    alerts = [Alert(metric="mean.median", condition=above(2), window=3), RATE]
    with opened(tmp_path, alerts=alerts) as monitor:
        logged = monitor.log(batch(0, 9, 9, 9, 9))
        assert logged.acknowledged == 4
        assert "median" in logged.errors["alert on mean.median"]
        assert monitor.alerts.standings[RATE.name][1].state == "firing"


def test_rates_have_a_history_before_any_alert_is_switched_on(tmp_path):
    alert = Alert(metric="long.rate", condition=above(0.5))
    with opened(tmp_path, alerts=[], segment=2000) as monitor:
        monitor.log(batch(0, *[9] * 500))
        monitor.log(batch(500, *[1] * 500))
        assert [seen.value for seen in monitor.alerts.history(alert)] == [1.0, 0.0]
        with pytest.raises(ProjectError, match="no alert is called"):
            monitor.alerts.history("other")
    with opened(tmp_path, alerts=[alert]) as monitor:
        assert len(simulate(alert, monitor.alerts.history(alert)).events) == 2


def test_an_event_that_could_not_be_written_is_written_with_the_next_batch(tmp_path, monkeypatch):
    def full(*_, **__):
        raise MonitorError("disk full")

    with opened(tmp_path, segment=100) as monitor:
        with monkeypatch.context() as patched:
            patched.setattr(Outbox, "save", full)
            logged = monitor.log(batch(0, 9, 9, 9))
        assert (logged.acknowledged, "disk full" in logged.errors["alerts"]) == (3, True)
        assert monitor.alerts.events == []
        monitor.log(batch(3, 1))
        assert [event.state for event in monitor.alerts.events] == ["firing"]


def test_a_changed_alert_begins_anew(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(0, 9, 9, 9, 9))
    changed = replace(RATE, called=RATE.name, minimum_n=2)
    with opened(tmp_path, alerts=[changed]) as monitor:
        assert monitor.alerts.standings[RATE.name][1].state == "quiet"


def test_severity_rises_while_another_alert_fires(tmp_path):
    mean = Alert(metric="mean.mean", condition=above(2), window=4)
    alerts = [replace(RATE, raised_by=frozenset({mean.name})), mean]
    with opened(tmp_path, alerts=alerts) as monitor:
        monitor.log(batch(0, 9, 9, 9, 9))
        assert [event.severity for event in monitor.alerts.events] == ["critical", "warning"]


@pytest.mark.parametrize(
    "alerts",
    [
        [Alert(metric="lang.rate", condition=above(0))],
        [Alert(metric="long.mean", condition=above(0))],
        [RATE, RATE],
        [replace(RATE, raised_by=frozenset({"nobody"}))],
    ],
)
def test_alerts_about_nothing_are_refused(tmp_path, alerts):
    with pytest.raises(ProjectError):
        opened(tmp_path, alerts=alerts)
