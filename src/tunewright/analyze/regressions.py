"""What a decision may have cost: classes and slices that got worse, probabilities that mean less, gains elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.compare import Verdict, holm, word
from tunewright.analyze.crossed import Spread, between_seeds, spread, spread_of_resamples
from tunewright.analyze.scores import Interval
from tunewright.analyze.verdict import checked
from tunewright.errors import ComparisonError

__all__ = [
    "CalibrationChange",
    "GroupChange",
    "LocalGain",
    "calibration_change",
    "local_gain",
    "regressions",
]

Floats = NDArray[np.float64]
Where = Literal["more inside", "less inside", "cannot tell"]
Harm = Literal["worse", "not worse", "cannot tell"]

MARGIN = 0.02
"""A class or slice that loses less than this share of its score is not worse."""

_WHERE: dict[Verdict, Where] = {"better": "more inside", "worse": "less inside", "cannot tell": "cannot tell"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """B against A on the rows of one class or slice.

    ``p_worse`` is the p-value of "B is not worse at all", ``p_not_worse`` that of "B loses ``margin`` or more"; both
    one-sided and corrected over all groups (Holm 1979). A group can be worse and within the margin: then it is worse.
    """

    by: str
    group: str
    n: int
    mean_a: float
    mean_b: float
    difference: float
    interval: Interval
    margin: float
    p_worse: float
    p_not_worse: float
    word: Harm


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationChange:
    """Expected calibration error and Brier score of both arms; a positive difference means that B is worse."""

    ece_a: float
    ece_b: float
    ece_difference: float
    ece_interval: Interval
    brier_a: float
    brier_b: float
    brier_difference: float
    brier_interval: Interval
    word: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalGain:
    """Gain on the rows that a decision was made for, on the others, and how much larger the first is."""

    n_inside: int
    n_outside: int
    inside: float
    outside: float
    difference: float
    interval: Interval
    p: float
    word: Where


def regressions(
    a: NDArray[Any],
    b: NDArray[Any],
    groups: Mapping[str, NDArray[Any]],
    *,
    margin: float = MARGIN,
    level: float = 0.95,
    smallest: int = 10,
) -> tuple[GroupChange, ...]:
    """Non-inferiority of B on every class and slice, the largest loss first.

    Args:
        a: [seeds, n] scores of A in [0, 1].
        b: [seeds, n] scores of B, of the same seeds and rows.
        groups: for each way to divide the rows, such as "label", [n] names; None leaves a row out.
        margin: the largest loss that does not matter, in (0, 1).
        level: of the intervals, and 1 - level the level of both tests.
        smallest: groups of fewer rows are left out.

    Raises:
        ComparisonError: as `judge`, or if names are not given for every row.
    """
    first, second = checked(a, b)
    rows = [(by, name, where) for by, names in groups.items() for name, where in _groups(by, names, first.shape[1])]
    rows = [(by, name, where) for by, name, where in rows if len(where) >= smallest]
    moved = [spread(first[:, where], second[:, where]) for _, _, where in rows]
    worse = holm([one.tail(-one.difference) for one in moved])
    not_worse = holm([one.tail(one.difference + margin) for one in moved])
    changes = [
        GroupChange(
            by=by,
            group=name,
            n=len(where),
            mean_a=float(first[:, where].mean()),
            mean_b=float(second[:, where].mean()),
            difference=one.difference,
            interval=one.interval(level),
            margin=margin,
            p_worse=harmed,
            p_not_worse=kept,
            word=_harm(harmed, kept, 1 - level),
        )
        for (by, name, where), one, harmed, kept in zip(rows, moved, worse, not_worse, strict=True)
    ]
    return tuple(sorted(changes, key=lambda change: change.difference))


def local_gain(a: NDArray[Any], b: NDArray[Any], inside: NDArray[np.bool_], *, level: float = 0.95) -> LocalGain:
    """Did the rows that motivated a decision improve more than the rest? A difference in differences.

    Rows inside and outside are drawn apart and share their seeds: what a seed does to all rows alike cancels.

    Args:
        a: [seeds, n] scores of A in [0, 1].
        b: [seeds, n] scores of B, of the same seeds and rows.
        inside: [n] the rows in question, some but not all.
        level: of the interval.

    Raises:
        ComparisonError: as `judge`, or if all rows are on one side.
    """
    first, second = checked(a, b)
    if inside.shape != (first.shape[1],) or inside.all() or not inside.any():
        raise ComparisonError(
            f"expected some of {first.shape[1]} rows inside, found {int(inside.sum())} of {inside.size}",
            fix="give a slice of the test rows",
        )
    near, far = (spread(first[:, rows], second[:, rows]) for rows in (inside, ~inside))
    contrast = _contrast(first, second, inside, near, far)
    interval, p = contrast.interval(level), contrast.p()
    return LocalGain(
        n_inside=int(inside.sum()),
        n_outside=int((~inside).sum()),
        inside=near.difference,
        outside=far.difference,
        difference=contrast.difference,
        interval=interval,
        p=p,
        word=_WHERE[word(interval, p, 1 - level)],
    )


def calibration_change(
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    label: NDArray[np.integer],
    *,
    bins: int = 15,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> CalibrationChange:
    """Whether the probabilities of B say less about how often it is right.

    The expected calibration error (Guo et al. 2017) is the mean gap between confidence and accuracy over equal bins of
    the highest probability; the Brier score (1950), halved to lie in [0, 1], is the squared distance of the
    probabilities from the label, which also counts accuracy. The word follows the first. Intervals count seeds and
    rows; rows by a seeded bootstrap.

    Args:
        a: [seeds, n, classes] probabilities of A.
        b: [seeds, n, classes] probabilities of B.
        label: [n] codes of the gold labels.
        bins: of the calibration error.
        level: of the intervals.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ComparisonError: if the shapes differ.
    """
    if a.shape != b.shape or a.ndim != 3 or a.shape[1] != len(label):
        raise ComparisonError(
            f"expected probabilities [seeds, rows, classes] of the same runs, found {a.shape}, {b.shape} "
            f"and {len(label)} labels"
        )
    brier_a, brier_b = _brier(a, label), _brier(b, label)
    brier = spread(brier_a, brier_b)
    ece_a, ece_b, ece = _calibration_errors(a, b, label, bins=bins, resamples=resamples, seed=seed)
    low, high = ece.interval(level)
    return CalibrationChange(
        ece_a=ece_a,
        ece_b=ece_b,
        ece_difference=ece.difference,
        ece_interval=(low, high),
        brier_a=float(brier_a.mean()),
        brier_b=float(brier_b.mean()),
        brier_difference=brier.difference,
        brier_interval=brier.interval(level),
        word=word((-high, -low), ece.p(), 1 - level),
    )


def _groups(by: str, names: NDArray[Any], n: int) -> list[tuple[str, NDArray[np.intp]]]:
    if len(names) != n:
        raise ComparisonError(f"expected a {by} of each of {n} rows, found {len(names)}")
    found = sorted({name for name in names.tolist() if name is not None}, key=str)
    return [(str(name), np.flatnonzero(names == name)) for name in found]


def _harm(p_worse: float, p_not_worse: float, alpha: float) -> Harm:
    if p_worse < alpha:
        return "worse"
    return "not worse" if p_not_worse < alpha else "cannot tell"


def _contrast(a: Floats, b: Floats, inside: NDArray[np.bool_], near: Spread, far: Spread) -> Spread:
    gaps = [arm[:, inside].mean(axis=1) - arm[:, ~inside].mean(axis=1) for arm in (a, b)]
    seeds, df = between_seeds(gaps)
    return Spread(difference=near.difference - far.difference, rows=near.rows + far.rows, seeds=seeds, df=df)


def _brier(probability: NDArray[np.floating], label: NDArray[np.integer]) -> Floats:
    """[seeds, n] in [0, 1]."""
    gold = np.eye(probability.shape[2])[label]
    squares: Floats = np.square(probability - gold)
    summed: Floats = squares.sum(axis=2)
    return summed / 2


def _calibration_errors(
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    label: NDArray[np.integer],
    *,
    bins: int,
    resamples: int,
    seed: int,
) -> tuple[float, float, Spread]:
    """Mean error of A and of B, and their difference."""
    n, seeds = len(label), len(a)
    gaps = [_gaps(run, label, bins) for run in (*a, *b)]
    whole = np.array([np.abs(gap.sum(axis=0)).sum() / n for gap in gaps]).reshape(2, seeds)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float32)
    drawn = np.array([np.abs(draws @ gap).sum(axis=1) / n for gap in gaps]).reshape(2, seeds, resamples)
    return float(whole[0].mean()), float(whole[1].mean()), spread_of_resamples(whole, drawn)


def _gaps(probability: NDArray[np.floating], label: NDArray[np.integer], bins: int) -> NDArray[np.float32]:
    """[n, bins] right minus confidence, in the bin of the confidence."""
    confidence = probability.max(axis=1)
    right = probability.argmax(axis=1) == label
    held = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.zeros((len(label), bins), dtype=np.float32)
    gaps[np.arange(len(label)), held] = right - confidence
    return gaps
