"""Macro-F1 of two arms: what a row-wise verdict leaves out where classes are of unequal size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.crossed import spread_of_resamples
from tunewright.analyze.scores import Interval
from tunewright.errors import ComparisonError

__all__ = ["MacroChange", "macro_f1_change"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroChange:
    """Macro-F1 of B against A, in [0, 1], mean over seeds; a positive difference means that B is better."""

    mean_a: float
    mean_b: float
    difference: float
    interval: Interval
    level: float


def macro_f1_change(
    a: NDArray[np.integer],
    b: NDArray[np.integer],
    gold: NDArray[np.integer],
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> MacroChange:
    """Mean F1 of the classes that occur in ``gold``; the interval counts seeds, and rows by a seeded bootstrap.

    Args:
        a: [seeds, n] codes that A predicted.
        b: [seeds, n] codes that B predicted, with the same seeds and rows.
        gold: [n] codes of the labels.
        level: of the interval.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ComparisonError: if the shapes differ.
    """
    if a.shape != b.shape or a.ndim != 2 or a.shape[1:] != gold.shape:
        raise ComparisonError(
            f"expected predictions [seeds, rows] of the same runs, found {a.shape}, {b.shape} and {gold.shape} labels"
        )
    n = len(gold)
    once = np.ones((1, n))
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
    whole, drawn = (
        np.array([_macro_f1(run, gold, counts) for run in (*a, *b)]).reshape(2, len(a), -1) for counts in (once, draws)
    )
    moved = spread_of_resamples(whole[:, :, 0], drawn)
    return MacroChange(
        mean_a=float(whole[0].mean()),
        mean_b=float(whole[1].mean()),
        difference=moved.difference,
        interval=moved.interval(level),
        level=level,
    )


def _macro_f1(guess: NDArray[np.integer], gold: NDArray[np.integer], counts: Floats) -> Floats:
    """[resamples] of rows that count [resamples, n] times."""
    classes = np.unique(gold)
    given, said = gold[:, None] == classes, guess[:, None] == classes
    hits, size = counts @ (given & said), counts @ given.astype(np.float64)
    total = size + counts @ said.astype(np.float64)
    f1 = np.divide(2 * hits, total, out=np.zeros_like(total), where=size > 0)  # a class that is not drawn has none
    mean: Floats = f1.sum(axis=1) / np.maximum((size > 0).sum(axis=1), 1)
    return mean
