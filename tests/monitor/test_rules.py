from __future__ import annotations

import json

import pytest
from hypothesis import given, settings, strategies as st

from tunewright.errors import DataError, ProjectError, TunewrightError
from tunewright.monitor.alerts import Alert
from tunewright.monitor.conditions import Evidence, KOfN, above, band, below
from tunewright.monitor.rules import from_json, parse, read, to_json, written

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
SIMPLE = st.one_of(
    NUMBERS.map(above),
    NUMBERS.map(below),
    st.tuples(NUMBERS, NUMBERS).map(lambda ends: band(min(ends), max(ends))),
    st.floats(0.001, 1).map(lambda share: Evidence(false_alarms=share)),
)
COUNTS = st.tuples(st.integers(1, 5), st.integers(0, 5))
CONDITIONS = st.one_of(SIMPLE, st.builds(lambda c, of: KOfN(c[0], c[0] + c[1], of), COUNTS, SIMPLE))
METRICS = st.sampled_from(["long_text.rate", "vocabulary(text), 500 rows.coverage", "labels by predicted.distance"])
ALERTS = st.builds(
    Alert,
    metric=METRICS,
    condition=CONDITIONS,
    window=st.sampled_from([500, 1, 20, "1h", "30min"]),
    severity=st.sampled_from(["info", "warning", "critical"]),
    minimum_n=st.integers(0, 50),
    hysteresis=st.sampled_from([0.0, 0.125, 1e-07]),
    cooldown=st.sampled_from(["0s", "1d"]),
)
few = settings(max_examples=150, deadline=None)


@few
@given(
    ALERTS,
    st.sampled_from([(), (("2026-01-01", "2026-01-02T12:00"),)]),
    st.frozensets(st.text(max_size=3), max_size=2),
    st.sampled_from(["rate", "p"]),
    st.sampled_from([1000, (3, 40)]),
)
def test_an_alert_survives_json(alert, silence, raised_by, of, baseline):
    condition = Evidence(of=of, baseline=baseline) if isinstance(alert.condition, Evidence) else alert.condition
    told = {name: getattr(alert, name) for name in ("metric", "window", "minimum_n", "hysteresis", "cooldown")}
    whole = Alert(**told, condition=condition, silence=silence, raised_by=raised_by, called="mine")
    read = from_json(json.loads(json.dumps(to_json(whole))))
    assert read == whole
    assert (read.fingerprint, read.name) == (whole.fingerprint, whole.name)


@few
@given(ALERTS)
def test_an_alert_survives_its_line(alert):
    assert parse(written(alert)) == alert


def test_a_line_is_read_as_a_person_writes_it():
    found = parse("vocabulary(dialogue).coverage below .95 in 2 of 3 every 1h critical cooldown 1d at least 100 rows")
    assert found == Alert(
        metric="vocabulary(dialogue).coverage",
        condition=KOfN(2, 3, below(0.95)),
        window="1h",
        severity="critical",
        cooldown="1d",
        minimum_n=100,
    )
    assert parse("labels by predicted.p evidence").condition == Evidence(of="p")
    assert parse(parse("long.rate above 0.2").name) == parse("long.rate above 0.2")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("coverage", "a metric and a condition"),
        ("a.b below many", "a metric and a condition"),
        ("a.b below 0.9 2 of 3 evry 1h", "found 'evry 1h'"),
        ("a.b below 0.9 3 of 2", "1 <= k <= n"),
        ("a.b below 0.9 every 1year", "span"),
        ("a.b evidence 7", "false alarms"),
        ("", "a metric and a condition"),
    ],
)
def test_a_wrong_line_is_one_error(line, said):
    with pytest.raises(TunewrightError, match=said):
        parse(line)


LIMIT = {"kind": "limits", "below": 0.9}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "an alert as a JSON object"),
        ({"metric": "a.b"}, "with 'condition'"),
        ({"metric": 3, "condition": LIMIT}, "a text as 'metric'"),
        ({"metric": "a.b", "condition": "below"}, "a kind of limits, evidence, k of n"),
        ({"metric": "a.b", "condition": {"kind": "limit"}}, "a kind of"),
        ({"metric": "a.b", "condition": {"kind": "limits"}}, "found neither"),
        ({"metric": "a.b", "condition": {"kind": "limits", "below": "x"}}, "a finite number as 'below'"),
        ({"metric": "a.b", "condition": {"kind": "limits", "below": float("nan")}}, "a finite number"),
        ({"metric": "a.b", "condition": {"kind": "evidence", "of": "q"}}, "'rate' or 'p'"),
        ({"metric": "a.b", "condition": {"kind": "k of n", "k": 2, "n": 3}}, "with 'of'"),
        ({"metric": "a.b", "condition": {"kind": "k of n", "k": True, "n": 3, "of": LIMIT}}, "a whole number as 'k'"),
        ({"metric": "a.b", "condition": LIMIT, "windw": 5}, "has no 'windw'"),
        ({"metric": "a.b", "condition": LIMIT, "window": 2.5}, "a whole number or a text as 'window'"),
        ({"metric": "a.b", "condition": LIMIT, "silence": [["2026"]]}, "a silence of two times"),
        ({"metric": "a.b", "condition": LIMIT, "severity": "huge"}, "severity of info"),
    ],
)
def test_a_wrong_document_is_one_error(document, said):
    with pytest.raises(TunewrightError, match=said):
        from_json(document)


def test_alerts_are_read_in_any_form():
    alert = parse("a.b above 1")
    assert read(["default", "a.b above 1", alert, to_json(alert)]) == ["default", alert, alert, alert]
    with pytest.raises(DataError, match="found 3"):
        read([3])


def test_a_condition_of_a_user_has_no_json_form():
    class Own:
        pass

    with pytest.raises(ProjectError, match="Own"):
        to_json(Alert(metric="a.b", condition=Own()))
