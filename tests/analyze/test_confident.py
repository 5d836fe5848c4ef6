from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.linear_model import LogisticRegression

from tunewright.analyze import confident
from tunewright.analyze.confident import Likely, confident_issues, fold_of, out_of_fold
from tunewright.errors import DataError


def blobs(n, classes, *, seed, dimensions=8, spread=1.0):
    """Vectors around one centre per class, and their classes."""
    random = np.random.default_rng(seed)
    label = random.integers(classes, size=n)
    centres = random.normal(0, 2, (classes, dimensions))
    return centres[label] + random.normal(0, spread, (n, dimensions)), label


def flipped(label, classes, share, seed):
    random = np.random.default_rng(seed)
    wrong = random.permutation(len(label))[: round(share * len(label))]
    given_label = label.copy()
    given_label[wrong] = (label[wrong] + random.integers(1, classes, size=len(wrong))) % classes
    return given_label


def dense(probability, label):
    """`Likely` of full probabilities [n, classes]."""
    return Likely(*confident._top(probability.copy(), label, min(confident.RIVALS, probability.shape[1] - 1)))


def test_probabilities_are_those_of_the_reference_fit_without_the_row():
    vectors, label = blobs(300, 3, seed=0)
    likely = out_of_fold(vectors, label, classes=3)
    fold = fold_of(vectors, label, folds=5)
    for held_out in range(5):
        taught, judged = fold != held_out, fold == held_out
        mean, scale = vectors[taught].mean(axis=0), vectors[taught].std(axis=0)
        reference = LogisticRegression(C=0.01, tol=1e-8, max_iter=1000).fit(
            (vectors[taught] - mean) / scale, label[taught]
        )
        expected = reference.predict_proba((vectors[judged] - mean) / scale)
        assert np.allclose(likely.own[judged], expected[np.arange(judged.sum()), label[judged]], atol=5e-3)


def test_a_dimension_that_hardly_varies_is_no_evidence():
    vectors, label = blobs(200, 2, seed=1)
    flat = np.full((200, 1), 0.5) + np.random.default_rng(0).normal(0, 1e-9, (200, 1))
    with_flat = out_of_fold(np.hstack([vectors, flat]), label, classes=2)
    fold = fold_of(vectors, label, folds=5)
    assert np.array_equal(fold, fold_of(np.hstack([vectors, flat]), label, folds=5))
    assert np.allclose(with_flat.own, out_of_fold(vectors, label, classes=2).own, atol=1e-2)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_rows_and_classes_may_come_in_any_order(seed, classes):
    vectors, label = blobs(80, classes, seed=seed)
    random = np.random.default_rng(seed)
    rows, names = random.permutation(80), random.permutation(classes)
    plain = out_of_fold(vectors, label, classes=classes)
    moved = out_of_fold(vectors[rows], names[label[rows]], classes=classes)
    assert np.allclose(moved.own, plain.own[rows], atol=1e-2)
    assert np.allclose(moved.probability, plain.probability[rows], atol=1e-2)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_every_class_is_spread_over_the_folds(seed, classes):
    random = np.random.default_rng(seed)
    label = random.integers(classes, size=100)
    fold = fold_of(random.normal(size=(100, 3)), label, folds=5)
    for code in np.unique(label):
        counts = np.bincount(fold[label == code], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_rows_without_a_label_neither_teach_nor_are_judged():
    vectors, label = blobs(60, 2, seed=2)
    label[:10] = -1
    likely = out_of_fold(vectors, label, classes=2)
    alone = out_of_fold(vectors[10:], label[10:], classes=2)
    assert np.isnan(likely.own[:10]).all()
    assert np.isnan(likely.probability[:10]).all()
    assert np.allclose(likely.own[10:], alone.own)


@pytest.mark.parametrize(("rows", "classes"), [(4, 2), (50, 1)])
def test_too_few_rows_or_classes_are_refused(rows, classes):
    with pytest.raises(DataError, match="expected two classes and 5 labelled rows"):
        out_of_fold(np.zeros((rows, 2)), np.zeros(rows, dtype=np.int64), classes=classes)


def test_thousands_of_classes_fit_into_bounded_memory(monkeypatch):
    monkeypatch.setattr(confident, "_CELLS", 50_000)
    monkeypatch.setattr(confident, "_STEPS", 2)
    classes, rows = 1_000, 2_000
    vectors, label = blobs(rows, classes, seed=3, dimensions=4)
    tracemalloc.start()
    likely = out_of_fold(vectors, label, classes=classes)
    confident_issues(likely, label, classes=classes)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < rows * classes * 8 / 4  # a quarter of one table of all probabilities


def test_the_joint_expects_about_as_many_errors_as_there_are():
    vectors, truth = blobs(2_000, 4, seed=4, spread=0.7)
    label = flipped(truth, 4, 0.1, seed=4)
    issues = confident_issues(out_of_fold(vectors, label, classes=4), label, classes=4)
    wrong = label != truth
    assert issues.errors == pytest.approx(200, rel=0.25)
    for flags in (issues.confident, issues.noise_rate, issues.by_class, issues.both):
        assert flags[wrong].mean() > 0.8
        assert wrong[flags].mean() > 0.8


def test_a_hand_made_case():
    """Thresholds 0.6 and 0.75: row 2 counts as class 1, row 5 as class 0, row 3 as none."""
    label = np.array([0, 0, 0, 1, 1, 1])
    first = np.array([0.9, 0.8, 0.1, 0.45, 0.05, 0.25])
    first = np.array([0.9, 0.8, 0.1, 0.45, 0.0, 0.7])
    issues = confident_issues(dense(np.stack([first, 1 - first], axis=1), label), label, classes=2)
    # thresholds: (0.9 + 0.8 + 0.1) / 3 = 0.6 and (0.55 + 1.0 + 0.3) / 3 = 0.617
    assert issues.confident.tolist() == [False, False, True, False, False, True]
    # joint of label 0: 2 and 1; of label 1: 1 to 0, 1 to 1, scaled to the three rows: 1.5
    assert issues.errors == pytest.approx(1 + 1.5)
    assert issues.noise_rate.tolist() == [False, False, True, False, False, True]
    assert issues.both.tolist() == issues.by_class.tolist() == issues.noise_rate.tolist()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_no_flag_where_the_label_is_likeliest_or_missing(seed):
    random = np.random.default_rng(seed)
    probability = random.dirichlet(np.ones(4), size=50)
    label = random.integers(4, size=50)
    likely = dense(probability, label)
    likely.own[:5] = np.nan
    likely.probability[:5] = np.nan
    label[:5] = -1
    issues = confident_issues(likely, label, classes=4)
    fine = (label < 0) | (probability.argmax(axis=1) == label)
    for flags in (issues.noise_rate, issues.by_class, issues.both):
        assert not (flags & fine).any()
    assert not issues.confident[:5].any()
    assert (issues.both == (issues.noise_rate & issues.by_class)).all()
