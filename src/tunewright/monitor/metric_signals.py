"""Signals of a model's scores: confidence, entropy, margin. Use it as ``metric``.

Scores are lists with one number per label. A list with a missing or infinite number gives a missing value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from tunewright.monitor.expressions import Signal, node, of
from tunewright.monitor.operations import operation
from tunewright.monitor.vectors import matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["confidence", "entropy", "margin"]

SIGNALS = ("confidence", "entropy", "margin")
"""Names that formulas may call."""

Scores = Literal["logits", "probabilities"]


def confidence(column: str | Signal = "logits", *, scores: Scores = "logits") -> Signal:
    """The largest probability, in [0, 1].

    Args:
        column: one list of numbers per row.
        scores: "logits" go through a softmax; "probabilities" are taken as they are.
    """
    return _of("confidence", column, scores)


def entropy(column: str | Signal = "logits", *, scores: Scores = "logits") -> Signal:
    """Entropy of the probabilities, in nats: 0 for a certain answer, log of the number of labels for none at all."""
    return _of("entropy", column, scores)


def margin(column: str | Signal = "logits", *, scores: Scores = "logits") -> Signal:
    """The largest probability minus the second largest, in [0, 1]."""
    return _of("margin", column, scores)


def _of(name: str, column: str | Signal, scores: str) -> Signal:
    if scores not in {"logits", "probabilities"}:
        raise ValueError(f"expected scores to be logits or probabilities, found {scores!r}")
    return node(f"metric.{name}", of(column), scores=scores)


@operation("metric.confidence", gives="number", cost=5)
def _confidence(lists: pa.Array, *, scores: str) -> Any:
    return _column(_probabilities(lists, scores).max(axis=1))


@operation("metric.entropy", gives="number", cost=5)
def _entropy(lists: pa.Array, *, scores: str) -> Any:
    shares = _probabilities(lists, scores)
    logs = np.log(shares, out=np.zeros_like(shares), where=~(shares <= 0))
    return _column(np.abs(np.sum(shares * logs, axis=1)))  # not -sum, which is -0.0 for a certain answer


@operation("metric.margin", gives="number", cost=5)
def _margin(lists: pa.Array, *, scores: str) -> Any:
    ordered = np.sort(_probabilities(lists, scores), axis=1)
    return _column(ordered[:, -1] - ordered[:, -2] if ordered.shape[1] > 1 else ordered[:, -1])


def _probabilities(lists: pa.Array, scores: str) -> NDArray[np.float64]:
    """[n, labels]; rows that are not finite are NaN."""
    table = matrix(lists).astype(np.float64)
    table[~np.isfinite(table).all(axis=1)] = np.nan
    if scores == "probabilities":
        return table
    powers = np.exp(table - table.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _column(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)
