"""Simulated trials whose truth is known: scores of arms x seeds x test rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

__all__ = ["World"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where trials are drawn from: a probit model of "run r is right about row i".

    A row is easy or hard for all runs, a little more or less so for all runs of one arm, and for each run by chance; a
    seed moves all rows of its run. ``within`` is the share of rows that two seeds of an arm disagree about, and
    ``between`` that of two runs of different arms; ``seed_sd`` is the standard deviation of accuracy from seed to seed
    on endless rows. ``effect`` is what the decision adds to the expected accuracy.
    """

    n: int = 1000
    seeds: int = 3
    accuracy: float = 0.8
    within: float = 0.08
    between: float = 0.1
    seed_sd: float = 0.005
    effect: float = 0.0

    def draw(self, random: np.random.Generator, *, arms: int = 2) -> np.ndarray:
        """[arms, seeds, n] of 0 and 1; the first arm is unchanged, only the second has the effect."""
        shared, own = self._shares()
        rows = np.sqrt(shared) * random.normal(size=self.n)
        of_arm = np.sqrt(own - shared) * random.normal(size=(arms, 1, self.n))
        of_run = np.sqrt(1 - own) * random.normal(size=(arms, self.seeds, self.n))
        slope = norm.pdf(norm.ppf(self.accuracy))
        of_seed = self.seed_sd / slope * random.normal(size=(arms, self.seeds, 1))
        level = np.full((arms, 1, 1), self.accuracy)
        level[1] += self.effect
        scale = np.sqrt(1 + (self.seed_sd / slope) ** 2)  # so that the mean over seeds is the accuracy
        return (norm.ppf(level) * scale + rows + of_arm + of_run + of_seed > 0).astype(np.float64)

    def _shares(self) -> tuple[float, float]:
        """Variance of what all runs share of a row, and of what the runs of an arm do."""
        return _correlation(self.accuracy, self.between), _correlation(self.accuracy, self.within)


_SOLVED: dict[tuple[float, float], float] = {}


def _correlation(accuracy: float, discordance: float) -> float:
    """Of two normal latents that are both above their threshold in ``accuracy`` and apart in ``discordance``."""
    if (accuracy, discordance) not in _SOLVED:
        both, limit = accuracy - discordance / 2, norm.ppf(accuracy)

        def excess(correlation: float) -> float:
            return multivariate_normal.cdf([limit, limit], cov=[[1, correlation], [correlation, 1]]) - both

        _SOLVED[accuracy, discordance] = float(brentq(excess, 0.0, 0.99999))
    return _SOLVED[accuracy, discordance]
