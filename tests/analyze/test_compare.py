from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import binomtest, norm

from tunewright.analyze.compare import align, compare, detectable, mcnemar
from tunewright.errors import ComparisonError


def rows(wins, losses, both, neither):
    """Two models' correctness with this paired table."""
    counts = (wins, losses, both, neither)
    a = np.repeat([False, True, True, False], counts)
    b = np.repeat([True, False, True, False], counts)
    return a, b


def compared(a, b, label=None, **options):
    label = np.zeros(len(a), dtype=int).astype(object) if label is None else label
    return compare(a, b, label=label, id=np.array([f"r{row}" for row in range(len(a))]), **options)


def test_counts_by_hand():
    result = compared(*rows(12, 3, 80, 5))
    assert (result.n, result.wins, result.losses) == (100, 12, 3)
    assert (result.accuracy_a, result.accuracy_b, result.difference) == (0.83, 0.92, 0.09)
    assert result.p == pytest.approx(2 * sum(np.array([1, 15, 105, 455])) / 2**15)
    assert result.won == tuple(f"r{row}" for row in range(12))
    assert result.lost == ("r12", "r13", "r14")
    low, high = result.interval
    assert 0 < low < 0.09 < high
    assert result.verdict == "better"
    assert "12 wins, 3 losses" in result.sentence()
    assert "1 win, 1 loss," in compared(*rows(1, 1, 3, 3)).sentence()
    assert result.sentence().startswith("B is better than A: difference +9.0 points (95% interval")


def test_swapping_the_models_swaps_the_answer():
    a, b = rows(30, 10, 50, 10)
    one, other = compared(a, b), compared(b, a)
    assert (one.verdict, other.verdict) == ("better", "worse")
    assert one.p == other.p
    assert one.difference == -other.difference
    np.testing.assert_allclose(one.interval, [-end for end in other.interval[::-1]], atol=0.011)


def test_equal_models_cannot_be_told_apart_and_the_interval_has_a_length():
    result = compared(*rows(0, 0, 90, 10))
    assert (result.verdict, result.p, result.difference) == ("cannot tell", 1, 0)
    assert result.interval[0] < 0 < result.interval[1]
    assert result.detectable is None
    assert "no difference could have been found" in result.sentence()


def test_cannot_tell_says_what_could_have_been_told():
    result = compared(*rows(52, 48, 850, 50))
    assert result.verdict == "cannot tell"
    assert "2.8 points" in result.sentence()


def test_the_same_seed_gives_the_same_interval():
    a, b = rows(30, 10, 50, 10)
    assert compared(a, b) == compared(a, b)
    assert compared(a, b).interval != compared(a, b, seed=1).interval


def test_classes_that_got_worse_are_shown():
    a, b = rows(10, 12, 20, 0)
    label = np.array(["x"] * 10 + ["y"] * 12 + ["x"] * 10 + ["y"] * 10, dtype=object)
    x, y = compared(a, b, label).classes
    assert (x.label, x.support, x.recall_a, x.recall_b, x.difference) == ("x", 20, 0.5, 1, 0.5)
    assert (y.wins, y.losses, y.recall_b) == (0, 12, pytest.approx(10 / 22))
    assert y.p == pytest.approx(2 * 2 * 0.5**12)  # the smaller of two, so doubled
    assert x.p == pytest.approx(2 * 0.5**10)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_equals_the_binomial_test(wins, losses):
    expected = binomtest(wins, wins + losses, 0.5).pvalue if wins + losses else 1
    assert mcnemar(wins, losses) == pytest.approx(expected)


@given(st.integers(5, 5000), st.floats(0.01, 1))
def test_detectable_solves_connors_sample_size(n, q):
    found = detectable(n, q)
    if found is None:
        largest = (norm.ppf(0.975) * np.sqrt(q) + norm.ppf(0.8) * np.sqrt(q - q**2)) ** 2 / q**2
        assert n < largest + 1e-6
    else:
        needed = (norm.ppf(0.975) * np.sqrt(q) + norm.ppf(0.8) * np.sqrt(max(q - found**2, 0))) ** 2 / found**2
        assert needed == pytest.approx(n, rel=1e-6)


def test_more_rows_detect_less():
    found = [detectable(n, 0.1) for n in (200, 1000, 5000)]
    assert found == sorted(found, reverse=True)


def test_a_detectable_difference_is_found_four_times_out_of_five():
    n, q = 1000, 0.1
    gain = detectable(n, q)
    draws = np.random.default_rng(0).multinomial(n, [(q + gain) / 2, (q - gain) / 2, 1 - q], size=400)
    found = np.mean([mcnemar(int(wins), int(losses)) < 0.05 for wins, losses, _ in draws])
    assert 0.7 < found < 0.87  # the exact test asks for a little more than the approximation


@pytest.mark.parametrize("shares", [(0.05, 0.05), (0.01, 0.01), (0.06, 0.04), (0.004, 0.0)])
def test_intervals_cover_the_truth_and_verdicts_on_equal_models_are_rarely_wrong(shares):
    n, times = 300, 200
    draws = np.random.default_rng(1).multinomial(n, [*shares, 1 - sum(shares)], size=times)
    covered = told = 0
    for seed, (wins, losses, ties) in enumerate(draws.tolist()):
        result = compared(*rows(wins, losses, ties, 0), resamples=400, seed=seed)
        covered += result.interval[0] <= shares[0] - shares[1] <= result.interval[1]
        told += result.verdict != "cannot tell"
    assert covered / times > 0.91
    if shares[0] == shares[1]:
        assert told / times < 0.08


def test_rows_are_matched_by_id_never_by_position():
    ids = np.array(["a", "b", "c"], dtype=object)
    shuffled = np.array(["c", "a", "b"], dtype=object)
    assert shuffled[align(ids, shuffled)].tolist() == ids.tolist()


def test_different_rows_are_refused():
    ids = np.array(["a", "b"], dtype=object)
    with pytest.raises(ComparisonError, match="1 that only A and 2 that only B"):
        align(ids, np.array(["a", "c", "d"], dtype=object))
    with pytest.raises(ComparisonError, match="repeated"):
        align(ids, np.array(["a", "a"], dtype=object))
    with pytest.raises(ComparisonError, match="lengths"):
        compare(np.ones(2, bool), np.ones(3, bool), label=ids, id=ids)
    with pytest.raises(ComparisonError, match="lengths"):
        compare(np.ones(0, bool), np.ones(0, bool), label=ids[:0], id=ids[:0])
