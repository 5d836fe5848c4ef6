from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from tunewright.analyze.group_scores import group_scores
from tunewright.errors import DataError


def test_groups_are_ranked_and_the_low_one_is_below_the_rest():
    random = np.random.default_rng(0)
    code = np.repeat([0, 1, 2, -1], 100)
    score = random.normal(0.5, 0.1, 400) - 0.2 * (code == 1)
    found = group_scores(code, score)
    assert found[0].number == 1
    assert [group.below for group in found] == [True, False, False]
    lowest = found[0]
    assert (lowest.n, lowest.mean) == (100, pytest.approx(score[100:200].mean()))
    assert lowest.interval[0] < lowest.mean < lowest.interval[1]
    plain = ttest_ind(score[code == 1], score[code != 1], equal_var=False, alternative="less").pvalue
    assert lowest.p == pytest.approx(3 * plain)


def test_scores_that_chance_made_are_rarely_below():
    random = np.random.default_rng(1)
    code = np.arange(300) % 10
    alarms = sum(any(group.below for group in group_scores(code, random.random(300))) for _ in range(200))
    assert alarms / 200 < 0.09


def test_rows_without_a_score_and_lone_rows_are_no_reason_to_fail():
    found = group_scores(np.array([0, 0, 1, 2, -1]), np.array([1.0, 1.0, 1.0, np.nan, 1.0]))
    assert [(group.number, group.n, group.below, group.p) for group in found] == [(0, 2, False, 1), (1, 1, False, 1)]
    assert found[1].interval is None
    assert group_scores(np.array([], np.int64), np.array([])) == ()
    alone = group_scores(np.zeros(3, np.int64), np.arange(3.0))[0]
    assert np.isnan(alone.rest)
    assert not alone.below


def test_lengths_must_agree():
    with pytest.raises(DataError, match="a score for each of 2 rows"):
        group_scores(np.array([0, 1]), np.array([1.0]))
