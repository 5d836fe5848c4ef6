"""Sums of ranks of slices, and how often chance makes them as large: the test of `tunewright.analyze.slices`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import pearson3, rankdata

__all__ = ["OTHERS", "RankSums", "Ranks"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rows = NDArray[np.intp]

OTHERS = 2
"""Fewest rows outside a slice, in a stratum, to compare its rows with; and fewest groups that a slice is spread over."""


@dataclass(frozen=True, slots=True)
class RankSums:
    """What m slices have: rows [strata, m] of each stratum, and sums [m] of centred ranks.

    With k_g rows of a slice in group g, ``squares`` [m] is the sum of k_g ** 2 over groups, and ``shared`` [strata, m]
    that of k_g times the rows of g in each stratum.
    """

    counts: Codes
    sums: Floats
    squares: Floats
    shared: Floats

    def take(self, places: Rows) -> RankSums:
        return RankSums(self.counts[:, places], self.sums[places], self.squares[places], self.shared[:, places])


@dataclass(frozen=True, slots=True)
class Ranks:
    """Scaled ranks of n losses within their stratum, minus their mean, and the smallest step between two of them.

    ``stratum`` [n] counts from 0; ``sizes``, ``variance`` and ``skewness`` are those of each stratum. ``group`` [n]
    counts from 0 too, or is None if rows are independent; ``alike`` is the correlation of ranks within a group, and
    ``spread`` [groups, strata] says how many rows of a group are in each stratum.
    """

    centred: Floats
    stratum: Codes
    sizes: Codes
    variance: Floats
    skewness: Floats
    step: float
    group: Codes | None
    alike: float
    spread: csr_array | None

    @classmethod
    def of(cls, loss: Floats, stratum: Codes, group: Codes | None = None) -> Ranks:
        sizes = np.bincount(stratum)
        centred, variance, skewness = np.zeros(len(loss)), np.zeros(len(sizes)), np.zeros(len(sizes))
        step = 1.0
        for code, size in enumerate(sizes.tolist()):
            own = stratum == code
            ranks = rankdata(loss[own]) / (size + 1)
            centred[own] = ranks - ranks.mean()
            if spread := float(ranks.std()):
                variance[code] = float(ranks.var(ddof=1))
                skewness[code] = float((centred[own] ** 3).mean()) / spread**3
                step = min(step, float(np.diff(np.unique(ranks)).min()))
        several = group is not None and len(sizes) < int(group.max()) + 1 < len(group)
        if group is None or not several:
            return cls(centred, stratum, sizes, variance, skewness, step, None, 0.0, None)
        alike, table = _correlation(centred, group, len(sizes)), _table(group, stratum, len(sizes))
        return cls(centred, stratum, sizes, variance, skewness, step, group, alike, table)

    @property
    def groups(self) -> Codes:
        """[n] group of each row, each its own if rows are independent."""
        return np.arange(len(self.stratum)) if self.group is None else self.group

    def p(self, slices: RankSums) -> Floats:
        """One-sided p of m slices.

        Sums are taken half a step smaller, because they are discrete. Where many losses are equal, small samples lean
        to the right; a distribution that leans to the left is taken for a normal one, which is on the safe side.
        """
        n, counts = self.sizes[:, None], slices.counts
        pairs = counts * (n - counts)
        variance = self.variance[:, None] * pairs / n
        lean = np.divide(n - 1, pairs, out=np.zeros(pairs.shape), where=pairs > 0) ** 0.5 * self.skewness[:, None]
        third = (lean * (n - 2 * counts) / np.maximum(1, n - 2) * variance**1.5).sum(axis=0)
        spread = np.sqrt(variance.sum(axis=0))
        skewness = np.divide(third, spread**3, out=np.zeros(len(spread)), where=spread > 0)
        spread = spread * np.sqrt(self._inflation(slices))
        z = np.divide(slices.sums - self.step / 2, spread, out=np.zeros(len(spread)), where=spread > 0)
        return np.asarray(pearson3.sf(z, np.maximum(0, skewness)), dtype=np.float64)

    def _inflation(self, slices: RankSums) -> Floats:
        """[m] how much larger the variance of a sum is because rows of a group resemble each other, at least 1.

        A row counts 1 in its slice, minus the slice's share of its stratum. With c_g the sum of that over a group, it
        is 1 + alike * (sum of c_g ** 2 / sum of squares of rows - 1): if a slice is made of whole groups of one size,
        the variance is that of assigning groups at random; if it has its share of each, it is that of rows.
        """
        if self.spread is None:
            return np.ones(len(slices.sums))
        share = slices.counts / self.sizes[:, None]
        both = (self.spread.T @ self.spread).toarray()
        groups = slices.squares - 2 * (share * slices.shared).sum(axis=0) + (share * (both @ share)).sum(axis=0)
        rows = (slices.counts * (1 - share)).sum(axis=0)
        ratio = np.divide(groups, rows, out=np.ones(len(rows)), where=rows > 0)
        return np.asarray(np.maximum(1, 1 + self.alike * (ratio - 1)), dtype=np.float64)

    def values(self, codes: Codes, size: int) -> RankSums:
        """Of the rows of each code 0..size - 1; -1 is no code."""
        return self._sums(codes, size)[0]

    def runs(self, codes: Codes, size: int, first: Rows, last: Rows) -> RankSums:
        """Of the rows whose code is in first..last - 1, for each pair."""
        own, both = self._sums(codes, size)
        ends = np.zeros((size + 1, size + 1))
        if both is not None:
            ends[1:, 1:] = (both.T @ both).toarray().cumsum(axis=0).cumsum(axis=1)
        squares = ends[last, last] - ends[first, last] - ends[last, first] + ends[first, first]
        counts, sums, shared = (_between(one, first, last) for one in (own.counts, own.sums, own.shared))
        return RankSums(counts, sums, squares, shared)

    def _sums(self, codes: Codes, size: int) -> tuple[RankSums, csr_array | None]:
        """Of the rows of each code, and the rows [groups, size] of each group, if there are groups."""
        inside = codes >= 0
        cells = self.stratum[inside] * size + codes[inside]
        counts = np.bincount(cells, minlength=len(self.sizes) * size).reshape(-1, size).astype(np.int64)
        sums = np.bincount(codes[inside], weights=self.centred[inside], minlength=size).astype(np.float64)
        if self.group is None or self.spread is None:
            return RankSums(counts, sums, np.zeros(size), np.zeros(counts.shape)), None
        table = _table(self.group[inside], codes[inside], size, groups=self.spread.shape[0])
        squares = np.asarray(table.multiply(table).sum(axis=0), dtype=np.float64).reshape(size)
        return RankSums(counts, sums, squares, (self.spread.T @ table).toarray()), table

    def enough(self, slices: RankSums, smallest: int) -> Rows:
        """Which slices have enough rows that can be compared, as many to compare, and at most half of all.

        Rows in groups are to be spread over two groups or more, by the effective number of groups (Kish 1965).
        """
        others = self.sizes[:, None] - slices.counts
        compared = (slices.counts > 0) & (others >= OTHERS)
        inside, outside = ((rows * compared).sum(axis=0) for rows in (slices.counts, others))
        n = slices.counts.sum(axis=0)
        spread = n**2 >= OTHERS * slices.squares  # squares are 0 if rows are independent
        return np.flatnonzero((inside >= smallest) & (outside >= smallest) & (2 * n <= self.sizes.sum()) & spread)


def _table(group: Codes, code: Codes, size: int, *, groups: int | None = None) -> csr_array:
    """[groups, size] number of rows of each group and code."""
    shape = (int(group.max()) + 1 if groups is None else groups, size)
    return csr_array((np.ones(len(group)), (group, code)), shape=shape)


def _correlation(centred: Floats, group: Codes, strata: int) -> float:
    """Intraclass correlation in 0..1, from the mean squares between and within groups (Donner 1986)."""
    n, sizes = len(centred), np.bincount(group)
    means = np.bincount(group, weights=centred) / sizes
    between = float((sizes * means**2).sum()) / (len(sizes) - strata)
    within = float(((centred - means[group]) ** 2).sum()) / (n - len(sizes))
    usual = (n - float((sizes**2).sum()) / n) / (len(sizes) - 1)
    total = between + (usual - 1) * within
    return min(1.0, max(0.0, (between - within) / total)) if total > 0 else 0.0


def _between(values: NDArray[Any], first: Rows, last: Rows) -> NDArray[Any]:
    """Sums of values[..., first:last], for each pair."""
    ends = np.concatenate([np.zeros_like(values[..., :1]), np.cumsum(values, axis=-1)], axis=-1)
    found: NDArray[Any] = ends[..., last] - ends[..., first]
    return found
