from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.analyze.mixing import audit, distances, draw_pairs, label_entropy
from tunewright.errors import DataError


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(2, 30), count=st.integers(1, 80), alpha=st.floats(0.05, 5), seed=st.integers(0, 99))
def test_pairs_are_of_different_rows_repeat_late_and_use_all_alike(rows, count, alpha, seed):
    pairs, share = draw_pairs(rows, count, alpha=alpha, seed=seed)
    assert pairs.shape == (count, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert ((share >= 0) & (share <= 1)).all()
    possible = rows * (rows - 1) // 2
    assert len({tuple(sorted(pair)) for pair in pairs.tolist()}) == min(count, possible)
    if count <= rows // 2:
        assert len(np.unique(pairs)) == 2 * count
    again, same = draw_pairs(rows, count, alpha=alpha, seed=seed)
    assert np.array_equal(again, pairs)
    assert np.array_equal(same, share)


def test_shares_are_those_of_a_beta_distribution():
    from scipy.stats import beta, kstest

    _, share = draw_pairs(1000, 4000, alpha=0.9, seed=0)
    assert kstest(share, beta(0.9, 0.9).cdf).pvalue > 0.01


@pytest.mark.parametrize(("rows", "count", "alpha"), [(1, 1, 1.0), (5, 0, 1.0), (5, 1, 0.0), (5, 1, float("nan"))])
def test_what_cannot_be_drawn_is_refused(rows, count, alpha):
    with pytest.raises(DataError):
        draw_pairs(rows, count, alpha=alpha, seed=0)


def test_an_audit_by_hand():
    pairs = np.array([[0, 1], [1, 0], [0, 2], [3, 4], [0, 0]])
    share = np.array([0.5, 0.5, 0.99, 0.25, 0.5])
    labels, texts = ["a", "b", "a", "b", "a", "b"], ["one", "two", "three", "four", "four", "five"]
    found = audit(pairs, share, labels=labels, texts=texts)
    assert found.pairs == 5
    assert found.repeated == pytest.approx(1 / 5)  # 1 with 0 again
    assert found.copies == pytest.approx(3 / 5)  # a share of 0.99, two equal texts, a row with itself
    assert found.same_label == pytest.approx(2 / 5)
    quarter = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
    assert found.entropy == pytest.approx((1 + 1 + 0 + quarter + 0) / 5)
    assert found.covered == pytest.approx(5 / 6)
    assert found.most_uses == 5
    assert found.labels == pytest.approx({"a": (0.5 + 0.5 + 1 + 0.75 + 1) / 5, "b": (0.5 + 0.5 + 0.25) / 5})
    assert found.labels_of_data == pytest.approx({"a": 0.5, "b": 0.5})
    assert found.distance is None


def test_nothing_to_audit_is_refused():
    with pytest.raises(DataError, match="none"):
        audit(np.zeros((0, 2), int), np.zeros(0), labels=["a"], texts=["one"])


def test_distances_are_to_the_nearer_parent():
    vectors = np.array([[2.0, 0], [0, 3.0]])
    near, apart = distances(vectors, np.array([[0, 1]] * 3), np.array([0.5, 1.0, 0.5]), seed=0)
    assert near == pytest.approx(1 - np.sqrt(0.5))
    assert apart == pytest.approx(1)


def test_of_two_parts_half_and_half_says_most():
    first, second = np.array(["a"] * 4), np.array(["b", "b", "b", "a"])
    bits = label_entropy(first, second, np.array([0.5, 0.9, 1.0, 0.5]))
    assert bits[0] == 1
    assert 0 < bits[1] < 1
    assert bits[2:].tolist() == [0, 0]
