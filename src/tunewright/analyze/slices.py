"""Where is the loss? Values and ranges of metadata whose rows have a significantly higher loss than all other rows.

Losses are heavy-tailed, so a slice is tested by ranks: the one-sided test of Wilcoxon (1945) and Mann and Whitney
(1947), with the exact variance and skewness of a rank sum under random assignment, whatever the ties, and the gamma
distribution that has them (Mielke and Berry 2007). Rows of several strata, such as splits, are only compared with rows
of their own stratum: ranks are those within it, divided by its size plus one (van Elteren 1960), and assignment is
random within each. Rows of a group, such as the questions about one passage, resemble each other: the variance of a
slice's rank sum then has the correlation of ranks within groups in it, the more so the more of a group is in the slice.
The difference that is reported is one of means, with the interval of Welch (1947), over groups where rows are in some;
a slice with higher ranks but no higher mean is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, t

from tunewright.analyze.rank_sums import OTHERS, Ranks
from tunewright.errors import DataError

__all__ = ["Slice", "Slices", "slices", "variance_of_mean"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rows = NDArray[np.intp]
Values = NDArray[np.generic]

_BINS = 10
"""A numeric column is cut into tenths; every run of neighbouring tenths is a range that is tried."""
_ALIKE = 0.7
"""Jaccard overlap from which two slices are one."""
_WITHIN = 0.95
"""Share of a slice that must lie in another one to be a part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Rows with one value of a column, or a range of values, and how much higher their loss is.

    ``value`` is set for a value, ``low`` and ``high`` for a range low <= column < high, None on an open side. If all
    three are None, ``given`` tells rows that have a number, whatever it is, from those that have none.
    ``rest_loss`` is what the other rows lose, those of each stratum
    weighed by the slice's rows in it; ``difference`` is ``mean_loss`` minus ``rest_loss``, with its ``interval``, and
    not corrected for the search, so that of a slice which was found is on the large side. Rows of a stratum with fewer
    than two other rows have nothing to be compared with: they are in ``n`` and ``rows``, and in no other number.
    ``p`` has the search for the range in it, ``p_corrected`` besides it all slices that were tested. ``rows`` are
    positions in the columns, ascending, in so many ``groups`` (each row is one if none are given). ``also`` describes slices of nearly the same rows, or that say nothing more.
    """

    column: str
    value: object = None
    low: float | None = None
    high: float | None = None
    given: bool = False
    description: str
    n: int
    groups: int
    mean_loss: float
    rest_loss: float
    difference: float
    interval: tuple[float, float]
    p: float
    p_corrected: float
    rows: Rows = field(repr=False, compare=False)
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices that were found, the surest difference first, and how many were ``tested``."""

    found: tuple[Slice, ...]
    tested: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Rows whose code is in first..last - 1, before they are looked at."""

    column: str
    value: object
    low: float | None
    high: float | None
    given: bool
    codes: Codes
    first: int
    last: int
    p: float

    def rows(self) -> Rows:
        return np.flatnonzero((self.codes >= self.first) & (self.codes < self.last))

    def description(self) -> str:
        if self.given:
            return f"{self.column} is given"
        if self.low is None and self.high is None:
            return f"{self.column} is missing" if self.value is None else f"{self.column} = {self.value}"
        bounds = ((">=", self.low), ("<", self.high))
        return f"{self.column} " + " and ".join(f"{sign} {bound:.12g}" for sign, bound in bounds if bound is not None)


def slices(
    loss: Floats,
    columns: Mapping[str, Values],
    *,
    strata: Values | None = None,
    groups: Values | None = None,
    nominal: Collection[str] = ("cluster",),
    smallest: int = 20,
    level: float = 0.95,
    limit: int = 20,
) -> Slices:
    """The slices with significantly higher loss, the surest difference (low end of the interval) first.

    Of a column of names or truth values, each value is tested; of a numeric one, the best run of tenths and the best
    one apart from it, whose p is multiplied by the number of runs tried (Bonferroni). Missing values (None, NaN, empty)
    are a value of their own in both. A slice has at most half of the rows: of more, the others are what to look at. All p are then corrected together (Benjamini and Hochberg 1995). A slice is
    folded into one before it if it has nearly the same rows, lies within it, or holds it and is not higher without it.

    Args:
        loss: [n]; rows with NaN are left out.
        columns: by name, each [n]. Numbers may be arrays of objects; lists count as their text.
        strata: [n] what is not to be compared with each other, such as splits; by default all rows are of one.
        groups: [n] rows that resemble each other, such as the questions about one passage, are equal here; by default
            all rows are independent. A slice that is not spread over two groups is not tested.
        nominal: numeric columns whose numbers are names.
        smallest: fewest rows of a slice, and outside of it; at least 2.
        level: of the intervals; slices are reported whose corrected p is at most 1 - level.
        limit: most slices returned.

    Raises:
        DataError: if a column has another length than the loss, or slices of one row are asked for.
    """
    if smallest < 2:
        raise DataError(f"expected slices of 2 rows or more, found smallest={smallest}")
    optional = {"strata": strata, "groups": groups}
    for name, values in {**columns, **{name: one for name, one in optional.items() if one is not None}}.items():
        if len(values) != len(loss):
            raise DataError(f"expected {len(loss)} values of {name!r}, one per loss, found {len(values)}")
    known = np.flatnonzero(np.isfinite(loss))
    if len(known) < max(3, 2 * smallest):
        return Slices((), 0)
    loss = loss[known].astype(np.float64)
    stratum = np.zeros(len(loss), dtype=np.int64) if strata is None else _coded(strata[known])[0]
    ranks = Ranks.of(loss, stratum, None if groups is None else _coded(groups[known])[0])
    tried = [
        one
        for name, values in columns.items()
        for one in _candidates(name, values[known], ranks, smallest=smallest, nominal=name in nominal)
    ]
    if not tried:
        return Slices((), 0)
    corrected = false_discovery_control([one.p for one in tried])
    measured = [
        _measured(tried[place], loss, ranks, p_corrected=float(corrected[place]), level=level)
        for place in np.flatnonzero(corrected <= 1 - level)
    ]
    higher = sorted((one for one in measured if one.difference > 0), key=lambda one: -one.interval[0])
    distinct = _collapsed(higher, ranks, smallest=smallest, level=level, limit=limit)
    return Slices(tuple(replace(one, rows=known[one.rows]) for one in distinct), len(tried))


def variance_of_mean(values: Floats, group: Codes) -> tuple[float, int]:
    """Variance of the mean of values in groups (Liang & Zeger 1986), and the number of groups; of one group, of rows."""
    _, codes = np.unique(group, return_inverse=True)
    count = int(codes.max()) + 1
    if count == 1:
        return float(values.var(ddof=1)) / len(values), len(values)
    sums = np.bincount(codes, weights=values - values.mean())
    return float((sums**2).sum()) / len(values) ** 2 * count / (count - 1), count


def _candidates(name: str, values: Values, ranks: Ranks, *, smallest: int, nominal: bool) -> Iterator[_Candidate]:
    numbers = None if nominal else _numbers(values)
    if numbers is None:
        yield from _values(name, *_coded(values), ranks, smallest)
        return
    missing = np.isnan(numbers)
    yield from _values(name, np.where(missing, 0, -1), [None], ranks, smallest)
    yield from _ranges(name, numbers, ranks, smallest)


def _values(name: str, codes: Codes, values: Sequence[object], ranks: Ranks, smallest: int) -> Iterator[_Candidate]:
    """One candidate per value that has enough rows, and leaves enough."""
    sums = ranks.values(codes, len(values))
    enough = ranks.enough(sums, smallest)
    for code, p in zip(enough.tolist(), ranks.p(sums.take(enough)).tolist(), strict=True):
        yield _Candidate(name, values[code], None, None, False, codes, code, code + 1, p)


def _ranges(name: str, numbers: Floats, ranks: Ranks, smallest: int) -> Iterator[_Candidate]:
    """The best run of bins, and the best one that shares no bin with it; their p pays for all runs."""
    edges = _edges(numbers)
    codes = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right")).astype(np.int64)
    bins = len(edges) + 1
    first, last = np.triu_indices(bins + 1, 1)
    sums = ranks.runs(codes, bins, first, last)
    enough = ranks.enough(sums, smallest)
    first, last = first[enough], last[enough]
    p = np.minimum(1, len(enough) * ranks.p(sums.take(enough)))
    bounds = [None, *edges.tolist(), None]
    free = np.ones(len(enough), dtype=bool)
    for _ in range(2):
        if not free.any():
            return
        best = np.flatnonzero(free)[p[free].argmin()]
        low, high = int(first[best]), int(last[best])
        given = high - low == bins
        yield _Candidate(name, None, bounds[low], bounds[high], given, codes, low, high, float(p[best]))
        free &= (last <= low) | (first >= high)


def _edges(numbers: Floats) -> Floats:
    """Inner bounds of the bins: tenths, short enough to be printed as they are; all values if they are few.

    Four digits of the range that most values are in are enough, however far from zero it lies.
    """
    finite = numbers[np.isfinite(numbers)]
    few = np.unique(finite[:1000])  # a glance spares sorting most columns
    if len(few) <= _BINS and len(few := np.unique(finite)) <= _BINS:
        return few[1:]
    cuts = np.quantile(finite, np.arange(1, _BINS) / _BINS)
    spread = float(cuts[-1] - cuts[0]) or float(np.ptp(finite))
    return np.unique(np.round(cuts, 3 - int(np.floor(np.log10(spread)))))


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


def _measured(candidate: _Candidate, loss: Floats, ranks: Ranks, *, p_corrected: float, level: float) -> Slice:
    rows, stratum = candidate.rows(), ranks.stratum
    outside = np.ones(len(loss), dtype=bool)
    outside[rows] = False
    others = [np.flatnonzero(outside & (stratum == code)) for code in range(len(ranks.sizes))]
    compared = rows[np.array([len(other) >= OTHERS for other in others])[stratum[rows]]]
    difference, interval = _welch(loss, ranks, compared, others, level)
    mean = float(loss[compared].mean())
    return Slice(
        column=candidate.column,
        value=candidate.value,
        low=candidate.low,
        high=candidate.high,
        given=candidate.given,
        description=candidate.description(),
        n=len(rows),
        groups=len(np.unique(ranks.groups[rows])),
        mean_loss=mean,
        rest_loss=mean - difference,
        difference=difference,
        interval=interval,
        p=candidate.p,
        p_corrected=p_corrected,
        rows=rows,
    )


def _welch(
    loss: Floats, ranks: Ranks, rows: Rows, others: Sequence[Rows], level: float
) -> tuple[float, tuple[float, float]]:
    """Mean of what rows lose more than the others of their stratum, with its interval (Welch 1947).

    The variance has the parts of Welch: one of the rows, and one of the others of each stratum by its share of rows.
    """
    stratum, group = ranks.stratum, ranks.groups
    shares = np.bincount(stratum[rows], minlength=len(others)) / len(rows)
    there = np.flatnonzero(shares).tolist()
    above = loss[rows] - np.array([loss[other].mean() if len(other) else 0.0 for other in others])[stratum[rows]]
    difference = float(above.mean())
    measured = [
        variance_of_mean(above, group[rows]),
        *(variance_of_mean(loss[others[code]], group[others[code]]) for code in there),
    ]
    parts = np.array([variance for variance, _ in measured]) * np.array([1.0, *(shares[there] ** 2)])
    error = float(np.sqrt(parts.sum()))
    if error == 0:
        return difference, (difference, difference)
    freedom = np.array([count - 1 for _, count in measured])
    half = error * float(t.ppf((1 + level) / 2, parts.sum() ** 2 / (parts**2 / freedom).sum()))
    return difference, (difference - half, difference + half)


def _collapsed(ordered: Iterable[Slice], ranks: Ranks, *, smallest: int, level: float, limit: int) -> list[Slice]:
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


def _repeats(one: Slice, kept: Slice, ranks: Ranks, smallest: int, level: float) -> bool:
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
    codes = np.full(len(ranks.stratum), -1)
    codes[remaining] = 0
    return bool(ranks.p(ranks.values(codes, 1))[0] > 1 - level)
