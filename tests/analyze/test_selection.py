import numpy as np
import pytest

from tunewright.analyze.scores import wilson
from tunewright.analyze.selection import contrast


def test_shares_get_the_intervals_of_wilson_and_newcombe():
    # Newcombe (1998), table II, column 10 for 56/70 against 48/80: 0.0524 to 0.3339
    score = np.array([1.0] * 56 + [0.0] * 14 + [1.0] * 48 + [0.0] * 32)
    found = contrast(score, np.arange(150) < 70)
    assert found is not None
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-4)
    assert found.selected.interval == pytest.approx(wilson(56, 70), abs=2e-3)
    assert (found.selected.n, found.rest.n, found.word) == (70, 80, "higher")


def test_other_scores_get_the_interval_of_welch():
    from scipy.stats import ttest_ind

    draw = np.random.default_rng(0)
    score, selected = draw.gamma(1, 1, 60), np.arange(60) < 20
    found = contrast(score, selected)
    expected = ttest_ind(score[:20], score[20:], equal_var=False).confidence_interval(0.95)
    assert found is not None
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_rows_are_compared_with_those_of_their_stratum():
    stratum = np.repeat([0, 1], 50)
    score = np.where(stratum == 0, 1.0, 0.0) + np.tile([0.0, 0.1], 50)
    selected = (stratum == 0) & (np.arange(100) % 10 < 2)
    found = contrast(score, selected, strata=stratum)
    assert found is not None
    assert found.difference == pytest.approx(0)
    assert found.word == "cannot tell"
    assert contrast(score, selected).difference > 0.4


def test_rows_of_a_group_are_not_taken_for_independent():
    draw = np.random.default_rng(1)
    group = np.repeat(np.arange(40), 10)
    score = (draw.random(40) < 0.7)[group].astype(float)
    selected = group < 8
    alone, grouped = contrast(score, selected), contrast(score, selected, groups=group)
    assert alone is not None
    assert grouped is not None
    assert np.ptp(grouped.interval) > 2 * np.ptp(alone.interval)


@pytest.mark.parametrize(
    "selected", [np.zeros(5, bool), np.ones(5, bool), np.array([True, False, False, False, False])]
)
def test_too_few_rows_cannot_be_compared(selected):
    assert contrast(np.array([0.0, 1.0, 1.0, 0.0, 1.0]), selected) is None


def test_rows_without_a_score_do_not_count():
    score = np.array([np.nan, 1.0, 1.0, 0.0, 0.0, np.nan])
    found = contrast(score, np.array([True, True, True, False, False, False]))
    assert found is not None
    assert (found.selected.n, found.rest.n) == (2, 2)
