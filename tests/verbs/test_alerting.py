from __future__ import annotations

import json
from dataclasses import replace

import pyarrow.csv
import pytest

from tunewright.errors import DataError, MonitorError, ProjectError, TunewrightError
from tunewright.monitor.sinks import JsonLines
from tunewright.toy import toy_texts
from tunewright.verbs import monitor, monitor_alerts, simulate_alert

LOUD = "low_confidence.rate above -1 every 20 rows"


class Refusing:
    name = "refusing"

    def send(self, event, standings):
        raise OSError("no route")


@pytest.fixture(scope="module")
def alerted(project, first, tmp_path_factory):
    """A project whose monitor has logged 60 rows, with an alert that fires, and a sink of two that takes it."""
    folder = tmp_path_factory.mktemp("alerted")
    path = folder / "day.csv"
    pyarrow.csv.write_csv(toy_texts(60, seed=5).select(["id", "text"]), path)
    sinks = (JsonLines(folder / "alerts.jsonl"), Refusing())
    own = replace(project, alerts=("default", LOUD), sinks=sinks)
    monitor(own, path, run=first, name="alerted", window=20)
    return own


def test_every_alert_is_listed_with_its_state_and_what_was_sent(alerted):
    found = monitor_alerts(alerted, "alerted")
    by_name = {alert.name: alert for alert in found.alerts}
    loud = by_name["low_confidence.rate above -1"]
    assert (loud.state, loud.fired, loud.sent) == ("firing", 1, ("jsonl",))
    assert loud.waiting == {"refusing": "OSError: no route"}
    assert {"quiet"} == {alert.state for alert in found.alerts if alert is not loud}
    [event] = found.history
    assert event["state"] == "firing"
    assert [*event["sent"]] == ["jsonl"]
    assert [*event["waiting"]] == ["refusing"]
    assert not any(alert.found for alert in found.alerts)
    json.dumps(found.to_json())


def test_an_alert_is_silenced(alerted):
    found = monitor_alerts(alerted, "alerted", silence="errors above 0", until="2199-01-01")
    assert {alert.name for alert in found.alerts if alert.state == "silenced"} == {"errors above 0"}
    with pytest.raises(ProjectError, match="ends after it begins"):
        monitor_alerts(alerted, "alerted", silence="errors above 0", until="2001-01-01")
    with pytest.raises(ProjectError, match="did you mean 'errors above 0'"):
        monitor_alerts(alerted, "alerted", silence="error above 0", until="2199-01-01")
    with pytest.raises(DataError, match="one of them"):
        monitor_alerts(alerted, "alerted", silence="errors above 0")


def test_a_rule_is_tried_on_the_rows_that_are_kept(alerted, tmp_path):
    found = simulate_alert(alerted, "characters of text.q50 above 1 every 5 rows", "alerted")
    assert (found.windows, found.rows, found.firing) == (12, 60, 12)
    assert [(event["state"], event["row"]) for event in found.events] == [("firing", 5)]
    assert found.false_alarms == 1
    (tmp_path / "rule.json").write_text(json.dumps(found.alert))
    assert simulate_alert(alerted, str(tmp_path / "rule.json"), "alerted") == found
    json.dumps(found.to_json())


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("low_confidence.rate above 0.5 every 20 rows", "3 quiet windows are too few"),
        ("low_confidence.rate above 0.5", "no window is full yet"),
        ("accuracy.mean below 0.5 every 5 rows", "no window is full yet"),
        ("drift(vector).evidence above 20 every 5 rows", "of all rows so far"),
    ],
)
def test_a_history_that_cannot_tell_says_so(alerted, rule, why):
    found = simulate_alert(alerted, rule, "alerted")
    assert found.false_alarms is None
    assert why in found.unknown


def test_quiet_times_are_those_that_are_given(alerted):
    found = simulate_alert(
        alerted, "low_confidence.rate above 0.5 every 5 rows", "alerted", quiet=("2000-01-01", "2001-01-01")
    )
    assert (found.windows, found.quiet, found.false_alarms) == (12, 0, None)


@pytest.mark.parametrize(
    ("rule", "name", "said"),
    [
        ("nothing", "alerted", "a metric and a condition"),
        ("nothing.rate above 1", "alerted", "no check reports"),
        ("missing.json", "alerted", "as JSON in missing.json"),
        ("a.b above 1", "nowhere", "no monitor is called"),
    ],
)
def test_what_cannot_be_tried_is_one_error(alerted, rule, name, said):
    with pytest.raises(TunewrightError, match=said):
        simulate_alert(alerted, rule, name)


def test_alerts_of_a_project_are_checked_when_it_is_made(project):
    with pytest.raises(DataError, match="a metric and a condition"):
        replace(project, alerts=("nothing",))
    with pytest.raises(ProjectError, match="sinks"):
        replace(project, sinks=("stdout",))
    with pytest.raises(MonitorError):
        monitor_alerts(project, "nowhere")
