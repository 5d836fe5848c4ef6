from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from tunewright.analyze.crossed import Spread
from tunewright.analyze.sequential import boundaries, chance_of_verdict, next_step, spent
from tunewright.errors import ComparisonError

PUBLISHED = [(2, [2.963, 1.969]), (3, [3.710, 2.511, 1.993]), (5, [4.877, 3.357, 2.680, 2.290, 2.031])]


@pytest.mark.parametrize(("looks", "z"), PUBLISHED)
def test_boundaries_are_the_published_ones(looks, z):
    np.testing.assert_allclose(norm.isf(np.array(boundaries(looks)) / 2), z, atol=2e-3)


@pytest.mark.parametrize("fractions", [[1.0], [0.5, 1.0], [0.2, 0.3, 0.9, 1.0]])
def test_all_looks_together_are_wrong_in_the_share_that_was_asked_for(fractions):
    assert wrong(fractions, boundaries(fractions)) == pytest.approx(0.05, abs=0.004)


def test_equal_steps_are_cautious_when_seeds_share_their_rows():
    shared = [0.8, 0.95, 1.0]
    assert wrong(shared, boundaries(3)) < 0.05


def wrong(fractions, limits, paths=60_000):
    """Share of driftless Brownian paths that cross."""
    steps = np.sqrt(np.diff([0.0, *fractions])) * np.random.default_rng(0).normal(size=(paths, len(fractions)))
    z = steps.cumsum(axis=1) / np.sqrt(fractions)
    return float((2 * norm.sf(np.abs(z)) < limits).any(axis=1).mean())


def test_spending_grows_to_the_level():
    used = [spent(fraction, alpha=0.1) for fraction in np.linspace(0.05, 1, 20)]
    assert used == sorted(used)
    assert used[-1] == pytest.approx(0.1)


@pytest.mark.parametrize("fractions", [[], [0.5], [0.6, 0.4, 1.0], [0.5, 0.5, 1.0], [0.0, 1.0]])
def test_shares_of_information_increase_to_one(fractions):
    with pytest.raises(ComparisonError, match="increase to 1"):
        boundaries(fractions)


def at(difference, *, seeds=2):
    return Spread(difference=difference, rows=1e-5, seeds=4e-5, df=2 * (seeds - 1))


@pytest.mark.parametrize(
    ("verdict", "difference", "look", "action"),
    [
        ("better", 0.05, 2, "stop: clear"),
        ("worse", -0.05, 2, "stop: clear"),
        ("cannot tell", 0.02, 2, "go on"),
        ("cannot tell", 0.0, 2, "stop: futile"),
        ("cannot tell", 0.02, 5, "stop: done"),
    ],
)
def test_next_steps(verdict, difference, look, action):
    assert next_step(verdict, at(difference), look=look, looks=5).action == action


def test_after_one_seed_a_trial_goes_on():
    step = next_step("cannot tell", Spread(difference=0.0, rows=1e-5, seeds=0.0, df=0), look=1, looks=3)
    assert (step.action, step.chance) == ("go on", None)


def test_the_chance_of_a_verdict_grows_with_the_difference_and_with_seeds():
    chances = [chance_of_verdict(at(difference), seeds=2, more=3) for difference in (0.0, 0.01, 0.02, 0.04)]
    assert chances == sorted(chances)
    assert chance_of_verdict(at(-0.02), seeds=2, more=3) == pytest.approx(chances[2])
    assert chance_of_verdict(at(0.02), seeds=2, more=6) > chances[2]
