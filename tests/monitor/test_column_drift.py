from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tunewright.errors import ColumnError, DataError
from tunewright.monitor.column_drift import ColumnDrift
from tunewright.monitor.laws import agree, laws
from tunewright.monitor.reference import Reference

WINDOW = 100


def rows(count, *, seed, shift=0.0, shares=(0.5, 0.3, 0.2)):
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "id": [f"{seed}-{row}" for row in range(count)],
            "chars": random.normal(50 + 10 * shift, 10, count).round().astype(int),
            "score": random.standard_normal(count) + shift,
            "source": random.choice(["web", "app", "mail"], count, p=shares),
        }
    )


@pytest.fixture(scope="module")
def reference():
    return Reference.from_table(rows(3000, seed=0))


@pytest.mark.parametrize("column", ["chars", "score", "source"])
def test_quiet_columns_raise_no_alarm(column, reference):
    fold = ColumnDrift(column, window=WINDOW)
    report = fold.report(fold.update(fold.start(reference), rows(9000, seed=1)))
    assert report["windows"] == 90
    assert not report["alarm"]


@pytest.mark.parametrize(("column", "rest"), [("chars", 0.4), ("score", 0.4), ("source", 0.0)])
def test_drift_is_found(column, rest, reference):
    fold = ColumnDrift(column, window=WINDOW)
    moved = rows(3000, seed=2, shift=rest, shares=(0.35, 0.3, 0.35))
    report = fold.report(fold.update(fold.start(reference), moved))
    assert report["alarm"]
    assert report["first_alarm"] < 20
    assert report["effect"] > 0.05


def test_what_changed_is_told(reference):
    fold = ColumnDrift("source", window=WINDOW)
    moved = rows(WINDOW, seed=2, shares=(0.1, 0.1, 0.8))
    change = fold.report(fold.update(fold.start(reference), moved))["change"].to_pylist()
    assert change[0]["category"] == "mail"
    assert change[0]["window"] > change[0]["reference"]
    numbers = ColumnDrift("score", window=WINDOW)
    quantiles = numbers.report(numbers.update(numbers.start(reference), rows(WINDOW, seed=3, shift=2)))["change"]
    assert all(row["window"] > row["reference"] for row in quantiles.to_pylist())


def test_new_categories_are_counted_together(reference):
    fold = ColumnDrift("source", window=10)
    new = pa.table({"source": [f"bot{row}" for row in range(20)]})
    report = fold.report(fold.update(fold.start(reference), new))
    assert report["change"].to_pylist()[0] == {"category": "(other)", "reference": 0.0, "window": 1.0}
    assert report["alarm"]


@pytest.mark.parametrize("column", ["chars", "score", "source"])
def test_laws_within_a_window(column, reference):
    assert laws(ColumnDrift(column, window=WINDOW), rows(60, seed=4), reference=reference) == []


@pytest.mark.parametrize("column", ["score", "source"])
def test_merging_does_not_depend_on_the_order(column, reference):
    fold = ColumnDrift(column, window=WINDOW)
    a, b, c = (fold.update(fold.start(reference), rows(count, seed=count)) for count in (130, 420, 60))
    one, other = fold.report(fold.merge(fold.merge(a, b), c)), fold.report(fold.merge(a, fold.merge(c, b)))
    assert agree(one, other)
    assert one["rows"] == 610


def test_missing_values_are_counted_and_left_out(reference):
    fold = ColumnDrift("score", window=WINDOW)
    some = pa.table({"score": [1.0, None, float("nan"), 2.0]})
    report = fold.report(fold.update(fold.start(reference), some))
    assert (report["rows"], report["missing"]) == (4, 2)


def test_whole_numbers_of_few_kinds_are_categories_unless_said():
    table = pa.table({"stars": np.random.default_rng(0).integers(1, 6, 500)})
    known = Reference.from_table(table)
    assert ColumnDrift("stars").start(known)["reference"]["kind"] == "categories"
    assert ColumnDrift("stars", kind="numbers").start(known)["reference"]["kind"] == "numbers"


def test_errors_say_what_to_do(reference):
    fold = ColumnDrift("score", window=WINDOW)
    with pytest.raises(ColumnError, match="expected numbers"):
        fold.update(fold.start(reference), pa.table({"score": ["high"]}))
    with pytest.raises(ColumnError, match="needs column 'score'"):
        fold.update(fold.start(reference), pa.table({"id": ["a"]}))
    with pytest.raises(DataError, match="expected a reference"):
        fold.start(None)
    with pytest.raises(ColumnError, match="no column 'scores'"):
        ColumnDrift("scores").start(reference)
    with pytest.raises(DataError, match="kind"):
        ColumnDrift("score", kind="texts")
    with pytest.raises(DataError, match="found none"):
        ColumnDrift("x").start(Reference.from_table(pa.table({"x": pa.nulls(3, pa.float64())})))
