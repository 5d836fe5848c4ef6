"""Rows with the same text, or nearly the same: MinHash (Broder 1997) finds candidates, their true overlap decides.

A text is the set of its character 5-grams in lower case; similarity is the Jaccard overlap of two sets. A short text is
a set with itself as the only member, so that it is like nothing but itself: "yes" is no near-duplicate of "yes .".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from tunewright.errors import DataError

__all__ = ["SHORTEST", "duplicates"]

SHORTEST = 24
"""Texts of fewer characters are compared as wholes."""

_GRAM = 5
_BANDS = 16
_PER_BAND = 5
"""With 5 values in each of 16 bands a pair with overlap .8 is missed in 2 of 1000 cases (1 - (1 - .8^5)^16)."""
_SLACK = 0.25
"""An estimate from 16 values or more that is so far below the threshold spares a closer look."""
_CACHED = 1 << 14
"""Sets of 5-grams kept in memory."""

Hashes = NDArray[np.uint64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Field:
    """One column of texts: its distinct texts, [n] which of them each row has, and their signatures."""

    distinct: list[str]
    codes: Codes
    signatures: Hashes

    def similarity(self, row: int, other: int) -> float:
        left, right = int(self.codes[row]), int(self.codes[other])
        return 1.0 if left == right else _jaccard(self.distinct[left], self.distinct[right])


def duplicates(
    texts: Mapping[str, Sequence[str | None]],
    *,
    id: NDArray[np.generic],
    threshold: float = 0.8,
    seed: int = 0,
) -> dict[str, NDArray[np.generic]]:
    """For each row, an earlier row with the same or nearly the same texts.

    The similarity of two rows is the smallest over their fields: two questions about one passage are no duplicates.
    Splits do not matter here; compare the split of a row with that of its ``duplicate_of``.

    Args:
        texts: columns by name, each [n]; None counts as no text. Rows without any text are no duplicates.
        id: [n] names of the rows.
        threshold: smallest similarity, in (0, 1].
        seed: of the hashes.

    Returns:
        ``duplicate_of`` [n] id of the first such row, None without one; ``duplicate_similarity`` [n] in [0, 1], 1 for
        texts that are the same but for case and blanks, NaN without one.

    Raises:
        DataError: if columns differ in length or the threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise DataError(f"expected a threshold in (0, 1], found {threshold}", fix="0.8 finds texts with small edits")
    if wrong := [name for name, column in texts.items() if len(column) != len(id)]:
        raise DataError(f"expected {len(id)} texts, one per id, found another number in {', '.join(wrong)}")
    first, similarity = _first_alike(texts, len(id), threshold, seed)
    found = first >= 0
    duplicate_of = np.full(len(id), None, dtype=object)
    duplicate_of[found] = id[first[found]]
    return {"duplicate_of": duplicate_of, "duplicate_similarity": similarity}


def _first_alike(
    texts: Mapping[str, Sequence[str | None]], n: int, threshold: float, seed: int
) -> tuple[Codes, NDArray[np.float64]]:
    """[n] earlier row that each row is like, -1 without one, and how like it is."""
    first, similarity = np.full(n, -1, dtype=np.int64), np.full(n, np.nan)
    folded = [[_folded(text) for text in column] for column in texts.values()]
    seen: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(zip(*folded, strict=True)):
        if any(key) and (place := seen.setdefault(key, row)) != row:
            first[row], similarity[row] = place, 1.0
    rows = np.array(list(seen.values()), dtype=np.int64)
    if threshold == 1 or len(rows) < 2:
        return first, similarity
    fields = [
        _field([column[row] for row in rows.tolist()], max(1, _PER_BAND // len(folded)), seed) for column in folded
    ]
    near, how_near = _near(fields, threshold)
    found = near >= 0
    first[rows[found]], similarity[rows[found]] = rows[near[found]], how_near[found]
    return first, similarity


def _field(texts: list[str], per_band: int, seed: int) -> _Field:
    seen: dict[str, int] = {}
    codes = np.array([seen.setdefault(text, len(seen)) for text in texts], dtype=np.int64)
    random = np.random.default_rng(seed)
    flips, factors = random.integers(0, 1 << 64, (2, _BANDS * per_band, 1), dtype=np.uint64)
    signatures = np.stack([((_grams(text) ^ flips) * (factors | np.uint64(1))).min(axis=1) for text in seen])
    return _Field(list(seen), codes, signatures)


def _near(fields: Sequence[_Field], threshold: float) -> tuple[Codes, NDArray[np.float64]]:
    """[n] earliest of the candidates that are like each row, -1 without one, and how like."""
    n = len(fields[0].codes)
    near, similarity = np.full(n, -1, dtype=np.int64), np.full(n, np.nan)
    rows, others = np.divmod(_candidates(fields, threshold), n)
    for row, other in zip(rows.tolist(), others.tolist(), strict=True):
        if near[row] >= 0:
            continue
        least = min(field.similarity(row, other) for field in fields)
        if least >= threshold:
            near[row], similarity[row] = other, least
    return near, similarity


def _candidates(fields: Sequence[_Field], threshold: float) -> Codes:
    """Pairs as row x n + earlier row, ascending: those that share all values of a band, and many values in all.

    Of rows that share a band, each is paired with the first one and the one before it: their number stays linear.
    """
    n = len(fields[0].codes)
    pairs = np.unique(np.concatenate([_sharing(_band(fields, band)) for band in range(_BANDS)]))
    rows, others = np.divmod(pairs, n)
    likely = np.ones(len(pairs), dtype=bool)
    for field in fields:
        for block in np.array_split(np.arange(len(pairs)), 1 + len(pairs) // 100_000):
            left, right = field.signatures[field.codes[rows[block]]], field.signatures[field.codes[others[block]]]
            likely[block] &= (left == right).mean(axis=1) >= threshold - _SLACK
    return np.asarray(pairs[likely], dtype=np.int64)


def _band(fields: Sequence[_Field], band: int) -> Hashes:
    """[n] one number per row for its values in a band, of all fields."""
    key = np.zeros(len(fields[0].codes), dtype=np.uint64)
    for field in fields:
        for value in np.array_split(field.signatures, _BANDS, axis=1)[band].T:
            key = _mixed(key * np.uint64(0x100000001B3) ^ value[field.codes])
    return key


def _sharing(keys: Hashes) -> Codes:
    n = len(keys)
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1]) + 1
    starts = np.ones(n, dtype=bool)
    starts[same] = False
    heads = np.maximum.accumulate(np.where(starts, np.arange(n), 0))
    return np.concatenate([order[same] * n + order[same - 1], order[same] * n + order[heads[same]]])


@lru_cache(maxsize=_CACHED)
def _grams(text: str) -> Hashes:
    """Hashes of the distinct 5-grams, sorted; of a short text, its own hash."""
    if len(text) < SHORTEST:
        return np.frombuffer(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), dtype="<u8")
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    hashes = np.zeros(len(points) - _GRAM + 1, dtype=np.uint64)
    for place in range(_GRAM):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + points[place : len(points) - _GRAM + 1 + place]
    return np.unique(_mixed(hashes))


def _mixed(values: Hashes) -> Hashes:
    """The finaliser of MurmurHash3 (Appleby 2011): every bit depends on all."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))


def _jaccard(left: str, right: str) -> float:
    ours, theirs = _grams(left), _grams(right)
    shared = len(np.intersect1d(ours, theirs, assume_unique=True))
    return shared / (len(ours) + len(theirs) - shared)


def _folded(text: str | None) -> str:
    return " ".join(text.casefold().split()) if text else ""
