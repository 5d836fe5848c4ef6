from __future__ import annotations

import sqlite3

import pytest

from tunewright.errors import DataError
from tunewright.monitor.collector import Collector
from tunewright.monitor.expressions import col
from tunewright.monitor.watch import Monitor

LONG = (col("length") > 5).edge("long")


def batch(*numbers: int) -> dict:
    return {"id": [f"r{number}" for number in numbers], "length": [number % 10 for number in numbers]}


def opened(folder, *, collect=Collector(near_duplicates=None), **settings) -> Monitor:  # noqa: B008 - frozen
    return Monitor("m", checks=[LONG], collect=collect, folder=folder / "m", **settings)


def reasons_of(monitor: Monitor, *, reason: str | None = None) -> dict[str, list[str]]:
    rows = monitor.collected(reason)
    return dict(zip(rows["id"].to_pylist(), map(sorted, rows["reasons"].to_pylist()), strict=True))


def test_marked_rows_are_collected_beside_those_of_the_checks(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(0, 1, 8, 9))
        monitor.mark(["r1", "r8"], "cluster:flights", scores=[0.25, 0.5])
        assert reasons_of(monitor) == {"r1": ["cluster:flights"], "r8": ["cluster:flights", "long"], "r9": ["long"]}
        assert set(reasons_of(monitor, reason="cluster:flights")) == {"r1", "r8"}
        scores = dict(
            zip(*(monitor.rows(ids=["r1"])[name].to_pylist()[0] for name in ("reasons", "scores")), strict=True)
        )
        assert scores == {"cluster:flights": 0.25}


def test_marks_stay_and_marking_again_changes_nothing(tmp_path):
    with opened(tmp_path, segment=2) as monitor:
        for number in range(4):
            monitor.log(batch(number))
        monitor.mark(["r1", "r1"], "odd one", scores=[1, 1])
        before = monitor.collected().to_pylist()
    with opened(tmp_path, segment=2) as monitor:
        monitor.mark(["r1"], "odd one", scores=[7])
        assert monitor.collected().to_pylist() == before
        assert [row["id"] for row in before] == ["r1"]


def test_rows_of_another_writer_and_of_the_journal_can_be_marked(tmp_path):
    with opened(tmp_path) as monitor, opened(tmp_path, writer="b") as other:
        monitor.log(batch(0))
        other.log(batch(1))
        monitor.flush()
        other.flush()
        monitor.log(batch(2))
        monitor.mark(["r0", "r1", "r2"], "looked at")
        assert set(reasons_of(monitor)) == {"r0", "r1", "r2"}
        assert set(reasons_of(other)) == {"r0", "r1"}


def test_marked_rows_come_first_and_count_against_the_budget(tmp_path):
    with opened(tmp_path, collect=Collector(budget=2, near_duplicates=None)) as monitor:
        monitor.log(batch(*range(40)))
        monitor.mark(["r1"], "looked at")
        assert len(reasons_of(monitor)) == 2
        assert "r1" in reasons_of(monitor)
        monitor.mark(["r2", "r3"], "looked at")
        assert len(reasons_of(monitor)) == 2
        assert reasons_of(monitor, reason="long") == {}


def test_a_mark_is_whole_or_not_at_all(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(0, 1))
        with pytest.raises(sqlite3.Error):
            monitor._store.catalogue.mark("broken", {"r0": 1.0, "r1": object()})  # type: ignore[dict-item]
        assert reasons_of(monitor) == {}


@pytest.mark.parametrize(
    ("ids", "reason", "scores", "message"),
    [
        (["r0", "nobody"], "x", None, "1 rows were never logged"),
        (["r0"], " ", None, "no check of this monitor"),
        (["r0"], "long", None, "no check of this monitor"),
        (["r0"], "x", [1.0, 2.0], "a score for each of 1 rows, found 2"),
    ],
)
def test_wrong_marks_are_refused(tmp_path, ids, reason, scores, message):
    with opened(tmp_path) as monitor:
        monitor.log(batch(0))
        with pytest.raises(DataError, match=message):
            monitor.mark(ids, reason, scores=scores)
        assert reasons_of(monitor) == {}
