"""What a recorder writes: parts of long tables, one row per example, window and epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from tunewright import table as tables
from tunewright.files import LEFT_OVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["RECORDED", "drop_from", "part_of"]

RECORDED = ("dynamics", "passes", "features", "synthetic")
"""The tables of a run that a recorder writes."""


def part_of(rows: list[dict[str, Any]], process: int) -> pa.Table:
    """Batches of measured rows as one table.

    Args:
        rows: per batch: ``id`` and ``window`` [batch], ``epoch``, ``step``, and ``measured``, tensors [batch] or
            [batch, dimensions] by column.
        process: which saw them.
    """
    sizes = [len(row["id"]) for row in rows]
    names = rows[0]["measured"].keys()
    measured = {name: torch.cat([row["measured"][name] for row in rows]).cpu().numpy() for name in names}
    spread = {
        name: pa.array([row[name] for row, size in zip(rows, sizes, strict=True) for _ in range(size)], pa.int32())
        for name in ("epoch", "step")
    }
    return pa.table(
        {
            "id": [example for row in rows for example in row["id"]],
            **spread,
            "window": pa.array([window for row in rows for window in row["window"]], pa.int32()),
            "rank": pa.array([process] * sum(sizes), pa.int32()),
            **{name: _column(value) for name, value in measured.items()},
        }
    )


def drop_from(run: Run, step: int) -> None:
    """Remove recorded rows at or after a step, and what a killed process left half-written."""
    for name in RECORDED:
        for path in (run.folder / name).glob(LEFT_OVER):
            path.unlink()
        for path in tables.parts(run.folder / name):
            part = tables.read(path)
            kept = part.filter(pc.less(part["step"], step))
            if kept.num_rows == 0:
                path.unlink()
            elif kept.num_rows < part.num_rows:
                tables.write(path, kept)


def _column(values: NDArray[np.generic]) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])
