"""Several models as one: weighted means of their probabilities or logits.

Weights are chosen on validation rows only; on the rows that the result is judged by, they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from tunewright.analyze.scores import macro_f1
from tunewright.errors import DataError

__all__ = ["Diversity", "Of", "choose_weights", "combine", "diversity"]

Floats = NDArray[np.floating]
Of = Literal["probabilities", "logits"]
Metric = Literal["accuracy", "macro_f1", "log_loss"]

_POINTS = 1000
"""At most so many weightings are tried."""
_FINEST = 20
"""Steps of 1/20 are as fine as a validation split can tell apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """How different models are about the same rows, as means over pairs (Kuncheva and Whitaker 2003).

    ``disagreement`` is the share of rows that two models answer otherwise; ``double_fault`` the share both get wrong;
    ``expected_double_fault`` what it would be if their mistakes had nothing to do with each other; ``q`` is Yule's Q in
    [-1, 1]: 0 where they have not, 1 where they make the same mistakes; None where no pair has a value. ``oracle`` is the
    share of rows that at least one model gets right: no ensemble can be expected to do better.
    """

    disagreement: float
    double_fault: float
    expected_double_fault: float
    q: float | None
    oracle: float


def diversity(said: NDArray[Any], right: NDArray[np.bool_]) -> Diversity:
    """Compare the answers of two or more models.

    Args:
        said: [models, n] what each says.
        right: [models, n] whether it is right.

    Raises:
        DataError: if there are fewer than two models, or no rows.
    """
    if said.shape != right.shape or said.ndim != 2 or len(said) < 2 or not said.shape[1]:
        raise DataError(f"expected answers [models, n] of two or more models, found shape {said.shape}")
    pairs = list(combinations(range(len(said)), 2))
    wrong = ~right
    values = [q for first, second in pairs if (q := _yules_q(right[first], right[second])) is not None]
    return Diversity(
        disagreement=float(np.mean([(said[first] != said[second]).mean() for first, second in pairs])),
        double_fault=float(np.mean([(wrong[first] & wrong[second]).mean() for first, second in pairs])),
        expected_double_fault=float(np.mean([wrong[first].mean() * wrong[second].mean() for first, second in pairs])),
        q=float(np.mean(values)) if values else None,
        oracle=float(right.any(axis=0).mean()),
    )


def combine(logits: Floats, weights: Sequence[float] | None = None, *, of: Of = "probabilities") -> NDArray[np.float64]:
    """Probabilities of the ensemble.

    Args:
        logits: [models, n, classes], rows and classes in the same order for every model.
        weights: [models], at least 0, scaled to sum to 1; equal if None.
        of: what is averaged: the models' probabilities (a mixture; a confident model cannot outvote the others by
            its scale), or their logits, before the softmax (a product of experts).

    Returns:
        [n, classes], rows sum to 1.

    Raises:
        DataError: if the shapes do not fit, or the weights are negative, not finite or all zero.
    """
    if logits.ndim != 3:
        raise DataError(f"expected logits [models, n, classes], found shape {logits.shape}")
    shares = _shares(weights, len(logits))
    members = softmax(logits, axis=2) if of == "probabilities" else logits
    mean = np.tensordot(shares, members.astype(np.float64), axes=1)
    combined: NDArray[np.float64] = mean if of == "probabilities" else softmax(mean, axis=1)
    return combined


def choose_weights(
    logits: Floats, gold: NDArray[np.integer], *, of: Of = "probabilities", metric: Metric = "accuracy"
) -> tuple[float, ...]:
    """The weights that do best on validation rows.

    All weightings on a grid over the simplex are tried: in steps of 1/20, or coarser where that would be more than
    1000; equal weights are always among them. Ties go to the lower log loss, then to the weighting nearest to
    equal, then to the first in lexicographic order, so the choice is deterministic.

    Args:
        logits: [models, n, classes] on validation rows.
        gold: [n] codes of the gold labels.
        of: as in ``combine``.
        metric: accuracy and macro_f1 are maximised, log_loss is minimised.

    Returns:
        [models] weights that sum to 1.

    Raises:
        DataError: if there are no rows, or no models.
    """
    if 0 in logits.shape or len(gold) != logits.shape[1]:
        raise DataError(f"expected logits [models, n, classes] for {len(gold)} rows, found shape {logits.shape}")
    value = _METRICS[metric]
    models = len(logits)
    members = softmax(logits, axis=2) if of == "probabilities" else logits

    def loss(weights: tuple[float, ...]) -> tuple[float, float, float, tuple[float, ...]]:
        mean = np.tensordot(np.array(weights), members, axes=1)
        logs = np.log(np.maximum(mean, 1e-300)) if of == "probabilities" else log_softmax(mean, axis=1)
        distance = sum((weight - 1 / models) ** 2 for weight in weights)
        return _rounded(value(logs, gold)), _rounded(_log_loss(logs, gold)), _rounded(distance), weights

    return min(_grid(models), key=loss)


def _yules_q(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    alike = float((first & second).sum()) * float((~first & ~second).sum())
    apart = float((first & ~second).sum()) * float((~first & second).sum())
    return (alike - apart) / (alike + apart) if alike + apart else None


def _shares(weights: Sequence[float] | None, models: int) -> NDArray[np.float64]:
    given = np.ones(models) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.shape != (models,) or not np.isfinite(given).all() or given.min() < 0 or given.sum() <= 0:
        raise DataError(
            f"expected {models} weights, none negative and not all zero, found {given.tolist()}",
            fix="give one weight per model",
        )
    shares: NDArray[np.float64] = given / given.sum()
    return shares


def _grid(models: int) -> Iterator[tuple[float, ...]]:
    """Equal weights, then all multiples of 1/steps that sum to 1."""
    yield (1 / models,) * models
    steps = max(
        (steps for steps in range(1, _FINEST + 1) if comb(steps + models - 1, models - 1) <= _POINTS), default=1
    )
    for parts in _compositions(steps, models):
        yield tuple(part / steps for part in parts)


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All tuples of ``parts`` numbers, 0 or more, that sum to ``total``."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def _rounded(value: float) -> float:
    """Without the last digits, which depend on the order of summation: they must not break ties."""
    return round(value, 12)


def _log_loss(logs: Floats, gold: NDArray[np.integer]) -> float:
    return -float(logs[np.arange(len(gold)), gold].mean())


def _error(logs: Floats, gold: NDArray[np.integer]) -> float:
    return float((logs.argmax(axis=1) != gold).mean())


def _negative_macro_f1(logs: Floats, gold: NDArray[np.integer]) -> float:
    return -macro_f1(gold, logs.argmax(axis=1), logs.shape[1])


_METRICS: dict[Metric, Callable[[Floats, NDArray[np.integer]], float]] = {
    "accuracy": _error,
    "macro_f1": _negative_macro_f1,
    "log_loss": _log_loss,
}
