from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.compare import compare
from tunewright.analyze.paired import compare_scores
from tunewright.errors import ComparisonError


def scores(seed, n=300, lift=0.0):
    draw = np.random.default_rng(seed)
    a = draw.beta(2, 2, n)
    return a, np.clip(a + draw.normal(lift, 0.2, n), 0, 1)


def test_a_clear_lift_is_better_and_its_mirror_worse():
    a, b = scores(0, lift=0.1)
    found = compare_scores(a, b, name="f1")
    assert found.verdict == "better"
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.difference == pytest.approx(b.mean() - a.mean())
    assert compare_scores(b, a, name="f1").verdict == "worse"
    assert found.sentence().startswith("B is better than A: difference in f1 +")


def test_equal_models_cannot_be_told_apart():
    a, _ = scores(1)
    found = compare_scores(a, a, name="f1")
    assert (found.verdict, found.p, found.difference) == ("cannot tell", 1.0, 0.0)


def test_under_the_null_better_is_rare_and_the_interval_covers():
    found = [compare_scores(*null(seed), name="f1", resamples=400) for seed in range(400)]
    assert sum(one.verdict == "better" for one in found) / 400 <= 0.045
    assert 0.91 <= sum(one.interval[0] <= 0 <= one.interval[1] for one in found) / 400 <= 0.985


def null(seed, n=120):
    draw = np.random.default_rng(seed)
    return draw.beta(2, 2, n), draw.beta(2, 2, n)


@pytest.mark.parametrize(("wins", "losses", "ties"), [(0, 0, 24), (3, 0, 40), (12, 5, 83)])
def test_scores_of_0_and_1_have_the_interval_of_the_comparison(wins, losses, ties):
    a = np.repeat([0, 1, 1], [wins, losses, ties])
    b = np.repeat([1, 0, 1], [wins, losses, ties])
    expected = compare(a == 1, b == 1, id=np.arange(len(a)))
    found = compare_scores(a, b, name="exact_match")
    np.testing.assert_allclose(found.interval, expected.interval, atol=1.01 / len(a))
    assert found.interval[0] < found.difference < found.interval[1]


def test_rows_must_be_the_same():
    with pytest.raises(ComparisonError, match="same rows"):
        compare_scores(np.ones(3), np.ones(2), name="f1")
