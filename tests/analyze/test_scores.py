from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.metrics import f1_score, precision_recall_fscore_support

from tunewright.analyze.scores import grade, score, wilson
from tunewright.errors import DataError

LABELS = ("a", "b", "c")


def names(codes):
    return np.array(LABELS, dtype=object)[np.asarray(codes)]


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_equals_the_published_table(hits, n, low, high):
    """Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_says_nothing():
    assert wilson(0, 0) == (0, 1)


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_grows_with_the_level(n, data):
    hits = data.draw(st.integers(0, n))
    low, high = wilson(hits, n)
    wider = wilson(hits, n, level=0.99)
    assert 0 <= wider[0] <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= wider[1] <= 1


def test_scores_by_hand():
    result = score(names([0, 0, 0, 1]), names([0, 0, 1, 1]), labels=LABELS)
    assert (result.n, result.accuracy) == (4, 0.75)
    assert result.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    first, second = result.classes
    assert (first.label, first.support, first.precision, first.recall) == ("a", 3, 1, pytest.approx(2 / 3))
    assert (second.precision, second.recall, second.f1) == (0.5, 1, pytest.approx(2 / 3))
    low, high = wilson(2, 3)  # TP / (TP + FP + FN) of class a
    assert first.f1_interval == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_scores_equal_scikit_learn(rows):
    gold, guess = np.array(rows).T
    result = score(names(gold), names(guess), labels=LABELS, resamples=10)
    present = sorted(set(gold) | set(guess))
    expected = precision_recall_fscore_support(gold, guess, labels=present, zero_division=0)
    found = [[one.precision, one.recall, one.f1, one.support] for one in result.classes]
    np.testing.assert_allclose(found, np.transpose(expected))
    assert result.macro_f1 == pytest.approx(
        f1_score(gold, guess, labels=sorted(set(gold)), average="macro", zero_division=0)
    )
    for one in result.classes:
        assert one.f1_interval[0] - 1e-12 <= one.f1 <= one.f1_interval[1] + 1e-12


def test_rows_without_a_label_do_not_count():
    label = np.array(["a", None, "b"], dtype=object)
    assert score(label, names([0, 0, 0]), labels=LABELS).n == 2


def test_the_bootstrap_is_seeded_and_holds_the_score():
    random = np.random.default_rng(0)
    gold = random.integers(3, size=300)
    guess = np.where(random.random(300) < 0.7, gold, random.integers(3, size=300))
    one = score(names(gold), names(guess), labels=LABELS, resamples=200)
    assert one == score(names(gold), names(guess), labels=LABELS, resamples=200)
    low, high = one.macro_f1_interval
    assert low < one.macro_f1 < high
    assert high - low == pytest.approx(one.accuracy_interval[1] - one.accuracy_interval[0], rel=0.2)


def test_thousands_of_classes_need_no_matrix():
    labels = tuple(map(str, range(100_000)))
    gold = np.array(["0", "99999"], dtype=object)
    assert score(gold, gold, labels=labels, resamples=2).accuracy == 1


def test_errors_name_what_was_found():
    with pytest.raises(DataError, match="found \\['z'\\]"):
        score(np.array(["z"], dtype=object), names([0]), labels=LABELS)
    with pytest.raises(DataError, match="found none"):
        score(np.array([None], dtype=object), names([0]), labels=LABELS)


@pytest.mark.parametrize("right", [0, 7, 24])
def test_the_mean_of_zeros_and_ones_is_a_proportion(right):
    found = grade(np.repeat([1.0, 0.0, np.nan], [right, 24 - right, 3]), name="exact_match")
    assert (found.mean, found.n, found.interval) == (right / 24, 24, wilson(right, 24))


def test_equal_scores_say_nothing_about_an_interval():
    assert grade(np.full(24, 0.4), name="f1").interval is None
    low, high = grade(np.array([0.2, 0.4, 0.9]), name="f1").interval
    assert low < 0.5 < high
