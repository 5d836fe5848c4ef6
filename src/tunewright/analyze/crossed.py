"""How far chance moves the mean difference of two arms when both the seeds and the test rows are drawn at random.

Every arm is trained with the same number of seeds and scored on the same rows. With score[s, i] = mean + seed_s + row_i
+ residual_si in each arm, rows shared by the arms and seeds drawn apart, the difference of the means over S seeds and
n rows has the variance

    (variance of the row effects' difference) / n  +  2 (seed variance + residual variance / n) / S.

The first part is known well from n rows. The second is what the seed means of the arms show directly, with few degrees
of freedom: S - 1 for each arm. Resampling three seeds, as a hierarchical bootstrap does, understates it by a third and
treats it as known; both make intervals too short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi2

from tunewright.analyze.scores import Interval

__all__ = ["Spread", "between_seeds", "residual_variance", "spread", "spread_of", "spread_of_resamples"]

Floats = NDArray[np.float64]

_NODES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A difference and the two parts of its variance.

    ``rows`` is the part that more seeds do not lessen, taken as known; ``seeds`` the part that they do, estimated with
    ``df`` degrees of freedom. With ``df`` 0 there is one seed, and nothing says how much luck there is: ``tail`` is
    1/2 and ``interval`` everything from -1 to 1.
    """

    difference: float
    rows: float
    seeds: float
    df: int

    @property
    def variance(self) -> float:
        """Of the difference, both parts together."""
        return self.rows + self.seeds

    def tail(self, distance: float) -> float:
        """Probability that chance alone moves the difference up by more than ``distance``, which may be negative.

        The unknown part of the variance is replaced by its generalised pivotal quantity, seeds * df / chi2(df)
        (Tsui and Weerahandi 1989; Weerahandi 1993), over which the normal tail is averaged. Without ``rows`` this is
        Student's t with ``df`` degrees of freedom; without ``seeds`` it is normal.
        """
        if not self.df:
            return 0.5
        inflation, weights = _pivot(self.df)
        deviation = np.sqrt(np.maximum(self.rows + self.seeds * inflation, 1e-300))
        return float(weights @ ndtr(-distance / deviation))

    def p(self, null: float = 0.0) -> float:
        """Two-sided p-value of "the expected difference is ``null``"."""
        return min(1.0, 2 * self.tail(abs(self.difference - null)))

    def half_width(self, level: float) -> float:
        """Half the length of the interval; infinite with one seed."""
        if not self.df:
            return float("inf")
        upper = np.sqrt(self.variance) or 1e-12
        while 2 * self.tail(upper) > 1 - level:
            upper *= 2
        return float(brentq(lambda width: 2 * self.tail(width) - (1 - level), 0.0, upper, xtol=1e-9))

    def interval(self, level: float) -> Interval:
        """The differences that ``p`` does not reject at 1 - level, within [-1, 1]."""
        width = self.half_width(level)
        return max(-1.0, self.difference - width), min(1.0, self.difference + width)


def spread(a: Floats, b: Floats, *, others: Sequence[Floats] = (), paired: bool = False) -> Spread:
    """The mean of b minus a, and how far chance moves it.

    Arms are taken to vary about alike from seed to seed, so that all tell how much that is (see `between_seeds`). Where
    one varies twice as much as the others, an interval of 95 % holds the truth in 93.5 %. Seeds of two arms are taken to
    be independent although they have the same numbers, which is cautious if they are not: whatever luck they share
    makes the difference vary less.

    Args:
        a: [seeds, n] scores of one arm in [0, 1].
        b: [seeds, n] scores of the other, on the same rows.
        others: [seeds, n] of further arms of the same trial, which also show how far a seed moves a mean.
        paired: seeds are the same draws for both arms and move both alike (the resamples of a preview): only their
            difference counts, and ``others`` are not used.
    """
    if paired:
        return spread_of(b - a)
    seeds, df = between_seeds([arm.mean(axis=1) for arm in (a, b, *others)])
    residual = (residual_variance(a) + residual_variance(b)) / a.size
    change = b.mean(axis=0) - a.mean(axis=0)
    rows = max(0.0, _of_rows(change) - residual)
    return Spread(difference=float(change.mean()), rows=rows, seeds=seeds, df=df)


def between_seeds(means: Sequence[Floats]) -> tuple[float, int]:
    """Variance of the difference of two means over seeds, and its degrees of freedom.

    Further arms add degrees of freedom, and may raise the variance that the two show but not lower it: a decision whose
    seeds vary more than those of other arms would otherwise look surer than it is.

    Args:
        means: for each arm, [seeds] means; the first two arms are those compared.
    """
    own, df = _pooled(means[:2])
    everything, more = _pooled(means)
    return 2 * max(own, everything) / len(means[0]), max(df, more)


def _pooled(means: Sequence[Floats]) -> tuple[float, int]:
    """Variance within arms, and its degrees of freedom."""
    df = sum(len(arm) - 1 for arm in means)
    return sum(float(np.square(arm - arm.mean()).sum()) for arm in means) / max(df, 1), df


def spread_of(change: Floats) -> Spread:
    """The same of differences [seeds, n] whose seeds belong together."""
    seeds, rows = len(change), change.mean(axis=0)
    between = float(change.mean(axis=1).var(ddof=1)) / seeds if seeds > 1 else 0.0
    return Spread(
        difference=float(rows.mean()),
        rows=max(0.0, _of_rows(rows) - residual_variance(change) / change.size),
        seeds=between,
        df=seeds - 1,
    )


def spread_of_resamples(whole: Floats, drawn: Floats) -> Spread:
    """B minus A of a statistic that is no mean over rows, such as macro-F1.

    Args:
        whole: [2, seeds] of A and B on all rows.
        drawn: [2, seeds, resamples] on rows drawn again, the same rows for all runs.
    """
    of_rows = float((drawn[1] - drawn[0]).mean(axis=0).var())
    residual = (residual_variance(drawn[0]) + residual_variance(drawn[1])) / whole.shape[1]
    between, df = between_seeds([*whole])
    difference = float(whole[1].mean() - whole[0].mean())
    return Spread(difference=difference, rows=max(0.0, of_rows - residual), seeds=between, df=df)


def _of_rows(change: Floats) -> float:
    """Variance of the mean of n differences.

    Half a row that changes by +1, half a row by -1 and one row by 0 are added (Agresti and Min 2005): without, equal
    changes would leave no variance.
    """
    n = len(change)
    mean = float(change.sum()) / (n + 2)
    return ((float(np.square(change).sum()) + 1) / (n + 2) - mean * mean) / n


def residual_variance(scores: Floats) -> float:
    """Mean square of what neither the seed nor the row explains, 0 for one seed or one row."""
    seeds, n = scores.shape
    if seeds == 1 or n == 1:
        return 0.0
    left = scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean()
    return float(np.square(left).sum() / ((seeds - 1) * (n - 1)))


@cache
def _pivot(df: int) -> tuple[Floats, Floats]:
    """[nodes] values of df / chi2(df) and their probabilities, densest where chi2 is smallest: there tails come from."""
    steps = (np.arange(_NODES) + 0.5) / _NODES
    weights = 4 * steps**3 / _NODES
    return df / chi2.ppf(steps**4, df), weights / weights.sum()
