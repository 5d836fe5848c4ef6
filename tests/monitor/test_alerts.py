from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from tunewright.errors import ProjectError
from tunewright.monitor.alerts import Alert, Event, start, step
from tunewright.monitor.conditions import Evidence, KOfN, Observation, above, band

RULES = st.sampled_from([above(0.5), band(0.2, 0.6), KOfN(2, 3, above(0.5)), Evidence(baseline=20)])
SEEN = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.integers(0, 3)), max_size=40)
ALERTS = st.builds(
    Alert,
    metric=st.just("long.rate"),
    condition=RULES,
    minimum_n=st.integers(0, 15),
    hysteresis=st.sampled_from([0.0, 0.1]),
    cooldown=st.sampled_from(["0s", "3s", "1min"]),
    silence=st.sampled_from([(), (("1970-01-01T00:00:05", "1970-01-01T00:00:20"),)]),
)
few = settings(max_examples=60, deadline=None)


def observations(drawn):
    time, found = 0.0, []
    for value, n, later in drawn:
        time += later
        found.append(Observation(time, value, n))
    return found


def walk(alert, seen):
    standing, standings, events = start(alert), [], []
    for one in seen:
        standing, event = step(alert, standing, one)
        standings.append(standing)
        events += [(one, event)] if event else []
    return standings, events


def states(alert, *values):
    return [one.state for one in walk(alert, [Observation(time, value, 10) for time, value in enumerate(values)])[0]]


@few
@given(ALERTS, SEEN)
def test_too_few_rows_change_nothing(alert, drawn):
    seen = observations(drawn)
    enough = [one for one in seen if one.n >= alert.minimum_n]
    assert walk(alert, seen)[1] == walk(alert, enough)[1]
    assert all(one.n >= alert.minimum_n for one, _ in walk(alert, seen)[1])


@few
@given(ALERTS, SEEN)
def test_events_alternate_with_keys_of_their_own_and_none_is_sent_in_silence(alert, drawn):
    events = walk(alert, observations(drawn))[1]
    assert [event.state for _, event in events] == ["firing" if n % 2 == 0 else "resolved" for n in range(len(events))]
    assert len({event.key for _, event in events}) == len(events)
    assert not any(alert.silent(one.time) for one, _ in events)


@few
@given(ALERTS, SEEN)
def test_nothing_fires_in_its_cooldown(alert, drawn):
    alert = replace(alert, cooldown="3s")
    standings, _ = walk(alert, observations(drawn))
    ended = None
    for before, after in pairwise(standings):
        if (before.state, after.state) == ("firing", "resolved"):
            ended = after.since
        if before.state != "firing" and after.state == "firing":
            assert ended is None or after.since - ended >= 3


@few
@given(ALERTS, SEEN, st.integers(0, 40))
def test_going_on_from_a_state_that_was_kept_is_going_on(alert, drawn, cut):
    seen = observations(drawn)
    standings, events = walk(alert, seen)
    assert walk(alert, seen) == (standings, events)
    standing, found = standings[cut - 1] if 0 < cut <= len(standings) else start(alert), []
    for one in seen[cut:] if 0 < cut <= len(seen) else seen:
        standing, event = step(alert, standing, one)
        found += [event] if event else []
    assert standing == (standings[-1] if standings else start(alert))


def test_hysteresis_holds_an_alert_until_the_metric_is_well_within():
    alert = Alert(metric="long.rate", condition=above(0.5), hysteresis=0.2)
    assert states(alert, 0.4, 0.6, 0.4, 0.3, 0.4) == ["quiet", "firing", "firing", "resolved", "resolved"]


def test_k_of_n_is_pending_first():
    alert = Alert(metric="long.rate", condition=KOfN(2, 3, above(0.5)))
    assert states(alert, 1, 1, 0, 0, 0) == ["pending", "firing", "firing", "firing", "resolved"]
    assert states(alert, 1, 0, 0, 0) == ["pending", "pending", "pending", "quiet"]


def test_a_cooldown_makes_it_pending():
    alert = Alert(metric="long.rate", condition=above(0.5), cooldown="3s")
    assert states(alert, 1, 0, 1, 1, 1) == ["firing", "resolved", "pending", "pending", "firing"]


def test_what_still_fires_after_a_silence_is_sent_then():
    alert = Alert(metric="m", condition=above(0.5), silence=(("1970-01-01T00:00:00Z", "1970-01-01T00:00:02Z"),))
    _, events = walk(alert, [Observation(time, 1.0, 10) for time in range(4)])
    assert [(seen.time, event.state) for seen, event in events] == [(2, "firing")]


def test_an_event_survives_json():
    _, [(_, event)] = walk(Alert(metric="m", condition=above(0.5)), [Observation(12.5, 0.75, 10)])
    assert Event.from_json(event.to_json()) == event
    assert event.message == "[warning] firing: m above 0.5; 0.75 over 10 rows"


@pytest.mark.parametrize(
    "changes",
    [
        {"window": 0},
        {"window": "soon"},
        {"severity": "loud"},
        {"hysteresis": -1},
        {"silence": (("now", "then"),)},
        {"silence": (("2026-02-01", "2026-01-01"),)},
        {"cooldown": "5"},
    ],
)
def test_settings_that_mean_nothing_are_refused(changes):
    with pytest.raises(ProjectError):
        Alert(**{"metric": "m", "condition": above(0), **changes})
