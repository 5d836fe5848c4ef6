"""Splits: given ones by their common names, and new ones that follow from content and seed alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FRACTIONS", "UNLABELLED", "carve", "make_splits", "split_name"]

FRACTIONS = {"train": 0.8, "validation": 0.1, "test": 0.1}
UNLABELLED = "unlabelled"
"""The split of rows that come without labels; they take no part when splits are made."""
_ALIASES = {
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "development": "validation",
    "testing": "test",
}


def split_name(name: str) -> str:
    """The name we use for a split.

    >>> split_name("dev"), split_name("Train"), split_name("oos_test")
    ('validation', 'train', 'oos_test')
    """
    lower = name.strip().lower()
    return _ALIASES.get(lower, lower if lower in FRACTIONS else name.strip())


def make_splits(
    table: pa.Table,
    *,
    fractions: Mapping[str, float] = FRACTIONS,
    seed: int = 0,
    label: str | None = "label",
    content: str = "content",
) -> pa.Array:
    """A split for every row: stratified by label, equal contents together, independent of the order of the rows.

    Within each label, contents are ordered by a hash of content and seed, and the order is cut at the fractions; a
    label's offset in the first cut, from a hash too, makes rare labels fall in every split as often as they should. A
    label with a single content goes to the first split. Contents with several labels count for their commonest.

    Args:
        table: [n] rows with the columns ``label`` (string) and ``content`` (string).
        fractions: split -> share in (0, 1]; they sum to 1.
        seed: another seed gives other splits.
        label: column to stratify by, or None.
        content: column of what must not be in two splits.

    Returns:
        [n] strings.

    Raises:
        DataError: if the fractions do not sum to 1.
    """
    if not fractions or min(fractions.values()) <= 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise DataError(f"expected positive fractions that sum to 1, found {dict(fractions)}")
    keys, groups = _encoded(table[content])
    names, labels = _encoded(table[label]) if label else ([None], np.zeros(table.num_rows, np.int64))
    if not keys:
        return pa.array([], pa.string())
    rank = np.array([_hash(seed, key) for key in keys], np.uint64)
    sizes = np.bincount(groups, minlength=len(keys))
    stratum = _commonest(groups, labels, names)
    order = np.lexsort((rank, stratum))
    position = _positions(stratum[order], sizes[order], np.array([_unit(seed, name) for name in names]))
    bounds = np.cumsum(list(fractions.values()))[:-1]
    chosen = np.empty(len(keys), np.int64)
    chosen[order] = np.searchsorted(bounds, position, side="right")
    return pa.array(list(fractions), pa.string()).take(pa.array(chosen[groups]))


def carve(table: pa.Table, *, fraction: float = 0.1, seed: int = 0, label: str | None = "label") -> pa.Array:
    """The column ``split`` with a validation split taken out of train; other splits stay.

    Args:
        table: columns ``split``, ``content`` and ``label``.
        fraction: share of the training rows in (0, 1).
        seed: as for `make_splits`.
        label: column to stratify by, or None.
    """
    train = pc.equal(table["split"], "train")
    made = make_splits(
        table.filter(train), fractions={"train": 1 - fraction, "validation": fraction}, seed=seed, label=label
    )
    column = table["split"].combine_chunks()
    return pc.replace_with_mask(column, train.combine_chunks(), made)


def _encoded(column: pa.ChunkedArray) -> tuple[list[str | None], NDArray[np.int64]]:
    """Distinct values in sorted order (null first), and the position of each row's value among them."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    values = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=lambda code: (values[code] is not None, values[code] or ""))
    place = np.empty(len(values), np.int64)
    place[order] = np.arange(len(values))
    return [values[code] for code in order], place[encoded.indices.to_numpy(zero_copy_only=False)]


def _commonest(groups: NDArray[np.int64], labels: NDArray[np.int64], names: Sequence[str | None]) -> NDArray[np.int64]:
    """[contents] the label most rows of a content have; the first in sorted order where several are as common."""
    pairs, counts = np.unique(groups * len(names) + labels, return_counts=True)
    group, label = np.divmod(pairs, len(names))
    best = np.lexsort((label, -counts, group))
    first = np.unique(group[best], return_index=True)[1]
    commonest: NDArray[np.int64] = label[best][first]
    return commonest


def _positions(
    stratum: NDArray[np.int64], sizes: NDArray[np.int64], offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[contents] where in [0, 1) of its stratum each content starts; strata are contiguous."""
    starts = np.flatnonzero(np.diff(stratum, prepend=-1))
    count = np.diff(starts, append=len(stratum))
    total = np.repeat(np.add.reduceat(sizes, starts), count)
    before = np.cumsum(sizes) - sizes
    before = before - np.repeat(before[starts], count)
    shift = np.repeat(np.where(count > 1, offset[stratum[starts]], 0.0), count)
    position: NDArray[np.float64] = (before + shift) / total
    return position


def _hash(seed: int, key: str | None) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest())


def _unit(seed: int, name: str | None) -> float:
    return _hash(seed, f"label:{name}") / 2.0**64
