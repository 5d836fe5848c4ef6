from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tunewright.analyze.macro import _macro_f1, macro_f1_change
from tunewright.errors import ComparisonError


@pytest.fixture
def runs():
    """Gold [200] of three classes, one of them rare, and predictions [3, 200] of two arms, the second better."""
    random = np.random.default_rng(0)
    gold = random.choice(3, 200, p=[0.6, 0.35, 0.05])
    arms = [np.where(random.random((3, 200)) < right, gold, random.integers(0, 4, (3, 200))) for right in (0.3, 0.9)]
    return gold, *arms


def test_it_is_the_mean_f1_of_the_classes_that_occur(runs):
    gold, first, second = runs
    change = macro_f1_change(first, second, gold)
    for mean, arm in [(change.mean_a, first), (change.mean_b, second)]:
        each = [f1_score(gold, run, labels=[0, 1, 2], average="macro", zero_division=0) for run in arm]
        assert mean == pytest.approx(np.mean(each))
    low, high = change.interval
    assert 0 < low < change.difference < high


def test_rows_that_count_twice_are_as_rows_twice(runs):
    gold, first, _ = runs
    counts = np.random.default_rng(1).integers(0, 3, (1, 200)).astype(float)
    rows = np.repeat(np.arange(200), counts[0].astype(int))
    expected = f1_score(gold[rows], first[0][rows], labels=np.unique(gold[rows]), average="macro", zero_division=0)
    assert _macro_f1(first[0], gold, counts)[0] == pytest.approx(expected)


def test_one_seed_says_nothing(runs):
    gold, first, second = runs
    assert macro_f1_change(first[:1], second[:1], gold).interval == (-1.0, 1.0)


def test_runs_must_have_the_same_rows(runs):
    gold, first, second = runs
    with pytest.raises(ComparisonError, match="same runs"):
        macro_f1_change(first, second[:2], gold)
