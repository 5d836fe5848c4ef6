"""The points of one run in the order of another's rows, so that a page can set one against the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = ["aligned"]


def aligned(points: pa.Table, shot: Snapshot, like: Snapshot) -> pa.Table:
    """Points of ``shot``, row k being the example that row k of ``like`` is.

    Args:
        points: of ``shot``, without nulls, see `Snapshot.encoded`.
        shot: whose points these are.
        like: whose order is wanted.

    Returns:
        As many rows as ``like`` has; NaN, or the largest code, where ``shot`` lacks the example.
    """
    places = shot.places(like.rows["id"].combine_chunks())
    if not points.num_rows:
        points = pa.table({name: pa.array(_none(column.to_numpy(), 1)) for name, column in _columns(points)})
    return pa.table({name: pa.array(_taken(column.to_numpy(), places)) for name, column in _columns(points)})


def _columns(points: pa.Table) -> list[tuple[str, pa.ChunkedArray]]:
    return list(zip(points.column_names, points.columns, strict=True))


def _taken(values: NDArray[np.generic], places: NDArray[np.int64]) -> NDArray[np.generic]:
    return np.where(places >= 0, values[places], _none(values, 1))


def _none(values: NDArray[np.generic], n: int) -> NDArray[np.generic]:
    """[n] what stands for a missing value of this type."""
    if isinstance(values.dtype, np.dtypes.Float32DType):
        return np.full(n, np.nan, dtype=np.float32)
    return np.full(n, -1).astype(values.dtype)  # the largest number of a type without a sign
