from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.analyze.confident import Likely
from tunewright.analyze.opinions import from_dynamics, from_likely


def test_dynamics_average_over_the_epochs_seen():
    margin = np.array([[1.0, 3.0], [-2.0, np.nan], [np.nan, np.nan]])
    other = np.array([[1, 2], [2, np.nan], [np.nan, np.nan]])
    opinion = from_dynamics(margin, other, np.array([True, True, True]), np.array([[0.6, 0.8], [0.1, 0.5], [0.5, 0.5]]))
    assert opinion.margin[:2].tolist() == [2, -2]
    assert np.isnan(opinion.margin[2])
    assert opinion.own[:2] == pytest.approx([0.7, 0.1])
    assert opinion.best().tolist() == [1, 2, -1]
    assert opinion.of(np.array([1, 2, 0])) == pytest.approx([0.6 * np.exp(-1) / 2, 0.1 * np.exp(2), 0])
    assert opinion.against().tolist() == [False, True, False]


def test_without_probabilities_a_margin_is_that_of_two_classes():
    opinion = from_dynamics(np.array([[np.log(3)]]), np.array([[1]]), np.array([True]))
    assert opinion.own == pytest.approx([0.75])
    assert opinion.of(np.array([1])) == pytest.approx([0.25])


def test_a_row_without_a_label_has_no_opinion():
    opinion = from_dynamics(np.array([[-5.0]]), np.array([[1]]), np.array([False]))
    assert np.isnan([opinion.margin[0], opinion.own[0]]).all()
    assert opinion.best().tolist() == [-1]
    assert opinion.against().tolist() == [False]


def test_changing_rivals_do_not_add_up_to_one():
    """The label loses each epoch, but to another class each time: over the epochs it is the likeliest."""
    margin, other = np.full((1, 3), -0.1), np.array([[1, 2, 3]])
    opinion = from_dynamics(margin, other, np.array([True]), np.full((1, 3), 0.4))
    assert opinion.margin[0] < 0
    assert opinion.against().tolist() == [False]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_best_rival_is_the_likeliest_then_the_first(seed, width):
    random = np.random.default_rng(seed)
    rivals = random.integers(-1, 4, size=(20, width))
    probability = np.where(rivals >= 0, random.integers(1, 3, size=(20, width)) / 8, 0)
    opinion = from_likely(Likely(random.random(20), rivals, probability))
    for row, best in enumerate(opinion.best()):
        totals = {code: probability[row][rivals[row] == code].sum() for code in rivals[row] if code >= 0}
        assert best == (min(totals, key=lambda code: (-totals[code], code)) if totals else -1)


def test_log_odds_are_bounded():
    opinion = from_likely(Likely(np.array([1.0, 0.0]), np.array([[1], [1]]), np.array([[0.0], [1.0]])))
    assert opinion.margin.tolist() == pytest.approx([np.log(100), -np.log(100)])
