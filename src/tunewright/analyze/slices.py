"""Where is the loss? Values and ranges of metadata whose rows have a significantly higher loss than all other rows.

Losses are heavy-tailed, so a slice is tested by ranks: the one-sided test of Wilcoxon (1945) and Mann and Whitney
(1947), with the exact variance and skewness of a rank sum under random assignment, whatever the ties, and the gamma
distribution that has them (Mielke and Berry 2007). The difference that is reported is one of means, with the interval
of Welch (1947); a slice with higher ranks but no higher mean is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, pearson3, rankdata, t

from tunewright.errors import DataError

__all__ = ["Slice", "slices"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rows = NDArray[np.intp]
Values = NDArray[np.generic]

_BINS = 10
"""A numeric column is cut into tenths; every run of neighbouring tenths is a range that is tried."""
_ALIKE = 0.8
"""Jaccard overlap from which two slices are one."""
_WITHIN = 0.95
"""Share of a slice that must lie in another one to be a part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Rows with one value of a column, or a range of values, and how much higher their loss is.

    ``value`` is set for a value (None with ``low`` and ``high`` None: it is missing), ``low`` and ``high`` for a range
    low <= column < high, None on an open side. ``difference`` is ``mean_loss`` minus ``rest_loss``, with its
    ``interval``; it is not corrected for the search, so that of a slice which was found is on the large side.
    ``p`` has the search for the range in it, ``p_corrected`` besides it all ``tested`` slices. ``rows`` are positions
    in the columns, ascending. ``also`` describes slices of nearly the same rows, or that say nothing more.
    """

    column: str
    value: object = None
    low: float | None = None
    high: float | None = None
    description: str
    n: int
    mean_loss: float
    rest_loss: float
    difference: float
    interval: tuple[float, float]
    p: float
    p_corrected: float
    tested: int
    rows: Rows = field(repr=False, compare=False)
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ranks:
    """Ranks of n losses minus their mean; their variance and skewness, and the smallest step between two of them."""

    centred: Floats
    variance: float
    skewness: float
    step: float

    @classmethod
    def of(cls, loss: Floats) -> _Ranks:
        ranks = rankdata(loss)
        centred, steps = ranks - ranks.mean(), np.diff(np.unique(ranks))
        spread = float(ranks.std())
        skewness = float((centred**3).mean()) / spread**3 if spread else 0.0
        return cls(centred, float(ranks.var(ddof=1)), skewness, float(steps.min(initial=len(ranks))))

    def p(self, counts: Codes, sums: Floats) -> Floats:
        """One-sided p of slices with so many rows and such sums of centred ranks.

        Sums are taken half a step smaller, because they are discrete. Where many losses are equal, small samples lean
        to the right; a distribution that leans to the left is taken for a normal one, which is on the safe side.
        """
        n = len(self.centred)
        spread = np.sqrt(self.variance * counts * (n - counts) / n)
        z = np.divide(sums - self.step / 2, spread, out=np.zeros(len(sums)), where=spread > 0)
        lean = (n - 2 * counts) / (n - 2) * np.sqrt((n - 1) / (counts * (n - counts))) * self.skewness
        return np.asarray(pearson3.sf(z, np.maximum(0, lean)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Rows whose code is in first..last - 1, before they are looked at."""

    column: str
    value: object
    low: float | None
    high: float | None
    codes: Codes
    first: int
    last: int
    p: float

    def rows(self) -> Rows:
        return np.flatnonzero((self.codes >= self.first) & (self.codes < self.last))

    def description(self) -> str:
        if self.low is None and self.high is None:
            return f"{self.column} is missing" if self.value is None else f"{self.column} = {self.value}"
        bounds = ((">=", self.low), ("<", self.high))
        return f"{self.column} " + " and ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


def slices(
    loss: Floats,
    columns: Mapping[str, Values],
    *,
    nominal: Collection[str] = ("cluster",),
    smallest: int = 20,
    level: float = 0.95,
    limit: int = 20,
) -> tuple[Slice, ...]:
    """The slices with significantly higher loss, the surest difference (low end of the interval) first.

    Of a column of names or truth values, each value is tested; of a numeric one, the best run of tenths and the best
    one apart from it, whose p is multiplied by the number of runs tried (Bonferroni). Missing values (None, NaN, empty)
    are a value of their own in both. All p are then corrected together (Benjamini and Hochberg 1995). A slice is
    folded into one before it if it has nearly the same rows, lies within it, or holds it and is not higher without it.

    Args:
        loss: [n]; rows with NaN are left out.
        columns: by name, each [n]. Numbers may be arrays of objects; lists count as their text.
        nominal: numeric columns whose numbers are names.
        smallest: fewest rows of a slice, and outside of it; at least 2.
        level: of the intervals; slices are reported whose corrected p is at most 1 - level.
        limit: most slices returned.

    Raises:
        DataError: if a column has another length than the loss, or slices of one row are asked for.
    """
    if smallest < 2:
        raise DataError(f"expected slices of 2 rows or more, found smallest={smallest}")
    for name, values in columns.items():
        if len(values) != len(loss):
            raise DataError(f"expected {len(loss)} values of {name!r}, one per loss, found {len(values)}")
    known = np.flatnonzero(np.isfinite(loss))
    if len(known) < max(3, 2 * smallest):
        return ()
    loss = loss[known].astype(np.float64)
    ranks = _Ranks.of(loss)
    tried = [
        one
        for name, values in columns.items()
        for one in _candidates(name, values[known], ranks, smallest=smallest, nominal=name in nominal)
    ]
    if not tried:
        return ()
    corrected = false_discovery_control([one.p for one in tried])
    measured = [
        _measured(tried[place], loss, p_corrected=float(corrected[place]), tested=len(tried), level=level)
        for place in np.flatnonzero(corrected <= 1 - level)
    ]
    higher = sorted((one for one in measured if one.difference > 0), key=lambda one: -one.interval[0])
    distinct = _collapsed(higher, ranks, smallest=smallest, level=level, limit=limit)
    return tuple(replace(one, rows=known[one.rows]) for one in distinct)


def _candidates(name: str, values: Values, ranks: _Ranks, *, smallest: int, nominal: bool) -> Iterator[_Candidate]:
    numbers = None if nominal else _numbers(values)
    if numbers is None:
        yield from _values(name, *_coded(values), ranks, smallest)
        return
    missing = np.isnan(numbers)
    yield from _values(name, np.where(missing, 0, -1), [None], ranks, smallest)
    yield from _ranges(name, numbers, ranks, smallest)


def _values(name: str, codes: Codes, values: Sequence[object], ranks: _Ranks, smallest: int) -> Iterator[_Candidate]:
    """One candidate per value that has enough rows, and leaves enough."""
    counts, sums = _totals(codes, len(values), ranks)
    enough = np.flatnonzero((counts >= smallest) & (len(codes) - counts >= smallest))
    for code, p in zip(enough.tolist(), ranks.p(counts[enough], sums[enough]).tolist(), strict=True):
        yield _Candidate(name, values[code], None, None, codes, code, code + 1, p)


def _ranges(name: str, numbers: Floats, ranks: _Ranks, smallest: int) -> Iterator[_Candidate]:
    """The best run of bins, and the best one that shares no bin with it; their p pays for all runs."""
    edges = _edges(numbers)
    codes = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right")).astype(np.int64)
    counts, sums = (np.concatenate([[0], np.cumsum(one)]) for one in _totals(codes, len(edges) + 1, ranks))
    first, last = np.triu_indices(len(counts), 1)
    n = counts[last] - counts[first]
    enough = (n >= smallest) & (len(codes) - n >= smallest)
    first, last, n = first[enough], last[enough], n[enough]
    p = np.minimum(1, len(n) * ranks.p(n, sums[last] - sums[first]))
    bounds = [None, *edges.tolist(), None]
    free = np.ones(len(n), dtype=bool)
    for _ in range(2):
        if not free.any():
            return
        best = np.flatnonzero(free)[p[free].argmin()]
        low, high = int(first[best]), int(last[best])
        yield _Candidate(name, None, bounds[low], bounds[high], codes, low, high, float(p[best]))
        free &= (last <= low) | (first >= high)


def _totals(codes: Codes, size: int, ranks: _Ranks) -> tuple[Codes, Floats]:
    """[size] number of rows and sum of centred ranks of each code; -1 is no code."""
    inside = codes >= 0
    counts = np.bincount(codes[inside], minlength=size)
    sums = np.bincount(codes[inside], weights=ranks.centred[inside], minlength=size)
    return counts.astype(np.int64), sums.astype(np.float64)  # of nothing, sums are integers


def _edges(numbers: Floats) -> Floats:
    """Inner bounds of the bins: tenths in four digits, so that a bound is what is printed; all values if they are few."""
    finite = numbers[np.isfinite(numbers)]
    few = np.unique(finite[:1000])  # a glance spares sorting most columns
    if len(few) <= _BINS and len(few := np.unique(finite)) <= _BINS:
        return few[1:]
    cuts = np.quantile(finite, np.arange(1, _BINS) / _BINS)
    return np.unique([float(f"{cut:.4g}") for cut in cuts])


def _numbers(values: Values) -> Floats | None:
    """[n] floats, NaN where missing; None if these are not numbers. Truth values are names."""
    if values.dtype.kind in "iuf":
        return values.astype(np.float64)
    cells = values.tolist()
    kinds = {type(cell) for cell in cells} - {type(None)}
    if not kinds or not kinds <= {int, float}:
        return None
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)


def _coded(values: Values) -> tuple[Codes, list[object]]:
    """[n] codes of values, and the value of each code; what is missing is None."""
    seen: dict[object, int] = {}
    codes = np.array([seen.setdefault(_name(cell), len(seen)) for cell in values.tolist()], dtype=np.int64)
    return codes, list(seen)


def _name(cell: object) -> object:
    match cell:
        case None | "":
            return None
        case float() if np.isnan(cell):
            return None
        case str() | bool() | int() | float():
            return cell
        case _:
            return str(cell)


def _measured(candidate: _Candidate, loss: Floats, *, p_corrected: float, tested: int, level: float) -> Slice:
    rows = candidate.rows()
    outside = np.ones(len(loss), dtype=bool)
    outside[rows] = False
    inside, rest = loss[rows], loss[outside]
    mean, rest_mean = float(inside.mean()), float(rest.mean())
    return Slice(
        column=candidate.column,
        value=candidate.value,
        low=candidate.low,
        high=candidate.high,
        description=candidate.description(),
        n=len(rows),
        mean_loss=mean,
        rest_loss=rest_mean,
        difference=mean - rest_mean,
        interval=_welch(inside, rest, level),
        p=candidate.p,
        p_corrected=p_corrected,
        tested=tested,
        rows=rows,
    )


def _welch(left: Floats, right: Floats, level: float) -> tuple[float, float]:
    """Interval of the difference of two means with unequal variances (Welch 1947)."""
    parts = np.array([left.var(ddof=1) / len(left), right.var(ddof=1) / len(right)])
    difference, error = float(left.mean() - right.mean()), float(np.sqrt(parts.sum()))
    if error == 0:
        return difference, difference
    degrees = parts.sum() ** 2 / (parts**2 / (np.array([len(left), len(right)]) - 1)).sum()
    half = error * float(t.ppf((1 + level) / 2, degrees))
    return difference - half, difference + half


def _collapsed(ordered: Iterable[Slice], ranks: _Ranks, *, smallest: int, level: float, limit: int) -> list[Slice]:
    """Slices that say something of their own; the others are named with the one they repeat."""
    kept: list[Slice] = []
    for one in ordered:
        repeated = next(
            (place for place, other in enumerate(kept) if _repeats(one, other, ranks, smallest, level)), None
        )
        if repeated is not None:
            kept[repeated] = replace(kept[repeated], also=(*kept[repeated].also, one.description))
        elif len(kept) < limit:
            kept.append(one)
    return kept


def _repeats(one: Slice, kept: Slice, ranks: _Ranks, smallest: int, level: float) -> bool:
    """Whether a slice says nothing that one ranked before it has not said."""
    shared = np.isin(one.rows, kept.rows, assume_unique=True)
    overlap = int(shared.sum())
    if overlap >= _ALIKE * (one.n + kept.n - overlap) or overlap >= _WITHIN * one.n:
        return True
    if overlap < _WITHIN * kept.n:
        return False
    remaining = one.rows[~shared]
    if len(remaining) < smallest:
        return True
    p = ranks.p(np.array([len(remaining)]), np.array([ranks.centred[remaining].sum()]))
    return bool(p[0] > 1 - level)
