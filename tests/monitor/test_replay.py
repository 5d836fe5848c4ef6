from __future__ import annotations

import pytest

from tunewright.errors import ProjectError
from tunewright.monitor.alerts import Alert
from tunewright.monitor.checks import Checks
from tunewright.monitor.conditions import above, below
from tunewright.monitor.expressions import col
from tunewright.monitor.histogram import Histogram
from tunewright.monitor.outcomes import accuracy
from tunewright.monitor.replay import replay
from tunewright.monitor.simulation import simulate
from tunewright.monitor.watch import Monitor
from tunewright.monitor.windows import windowed

LONG = (col("length") > 5).edge("long")
CHECKS = [LONG, Histogram(column="length"), accuracy("said", "gts"), windowed(accuracy("said", "gts"), window=10)]


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay") / "m"
    rate = Alert(metric="long.rate", condition=above(0.5), window=10)
    with Monitor("m", checks=CHECKS, alerts=[rate], folder=folder, segment=25) as watch:
        for first in range(0, 100, 5):
            rows = range(first, first + 5)
            watch.log({"id": [str(row) for row in rows], "length": [row % 8 for row in rows], "said": ["a"] * 5})
        watch.attach([str(row) for row in range(60)], ["a" if row < 40 else "b" for row in range(60)])
        yield watch


def history(watch, metric, window, condition=None):
    alert = Alert(metric=metric, condition=condition or above(0.5), window=window)
    return alert, replay(alert, watch.rows(), checks=watch.checks, reference=None)


def test_replaying_gives_what_was_recorded(watch):
    alert, found = history(watch, "long.rate", 10)
    recorded = watch.alerts.history(alert)
    assert [seen.value for seen in found.observations] == [seen.value for seen in recorded]
    assert found.rows == tuple(range(10, 101, 10))


def test_any_window_and_a_check_that_is_named_later(watch):
    checks = Checks.of([(col("length") > 6).edge("later")])
    alert = Alert(metric="later.rate", condition=above(0.5), window=40)
    found = replay(alert, watch.rows(), checks=checks, reference=None)
    assert [seen.value for seen in found.observations] == [0.125, 0.125]


def test_numbers_of_all_rows_so_far_are_drawn_anew_by_merging(watch):
    alert, found = history(watch, "accuracy.mean", 5, below(0.9))
    assert [seen.n for seen in found.observations] == [5 * k for k in range(1, 13)]
    assert found.observations[-1].value == pytest.approx(40 / 60)
    again = found.drawn([0, 11])
    assert [(seen.value, seen.n) for seen in again] == [(1.0, 5), (0.5, 10)]
    told = simulate(alert, found.observations, drawn=found.drawn, resamples=3)
    assert told.false_alarms > 0
    assert told.interval[0] <= told.false_alarms <= told.interval[1]


def test_windows_of_folds_and_spans(watch):
    _, found = history(watch, "accuracy, 10 rows.mean", 10)
    assert [seen.value for seen in found.observations] == [1, 1, 1, 1, 0, 0]
    assert found.drawn is None
    _, spans = history(watch, "long.rate", "1h")
    assert spans.observations == ()


def test_what_cannot_be_replayed_is_one_error(watch):
    with pytest.raises(ProjectError, match="nothing to replay"):
        history(watch, "errors", 10)
    with pytest.raises(ProjectError, match="no check reports"):
        history(watch, "lnog.rate", 10)
    with pytest.raises(ProjectError, match="reports no 'maen'"):
        history(watch, "accuracy.maen", 10)
