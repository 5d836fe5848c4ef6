"""A few kills; `make kills` does 200."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_scenario.py")


@pytest.fixture(scope="module")
def scenario():
    made = importlib.util.spec_from_file_location("kill_scenario", SCRIPT)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


def logging(folder: Path, *, until: int | None = None, delay: float = 0.0) -> list[list[str]]:
    """What a process acknowledged that was killed so long after so many acknowledgements; None is never."""
    with subprocess.Popen([sys.executable, str(SCRIPT), str(folder)], stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(until or 0)]
        if until is not None:
            time.sleep(delay)
            process.kill()
        lines += process.stdout.readlines()
    assert until is not None or process.returncode == 0
    return [line.split() for line in lines if line.endswith("\n")]


def test_nothing_that_was_acknowledged_is_lost_or_counted_twice(tmp_path, scenario):
    acknowledged = []
    for until, delay in ((3, 0.0), (11, 0.004), (22, 0.011)):
        acknowledged += logging(tmp_path / "killed", until=until, delay=delay)
    acknowledged += logging(tmp_path / "killed")
    with scenario.opened(tmp_path / "killed") as monitor:
        killed = scenario.result(monitor)
    scenario.main(tmp_path / "undisturbed")
    with scenario.opened(tmp_path / "undisturbed") as monitor:
        undisturbed = scenario.result(monitor)
    assert killed == undisturbed
    rows = {row["id"] for row in killed["rows"]}
    labelled = {row["id"] for row in killed["rows"] if row["gts"] is not None}
    assert {id for kind, *ids in acknowledged for id in ids if kind == "rows"} <= rows
    assert {id for kind, *ids in acknowledged for id in ids if kind == "labels"} <= labelled
    assert len(killed["rows"]) == len(rows) == scenario.BATCHES * scenario.ROWS
