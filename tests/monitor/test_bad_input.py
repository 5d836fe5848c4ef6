"""Whatever comes in: one clear error or a counted failure, and what was acknowledged stays."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
import signal
import sqlite3
import sys
from datetime import datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest

from tunewright.errors import DataError, MonitorError, TunewrightError
from tunewright.monitor.catalogue import Catalogue
from tunewright.monitor.collector import Collector
from tunewright.monitor.expressions import col, truth
from tunewright.monitor.histogram import Histogram
from tunewright.monitor.reference import Reference
from tunewright.monitor.user_functions import user
from tunewright.monitor.vocabulary import vocabulary
from tunewright.monitor.watch import Monitor
from tunewright.run import Run

LONG = (col("length") > 5).edge("long")
WRONG = (col("output") != truth("gts")).edge("wrong")


def batch(*numbers: int, **more) -> dict:
    return {
        "id": [f"r{number}" for number in numbers],
        "text": [f"row {number} and its words" for number in numbers],
        "output": ["odd" if number % 2 else "even" for number in numbers],
        "length": [number % 10 for number in numbers],
        "vector": np.array([[number, 1, 2, 3] for number in numbers], np.float32),
    } | more


SOME = {name: values for name, values in batch(1).items() if name != "vector"}


def opened(folder, **changes) -> Monitor:
    checks = [LONG, WRONG, vocabulary("text"), Histogram(column="text", of="characters")]
    reference = Reference.from_table(pa.table({"text": ["row and its words"] * 3}))
    settings = {"checks": checks, "collect": Collector(budget=20), "segment": 10, "reference": reference, **changes}
    return Monitor("m", folder=folder / "m", **settings)


@pytest.fixture
def monitor(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 6))
        yield monitor


def killed(monitor: Monitor) -> None:
    """Leave the folder as a process does that is gone: nothing is flushed."""
    monitor._held.close()


BAD = {
    "a column is missing": ({"output": None}, "column 'output', which the batch lacks"),
    "texts are numbers": ({"text": [3.5, 4.5]}, "column 'text' is double, expected string"),
    "numbers are texts": ({"length": ["8", "9"]}, "column 'length' is string, expected int64"),
    "NaN in a vector": ({"vector": np.array([[1, 2, 3, np.nan]] * 2)}, "NaN or infinity in 2 of 2 vectors"),
    "another dimension": ({"vector": np.ones((2, 5))}, "has 5 dimensions, expected 4"),
    "vectors of two lengths": ({"vector": [[1.0, 2.0], [1.0]]}, "vectors of one length"),
    "no vector in a row": ({"vector": [[1.0, 2.0, 3.0, 4.0], None]}, "vectors of one length"),
    "a column too short": ({"text": ["one"]}, "columns of one length"),
    "an id is None": ({"id": ["r8", None]}, "expected an id for each row"),
    "an id is empty": ({"id": ["r8", ""]}, "expected an id for each row"),
    "ids of two types": ({"id": ["r8", 9]}, "values of one type in column 'id'"),
    "ids are lists": ({"id": [["r8"], ["r9"]]}, "expected texts or numbers in column 'id'"),
    "a column is called as ours": ({"reasons": ["a", "b"]}, "which the monitor adds"),
    "a column is called as that of the steps": ({"step": [1, 2]}, "which the monitor adds"),
    "a lone surrogate": ({"text": ["fine", "bad \ud800"]}, "column 'text'"),
    "values of two types": ({"output": ["a", 1]}, "values of one type in column 'output'"),
    "an integer beyond 64 bits": ({"length": [2**70, 1]}, "column 'length'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_batch_is_one_error_and_nothing_of_it_is_taken(monitor, case):
    changes, message = BAD[case]
    given = {name: values for name, values in (batch(8, 9) | changes).items() if values is not None}
    with pytest.raises(DataError) as found:
        monitor.log(given)
    assert message in str(found.value)
    assert monitor.report()["rows"] == 2
    assert monitor.log(batch(8, 9)).acknowledged == 2


@pytest.mark.parametrize("given", ["a text", 7, None, [1, 2], {"id": 3}, {"text": "one"}], ids=repr)
def test_what_is_no_batch_is_refused(monitor, given):
    with pytest.raises(DataError):
        monitor.log(given)
    assert monitor.report()["rows"] == 2


@pytest.mark.parametrize("empty", [[], batch(), pa.Table.from_pylist([], schema=pa.table(SOME).schema)], ids=type)
def test_an_empty_batch_is_taken_for_nothing(monitor, empty):
    assert monitor.log(empty).acknowledged == 0
    assert monitor.report()["rows"] == 2


TEXTS = {
    "100 kB": "word " * 20_000,
    "a NUL": "before\0after",
    "nothing": "",
    "only spaces": " \t\n\u2028",
    "beyond the basic plane": "\U0001f600\u200d\ufeff",
    "like JSON": '{"$": "array", "items": []}',
    "like SQL": "'); DROP TABLE segments; --",
}


@pytest.mark.parametrize("case", TEXTS)
def test_odd_texts_come_back_as_they_went_in(tmp_path, case):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2, text=[TEXTS[case], "plain"], id=[TEXTS[case][:50] or "empty", "b"]))
        monitor.flush()
        monitor.log(batch(3, 4, text=[TEXTS[case], "plain"]))
        killed(monitor)
    with opened(tmp_path) as monitor:
        assert monitor.rows()["text"].to_pylist() == [TEXTS[case], "plain", TEXTS[case], "plain"]
        assert monitor.rows(["text"], ids=[TEXTS[case][:50] or "empty"]).num_rows == 1
        assert monitor.report()["rows"] == 4


def test_ids_may_be_numbers_and_are_texts(monitor):
    assert monitor.log(batch(8, 9, id=[8, 9])).ids == ("8", "9")
    assert monitor.log(batch(8, 9, id=["8", "9"])).duplicates == 2
    assert monitor.attach([8], ["even"]).acknowledged == 1


def test_a_column_may_be_called_as_those_of_the_store(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2, number=[1, 2], row=["a", "b"], name=[0.5, 1.5]))
        monitor.log(batch(6, 7, number=[1, 2], row=["a", "b"], name=[0.5, 1.5]))
        assert monitor.rows(["number", "name"])["number"].to_pylist() == [1, 2, 1, 2]
        assert monitor.collected("long").num_rows == 2


def test_one_row_and_very_many(tmp_path):
    count = 200_000
    numbers = np.arange(count)
    many = pa.table({
        "id": pa.array(numbers.astype(str)), "length": numbers % 10, "text": pa.array((numbers % 7).astype(str)),
        "output": pa.array(["odd"]).take(pa.array(np.zeros(count, int))),
    })  # fmt: skip
    with opened(tmp_path, segment=4096) as monitor:
        assert monitor.log(many.slice(0, 1)).acknowledged == 1
        logged = monitor.log(many)
        assert (logged.acknowledged, logged.duplicates) == (count - 1, 1)
        assert monitor.report()["rows"] == count
        assert monitor.report()["checks"]["long"]["marked"] == int((numbers % 10 > 5).sum())
        assert monitor.collected().num_rows <= 20


def recursive(value):
    return recursive(value)


EXPLODING = {
    "raises": lambda value: 1 / 0,
    "exits": lambda value: sys.exit(3),
    "recurses": recursive,
    "gives another type": lambda value: object(),
    "gives two types": lambda value: "text" if value % 2 else 1,
}

NO_CONDITIONS = {"texts": lambda value: "yes", "lists": lambda value: [1.0], "bytes": lambda value: b"yes"}


@pytest.mark.parametrize("case", EXPLODING)
def test_a_signal_that_explodes_is_isolated_and_counted(tmp_path, case):
    edge = (user(EXPLODING[case], "length", per="row") > 0).edge("mine")
    with opened(tmp_path, checks=[edge, LONG]) as monitor:
        logged = monitor.log(batch(1, 6))
        assert logged.acknowledged == 2
        assert set(logged.errors) == {"mine"}
        assert logged.marked["long"] == 1
        assert monitor.report()["checks"]["mine"]["errors"] == 1


@pytest.mark.parametrize("case", NO_CONDITIONS)
def test_a_function_that_gives_no_condition_is_isolated_and_counted(tmp_path, case):
    edge = user(NO_CONDITIONS[case], "length", per="row").edge("mine")
    with opened(tmp_path, checks=[edge, LONG]) as monitor:
        logged = monitor.log(batch(1, 6))
        assert (logged.acknowledged, logged.marked) == (2, {"mine": 0, "long": 1})
        assert "expected true or false" in logged.errors["mine"]
        assert monitor.report()["checks"]["mine"]["errors"] == 1


@pytest.mark.parametrize("name", ["", "..", "../elsewhere", "a/b"])
def test_a_name_that_leads_out_of_the_runs_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MonitorError, match="name of a folder among the runs"):
        Monitor(name, checks=[LONG])
    assert not [*tmp_path.iterdir()]


def test_a_vector_of_whole_numbers_fits_one_of_fractions(tmp_path):
    rows = {"length": [6], "text": ["a"], "output": ["odd"]}
    with opened(tmp_path) as monitor:
        monitor.log([{"id": "1", "length": 6, "text": "a", "output": "odd", "vector": [0.5, 0.25]}])
        monitor.log({"id": ["2"], **rows, "vector": [[1, 0]]})
        with pytest.raises(DataError, match="3 dimensions, expected 2"):
            monitor.log({"id": ["3"], **rows, "vector": [[1, 0, 0]]})
        assert monitor.rows()["vector"].to_pylist() == [[0.5, 0.25], [1, 0]]


def test_a_reason_that_nobody_gave_is_named(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 6))
        assert monitor.collected("long")["id"].to_pylist()
        assert "digest" not in monitor.to_edit("long").rows[0]
        with pytest.raises(MonitorError, match="did you mean 'long'"):
            monitor.collected("lonk")


class Exploding:
    """A fold that changes its state and then does what it must not."""

    name, needs, fingerprint = "mine", frozenset({"length"}), "1"

    def __init__(self, act):
        self.act = act

    def start(self, reference):
        return {"rows": 0}

    def update(self, state, rows):
        state["rows"] += rows.num_rows
        if 6 in rows["length"].to_pylist():
            return self.act(state)
        return state

    def report(self, state):
        return {"rows": state["rows"]}


ACTS = {
    "raises": lambda state: 1 / 0,
    "exits": lambda state: sys.exit(3),
    "recurses": recursive,
    "runs out of memory": lambda state: (_ for _ in ()).throw(MemoryError()),
}


@pytest.mark.parametrize("case", ACTS)
def test_a_fold_that_explodes_takes_nothing_and_can_be_opened_again(tmp_path, case):
    checks = [Exploding(ACTS[case]), LONG]
    with opened(tmp_path, checks=checks) as monitor:
        monitor.log(batch(1, 2))
        assert set(monitor.log(batch(6, 7)).errors) == {"mine"}
        monitor.log(batch(8))
        killed(monitor)
    with opened(tmp_path, checks=checks) as monitor:
        found = monitor.report()
        assert found["rows"] == 5
        assert found["checks"]["mine"]["rows"] == 3
        assert found["checks"]["mine"]["errors"] == 1


@pytest.mark.parametrize("returned", [None, 7, "text", {"function": print}], ids=repr)
def test_a_fold_that_returns_no_state_costs_no_row(tmp_path, returned):
    with opened(tmp_path, checks=[Exploding(lambda state: returned), LONG], segment=4) as monitor:
        monitor.log(batch(1, 2))
        errors = [monitor.log(batch(*some)).errors for some in ((6, 7), (8, 9))]
        assert any("mine" in error for error in errors)
        assert monitor.report()["rows"] == 6
    with opened(tmp_path, checks=[LONG]) as monitor:
        assert monitor.rows().num_rows == 6


def test_a_fold_whose_report_raises_leaves_the_others_theirs(tmp_path):
    broken = Exploding(ACTS["raises"])
    broken.report = lambda state: 1 / 0
    with opened(tmp_path, checks=[broken, LONG]) as monitor:
        monitor.log(batch(1, 8))
        checks = monitor.report()["checks"]
        assert "ZeroDivisionError" in checks["mine"]["failed"]
        assert checks["long"]["marked"] == 1


def test_truth_before_its_row_twice_and_of_another_type(monitor):
    with pytest.raises(DataError, match="1 rows were never logged: r9"):
        monitor.attach(["r9"], ["odd"])
    assert monitor.attach(["r1"], ["odd"]).acknowledged == 1
    assert monitor.attach(["r1"], ["odd"]).duplicates == 1
    assert monitor.attach(["r1", "r1"], ["even", "odd"]).duplicates == 2
    with pytest.raises(DataError, match="column 'gts' is int64, expected string"):
        monitor.attach(["r6"], [1])
    with pytest.raises(DataError, match="columns of one length"):
        monitor.attach(["r1", "r6"], ["odd"])
    assert monitor.attach(["r6"], ["odd"]).marked == {"wrong": 1}
    monitor.flush()
    assert monitor.rows(["gts"])["gts"].to_pylist() == ["odd", "odd"]


def test_truth_of_another_type_is_refused_with_the_rows_too(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2, gts=["odd", None]))
        with pytest.raises(DataError, match="column 'gts' is double, expected string"):
            monitor.log(batch(3, 4, gts=[0.5, 0.25]))
        monitor.flush()
        assert monitor.rows(["gts"])["gts"].to_pylist() == ["odd", None]


def test_a_clock_that_goes_backwards_loses_nothing(tmp_path, monkeypatch):
    now = 1_700_000_000.0
    with opened(tmp_path) as monitor:
        for step, numbers in ((0, (1, 6)), (-90_000, (2, 7)), (30, (3, 8)), (-1e9, (4, 9))):
            monkeypatch.setattr("time.time", lambda step=step: now + step)
            monitor.log(batch(*numbers))
        monkeypatch.undo()
        assert monitor.report()["rows"] == 8
        assert monitor.report()["checks"]["long"]["marked"] == 4
        killed(monitor)
    with opened(tmp_path) as monitor:
        assert monitor.report()["rows"] == 8


def test_days_are_those_of_utc_whatever_zone_a_time_has(tmp_path):
    east = timezone(timedelta(hours=9))
    at = [datetime(2025, 1, 2, 3, tzinfo=east), datetime(2025, 1, 2, 12, tzinfo=east)]
    with opened(tmp_path, time="at", collect=Collector(budget=9, per_day=1)) as monitor:
        monitor.log(batch(8, 9, at=at))
        assert monitor.collected().num_rows == 2  # the first is still the first of January in UTC
    assert Run.open(tmp_path / "m").table("examples")["at"].type.tz is not None


def test_a_journal_that_was_cut_keeps_what_was_acknowledged_before(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2))
        monitor.log(batch(3, 4))
        killed(monitor)
    (journal,) = (tmp_path / "m" / "journal").iterdir()
    journal.write_bytes(journal.read_bytes()[:-7])
    with opened(tmp_path) as monitor:
        assert monitor.report()["rows"] == 2
        assert monitor.log(batch(3, 4)).acknowledged == 2


def test_a_journal_that_is_damaged_in_the_middle_says_where(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2))
        monitor.log(batch(3, 4))
        killed(monitor)
    (journal,) = (tmp_path / "m" / "journal").iterdir()
    content = bytearray(journal.read_bytes())
    content[100] ^= 255
    journal.write_bytes(content)
    with pytest.raises(MonitorError, match="damaged at byte 8"):
        opened(tmp_path)


@pytest.mark.parametrize("place", ["examples", "embeddings", "labels"])
def test_a_damaged_segment_is_one_error_that_names_it(tmp_path, place):
    with opened(tmp_path) as monitor:
        monitor.log(batch(*range(12)))
        monitor.attach(["r1"], ["odd"])
    segment = max((tmp_path / "m" / place).iterdir())
    content = segment.read_bytes()
    segment.write_bytes(content[: len(content) // 2])
    with opened(tmp_path) as monitor:
        with pytest.raises(TunewrightError, match=segment.name):
            monitor.rows()
        assert monitor.log(batch(20, 21)).acknowledged == 2  # and it goes on
        assert monitor.report()["rows"] == 14


def test_a_segment_that_is_gone_is_one_error_that_names_it(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(*range(12)))
    (segment,) = (tmp_path / "m" / "examples").iterdir()
    segment.unlink()
    with opened(tmp_path) as monitor, pytest.raises(TunewrightError, match=segment.name):
        monitor.rows()


def test_a_catalogue_of_another_version_is_refused(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2))
    with sqlite3.connect(tmp_path / "m" / "catalogue.sqlite") as connection:
        connection.execute("UPDATE facts SET value = '99' WHERE name = 'format'")
    with pytest.raises(MonitorError, match="format 1 in .*, found 99"):
        opened(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no database at all " * 100], ids=["empty", "something else"])
def test_a_catalogue_that_is_none_is_refused(tmp_path, content):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2))
    for name in ("catalogue.sqlite-wal", "catalogue.sqlite-shm"):
        (tmp_path / "m" / name).unlink(missing_ok=True)
    (tmp_path / "m" / "catalogue.sqlite").write_bytes(content)
    with pytest.raises(MonitorError, match=r"catalogue\.sqlite"):
        opened(tmp_path)
    assert len([*(tmp_path / "m" / "examples").iterdir()]) == 1  # and nothing is swept away


def test_a_state_of_a_fold_that_is_damaged_is_one_error(tmp_path):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2))
    with sqlite3.connect(tmp_path / "m" / "catalogue.sqlite") as connection:
        connection.execute("UPDATE states SET state = x'00ff' WHERE name = 'vocabulary(text)'")
    with pytest.raises(TunewrightError, match="bytes of a state"):
        opened(tmp_path)


def test_two_processes_do_not_write_under_one_name(tmp_path, monitor):
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        assert "another process writes" in pool.apply(refused, (str(tmp_path),))


def refused(folder) -> str:
    from pathlib import Path

    try:
        opened(Path(folder)).close()
    except MonitorError as error:
        return str(error)
    return ""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limits on files here")
@pytest.mark.parametrize("limit", [2_000, 8_000, 20_000, 60_000, 120_000])
def test_a_disk_that_is_full_takes_nothing_more_and_loses_nothing(tmp_path, limit):
    """The system itself refuses to write past a size, wherever that happens: journal, segment, catalogue or state."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        acknowledged, errors = pool.apply(filled, (str(tmp_path), limit))
    assert errors
    assert all("MonitorError" in error for error in errors), errors
    with opened(tmp_path) as monitor:
        assert set(monitor.rows()["id"].to_pylist()) == set(acknowledged)
        assert monitor.report()["rows"] == len(acknowledged)
        assert monitor.log(batch(9001)).acknowledged == 1


def filled(folder, limit) -> tuple[list[str], list[str]]:
    from pathlib import Path

    with opened(Path(folder)) as monitor:
        monitor.log(batch(9000))
        monitor.flush()
        killed(monitor)
    monitor = opened(Path(folder), segment=64)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    taken, errors = ["r9000"], []
    for start in range(0, 600, 12):
        try:
            logged = monitor.log(batch(*range(start, start + 12)))
            taken += logged.ids
            errors += [f"MonitorError: {logged.errors['segment']}"] if "segment" in logged.errors else []
        except Exception as error:  # noqa: BLE001 - it is told to the process that asked
            errors.append(f"{type(error).__name__}: {error}")
            if len(errors) > 3:
                break
    return taken, errors


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path, monkeypatch):
    with opened(tmp_path) as monitor:
        monitor.log(batch(1, 2))
    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(MonitorError, match=r"cannot be written to \(Read-only file system\)"):
        opened(tmp_path)


def read_only(*_, **__):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_commit_that_fails_is_tried_again(tmp_path, monkeypatch):
    with opened(tmp_path) as monitor:
        monitor.log(batch(50))
        with monkeypatch.context() as patched:
            patched.setattr(Catalogue, "transaction", failing)
            logged = monitor.log(batch(*range(12)))
            assert logged.acknowledged == 12
            assert "could not be written" in logged.errors["segment"]
        assert monitor.report()["rows"] == 13
        assert monitor.log(batch(20)).errors == {}
        killed(monitor)
    with opened(tmp_path) as monitor:
        assert monitor.rows().num_rows == 14
        assert monitor.report()["checks"]["vocabulary(text)"]["rows"] == 14


def failing(self):
    raise MonitorError("the catalogue could not be written (disk I/O error)")


def test_a_monitor_that_is_closed_says_so(tmp_path):
    monitor = opened(tmp_path)
    monitor.log(batch(1))
    monitor.close()
    monitor.close()
    with pytest.raises(MonitorError, match="closed"):
        monitor.log(batch(2))
    with pytest.raises(MonitorError, match="closed"):
        monitor.attach(["r1"], ["odd"])
    assert json.loads((tmp_path / "m" / "run.json").read_text())["rows"] == 1
