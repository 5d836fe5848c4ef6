"""What the pictures take: columns of equal length, checked against their definitions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tunewright.columns import column
from tunewright.errors import ColumnError, DataError, did_you_mean

__all__ = ["Columns", "MapPoints", "map_points", "missing", "ones_and_zeros", "take"]

Columns: TypeAlias = Mapping[str, NDArray[Any]]
Floats: TypeAlias = NDArray[np.float64]

TOLERANCE = 1e-6
"""How far rounding may carry a value beyond the range of its column."""


@dataclass(frozen=True, slots=True)
class MapPoints:
    """The examples of a data map that were seen in training.

    ``confidence``, ``variability`` and ``correctness`` are float arrays [n]; ``seen`` is a bool array [rows] that
    says which rows of the input they are.
    """

    confidence: Floats
    variability: Floats
    correctness: Floats
    seen: NDArray[np.bool_]


def take(columns: Columns, *names: str) -> list[NDArray[Any]]:
    """The named columns as arrays of one length, in the order asked for.

    Raises:
        ColumnError: if one is missing.
        DataError: if their lengths differ, or they are empty.
    """
    arrays = [np.asarray(_get(columns, name)) for name in names]
    lengths = {name: array.shape for name, array in zip(names, arrays, strict=True)}
    if len(set(lengths.values())) > 1 or arrays[0].ndim != 1:
        raise DataError(f"columns of one length [n] are expected, found {lengths}", fix="join them by id first")
    if not arrays[0].size:
        raise DataError(f"there is nothing to draw: {', '.join(names)} have no rows", fix="look at the run's coverage")
    return arrays


def _get(columns: Columns, name: str) -> NDArray[Any]:
    if name not in columns:
        raise ColumnError(f"the picture needs the column {name!r}", fix=did_you_mean(name, columns))
    return columns[name]


def map_points(columns: Columns) -> MapPoints:
    """Confidence, variability and correctness of every row that was seen; NaN means not seen.

    Raises:
        ColumnError: if one of the three is missing.
        DataError: if a value is outside the range of its column, or no row was seen.
    """
    names = ("confidence", "variability", "correctness")
    arrays = [array.astype(np.float64) for array in take(columns, *names)]
    seen = np.isfinite(np.sum(np.stack(arrays), axis=0))
    if not seen.any():
        raise DataError(f"none of the {seen.size} examples was seen in training", fix="look at the run's coverage")
    confidence, variability, correctness = (array[seen] for array in arrays)
    for name, values in zip(names, (confidence, variability, correctness), strict=True):
        _check_range(name, values)
    return MapPoints(confidence, variability, correctness, seen)


def _check_range(name: str, values: Floats) -> None:
    low, high = column(name).low, column(name).high
    if low is None or high is None or (values.min() >= low - TOLERANCE and values.max() <= high + TOLERANCE):
        return
    raise DataError(
        f"{name} lies between {low:g} and {high:g}, found {values.min():g} to {values.max():g}",
        fix="divide counts by the number of epochs" if name == "correctness" else "compute it again with data_map",
    )


def ones_and_zeros(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Flags [n] as bool; missing flags (None, NaN) count as False."""
    return np.array([not missing(value) and bool(value) for value in values.tolist()], dtype=bool)


def missing(value: Any) -> bool:
    """Whether a cell is empty: None or NaN.

    >>> missing(None), missing(float("nan")), missing("")
    (True, True, False)
    """
    return value is None or (isinstance(value, float) and math.isnan(value))
