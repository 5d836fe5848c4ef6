"""Lists of numbers in a column, as one table of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["matrix"]


def matrix(values: pa.Array) -> NDArray[np.floating[Any]]:
    """[n, dimensions] of a column of lists without missing rows; a missing number is NaN.

    Raises:
        DataError: if the rows are no lists of numbers, or of different lengths.
    """
    kind = values.type
    if not (pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind)):
        raise DataError(f"expected one list of numbers per row, found {kind}")
    if not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise DataError(f"expected numbers in the lists, found {kind.value_type}")
    lengths = pc.unique(pc.list_value_length(values)).to_pylist()
    if len(lengths) > 1 or lengths == [0]:
        raise DataError(f"expected lists of one length, found lengths {sorted(lengths)[:5]}")
    flat = pc.list_flatten(values)
    flat = flat.cast(pa.float64()) if pa.types.is_integer(kind.value_type) else flat
    table: NDArray[np.floating[Any]] = flat.to_numpy(zero_copy_only=False).reshape(len(values), -1)
    return table
