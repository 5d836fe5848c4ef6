"""Scores of one model on one split, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from tunewright.errors import DataError

__all__ = ["ClassScore", "Grade", "Interval", "Scores", "grade", "macro_f1", "score", "wilson"]

Values = NDArray[np.generic]
Codes = NDArray[np.integer]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """Precision, recall and F1 of one class, each with its interval; 0 where there is nothing to divide by."""

    label: str
    support: int
    precision: float
    recall: float
    f1: float
    precision_interval: Interval
    recall_interval: Interval
    f1_interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Accuracy and macro-F1 with their intervals, and every class that was given or predicted."""

    n: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    classes: tuple[ClassScore, ...]
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The mean of a score that every row has, such as F1 of answers or ROUGE, with its interval; n rows.

    ``interval`` is None where rows say nothing about it: all have the same score, or there is one number for all.
    """

    name: str
    mean: float
    interval: Interval | None
    n: int
    direction: Literal["higher", "lower"] = "higher"


def grade(
    values: NDArray[np.floating],
    *,
    name: str,
    direction: Literal["higher", "lower"] = "higher",
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Grade:
    """Mean of a score with its interval.

    The mean of zeros and ones is a proportion and gets the Wilson interval, which says something even if all are
    equal. Other scores get the percentile interval of a seeded bootstrap over rows (Efron 1979), and none if all are
    equal: every sample would be the same.

    Args:
        values: [n]; NaN is left out.
        name: of the score.
        direction: which values of it are better.
        level: of the interval.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DataError: if no row has a score.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not known.size:
        raise DataError(f"expected rows with a {name}, found none", fix="predict rows that have a label")
    interval = _mean_interval(known, level=level, resamples=resamples, seed=seed)
    return Grade(name=name, mean=float(known.mean()), interval=interval, n=known.size, direction=direction)


def score(
    label: Values,
    predicted: Values,
    *,
    labels: Sequence[str],
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Scores:
    """Score predictions.

    Accuracy, precision and recall are proportions and get Wilson intervals. F1 = 2 J / (1 + J) grows with the
    proportion J = TP / (TP + FP + FN), whose Wilson limits are carried over. Macro-F1, the mean over the classes
    with support, gets a percentile interval from a seeded bootstrap over rows.

    Args:
        label: [n] gold labels, names; None means unlabelled and is left out.
        predicted: [n] predicted labels, names.
        labels: the order in which classes are listed; those neither given nor predicted are left out.
        level: of all intervals.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DataError: if no row is labelled, or a name is not in ``labels``.
    """
    gold, guess = _codes(label, predicted, labels)
    hits, given, guessed = counts = _counts(gold, guess, len(labels))
    right, n = int(hits.sum()), len(gold)
    return Scores(
        n=n,
        accuracy=right / n,
        accuracy_interval=wilson(right, n, level=level),
        macro_f1=_mean_f1(*counts),
        macro_f1_interval=_bootstrap(gold, guess, size=len(labels), level=level, resamples=resamples, seed=seed),
        classes=tuple(
            _class_score(labels[code], int(hits[code]), int(given[code]), int(guessed[code]), level=level)
            for code in np.flatnonzero(given + guessed).tolist()
        ),
        level=level,
    )


def wilson(hits: float, n: float, *, level: float = 0.95) -> Interval:
    """Wilson's (1927) score interval of a proportion; (0, 1) if nothing was tried. Numbers may be effective ones.

    >>> low, high = wilson(81, 263)
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    if n == 0:
        return 0.0, 1.0
    z = float(norm.ppf((1 + level) / 2))
    centre = (hits + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * float(np.sqrt(hits * (n - hits) / n + z * z / 4))
    # exact at the ends, where rounding would leave a trace
    return (centre - half if hits else 0.0), (centre + half if hits < n else 1.0)


def macro_f1(gold: Codes, guess: Codes, size: int) -> float:
    """Mean F1 of the classes that occur in ``gold``.

    Args:
        gold: [n] codes below ``size``.
        guess: [n] codes below ``size``.
        size: number of classes.
    """
    return _mean_f1(*_counts(gold, guess, size))


def _codes(label: Values, predicted: Values, labels: Sequence[str]) -> tuple[Codes, Codes]:
    codes = {name: code for code, name in enumerate(labels)}
    rows = [row for row in zip(label.tolist(), predicted.tolist(), strict=True) if row[0] is not None]
    unknown = sorted({str(name) for row in rows for name in row} - {str(name) for name in codes})
    if unknown:
        raise DataError(f"expected labels among {list(labels)}, found {unknown[:5]}")
    if not rows:
        raise DataError(
            "expected labelled rows to score, found none", fix="predict does not need labels; evaluate does"
        )
    gold, guess = zip(*rows, strict=True)
    return np.array([codes[name] for name in gold]), np.array([codes[name] for name in guess])


def _class_score(name: str, hits: int, support: int, guessed: int, *, level: float) -> ClassScore:
    union = support + guessed - hits
    low, high = wilson(hits, union, level=level)
    return ClassScore(
        label=name,
        support=support,
        precision=hits / guessed if guessed else 0.0,
        recall=hits / support if support else 0.0,
        f1=2 * hits / (support + guessed),
        precision_interval=wilson(hits, guessed, level=level),
        recall_interval=wilson(hits, support, level=level),
        f1_interval=(2 * low / (1 + low), 2 * high / (1 + high)),
    )


def _counts(gold: Codes, guess: Codes, size: int) -> tuple[Codes, Codes, Codes]:
    """Hits, rows given and rows predicted, per class, each [size]."""
    hits = np.bincount(gold[gold == guess], minlength=size)
    return hits, np.bincount(gold, minlength=size), np.bincount(guess, minlength=size)


def _mean_f1(hits: Codes, given: Codes, guessed: Codes) -> float:
    supported = given > 0
    return float(np.mean(2 * hits[supported] / (given + guessed)[supported]))


def _mean_interval(values: NDArray[np.float64], *, level: float, resamples: int, seed: int) -> Interval | None:
    if np.isin(values, (0, 1)).all():
        return wilson(int(values.sum()), values.size, level=level)
    if (values == values[0]).all():
        return None
    draw = np.random.default_rng(seed)
    means = [values[draw.integers(0, values.size, values.size)].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _bootstrap(gold: Codes, guess: Codes, *, size: int, level: float, resamples: int, seed: int) -> Interval:
    random = np.random.default_rng(seed)
    draws = (random.integers(len(gold), size=len(gold)) for _ in range(resamples))
    values = [macro_f1(gold[rows], guess[rows], size) for rows in draws]
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
