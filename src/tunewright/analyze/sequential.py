"""Looking at a trial after every seed without being wrong more often: alpha spending (Lan and DeMets 1983).

The level of the test is spent over the looks, little at first (spending function of O'Brien-Fleming type). A look whose
share of information is t, the variance of the last look over that of this one, may have spent

    2 - 2 Φ(z(1 - alpha / 4) / √t) on each side.

Estimates of several looks depend on each other as those of a Brownian motion do: a later one only adds to an earlier
one. That is so although all seeds share the test rows, since the shared part is in all of them. The boundaries follow
by integrating over the paths that have not stopped (Armitage, McPherson and Rowe 1969).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from tunewright.analyze.compare import Verdict
from tunewright.analyze.crossed import Spread
from tunewright.errors import ComparisonError

__all__ = ["Step", "boundaries", "chance_of_verdict", "next_step", "spent"]

Floats = NDArray[np.float64]

FUTILE = 0.1
"""A trial whose chance to end with a verdict is lower than this is not worth its seeds."""

_GRID = 801
_HIGHEST = 8.0  # z beyond which nothing happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do after a look. ``chance`` is that of a verdict at the last look, None if not known or not needed."""

    action: Literal["go on", "stop: clear", "stop: futile", "stop: done"]
    chance: float | None


def spent(fraction: float, *, alpha: float = 0.05) -> float:
    """Two-sided level that may have been spent at a share of information in (0, 1].

    >>> round(spent(1.0), 6)
    0.05
    """
    return float(min(alpha, 4 * norm.sf(norm.isf(alpha / 4) / np.sqrt(fraction))))


def boundaries(looks: int | Sequence[float], *, alpha: float = 0.05) -> tuple[float, ...]:
    """The two-sided p-value that each look must fall below, so that all together are wrong in a share of ``alpha``.

    Args:
        looks: their number, with equal steps of information, or the share of information of each, increasing to 1.
            With shared test rows the true shares are larger; equal steps then spend less than alpha.
        alpha: two-sided level of the whole.

    Raises:
        ComparisonError: if the shares do not increase to 1.

    >>> [round(p, 3) for p in boundaries(3)]
    [0.0, 0.012, 0.046]
    """
    fractions = [look / looks for look in range(1, looks + 1)] if isinstance(looks, int) else [*looks]
    steps = np.diff([0.0, *fractions])
    if not fractions or not np.all(steps > 0) or abs(fractions[-1] - 1) > 1e-9:
        raise ComparisonError(f"expected shares of information that increase to 1, found {fractions}")
    return tuple(2 * float(norm.sf(limit)) for limit in _limits(np.asarray(fractions), alpha))


def next_step(verdict: Verdict, spread: Spread, *, look: int, looks: int, alpha: float = 0.05, tries: int = 1) -> Step:
    """Whether the next seed is worth its training.

    Clear is what has a verdict at this look's boundary. Futile is what would hardly have one at the last: the chance
    is the predictive power (Spiegelhalter, Freedman and Blackburn 1986), the probability that the last look decides,
    given what is known of the difference now. Stopping as futile gives up a verdict and so wrongs no one.

    Args:
        verdict: of ``judge(..., alpha=boundaries(looks)[look - 1])``.
        spread: of the same.
        look: the seeds that are trained, from 1.
        looks: the most seeds that will be.
        alpha: boundary of the last look, ``boundaries(looks)[-1]``.
        tries: decisions judged on this test set, this one included.
    """
    if verdict != "cannot tell":
        return Step(action="stop: clear", chance=None)
    if look >= looks:
        return Step(action="stop: done", chance=None)
    chance = chance_of_verdict(spread, seeds=look, more=looks - look, alpha=alpha / tries) if spread.df else None
    return Step(action="go on" if chance is None or chance >= FUTILE else "stop: futile", chance=chance)


def chance_of_verdict(spread: Spread, *, seeds: int, more: int, alpha: float = 0.05) -> float:
    """Predictive power: the probability that a test at ``alpha`` decides after ``more`` seeds beyond ``seeds`` >= 2.

    With no prior knowledge, the last estimate is expected at the present one, with the difference of their variances.
    """
    total = seeds + more
    last = Spread(
        difference=spread.difference,
        rows=spread.rows,
        seeds=spread.seeds * seeds / total,
        df=spread.df * (total - 1) // (seeds - 1),
    )
    limit, moves = last.half_width(1 - alpha), np.sqrt(max(spread.variance - last.variance, 1e-300))
    return float(norm.sf((limit - spread.difference) / moves) + norm.sf((limit + spread.difference) / moves))


def _limits(fractions: Floats, alpha: float) -> list[float]:
    """The z that each look must exceed."""
    points, density = np.zeros(1), np.ones(1)  # of paths that go on, and the weight of each
    limits, before, used = [], 0.0, 0.0
    for fraction in fractions.tolist():
        budget = spent(fraction, alpha=alpha)
        limit = _limit(points, density, step=fraction - before, fraction=fraction, budget=budget - used)
        points, density = _go_on(points, density, step=fraction - before, bound=limit * np.sqrt(fraction))
        limits.append(limit)
        before, used = fraction, budget
    return limits


def _limit(points: Floats, density: Floats, *, step: float, fraction: float, budget: float) -> float:
    def excess(z: float) -> float:
        bound = z * np.sqrt(fraction)
        leaving = norm.sf((bound - points) / np.sqrt(step)) + norm.sf((bound + points) / np.sqrt(step))
        return float(density @ leaving) - budget

    return _HIGHEST if excess(_HIGHEST) >= 0 else float(brentq(excess, 0.0, _HIGHEST, xtol=1e-10))


def _go_on(points: Floats, density: Floats, *, step: float, bound: float) -> tuple[Floats, Floats]:
    grid = np.linspace(-bound, bound, _GRID)
    moved = norm.pdf(grid[:, None], loc=points, scale=np.sqrt(step)) @ density
    return grid, moved * _simpson(grid)


def _simpson(grid: Floats) -> Floats:
    """Weights of Simpson's rule on an odd number of equal steps' ends."""
    weights = np.full(len(grid), 2.0)
    weights[1::2], weights[[0, -1]] = 4.0, 1.0
    return weights * float(grid[1] - grid[0]) / 3
