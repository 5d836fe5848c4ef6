"""Reference and production in one projection: the reference faint at the back, production and groups of it on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tunewright.errors import DataError
from tunewright.plot.figures import FAINT, blank, heading, plain, point_style, quiet_axes, save
from tunewright.plot.monitor import COLOURS

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["figure", "save"]

_REFERENCE = "#c2c9d1"
_WIDTH, _HEIGHT = 10.0, 7.2


def figure(groups: Sequence[tuple[str, NDArray[np.float64]]], *, title: str, facts: list[str]) -> Figure:
    """Draw groups of points, the first in grey.

    Args:
        groups: names and points [n, 2]: the reference, production, and groups of it, at most six in all.
        title: what the figure is about.
        facts: the line below.

    Raises:
        DataError: if there are no points.
    """
    drawn = [(name, points) for name, points in groups if len(points)]
    if not drawn:
        raise DataError("expected points to draw, found none", fix="log rows with embeddings")
    sheet = blank(_WIDTH, _HEIGHT)
    axes = sheet.add_axes((0.75 / _WIDTH, 0.85 / _HEIGHT, 1 - 1.0 / _WIDTH, 1 - 1.75 / _HEIGHT))
    area, alpha, rasterized = point_style(sum(len(points) for _, points in drawn))
    for place, (name, points) in enumerate(drawn):
        colour = COLOURS[(place - 1) % len(COLOURS)] if place else _REFERENCE
        size, opacity = (area * 2.5, 0.9) if place > 1 else (area, alpha + 0.2 if place else 0.9)
        style: dict[str, Any] = {"color": colour, "alpha": min(opacity, 1.0), "linewidths": 0, "rasterized": rasterized}
        axes.scatter(points[:, 0], points[:, 1], s=size, label=f"{plain(name, most=36)} ({len(points):,})", **style)
    quiet_axes(axes)
    axes.set_aspect("equal", adjustable="datalim")
    axes.tick_params(labelbottom=False, labelleft=False, length=0)
    legend = sheet.legend(
        *axes.get_legend_handles_labels(), loc="lower left", bbox_to_anchor=(0.75 / _WIDTH, 0.01), ncols=3, fontsize=9,
        frameon=False, markerscale=2, handletextpad=0.2, columnspacing=1.4,
    )  # fmt: skip
    for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
        text.set_parse_math(False)
        text.set_color(FAINT)
        if handle is not None:
            handle.set_alpha(1)
    heading(sheet, title, facts)
    return sheet
