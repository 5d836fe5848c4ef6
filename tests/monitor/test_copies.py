from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest

from tunewright.errors import MonitorError
from tunewright.monitor.collector import Collector
from tunewright.monitor.copies import copy_to, is_written
from tunewright.monitor.expressions import col
from tunewright.monitor.watch import Monitor

LONG = (col("length") > 5).edge("long")


def batch(*numbers: int) -> dict:
    return {
        "id": [f"r{number}" for number in numbers],
        "text": [f"row {number}" for number in numbers],
        "length": [number % 10 for number in numbers],
    }


def opened(folder: Path, **changes) -> Monitor:
    settings = {"checks": [LONG], "collect": Collector(budget=20), "segment": 8, "truth": ("gts",), **changes}
    return Monitor("m", folder=folder, **settings)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and "-shm" not in path.name
    }


def test_a_copy_has_all_that_was_acknowledged_and_nothing_reaches_the_monitor(tmp_path):
    with opened(tmp_path / "m") as monitor:
        monitor.log(batch(*range(12)))
        monitor.attach(["r1"], ["yes"])
        monitor.log(batch(18, 19))
        before = files(tmp_path / "m")
        copy_to(tmp_path / "m", tmp_path / "copy" / "m")
        with opened(tmp_path / "copy" / "m") as copy:
            assert copy.report() == monitor.report()
            assert copy.collected().equals(monitor.collected())
            assert copy.rows().equals(monitor.rows())
            copy.log(batch(28, 29, 30, 31, 32, 33, 34, 35, 36))
            copy.forget(days=0)
        assert files(tmp_path / "m") == before
        assert monitor.report()["rows"] == 14


def test_a_copy_of_a_monitor_that_has_no_segment_yet(tmp_path):
    with opened(tmp_path / "m", writer="one") as monitor:
        monitor.log(batch(1, 8))
        copy_to(tmp_path / "m", tmp_path / "copy")
        with opened(tmp_path / "copy", writer="one") as copy:
            assert copy.report()["checks"]["long"]["marked"] == 1


def test_whether_somebody_writes(tmp_path):
    with opened(tmp_path / "m"):
        assert is_written(tmp_path / "m")
        assert not is_written(tmp_path / "m", "another")
    assert not is_written(tmp_path / "m")


def test_of_nothing_there_is_no_copy(tmp_path):
    with pytest.raises(MonitorError, match="expected a monitor"):
        copy_to(tmp_path / "m", tmp_path / "copy")


def test_copies_are_whole_while_another_process_writes(tmp_path):
    context = multiprocessing.get_context("spawn")
    acknowledged, stop = context.Value("i", 0), context.Event()
    writer = context.Process(target=writing, args=(str(tmp_path / "m"), acknowledged, stop))
    writer.start()
    try:
        deadline = time.monotonic() + 60
        while acknowledged.value < 10 and time.monotonic() < deadline:
            time.sleep(0.05)
        seen = [rows_of_a_copy(tmp_path, number, acknowledged) for number in range(8)]
    finally:
        stop.set()
        writer.join(60)
    assert all(least <= rows for least, rows in seen)
    assert seen[-1][1] > seen[0][1]
    assert writer.exitcode == 0


def rows_of_a_copy(folder: Path, number: int, acknowledged) -> tuple[int, int]:
    least = acknowledged.value
    copy_to(folder / "m", folder / f"copy{number}")
    with opened(folder / f"copy{number}") as copy:
        rows = copy.rows()
        assert copy.report()["rows"] == rows.num_rows
        assert sorted(int(id[1:]) for id in rows["id"].to_pylist()) == [*range(rows.num_rows)]
    return least, rows.num_rows


def writing(folder: str, acknowledged, stop) -> None:
    with opened(Path(folder)) as monitor:
        for number in range(100_000):
            if stop.is_set():
                return
            monitor.log(batch(number))
            acknowledged.value = number + 1
