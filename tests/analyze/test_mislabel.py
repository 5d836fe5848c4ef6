from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import rankdata

from tunewright.analyze.mislabel import suspects

LABELS = ("neg", "pos", "other")


def given_columns(margin, other=1, labels=LABELS):
    margin = np.atleast_2d(np.array(margin, dtype=float))
    other = np.broadcast_to(np.array(other, dtype=float), margin.shape).copy()
    other[np.isnan(margin)] = np.nan
    return suspects(margin=margin, gold_probability=1 / (1 + np.exp(-margin)), other=other, labels=list(labels))


def simulated(n, classes, rate, seed):
    """Margins of n rows over 4 epochs; flipped rows lose against their true class as surely as others win."""
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=n)
    flipped = np.zeros(n, dtype=bool)
    flipped[random.permutation(n)[: round(rate * n)]] = True
    label = np.where(flipped, (truth + 1) % classes, truth)
    margin = random.normal(np.where(flipped, -2, 2)[:, None], 1.5, (n, 4))
    other = np.where(flipped, truth, (label + 1) % classes)[:, None].repeat(4, axis=1).astype(float)
    return margin, other, truth, flipped


def test_a_row_that_training_argues_against_is_flagged_with_the_class_it_argues_for():
    columns = given_columns([[0, -2, -3], [1, 2, 3]], other=2)
    assert columns["suspect"].tolist() == [True, False]
    assert columns["suggested"].tolist() == ["other", None]
    assert columns["suspicion"].tolist() == [0.75, 0.25]


def test_the_first_epoch_counts_only_when_there_are_fewer_than_three():
    assert given_columns([[-9, 1, 1]])["suspect"].tolist() == [False]
    assert given_columns([[-9, 1]])["suspect"].tolist() == [True]


def test_with_changing_rivals_a_negative_margin_is_not_enough():
    columns = given_columns([[0, -1, -1, -1], [0, -1, -1, -1]], other=[[0, 0, 1, 2], [0, 1, 1, 2]])
    assert columns["suspect"].tolist() == [False, True]


def test_the_suggestion_is_the_most_frequent_rival_then_the_stronger_then_the_first():
    columns = given_columns(
        [[0, -1, -1, -9], [0, -1, -2, 5], [0, -1, -1, 5]],
        other=[[0, 1, 1, 2], [0, 1, 2, 2], [0, 2, 1, 0]],
    )
    assert columns["suggested"].tolist() == ["pos", "other", "pos"]


def test_without_a_known_rival_every_epoch_must_argue_against_the_label():
    columns = given_columns([[0, -9, 1, -9], [0, -1, -1, -1]], other=-1)
    assert columns["suspect"].tolist() == [False, True]
    assert columns["suggested"].tolist() == [None, None]


def test_codes_stand_for_themselves_without_names():
    assert given_columns([[-1, -1]], other=7, labels=())["suggested"].tolist() == ["7"]


def test_a_row_never_seen_is_no_suspect():
    columns = given_columns([[np.nan] * 3, [-1, -1, -1], [1, 1, 1]])
    assert np.isnan(columns["suspicion"][0])
    assert columns["suspect"].tolist() == [False, True, False]
    assert columns["suggested"][0] is None


def test_nothing_at_all_is_no_error():
    columns = given_columns(np.zeros((0, 3)))
    assert [len(values) for values in columns.values()] == [0, 0, 0]


def test_a_class_with_many_wrong_labels_does_not_hide_them():
    margin = np.array([[3.0]] * 10 + [[2.0]] * 4 + [[-2.0]] * 6)  # two classes of ten
    assert (given_columns(margin)["suspicion"][-6:] > 0.7).all()


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_planted_flips_rank_high_and_the_flags_count_about_right(classes):
    margin, other, truth, flipped = simulated(2000, classes, 0.08, seed=classes)
    labels = tuple(map(str, range(classes)))
    columns = given_columns(margin, other=other, labels=labels)
    ranks = rankdata(columns["suspicion"])
    auroc = (ranks[flipped].mean() - (flipped.sum() + 1) / 2) / (~flipped).sum()
    assert auroc > 0.95
    assert 0.8 < columns["suspect"].sum() / flipped.sum() < 1.3
    assert (columns["suggested"][flipped & columns["suspect"]] == truth[flipped & columns["suspect"]].astype(str)).all()


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 9))
def test_suspicion_is_a_rank_score_and_follows_the_rows(n, epochs, seed):
    random = np.random.default_rng(seed)
    margin = random.normal(size=(n, epochs))
    order = random.permutation(n)
    one = given_columns(margin)
    other = given_columns(margin[order])
    assert ((one["suspicion"] > 0) & (one["suspicion"] < 1)).all()
    assert one["suspicion"].mean() == pytest.approx(0.5)
    np.testing.assert_allclose(one["suspicion"][order], other["suspicion"])
    assert one["suspect"][order].tolist() == other["suspect"].tolist()
