"""How a score of a selection of rows differs from that of the others, with an interval.

The mean of zeros and ones is a proportion and gets the interval of Wilson (1927), the difference of two the interval of
Newcombe (1998), which is made of these; other scores get the intervals of Student and of Welch (1947). The other rows
are weighed to be of the same strata, such as splits, as the selection. Rows of a group, such as the questions about one
passage, resemble each other: variances are then those of Liang and Zeger (1986), and numbers of rows effective ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from tunewright.analyze.scores import Interval, wilson
from tunewright.analyze.slices import variance_of_mean

__all__ = ["Contrast", "Mean", "Side", "contrast"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Side = Literal["higher", "lower", "cannot tell"]

_FEWEST = 2  # rows that a variance needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over n rows with its interval."""

    value: float
    interval: Interval
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Selected rows against the rest; ``difference`` is the first minus the second, with its interval.

    ``word`` says on which side of 0 the interval lies.
    """

    selected: Mean
    rest: Mean
    difference: float
    interval: Interval
    word: Side


@dataclass(frozen=True, slots=True)
class _Sample:
    """A mean, the variance of it, its degrees of freedom, and how many rows it is of."""

    mean: float
    variance: float
    freedom: float
    n: int


def contrast(
    score: Floats,
    selected: NDArray[np.bool_],
    *,
    strata: Codes | None = None,
    groups: Codes | None = None,
    level: float = 0.95,
) -> Contrast | None:
    """Compare the mean score of a selection with that of the other rows of the same strata.

    Rows without a score do not count, and neither do selected rows of a stratum that has fewer than two others. That the
    selection may have been made by looking at the score is not in the interval.

    Args:
        score: [n], NaN where there is none.
        selected: [n].
        strata: [n] codes of what is not to be compared with each other; None: all rows are of one.
        groups: [n] codes; equal for rows that resemble each other; None: all rows are independent.
        level: of the intervals.

    Returns:
        None if fewer than two of either side can be compared.
    """
    stratum = np.zeros(len(score), np.int64) if strata is None else strata
    group = np.arange(len(score)) if groups is None else groups
    known = np.isfinite(score)
    others = np.bincount(stratum[known & ~selected], minlength=int(stratum.max(initial=0)) + 1)
    compared = known & (others[stratum] >= _FEWEST)
    inside, outside = compared & selected, compared & ~selected & np.isin(stratum, stratum[compared & selected])
    if inside.sum() < _FEWEST:
        return None
    first = _sample(score[inside], group[inside])
    second = _weighed(score, outside, stratum, group, np.bincount(stratum[inside], minlength=len(others)))
    is_share = bool(np.isin(score[inside | outside], (0.0, 1.0)).all())
    near, far = (_interval(one, level, is_share=is_share) for one in (first, second))
    interval = _newcombe(first.mean, near, second.mean, far) if is_share else _welch(first, second, level)
    return Contrast(
        selected=Mean(value=first.mean, interval=near, n=first.n),
        rest=Mean(value=second.mean, interval=far, n=second.n),
        difference=first.mean - second.mean,
        interval=interval,
        word="higher" if interval[0] > 0 else "lower" if interval[1] < 0 else "cannot tell",
    )


def _sample(values: Floats, group: Codes) -> _Sample:
    variance, count = variance_of_mean(values, group)
    return _Sample(float(values.mean()), variance, count - 1, len(values))


def _weighed(score: Floats, outside: NDArray[np.bool_], stratum: Codes, group: Codes, counts: Codes) -> _Sample:
    """The others, each stratum with the share that it has in the selection; freedom by Satterthwaite (1946)."""
    there = np.flatnonzero(counts)
    shares = counts[there] / counts.sum()
    parts = [_sample(score[rows], group[rows]) for rows in (outside & (stratum == code) for code in there)]
    variances = shares**2 * np.array([part.variance for part in parts])
    freedom = np.array([part.freedom for part in parts])
    mean = float(shares @ np.array([part.mean for part in parts]))
    return _Sample(mean, float(variances.sum()), _joined(variances, freedom), int(outside.sum()))


def _interval(one: _Sample, level: float, *, is_share: bool) -> Interval:
    if not is_share:
        half = _half(one.variance, one.freedom, level)
        return one.mean - half, one.mean + half
    spread = one.mean * (1 - one.mean)
    effective = spread / one.variance + 1 if spread and one.variance else one.n  # of independent rows, their number
    return wilson(one.mean * effective, effective, level=level)


def _newcombe(first: float, near: Interval, second: float, far: Interval) -> Interval:
    """Of the difference of two proportions, from the interval of each."""
    difference = first - second
    low = float(np.hypot(first - near[0], far[1] - second))
    high = float(np.hypot(near[1] - first, second - far[0]))
    return difference - low, difference + high


def _welch(first: _Sample, second: _Sample, level: float) -> Interval:
    variances = np.array([first.variance, second.variance])
    freedom = _joined(variances, np.array([first.freedom, second.freedom]))
    difference, half = first.mean - second.mean, _half(float(variances.sum()), freedom, level)
    return difference - half, difference + half


def _joined(variances: Floats, freedom: Floats) -> float:
    squares = float((variances**2 / freedom).sum())
    return float(variances.sum()) ** 2 / squares if squares else float(freedom.sum())


def _half(variance: float, freedom: float, level: float) -> float:
    return float(np.sqrt(variance) * t.ppf((1 + level) / 2, freedom))
