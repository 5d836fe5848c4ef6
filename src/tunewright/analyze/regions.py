"""Regions of the data map, and which rows to keep of one.

Swayamdipta et al. (2020) call the top third of confidence easy to learn, its bottom third hard to learn, and the
top third of variability ambiguous. The three overlap; the ``region`` column names the first of ambiguous, hard,
easy that applies. Ties are broken by a seeded hash of the id, so a selection depends neither on the order of rows
nor on an order hidden in the ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunewright.errors import ColumnError, DataError, did_you_mean

__all__ = ["THRESHOLDS", "Bounds", "Region", "bounded", "name_regions", "sample", "select"]

Columns = Mapping[str, NDArray[np.generic]]
Mask = NDArray[np.bool_]
Region = Literal["easy", "ambiguous", "hard"]
Bounds = Mapping[str, tuple[float | None, float | None]]
"""Column name -> (low, high): low <= value < high; None is unbounded."""

_RANKED_BY: dict[Region, tuple[str, int]] = {
    "ambiguous": ("variability", -1),
    "hard": ("confidence", 1),
    "easy": ("confidence", -1),
}
THRESHOLDS: Mapping[Region, Bounds] = {
    "ambiguous": {"variability": (0.25, None)},
    "hard": {"variability": (None, 0.25), "confidence": (None, 0.5)},
    "easy": {"variability": (None, 0.25), "confidence": (0.5, None)},
}
"""Named thresholds: half of the largest possible variability, and a coin's confidence. They cover the map."""


def select(
    columns: Columns,
    *,
    region: Region | None = None,
    bounds: Bounds | None = None,
    fraction: float = 1 / 3,
    exclude: Mask | None = None,
    seed: int = 0,
) -> Mask:
    """Which rows to keep: a fraction from the extreme of a region, all rows within bounds, or both.

    With a region, the rows that are eligible (seen, not excluded, within bounds) are ranked by its column, and
    round(fraction x eligible) of them, at least one, are kept. Without, all eligible rows are.

    Args:
        columns: ``id`` and the columns that region and bounds name, each [n].
        region: ambiguous (most variable first), hard (least confident first) or easy (most confident first).
        bounds: column -> (low, high), low <= value < high.
        fraction: in (0, 1]; only counts with a region.
        exclude: [n] rows never to keep, for example suspected mislabels.
        seed: of the hash that breaks ties.

    Returns:
        [n] True for rows to keep.

    Raises:
        ColumnError: if a column is missing.
        DataError: if the region is unknown or the fraction is not in (0, 1].
    """
    eligible = bounded(columns, bounds or {})
    if exclude is not None:
        eligible &= ~exclude
    if region is None:
        return eligible
    if region not in _RANKED_BY:
        raise DataError(f"no region is called {region!r}", fix=did_you_mean(region, _RANKED_BY))
    if not 0 < fraction <= 1:
        raise DataError(f"expected a fraction in (0, 1], found {fraction}", fix="0.33 keeps a third")
    name, sign = _RANKED_BY[region]
    values = sign * _numbers(columns, name)
    eligible &= ~np.isnan(values)
    return _lowest(values, columns["id"], eligible, max(1, round(fraction * int(eligible.sum()))), f"ties/{seed}")


def sample(columns: Columns, count: int, *, exclude: Mask | None = None, seed: int = 0) -> Mask:
    """A random control: ``count`` rows drawn by a seeded hash of the id.

    Args:
        columns: ``id`` [n].
        count: how many rows; all eligible ones if there are fewer.
        exclude: [n] rows never to keep.
        seed: another seed, another sample; the order of rows does not matter.

    Returns:
        [n] True for rows to keep.
    """
    ids = columns["id"]
    eligible = np.ones(len(ids), dtype=bool) if exclude is None else ~exclude
    return _lowest(
        np.zeros(len(ids)), ids, eligible, count, f"sample/{seed}"
    )  # not the key of ties, or a region of equals would be its own control


def bounded(columns: Columns, bounds: Bounds) -> Mask:
    """Rows whose values lie within all bounds, low <= value < high; NaN lies in none.

    Raises:
        ColumnError: if a column is missing.
    """
    kept = np.ones(len(columns["id"]), dtype=bool)
    for name, (low, high) in bounds.items():
        values = _numbers(columns, name)
        kept &= ~np.isnan(values)
        kept &= low is None or values >= low
        kept &= high is None or values < high
    return kept


def name_regions(
    columns: Columns, *, by: Literal["quantile", "threshold"] = "quantile", fraction: float = 1 / 3
) -> NDArray[np.str_]:
    """The region of each row: the first of ambiguous, hard, easy that applies, or the empty string.

    Args:
        columns: ``id``, ``confidence`` and ``variability``, each [n].
        by: "quantile" takes ``fraction`` of the rows for each region, "threshold" takes ``THRESHOLDS``.
        fraction: in (0, 1].

    Returns:
        [n] region names.
    """
    names = np.full(len(columns["id"]), "", dtype="<U9")
    for region in reversed(_RANKED_BY):
        match by:
            case "quantile":
                inside = select(columns, region=region, fraction=fraction)
            case "threshold":
                inside = bounded(columns, THRESHOLDS[region])
        names[inside] = region
    return names


def _numbers(columns: Columns, name: str) -> NDArray[np.float64]:
    if name not in columns:
        raise ColumnError(f"expected a column {name!r}", fix=did_you_mean(name, columns))
    return columns[name].astype(np.float64)


def _lowest(values: NDArray[np.float64], ids: NDArray[np.generic], eligible: Mask, count: int, key: str) -> Mask:
    """The ``count`` eligible rows with the lowest values, ties in the order of a seeded hash."""
    rows = np.flatnonzero(eligible)
    order = np.lexsort((_hashes(ids[rows], key), values[rows]))
    mask = np.zeros(len(ids), dtype=bool)
    mask[rows[order[:count]]] = True
    return mask


def _hashes(ids: NDArray[np.generic], key: str) -> NDArray[np.uint64]:
    digests = (hashlib.blake2b(str(name).encode(), digest_size=8, key=key.encode()).digest() for name in ids)
    return np.frombuffer(b"".join(digests), dtype="<u8")
