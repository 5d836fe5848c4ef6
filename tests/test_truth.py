from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.monitor.collector import Collector
from tunewright.monitor.expressions import col, truth
from tunewright.monitor.watch import Monitor
from tunewright.run import Run
from tunewright.truth import first_of_each, last_of_each, with_truth

WRONG = (col("predicted") != truth("label")).edge("wrong")
ODD = (col("number") > 2).edge("large")


def rows(*numbers: int, **more) -> dict:
    return {
        "id": [f"r{number}" for number in numbers],
        "text": [f"text {number}" for number in numbers],
        "number": list(numbers),
        "predicted": ["yes" if number % 2 else "no" for number in numbers],
        **more,
    }


@pytest.fixture
def folder(tmp_path):
    with Monitor(
        "m", folder=tmp_path / "m", checks=[WRONG, ODD], truth=("label",), collect=Collector(budget=9), segment=4
    ) as monitor:
        monitor.log(rows(1, 2, 3, 4))  # a segment without the column
        monitor.log(rows(5, 6, 7, 8, label=["yes", "no", None, "no"]))
        monitor.attach(["r1", "r3", "r6"], {"label": ["no", "no", "yes"]})
        monitor.attach(["r3"], {"label": ["yes"]})  # a correction
        monitor.mark(["r2"], reason="looked at", scores=[0.5])
    return tmp_path / "m"


def test_a_run_of_production_has_the_truth_and_the_reasons_that_came_later(folder):
    found = {row["id"]: row for row in Run.open(folder).examples().to_pylist()}
    assert {id: row["label"] for id, row in found.items()} == {
        "r1": "no", "r2": None, "r3": "yes", "r4": None, "r5": "yes", "r6": "yes", "r7": None, "r8": "no",
    }  # fmt: skip
    assert found["r1"]["reasons"] == ["wrong"]
    assert found["r6"]["reasons"] == ["large", "wrong"]
    assert found["r2"]["reasons"] == ["looked at"]
    assert found["r2"]["scores"] == [0.5]
    assert found["r1"]["predicted"] == "yes"


def test_it_says_what_the_monitor_says(folder):
    run = Run.open(folder)
    with Monitor("m", folder=folder, checks=[WRONG, ODD], truth=("label",), collect=Collector(budget=9)) as monitor:
        names = ["label", "reasons", "scores"]
        assert monitor.rows(names).sort_by("id").equals(run.table("examples", ["id", *names]).sort_by("id"))


def test_every_view_reads_it(folder):
    run = Run.open(folder)
    assert run.sql("SELECT count(*) AS n FROM examples WHERE label IS NOT NULL")["n"].to_pylist() == [5]
    assert run.table("examples", ["id", "label"]).column_names == ["id", "label"]


def test_truth_of_another_type_becomes_text():
    before = pa.table({"id": ["a", "b"], "label": ["yes", "no"]})
    later = pa.table({"id": ["b"], "label": pa.array([1.5])})
    assert with_truth(before, later)["label"].to_pylist() == ["yes", "1.5"]


def test_first_and_last_of_each():
    some = pa.table({"id": ["a", "b", "a"], "x": [1, 2, 3]})
    assert first_of_each(some)["x"].to_pylist() == [1, 2]
    assert sorted(last_of_each(some)["x"].to_pylist()) == [2, 3]
    assert first_of_each(some.slice(0, 0)).num_rows == 0
