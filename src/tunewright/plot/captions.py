"""Where captions go: the free place nearest to what they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Caption", "place_captions"]

CELLS = 80
"""Cells per side of the grid on which free places are looked for."""

CROWDING = 0.05
"""Distance, as a share of the side, that a caption moves to uncover one more occupied cell."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A text, its centre (x, y) and the point (near_x, near_y) it names; all as shares 0 .. 1 of the plot's sides."""

    text: str
    x: float
    y: float
    near_x: float
    near_y: float


def place_captions(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    wanted: tuple[tuple[str, float, float], ...],
    size: tuple[float, float],
) -> list[Caption]:
    """A caption for each wanted (text, near_x, near_y), where it hides the fewest points.

    Args:
        x: [n], shares 0 .. 1 of the plot's width.
        y: [n], shares 0 .. 1 of the plot's height.
        wanted: what to say, and the point it is about.
        size: width and height of a caption, as shares of the plot's sides.
    """
    taken = np.histogram2d(x, y, bins=CELLS, range=((0, 1), (0, 1)))[0] > 0
    width, height = (max(1, round(side * CELLS)) for side in size)
    placed = []
    for text, near_x, near_y in wanted:
        column, row = _best(taken, (width, height), (near_x * CELLS, near_y * CELLS))
        taken[column : column + width, row : row + height] = True
        placed.append(Caption(text, (column + width / 2) / CELLS, (row + height / 2) / CELLS, near_x, near_y))
    return placed


def _best(taken: NDArray[np.bool_], size: tuple[int, int], near: tuple[float, float]) -> tuple[int, int]:
    """Left bottom cell of the window that covers few taken cells and lies near."""
    covered = np.lib.stride_tricks.sliding_window_view(taken, size).sum(axis=(2, 3))
    columns, rows = np.indices(covered.shape)
    distance = np.hypot(columns + size[0] / 2 - near[0], rows + size[1] / 2 - near[1]) / CELLS
    column, row = np.unravel_index(np.argmin(distance + CROWDING * covered), covered.shape)
    return int(column), int(row)
