"""Exact nearest neighbours by cosine, in blocks that fit in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunewright.columns import analysis
from tunewright.errors import DataError

__all__ = ["nearest", "neighbours"]

Floats = NDArray[np.floating]

_BUDGET = 64e6  # bytes of similarities held at once


@analysis(
    needs=("embeddings.vector", "embeddings.id", "embeddings.split", "examples.label"),
    gives=("density", "neighbour", "neighbour_similarity", "neighbour_label"),
)
def neighbours(
    *,
    vector: Floats,
    id: NDArray[np.generic],
    split: NDArray[np.generic],
    label: NDArray[np.generic],
    k: int = 10,
) -> dict[str, NDArray[np.generic]]:
    """What each row lies near to among the *other* rows of split "train".

    Args:
        vector: [n, dimensions] embeddings.
        id: [n] names of the rows.
        split: [n] splits of the rows.
        label: [n] gold labels of the rows.
        k: how many neighbours the density averages over; all of them if there are fewer.

    Returns:
        [n] mean cosine similarity to the k nearest, and id, similarity and label of the very nearest.

    Raises:
        DataError: if there are fewer than two training rows.
    """
    base = np.flatnonzero(split == "train")
    if len(base) < 2:
        raise DataError(f"expected embeddings of two or more training rows, found {len(base)}")
    own = np.full(len(vector), -1)
    own[base] = np.arange(len(base))
    found, similarity = nearest(vector, vector[base], k=min(k, len(base) - 1), exclude=own)
    first = base[found[:, 0]]
    return {
        "density": similarity.mean(axis=1),
        "neighbour": id[first],
        "neighbour_similarity": similarity[:, 0],
        "neighbour_label": label[first],
    }


def nearest(
    queries: Floats, base: Floats, *, k: int, exclude: NDArray[np.integer] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k most similar rows of ``base`` for each query.

    Args:
        queries: [m, dimensions]; a zero vector has similarity 0 to everything.
        base: [n, dimensions].
        k: in 1..n, or 1..n-1 with ``exclude``.
        exclude: [m] one row of ``base`` that a query must not find (itself), or -1.

    Returns:
        [m, k] row numbers, most similar first, ties by row number; and [m, k] cosine similarities in [-1, 1].

    Raises:
        DataError: if there are fewer than k rows to find.
    """
    available = len(base) - (exclude is not None)
    if not 1 <= k <= available:
        raise DataError(f"expected k in 1..{available}, the number of rows to find, found {k}")
    base, queries = _unit(base), _unit(queries)
    rows = np.empty((len(queries), k), dtype=np.int64)
    similarities = np.empty((len(queries), k))
    size = max(1, int(_BUDGET // (len(base) * base.itemsize)))
    for start in range(0, len(queries), size):
        block = slice(start, start + size)
        products = queries[block] @ base.T
        if exclude is not None:
            _hide(products, exclude[block])
        rows[block], similarities[block] = _top(products, k)
    return rows, np.clip(similarities, -1, 1)


def _hide(products: Floats, exclude: NDArray[np.integer]) -> None:
    hidden = np.flatnonzero(exclude >= 0)
    products[hidden, exclude[hidden]] = -np.inf


def _top(products: Floats, k: int) -> tuple[NDArray[np.int64], Floats]:
    """The k largest per row; rows that tie with the k-th are taken in order of their number."""
    edge = np.partition(products, -k, axis=1)[:, -k]
    rows = np.empty((len(products), k), dtype=np.int64)
    for number, row in enumerate(products):
        candidates = np.flatnonzero(row >= edge[number])
        rows[number] = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
    return rows, np.take_along_axis(products, rows, axis=1)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units
