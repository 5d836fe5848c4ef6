"""Rows that are not evidence of their own: several of one unit, or the same vector again and again."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["collisions", "counted", "effective_rows", "text_keys", "vector_keys"]


def vector_keys(vectors: NDArray[np.float32]) -> NDArray[np.uint64]:
    """[n] equal for equal rows of [n, dimensions], and for others in one of 2^64 cases."""
    bits = np.ascontiguousarray(vectors, dtype=np.float32).view(np.uint32)
    mixed = bits.astype(np.uint64) @ _odd(bits.shape[1])
    return np.asarray(mixed ^ (mixed >> np.uint64(29)), dtype=np.uint64)


def text_keys(values: Iterable[object]) -> NDArray[np.uint64]:
    """[n] equal for equal values, the same in every process."""
    from hashlib import blake2b

    digests = [blake2b(str(value).encode(), digest_size=8).digest() for value in values]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def counted(
    keys: NDArray[np.uint64], counts: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Distinct keys, sorted, and how often each occurs; ``counts`` are those of the keys, 1 if left out."""
    distinct, place = np.unique(keys, return_inverse=True)
    weights = np.ones(len(keys), dtype=np.int64) if counts is None else counts
    totals = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(totals, place, weights)
    return distinct, totals


def collisions(counts: NDArray[np.int64]) -> float:
    """Chance that two different rows have the same key, in [0, 1], without bias."""
    rows = int(counts.sum())
    return float((counts * (counts - 1)).sum() / (rows * (rows - 1))) if rows > 1 else 0.0


def effective_rows(counts: NDArray[np.int64], *, expected: float = 0.0) -> float:
    """How many independent rows a mean over rows is worth (design effect, Kish 1965).

    Rows of equal key are taken to be one observation that weighs more. Of independent draws from few values some are
    equal too; where two are with a chance of ``expected``, only what goes beyond that counts against them.

    Args:
        counts: rows of each key.
        expected: chance in [0, 1] that two independent rows are equal.

    Returns:
        in (0, rows]; 0 for no rows.

    >>> effective_rows(np.array([1, 1, 1, 1])), effective_rows(np.array([2, 2]))
    (4.0, 2.0)
    """
    rows = int(counts.sum())
    if rows == 0:
        return 0.0
    squares = float((counts.astype(np.float64) ** 2).sum())
    return rows * min(1.0, (rows + rows * (rows - 1) * expected) / squares)


@cache
def _odd(dimensions: int) -> NDArray[np.uint64]:
    return np.random.default_rng(dimensions).integers(0, 2**63, dimensions, dtype=np.uint64) * np.uint64(2) + np.uint64(
        1
    )
