"""Columns in little memory, that add up over batches and processes, and tests of two of them against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunewright.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Difference", "QuantileSketch", "g_test", "ks_test"]

_EXPECTED = 5.0  # rows that a category needs in the smaller sample; rarer ones are tested together


@dataclass(frozen=True, slots=True)
class Difference:
    """p-value in (0, 1] and effect in [0, 1]: largest difference of the distribution functions, or Cramér's V."""

    p: float
    effect: float


@dataclass(frozen=True, slots=True, eq=False)
class QuantileSketch:
    """Quantiles of numbers (KLL: Karnin, Lang & Liberty 2016), exact up to ``size`` values.

    A value of level h stands for 2^h. A level that is full is sorted and every second value goes up, the odd or the even
    ones by a coin whose throws are counted and not drawn: one stream gives one sketch.

    Attributes:
        levels: values by level, the last one the highest.
        count: values that were added.
        turns: how often anything went up.
        variance: of a rank, at most.
        size: values of the highest level; lower ones have two thirds of the next.
        error: three standard deviations of a rank, as a share of ``count``.
        low, high: smallest and largest value; NaN of none.
    """

    levels: tuple[NDArray[np.float64], ...] = (np.zeros(0),)
    count: int = 0
    turns: int = 0
    size: int = 1024
    variance: int = 0
    low: float = float("nan")
    high: float = float("nan")

    @classmethod
    def of(cls, values: NDArray[np.floating] | NDArray[np.integer], *, size: int = 1024) -> QuantileSketch:
        """Of all finite values."""
        return cls(size=size).add(values)

    @property
    def error(self) -> float:
        return float(3 * self.variance**0.5 / self.count) if self.count else 0.0

    def add(self, values: NDArray[np.floating] | NDArray[np.integer]) -> QuantileSketch:
        """The sketch with more values; those that are not finite are left out."""
        numbers = np.asarray(values, dtype=np.float64)
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers):
            return self
        ends = float(np.fmin(self.low, numbers.min())), float(np.fmax(self.high, numbers.max()))
        first = np.concatenate([self.levels[0], numbers])
        grown = (first, *self.levels[1:]), self.count + len(numbers), self.turns, self.size, self.variance
        return _compacted(QuantileSketch(*grown, *ends))

    def merge(self, other: QuantileSketch) -> QuantileSketch:
        """Of the values of both."""
        height = max(len(self.levels), len(other.levels))
        levels = tuple(np.sort(np.concatenate([_level(self, h), _level(other, h)])) for h in range(height))
        counts = self.count + other.count, self.turns + other.turns, max(self.size, other.size)
        ends = float(np.fmin(self.low, other.low)), float(np.fmax(self.high, other.high))
        return _compacted(QuantileSketch(levels, *counts, self.variance + other.variance, *ends))

    def weighted(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Values, sorted, and how many each stands for."""
        values = np.concatenate(self.levels)
        weights = np.repeat([2**h for h in range(len(self.levels))], [len(level) for level in self.levels])
        order = np.argsort(values, kind="stable")
        return values[order], weights[order].astype(np.int64)

    def cdf(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of the values that are at most each of ``at``, in [0, 1].

        Raises:
            DataError: if the sketch holds no value.
        """
        values, weights = self._known()
        reached = np.concatenate([[0], np.cumsum(weights)])
        return np.asarray(reached[np.searchsorted(values, at, side="right")] / reached[-1])

    def quantile(self, share: float) -> float:
        """The smallest value that is not exceeded by a share of the values.

        Raises:
            DataError: if the sketch holds no value.

        >>> QuantileSketch.of(np.arange(1, 101)).quantile(0.5)
        50.0
        """
        values, weights = self._known()
        reached = np.cumsum(weights)
        place = np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))
        return float(values[min(int(place), len(values) - 1)])

    def _known(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        if not self.count:
            raise DataError("expected a value or more, found none", fix="look at whether the column is empty")
        return self.weighted()


def ks_test(first: QuantileSketch, second: QuantileSketch) -> Difference:
    """Kolmogorov-Smirnov test of two sketches; what the sketches may be wrong by is taken off before p is looked up.

    With ties, as in whole numbers, p is too large rather than too small.
    """
    from scipy.stats import kstwo

    at = np.unique(np.concatenate([*first.levels, *second.levels]))
    effect = float(np.abs(first.cdf(at) - second.cdf(at)).max())
    rows = first.count * second.count / (first.count + second.count)
    sure = max(0.0, effect - first.error - second.error)
    return Difference(float(max(kstwo.sf(sure, max(1, round(rows))), 1e-300)), effect)


def g_test(first: NDArray[np.integer], second: NDArray[np.integer]) -> Difference:
    """Likelihood-ratio test of two samples of categories (Woolf 1957), with the correction of Williams (1976).

    Categories that have less than five expected rows in either sample are tested together.

    Args:
        first, second: [categories] rows of each.
    """
    from scipy.stats import chi2

    table = _pooled(np.stack([first, second]).astype(np.float64))
    total, sides, kinds = table.sum(), table.sum(axis=1), table.sum(axis=0)
    freedom = table.shape[1] - 1
    if freedom < 1 or not sides.all():
        return Difference(1.0, 0.0)
    expected = np.outer(sides, kinds) / total
    logs = np.log(np.divide(table, expected, out=np.ones_like(table), where=table > 0))
    williams = 1 + (total * (1 / sides).sum() - 1) * (total * (1 / kinds).sum() - 1) / (6 * total * freedom)
    p = float(chi2.sf(2 * (table * logs).sum() / williams, freedom))
    chi = float(((table - expected) ** 2 / expected).sum())
    return Difference(max(p, 1e-300), min(1.0, (chi / total) ** 0.5))


def _pooled(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """[2, categories] the rare ones as one, and those that do not occur left out."""
    share = table.sum(axis=1).min() / max(table.sum(), 1)
    rare = table.sum(axis=0) * share < _EXPECTED
    together = table[:, rare].sum(axis=1, keepdims=True)
    kept = np.hstack([table[:, ~rare], together])
    return kept[:, kept.sum(axis=0) > 0]


def _level(sketch: QuantileSketch, height: int) -> NDArray[np.float64]:
    return sketch.levels[height] if height < len(sketch.levels) else np.zeros(0)


def _compacted(sketch: QuantileSketch) -> QuantileSketch:
    """Send values up until every level has room."""
    levels, turns, variance = [*sketch.levels], sketch.turns, sketch.variance
    height = 0
    while height < len(levels):
        if len(levels[height]) > _room(sketch.size, len(levels) - 1 - height):
            kept, up = _halved(levels[height], turns)
            above = levels[height + 1] if height + 1 < len(levels) else np.zeros(0)
            levels[height : height + 2] = [kept, np.concatenate([above, up])]
            turns, variance = turns + 1, variance + 4**height
        height += 1
    return QuantileSketch(tuple(levels), sketch.count, turns, sketch.size, variance, sketch.low, sketch.high)


def _room(size: int, below: int) -> int:
    return max(8, int(size * (2 / 3) ** below))


def _halved(values: NDArray[np.float64], turns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What stays, the largest one of an odd number, and every second of the others."""
    ordered = np.sort(values)
    even = len(ordered) // 2 * 2
    return ordered[even:], ordered[_coin(turns) : even : 2]


def _coin(throw: int) -> int:
    """0 or 1 (multiplicative hashing, Knuth)."""
    return (throw + 1) * 2654435761 >> 15 & 1
