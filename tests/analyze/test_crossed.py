from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from tunewright.analyze.crossed import Spread, between_seeds, residual_variance, spread


def test_without_luck_of_rows_it_is_student_t():
    moved = Spread(difference=0.02, rows=0.0, seeds=1e-4, df=4)
    assert moved.p() == pytest.approx(2 * t.sf(2, 4), rel=1e-3)
    assert moved.half_width(0.95) == pytest.approx(0.01 * t.ppf(0.975, 4), rel=1e-3)
    assert moved.tail(0.3) == pytest.approx(t.sf(30, 4), rel=0.02)


def test_without_luck_of_seeds_it_is_normal():
    moved = Spread(difference=0.02, rows=1e-4, seeds=0.0, df=4)
    assert moved.p() == pytest.approx(2 * norm.sf(2))
    assert moved.interval(0.95) == pytest.approx((0.02 - 0.0196, 0.02 + 0.0196), abs=1e-4)


@pytest.mark.parametrize("df", [1, 2, 4, 9])
def test_the_interval_ends_where_p_is_one_minus_its_level(df):
    moved = Spread(difference=0.01, rows=2e-5, seeds=1e-5, df=df)
    low, high = moved.interval(0.9)
    assert [moved.p(low), moved.p(high)] == pytest.approx([0.1, 0.1], rel=1e-4)


def test_one_seed_says_nothing():
    scores = np.random.default_rng(0).random((2, 1, 50))
    moved = spread(*scores)
    assert (moved.df, moved.p(), moved.interval(0.95)) == (0, 1.0, (-1.0, 1.0))


def test_further_arms_add_degrees_of_freedom_and_leave_the_difference():
    arms = np.random.default_rng(0).random((4, 3, 50))
    alone, together = spread(arms[0], arms[1]), spread(arms[0], arms[1], others=[*arms[2:]])
    assert (alone.df, together.df) == (4, 8)
    assert alone.difference == together.difference
    assert alone.rows == together.rows


def test_parts_are_those_that_scores_were_drawn_with():
    random = np.random.default_rng(1)
    seeds, n = 40, 500
    arms = [
        0.5
        + 0.02 * random.normal(size=(seeds, 1))
        + 0.1 * random.normal(size=n)
        + 0.05 * random.normal(size=(seeds, n))
        for _ in range(2)
    ]
    moved = spread(*arms)
    assert residual_variance(arms[0]) == pytest.approx(0.05**2, rel=0.05)
    assert moved.rows == pytest.approx(2 * 0.1**2 / n, rel=0.2)
    assert moved.seeds == pytest.approx(2 * (0.02**2 + 0.05**2 / n) / seeds, rel=0.3)


def test_paired_seeds_count_their_difference_alone():
    random = np.random.default_rng(2)
    a = np.clip(0.5 + 0.1 * random.normal(size=(5, 1)) + np.zeros((5, 100)), 0, 1)
    b = a + 0.01
    assert spread(a, b, paired=True).seeds == pytest.approx(0.0, abs=1e-12)
    assert spread(a, b).seeds > 1e-4


def test_between_seeds_is_the_variance_of_a_difference_of_means():
    variance, df = between_seeds([np.array([0.0, 2.0]), np.array([0.0, 4.0])])
    assert (variance, df) == (2 * (2 + 8) / 2 / 2, 2)


def test_further_arms_may_raise_what_two_arms_show_but_not_lower_it():
    loud, quiet = np.array([0.0, 0.1, 0.2]), np.array([0.1, 0.1, 0.1])
    assert between_seeds([loud, loud, quiet])[0] == between_seeds([loud, loud])[0]
    assert between_seeds([quiet, quiet, loud])[0] > between_seeds([quiet, quiet])[0]


@pytest.mark.parametrize("more", [0.5, 1.0, 2.0])
def test_the_interval_covers_although_one_arm_varies_more_or_less(more):
    random = np.random.default_rng(3)
    spreads = np.sqrt(np.array([1, more**2, 1, 1]) + 0.5)
    means = 0.01 * spreads[:, None] * random.normal(size=(1500, 4, 3))
    difference = means[:, 1].mean(axis=1) - means[:, 0].mean(axis=1)
    parts = [between_seeds(arms) for arms in means]
    p = [
        Spread(difference=one, rows=0.0, seeds=seeds, df=df).p()
        for one, (seeds, df) in zip(difference, parts, strict=True)
    ]
    assert 0.92 <= np.mean(np.array(p) > 0.05) <= 0.98
