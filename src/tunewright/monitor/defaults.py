"""The checks of a project that names none: what goes wrong with any model of text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.monitor.embedding_drift import EmbeddingDrift
from tunewright.monitor.embedding_signals import far_from_reference
from tunewright.monitor.expressions import Edge, col
from tunewright.monitor.histogram import Histogram
from tunewright.monitor.outcomes import LabelShift, accuracy
from tunewright.monitor.text_signals import chars
from tunewright.monitor.vocabulary import vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.reference import Reference

__all__ = ["default_checks", "default_weights", "drift_window"]

_LOW, _LONG, _FAR = 0.05, 0.99, 0.99
_LEAST_WINDOW = 10
_LEAST_FAR = 200  # vectors: a half of them is held out, and one of a hundred is beyond
_ALIKE = 0.5
_FAR_OF = "far_"


def default_checks(
    reference: Reference, *, texts: Sequence[str], labels: bool, window: int = 500, vectors: Sequence[str] = ("vector",)
) -> tuple[Any, ...]:
    """Words, lengths, labels, vectors and confidence against the reference, and accuracy where truth comes.

    Rows are marked as ``low_confidence`` below the confidence of 95% of the reference's rows, as ``long_<field>``
    beyond the length of 99% of its texts, and as ``far_<vectors>`` if the nearest vector of the reference is farther
    away than it is of 99% of held-out ones.

    Args:
        reference: with the text fields, and ``predicted``, ``probability`` and ``label`` where it has them.
        texts: the text fields.
        labels: whether predictions are names of classes.
        window: rows that are compared together.
        vectors: columns of embeddings. Those that the reference has too few of, or too few different ones, are left out.
    """
    checks: list[Any] = []
    for field in texts:
        checks += [vocabulary(field), vocabulary(field, window=window), Histogram(column=field, of="characters")]
        checks += _long(reference, field)
    for name in vectors:
        checks += [EmbeddingDrift(name, window=rows)] if (rows := drift_window(reference, name, window)) else []
        checks += _far(reference, name)
    checks += [LabelShift(), accuracy("predicted", "label")] if labels else []
    return (*checks, *_unsure(reference))


def default_weights(checks: Iterable[Any]) -> dict[str, float]:
    """How much likelier a collector draws rows of `default_checks`' edges than others.

    A row that is far from the reference is drawn five times as readily: one of a hundred rows like the reference is
    marked so, and one of twenty as unsure.
    """
    names = [check.name for check in checks if isinstance(check, Edge)]
    return {name: round(_LOW / (1 - _FAR), 6) for name in names if name.startswith(_FAR_OF)}


def drift_window(reference: Reference, name: str, window: int) -> int:
    """The window, or half of the reference's vectors where these are fewer; 0 where they are too few or too alike."""
    vectors = reference.vectors(name)
    rows = min(window, len(vectors) // 2)
    return rows if rows >= _LEAST_WINDOW and _differ(vectors) else 0


def _differ(vectors: NDArray[np.float32]) -> bool:
    """Whether more than half of all pairs differ, as they do not where a model writes one text for most rows."""
    _, counts = np.unique(np.round(vectors, 4), axis=0, return_counts=True)
    return float(np.sum((counts / len(vectors)) ** 2)) < _ALIKE


def _long(reference: Reference, field: str) -> list[Edge]:
    lengths = pc.utf8_length(pa.chunked_array([reference.texts(field)], pa.string())).to_numpy()
    return [(chars(field) > int(np.quantile(lengths, _LONG))).edge(f"long_{field}")] if len(lengths) else []


def _far(reference: Reference, name: str) -> list[Edge]:
    vectors = reference.vectors(name)
    enough = len(vectors) >= _LEAST_FAR and _differ(vectors)
    return [far_from_reference(name, _FAR).edge(f"{_FAR_OF}{name}")] if enough else []


def _unsure(reference: Reference) -> list[Edge]:
    if not reference.has("probability"):
        return []
    known = reference.column("probability").drop_null().to_numpy()
    return (
        [(col("probability") < _floored(float(np.quantile(known, _LOW)))).edge("low_confidence")] if len(known) else []
    )


def _floored(value: float) -> float:
    """Four significant digits, so that the check stays the same one; never more, which would mark rows like all others.

    >>> _floored(0.0123456), _floored(0.98769), _floored(0.0)
    (0.01234, 0.9876, 0.0)
    """
    if value <= 0:
        return 0.0
    scale = 10.0 ** (3 - math.floor(math.log10(value)))
    return math.floor(value * scale) / scale
