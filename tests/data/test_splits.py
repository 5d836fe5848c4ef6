from __future__ import annotations

import random
from collections import Counter, defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.data.splits import carve, make_splits
from tunewright.errors import DataError


def table_of(rows):
    contents, labels = zip(*rows, strict=True) if rows else ((), ())
    return pa.table({"content": pa.array(contents, pa.string()), "label": pa.array(labels, pa.string())})


rows = st.lists(st.tuples(st.sampled_from("abcdefghijklmnopqrst"), st.sampled_from(["x", "y", None])), max_size=60)


@settings(max_examples=50)
@given(rows, st.integers(0, 3), st.randoms(use_true_random=False))
def test_equal_contents_share_a_split_in_whatever_order_the_rows_come(rows, seed, order):
    made = make_splits(table_of(rows), seed=seed).to_pylist()
    splits = defaultdict(set)
    for (content, _), split in zip(rows, made, strict=True):
        splits[content].add(split)
    assert all(len(found) == 1 for found in splits.values())
    shuffled = order.sample(rows, len(rows))
    again = make_splits(table_of(shuffled), seed=seed).to_pylist()
    assert [splits[content] for content, _ in shuffled] == [{split} for split in again]


def test_every_label_is_cut_at_the_fractions():
    rows = [
        (f"{label}{row}", label) for label, size in {"big": 1000, "small": 50, None: 20}.items() for row in range(size)
    ]
    counts = Counter(zip((label for _, label in rows), make_splits(table_of(rows)).to_pylist(), strict=True))
    for label, size in {"big": 1000, "small": 50, None: 20}.items():
        for split, share in {"train": 0.8, "validation": 0.1, "test": 0.1}.items():
            assert abs(counts[label, split] - share * size) <= 1


def test_rare_labels_reach_every_split_as_often_as_they_should():
    rows = [(f"{label}-{row}", f"label{label}") for label in range(500) for row in range(2)]
    counts = Counter(make_splits(table_of(rows)).to_pylist())
    assert counts["train"] == pytest.approx(800, abs=40)
    assert counts["test"] == pytest.approx(100, abs=40)


def test_a_label_with_one_content_is_trained_on():
    rows = [(f"c{label}", f"label{label}") for label in range(50)]
    assert set(make_splits(table_of(rows)).to_pylist()) == {"train"}


def test_seeds_differ_and_a_column_of_labels_is_optional():
    table = table_of([(str(row), "x") for row in range(200)])
    assert make_splits(table, seed=1) != make_splits(table, seed=2)
    assert Counter(make_splits(table, label=None).to_pylist())["train"] == 160


@pytest.mark.parametrize("fractions", [{}, {"train": 0.5}, {"train": 1.1, "test": -0.1}])
def test_fractions_sum_to_one(fractions):
    with pytest.raises(DataError, match="sum to 1"):
        make_splits(table_of([("a", "x")]), fractions=fractions)


def test_validation_is_carved_from_train_alone():
    rows = [(str(row), random.Random(row).choice("xy")) for row in range(300)]
    table = table_of(rows).append_column("split", pa.array(["train"] * 200 + ["test"] * 100))
    made = carve(table).to_pylist()
    assert made[200:] == ["test"] * 100
    assert Counter(made[:200]) == pytest.approx({"train": 180, "validation": 20}, abs=1)
