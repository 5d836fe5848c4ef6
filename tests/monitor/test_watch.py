from __future__ import annotations

import errno
import os

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tunewright.errors import DataError, MonitorError, ProjectError
from tunewright.monitor import store as stores
from tunewright.monitor.collector import Collector
from tunewright.monitor.expressions import col, truth
from tunewright.monitor.watch import Monitor
from tunewright.run import Run


class Lengths:
    """A fold that merges: number of rows, sum of a column, and how often each word came."""

    def __init__(self, name="lengths", column="length", version="1"):
        self.name, self.needs, self.fingerprint, self.column = name, frozenset({column}), version, column

    def start(self, reference):
        return {"rows": 0, "sum": np.zeros(1)}

    def update(self, state, rows):
        state["rows"] += rows.num_rows
        state["sum"] += pc.sum(rows[self.column]).as_py()
        return state

    def merge(self, a, b):
        return {"rows": a["rows"] + b["rows"], "sum": a["sum"] + b["sum"]}

    def report(self, state):
        return {"rows": state["rows"], "mean": float(state["sum"][0]) / max(1, state["rows"])}


class Exploding(Lengths):
    def update(self, state, rows):
        raise ZeroDivisionError("boom")


LONG = (col("length") > 5).edge("long")
ODD = (col("output") == "odd").edge("odd")
WRONG = (col("output") != truth("gts")).edge("wrong")
WORDS = ("apple river cloud stone", "paper engine window", "green", "table of contents and more", "sea")


def batch(*numbers: int) -> dict:
    return {
        "id": [f"r{number}" for number in numbers],
        "text": [f"{number} {WORDS[number % 5]} {number * 7919}" for number in numbers],
        "output": ["odd" if number % 2 else "even" for number in numbers],
        "length": [number % 10 for number in numbers],
        "output_embedding": np.array([[number, 1, 2, 3] for number in numbers], np.float32),
    }


def opened(folder, **changes) -> Monitor:
    settings = {"checks": [LONG, ODD, Lengths()], "collect": Collector(budget=20), "segment": 10, **changes}
    return Monitor("summaries", folder=folder / "m", **settings)


@pytest.fixture
def monitor(tmp_path):
    with opened(tmp_path) as monitor:
        yield monitor


def test_rows_are_taken_and_marked_with_all_their_reasons(monitor):
    logged = monitor.log(batch(1, 6, 7))
    assert logged.ids == ("r1", "r6", "r7")
    assert logged.acknowledged == 3
    assert logged.marked == {"long": 2, "odd": 2}
    assert monitor.rows(["reasons", "scores"]).to_pylist() == [
        {"id": "r1", "reasons": ["odd"], "scores": [1.0]},
        {"id": "r6", "reasons": ["long"], "scores": [6.0]},
        {"id": "r7", "reasons": ["long", "odd"], "scores": [7.0, 1.0]},
    ]


@pytest.mark.parametrize("kind", ["columns", "rows", "table", "record batch", "pandas", "dataset"])
def test_a_batch_may_come_as_many_things(monitor, kind):
    columns = batch(1, 2)
    lists = {**columns, "output_embedding": columns["output_embedding"].tolist()}
    table = pa.table(lists)
    match kind:
        case "columns":
            given = columns
        case "rows":
            given = table.to_pylist()
        case "table":
            given = table
        case "record batch":
            given = table.to_batches()[0]
        case "pandas":
            given = pytest.importorskip("pandas").DataFrame(lists)
        case _:
            given = pytest.importorskip("datasets").Dataset.from_dict(lists)
    assert monitor.log(given).acknowledged == 2
    rows = monitor.rows()
    assert rows["output_embedding"].type == pa.list_(pa.float32(), 4)
    assert rows["text"].to_pylist() == columns["text"]


def test_the_folder_is_a_run(monitor):
    for start in range(0, 40, 8):
        monitor.log(batch(*range(start, start + 8)))
    monitor.close()
    run = Run.open(monitor.folder)
    assert run.kind == "production"
    assert run.meta["status"] == "finished"
    assert run.examples().num_rows == 40
    assert run.table("embeddings")["vector"].type == pa.list_(pa.float16(), 4)
    assert run.sql("SELECT count(*) AS n FROM examples WHERE list_contains(reasons, 'odd')")["n"].to_pylist() == [20]


def test_rows_that_come_again_are_left_out_and_counted(monitor):
    monitor.log(batch(*range(12)))  # in a segment
    monitor.log(batch(20, 21))  # in the journal
    logged = monitor.log(batch(3, 21, 22, 22))
    assert (logged.acknowledged, logged.duplicates) == (1, 3)
    assert monitor.report()["rows"] == 15
    assert monitor.report()["checks"]["lengths"]["rows"] == 15
    assert monitor.report()["duplicates"] == 3


def test_an_id_with_another_content_is_no_repetition(monitor):
    monitor.log(batch(1, 2))
    logged = monitor.log({**batch(1), "text": ["something else"]})
    assert logged.errors == {
        "id": "1 ids came again with another content and were left out: r1; make ids unique, by the source"
    }
    assert monitor.report()["conflicts"] == 1


def test_ids_are_made_where_there_are_none(tmp_path):
    columns = {name: values for name, values in batch(1, 2).items() if name != "id"}
    with opened(tmp_path) as monitor:
        assert monitor.log(columns).ids == ("main-000000000", "main-000000001")
    with opened(tmp_path) as monitor:
        assert monitor.log(columns).ids == ("main-000000002", "main-000000003")
        monitor._held.close()  # killed: nothing is flushed
    with opened(tmp_path) as monitor:
        assert monitor.log(columns).ids == ("main-000000004", "main-000000005")


def test_opening_goes_on_from_segments_and_the_journal(tmp_path):
    first = opened(tmp_path)
    for start in range(0, 33, 3):
        first.log(batch(*range(start, start + 3)))
    before = (first.report(), first.collected().to_pylist())
    first._held.close()  # killed
    with opened(tmp_path) as again:
        assert (again.report(), again.collected().to_pylist()) == before
        assert again.rows().num_rows == 33


def test_wiping_is_asked_for(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1))
    with opened(tmp_path, overwrite=True) as monitor:
        assert monitor.report()["rows"] == 0
        with pytest.raises(MonitorError, match="cannot be overwritten: 'main' writes to it"):
            opened(tmp_path, overwrite=True)
        monitor.log(batch(2))


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "thesis.tex").touch()
    with pytest.raises(MonitorError, match="expected a monitor or nothing"):
        opened(tmp_path, overwrite=True)
    assert (tmp_path / "m" / "thesis.tex").exists()


def test_one_process_writes_under_a_name(tmp_path, monitor):
    with pytest.raises(MonitorError, match="another process writes"):
        opened(tmp_path)


def test_several_writers_are_read_as_one(tmp_path, monitor):
    monitor.log(batch(*range(12)))
    with opened(tmp_path, writer="second") as second:
        second.log(batch(*range(20, 35)))
    report = monitor.report()
    assert report["rows"] == 27
    assert report["checks"]["lengths"]["rows"] == 27
    assert report["checks"]["odd"]["marked"] == 13
    assert monitor.rows().num_rows == 27
    with opened(tmp_path / "alone") as alone:
        alone.log(batch(*range(12), *range(20, 35)))
        assert alone.collected()["id"].to_pylist() == monitor.collected()["id"].to_pylist()


def test_a_check_that_changed_begins_anew_and_says_so(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(*range(12)))
    changed = [(col("length") > 3).edge("long"), Lengths(version="2"), Lengths(name="more")]
    with opened(tmp_path, checks=changed) as monitor:
        monitor.log(batch(*range(20, 30)))
        report = monitor.report()
    assert report["checks"]["long"] == {"marked": 6, "nulls": 0, "errors": 0, "since": 12}
    assert report["checks"]["lengths"]["rows"] == 10
    assert report["notes"] == [
        "'odd' is not given any more: its state after row 12 is dropped with the next segment",
        "'long' changed, or the reference did: it counts from row 12 on, and says nothing about those before",
        "'lengths' changed, or the reference did: it counts from row 12 on, and says nothing about those before",
        "'more' is new: it counts from row 12 on, and says nothing about those before",
    ]
    with opened(tmp_path, checks=changed) as monitor:
        assert monitor.report()["checks"]["more"]["rows"] == 10
        assert len(monitor.report()["notes"]) == 4


def test_a_note_is_kept_once_however_often_a_monitor_is_looked_at(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(*range(12)))
    changed = [(col("length") > 3).edge("long"), Lengths(version="2")]
    for _ in range(3):
        with opened(tmp_path, checks=changed) as monitor:
            notes = monitor.report()["notes"]
    assert len(notes) == len(set(notes)) == 3


BAD = {
    "missing": ({"text": None}, "column 'text' is missing"),
    "new": ({"extra": [1]}, "column 'extra' is new"),
    "type": ({"length": ["3"]}, "column 'length' is string, expected int64"),
    "text": ({"text": [3]}, "column 'text' is int64, expected string"),
    "NaN": ({"output_embedding": [[1.0, float("nan"), 0.0, 0.0]]}, "found NaN or infinity in 1 of 1 vectors"),
    "dimension": ({"output_embedding": [[1.0, 2.0]]}, "has 2 dimensions, expected 4"),
    "lengths": ({"text": ["a", "b"]}, "expected columns of one length"),
    "no id": ({"id": [None]}, "an id for each row"),
    "reserved": ({"reasons": [1]}, "which the monitor adds"),
    "needed": ({"length": None}, "needs column 'length'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_batch_that_does_not_fit_is_one_error_and_nothing_is_taken(monitor, case):
    changes, message = BAD[case]
    monitor.log(batch(1, 2))
    bad = {name: values for name, values in {**batch(3), **changes}.items() if values is not None}
    with pytest.raises(DataError, match=message):
        monitor.log(bad)
    assert monitor.rows()["id"].to_pylist() == ["r1", "r2"]
    assert monitor.log(batch(3)).acknowledged == 1


def test_a_signal_that_explodes_is_isolated(tmp_path):
    wrong = ((col("text") / 2) > 1).edge("wrong type")
    with opened(tmp_path, checks=[wrong, ODD, Exploding(), Lengths("fine")]) as monitor:
        logged = monitor.log(batch(1, 2))
        assert logged.acknowledged == 2
        assert logged.marked["odd"] == 1
        assert sorted(logged.errors) == ["lengths", "wrong type"]
        assert logged.errors["lengths"] == "ZeroDivisionError: boom"
        checks = monitor.report()["checks"]
        assert checks["wrong type"]["errors"] == checks["lengths"]["errors"] == 1
        assert checks["fine"]["rows"] == 2
        assert monitor.rows().num_rows == 2


def full_disk(*_arguments, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_takes_nothing_and_loses_nothing(tmp_path, monkeypatch):
    monitor = opened(tmp_path)
    monitor.log(batch(1, 2))
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full_disk)
        with pytest.raises(MonitorError, match="No space left on device"):
            monitor.log(batch(3))
    with monkeypatch.context() as patch:
        patch.setattr(stores.pq, "write_table", full_disk)
        logged = monitor.log(batch(*range(4, 16)))  # in the journal, but no segment can be made
        assert logged.acknowledged == 12
        assert "No space left" in logged.errors["segment"]
        with pytest.raises(MonitorError, match="No space left"):
            monitor.flush()
    monitor._held.close()
    with opened(tmp_path) as again:
        assert again.report()["rows"] == again.rows().num_rows == 14
        assert again.report()["checks"]["lengths"]["rows"] == 14
        assert again.log(batch(3)).errors == {}


def test_truth_that_comes_later_is_joined_and_checked(tmp_path):
    with opened(tmp_path, checks=[WRONG, Lengths("gold", "gts_length")], truth=["gts_length"]) as monitor:
        monitor.log(batch(*range(12)))
        assert monitor.report()["checks"]["wrong"] == {"marked": 0, "nulls": 12, "errors": 0, "since": 0}
        logged = monitor.attach(["r1", "r2", "r3"], {"gts": ["odd", "odd", "even"], "gts_length": [1, 2, 3]})
        assert (logged.acknowledged, logged.marked) == (3, {"wrong": 2})
        assert monitor.attach(["r1"], {"gts": ["odd"], "gts_length": [1]}).duplicates == 1
        assert monitor.attach(["r1"], {"gts": ["even"], "gts_length": [9]}).acknowledged == 1  # a correction
        assert monitor.report()["checks"]["gold"]["rows"] == 3
        rows = monitor.rows(["gts", "reasons"], ids=["r3", "r1", "r0"]).to_pylist()
        assert rows == [
            {"id": "r3", "gts": "even", "reasons": ["wrong"]},
            {"id": "r1", "gts": "even", "reasons": ["wrong"]},
            {"id": "r0", "gts": None, "reasons": []},
        ]
        before = (monitor.report()["checks"], monitor.collected("wrong").to_pylist())
        monitor._held.close()
    with opened(tmp_path, checks=[WRONG, Lengths("gold", "gts_length")], truth=["gts_length"]) as again:
        assert (again.report()["checks"], again.collected("wrong").to_pylist()) == before


def test_truth_of_unknown_rows_or_columns_is_refused(monitor):
    monitor.log(batch(1))
    with pytest.raises(DataError, match="1 rows were never logged: r9"):
        monitor.attach(["r1", "r9"], ["a", "b"])
    with pytest.raises(DataError, match="'gold' is no ground truth"):
        monitor.attach(["r1"], {"gold": ["a"]})
    assert monitor.report()["labels"] == 0


def test_collected_rows_go_from_step_to_step_and_become_an_edit(monitor):
    monitor.log(batch(*range(30)))
    chosen = monitor.collected("odd")["id"].to_pylist()
    assert set(monitor.collected("odd")["step"].to_pylist()) == {"new"}
    monitor.advance(chosen[:3], "sent")
    monitor.attach(chosen[:2], ["truth", "truth"])
    assert sorted(monitor.collected(step="labelled")["id"].to_pylist()) == sorted(chosen[:2])
    assert monitor.collected(step="sent")["id"].to_pylist() == [chosen[2]]
    monitor.advance(chosen[:1], "used", run="run-7")
    assert monitor.collected(step="used")["id"].to_pylist() == chosen[:1]
    monitor.log(batch(*range(100, 400)))
    assert set(chosen[:3]) <= set(monitor.collected()["id"].to_pylist())
    edit = monitor.to_edit("odd", fields={"text": "text", "label": "gts"})
    assert edit.evidence.run == monitor.run.id
    assert set(edit.rows[0]) == {"id", "text", "label"}
    assert "odd" in edit.evidence.rows[edit.rows[0]["id"]]["reasons"]


def test_an_empty_batch_is_no_batch(monitor):
    assert monitor.log({"id": [], "text": [], "output": [], "length": [], "output_embedding": []}).acknowledged == 0


def test_two_checks_of_one_name_are_refused(tmp_path):
    with pytest.raises(ProjectError, match="two checks are called 'long'"):
        opened(tmp_path, checks=[LONG, LONG])
    with pytest.raises(ProjectError, match="is a signal, which marks nothing"):
        opened(tmp_path, checks=[col("length") > 5])
