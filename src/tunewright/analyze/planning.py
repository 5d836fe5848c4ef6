"""What can a trial show? The smallest difference that a test set and some seeds will find, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm, t

from tunewright.analyze.crossed import Spread, residual_variance
from tunewright.errors import ComparisonError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Luck", "Planned", "detectable_difference", "luck", "plan"]

MOST_SEEDS = 50
"""More than these are not proposed."""

USUAL_SEED_SD = 0.005
"""Standard deviation of accuracy from seed to seed of a fine-tuning, on endless test rows, where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """How runs of one arm differ by their seed alone.

    ``discordance`` is the share of rows that one run gets right and another wrong; ``seed_sd`` the standard deviation
    of the mean score that would remain on endless test rows.
    """

    discordance: float
    seed_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a trial can show. ``detectable`` is None if not even the largest possible gain is found often enough.

    ``seeds_needed`` is the fewest seeds that find ``target``: None without a target, or if no number up to 50 does.
    """

    n: int
    seeds: int
    accuracy: float
    discordance: float
    seed_sd: float
    tries: int
    power: float
    detectable: float | None
    target: float | None
    seeds_needed: int | None

    def sentence(self) -> str:
        """The plan in words."""
        return f"{self._reach()}{self._correction()}. {self._on_target()}".strip()

    def _reach(self) -> str:
        rows = f"{_counted(self.n, 'test row')} and {_counted(self.seeds, 'seed')}"
        if self.seeds == 1:
            return "One seed cannot tell a decision from luck"
        if self.detectable is None:
            return f"With {rows} no difference that is still possible will be found"
        return f"With {rows} a difference of {_points(self.detectable)} is found {self.power:.0%} of the time"

    def _correction(self) -> str:
        return f", corrected for {self.tries} tries" if self.tries > 1 and self.detectable is not None else ""

    def _on_target(self) -> str:
        if self.target is None:
            return ""
        if self.seeds_needed is None:
            return f"{_points(self.target)} would need more test rows: {MOST_SEEDS} seeds are not enough."
        return f"{_points(self.target)} would need {self.seeds_needed} seeds."


def luck(scores: NDArray[Any]) -> Luck | None:
    """What runs of one arm show of their luck: [seeds, n] scores in [0, 1]; None with fewer than two seeds."""
    known = np.asarray(scores, dtype=np.float64)
    if len(known) < 2:
        return None
    residual = residual_variance(known)
    between = float(known.mean(axis=1).var(ddof=1)) - residual / known.shape[1]
    return Luck(discordance=min(1.0, 2 * residual), seed_sd=float(np.sqrt(max(0.0, between))))


def plan(
    n: int,
    accuracy: float,
    *,
    discordance: float = 0.1,
    between_seeds: float | None = None,
    seeds: int = 3,
    seed_sd: float | None = None,
    arms: int = 2,
    tries: int = 1,
    target: float | None = None,
    power: float = 0.8,
    level: float = 0.95,
) -> Planned:
    """Plan a trial of ``arms`` arms x ``seeds`` seeds, scored on n rows.

    Args:
        n: test rows.
        accuracy: mean score of the model as it is, in [0, 1].
        discordance: share of rows, in [0, 1], that exactly one of two runs of different arms gets right.
        between_seeds: the same of two runs of one arm, at most ``discordance``; more seeds lessen this part only. None
            takes all of ``discordance`` as luck, which it is if the decision does nothing.
        seeds: of every arm.
        seed_sd: see `Luck`; None takes half a point.
        arms: of the trial; all of them show how much luck seeds bring.
        tries: decisions judged on this test set, this one included.
        target: a difference in (0, 1] that is hoped for.
        power: how often it is to be found.
        level: 1 - level is the two-sided level of the test.

    Raises:
        ComparisonError: if there are no rows or seeds, or shares lie outside [0, 1].
    """
    shares = [accuracy, discordance, between_seeds or 0.0, seed_sd or 0.0]
    if n < 1 or seeds < 1 or not all(0 <= share <= 1 for share in shares):
        raise ComparisonError(f"expected rows, seeds and shares in [0, 1], found n = {n}, seeds = {seeds}, {shares}")
    known_sd = USUAL_SEED_SD if seed_sd is None else seed_sd
    by_seed = discordance if between_seeds is None else min(between_seeds, discordance)

    def found(number: int) -> float | None:
        expected = _expected(n, discordance, by_seed, known_sd, seeds=number, arms=arms)
        return detectable_difference(expected, alpha=(1 - level) / max(tries, 1), power=power, most=1 - accuracy)

    return Planned(
        n=n,
        seeds=seeds,
        accuracy=accuracy,
        discordance=discordance,
        seed_sd=known_sd,
        tries=tries,
        power=power,
        detectable=found(seeds),
        target=target,
        seeds_needed=None if target is None else _fewest(found, target),
    )


def detectable_difference(
    spread: Spread, *, alpha: float = 0.05, power: float = 0.8, most: float = 1.0
) -> float | None:
    """The true difference that a two-sided test at ``alpha`` finds with the given power; None if above ``most``.

    Half the interval at 1 - alpha plus the quantile of ``power`` of the estimate around it, with Satterthwaite's (1946)
    degrees of freedom.
    """
    if not spread.df or not spread.seeds + spread.rows:
        return None
    df = spread.variance**2 / (spread.seeds**2 / spread.df) if spread.seeds else np.inf
    quantile = norm.ppf(power) if np.isinf(df) else t.ppf(power, df)
    found = spread.half_width(1 - alpha) + float(quantile) * float(np.sqrt(spread.variance))
    return found if found <= most else None


def _expected(n: int, discordance: float, by_seed: float, seed_sd: float, *, seeds: int, arms: int) -> Spread:
    return Spread(
        difference=0.0,
        rows=(discordance - by_seed) / n,
        seeds=(by_seed / n + 2 * seed_sd**2) / seeds,
        df=arms * (seeds - 1),
    )


def _fewest(found: Callable[[int], float | None], target: float) -> int | None:
    """The fewest seeds with which ``found`` is at most the target; what is found only falls with more seeds."""
    reached = (seeds for seeds in range(2, MOST_SEEDS + 1) if (found(seeds) or np.inf) <= target)
    return next(reached, None)


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
