"""The data map: every training example by how the model learnt it.

Variability across, confidence up, colour and marker by correctness, after Swayamdipta et al. 2020, "Dataset
Cartography: Mapping and Diagnosing Datasets with Training Dynamics". The faint arc is the largest variability that a
confidence allows, sqrt(c (1 - c)): no point can lie beyond it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tunewright.plot.captions import Caption, place_captions
from tunewright.plot.figures import FAINT, INK, blank, heading, point_style, quiet_axes, save
from tunewright.plot.groups import Groups, correctness_bins
from tunewright.plot.inputs import Columns, MapPoints, map_points, ones_and_zeros, take

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["PASSES", "WHISKERS", "figure", "map_captions", "save", "variability_limit"]

PASSES = {
    "train": "recorded in the training pass, dropout on",
    "both": "recorded in the training pass, dropout on",
    "epoch_end": "recorded in a pass after each epoch, dropout off",
    "held_out": "recorded by models that did not learn from the row, dropout off",
}
CAPTION_SIZE = (0.21, 0.055)
WHISKERS = 40
"""Examples that get whiskers: more of them would hide the points."""


def figure(
    columns: Columns,
    *,
    title: str = "Data map",
    model: str = "",
    dataset: str = "",
    coverage: float | None = None,
    when: Literal["train", "epoch_end", "both", "held_out"] | None = None,
    ring: str | None = None,
    whiskers: tuple[str, str] | None = None,
) -> Figure:
    """Draw the data map of all examples that were seen.

    Args:
        columns: ``confidence``, ``variability`` and ``correctness``, float [n]; NaN means not seen.
        title: what the figure is about.
        model: name of the model, for the second line.
        dataset: name and version of the dataset, for the second line.
        coverage: share 0 .. 1 of the expected (example, epoch) records there are.
        when: which pass was recorded.
        ring: name of a flag column, such as ``suspect``, whose examples are ringed.
        whiskers: names of the columns with the standard errors of variability and confidence, float [n]; the
            ``WHISKERS`` examples with the largest error of confidence get them.

    Raises:
        ColumnError: if a column is missing.
        DataError: if lengths differ, a value is out of range, or nothing was seen.
    """
    points = map_points(columns)
    bins = correctness_bins(points.correctness)
    sheet = blank(11.5, 7.6)
    grid = sheet.add_gridspec(
        3, 2, width_ratios=(2.7, 1), left=0.065, right=0.985, top=0.865, bottom=0.155, wspace=0.17, hspace=0.5
    )
    axes = sheet.add_subplot(grid[:, 0])
    _scatter(axes, points, bins)
    if ring is not None:
        _ring(axes, points, ones_and_zeros(take(columns, "confidence", ring)[1])[points.seen], ring)
    if whiskers is not None:
        _whiskers(axes, points, *(values[points.seen] for values in take(columns, "confidence", *whiskers)[1:]))
    _frame(axes, points)
    _margins([sheet.add_subplot(grid[row, 1]) for row in range(3)], points, bins)
    _legend(sheet, axes, bins)
    heading(sheet, title, _facts(points, model=model, dataset=dataset, coverage=coverage, when=when))
    return sheet


def _facts(points: MapPoints, *, model: str, dataset: str, coverage: float | None, when: str | None) -> list[str]:
    """What a reader must know about the map, as short phrases."""
    unseen = points.seen.size - points.confidence.size
    return [
        model,
        dataset,
        f"n = {points.confidence.size:,}" + (f" ({unseen:,} never seen)" if unseen else ""),
        "" if coverage is None else f"coverage {_percent(coverage)}",
        PASSES[when] if when else "",
    ]


def _percent(share: float) -> str:
    """A share in percent, rounded down so that only complete coverage reads 100 %."""
    return f"{np.floor(share * 1000 + 1e-9) / 10:g} %"


def variability_limit(points: MapPoints) -> float:
    """Right end of the variability axis: the largest value and some air, at least 0.05."""
    return float(max(points.variability.max() * 1.06, 0.05))


def map_captions(points: MapPoints) -> list[Caption]:
    """The names of the three regions, placed where they hide the fewest points; shares of the plot's sides."""
    wanted = (("ambiguous", 0.88, 0.5), ("hard-to-learn", 0.3, 0.12), ("easy-to-learn", 0.3, 0.86))
    x = points.variability / variability_limit(points)
    return place_captions(x, (points.confidence + 0.02) / 1.04, wanted=wanted, size=CAPTION_SIZE)


def _scatter(axes: Axes, points: MapPoints, bins: Groups) -> None:
    """All points, the rarest bin last so that the many do not bury the few."""
    area, _, raster = point_style(points.confidence.size)
    for order, code in enumerate(np.argsort(-bins.counts, kind="stable")):
        mask = bins.codes == code
        own_area, alpha, _ = point_style(int(bins.counts[code]))
        axes.scatter(
            points.variability[mask],
            points.confidence[mask],
            s=min(own_area, 1.8 * area),
            alpha=alpha,
            color=bins.colours[code],
            marker=bins.markers[code],
            linewidths=0,
            rasterized=raster,
            zorder=2 + order / 10,
        )


def _ring(axes: Axes, points: MapPoints, mask: NDArray[np.bool_], name: str) -> None:
    area, _, raster = point_style(points.confidence.size)
    axes.scatter(
        points.variability[mask],
        points.confidence[mask],
        s=max(18.0, 3 * area),
        facecolors="none",
        edgecolors=INK,
        linewidths=0.5,
        rasterized=raster,
        zorder=4,
        label=f"{name} ({int(mask.sum()):,})",
    )


def _whiskers(axes: Axes, points: MapPoints, across: NDArray[np.floating], along: NDArray[np.floating]) -> None:
    """One standard error to each side of the least certain examples."""
    known = np.flatnonzero(np.isfinite(across) & np.isfinite(along))
    least = known[np.argsort(-along[known], kind="stable")][:WHISKERS]
    axes.errorbar(
        points.variability[least],
        points.confidence[least],
        xerr=across[least],
        yerr=along[least],
        fmt="none",
        ecolor=INK,
        elinewidth=0.6,
        alpha=0.7,
        zorder=4.5,
        label=f"standard error ({least.size:,})",
    )


def _frame(axes: Axes, points: MapPoints) -> None:
    """Axes, the arc that bounds every map, and the region captions."""
    confidence = np.linspace(0, 1, 400)
    axes.plot(np.sqrt(confidence * (1 - confidence)), confidence, color=FAINT, lw=0.8, ls=(0, (4, 4)), zorder=1)
    axes.set_xlim(0, variability_limit(points))
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("variability", fontsize=12, color=INK)
    axes.set_ylabel("confidence", fontsize=12, color=INK)
    quiet_axes(axes)
    for caption in map_captions(points):
        _write(axes, caption)


def _write(axes: Axes, caption: Caption) -> None:
    from matplotlib.patheffects import withStroke

    axes.text(
        caption.x,
        caption.y,
        caption.text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=13,
        weight="bold",
        color=INK,
        zorder=5,
        path_effects=[withStroke(linewidth=3, foreground="white", alpha=0.85)],
    )


def _margins(sheets: list[Axes], points: MapPoints, bins: Groups) -> None:
    """Histograms of confidence, variability and correctness, one below the other."""
    _histogram(sheets[0], points.confidence, "confidence", (0.0, 1.0))
    _histogram(sheets[1], points.variability, "variability", (0.0, variability_limit(points)))
    places = np.arange(len(bins.names))
    sheets[2].bar(places, bins.counts, color=bins.colours, width=0.8)
    sheets[2].set_xticks(places, bins.names)
    _label(sheets[2], "correctness")
    sheets[2].tick_params(axis="x", labelsize=9)


def _histogram(axes: Axes, values: NDArray[np.float64], name: str, limits: tuple[float, float]) -> None:
    axes.hist(values, bins=40, range=limits, color="#6e7781")
    axes.set_xlim(*limits)
    _label(axes, name)


def _label(axes: Axes, name: str) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.set_xlabel(name, fontsize=11, color=INK)
    axes.set_ylabel("examples", fontsize=10, color=FAINT)
    quiet_axes(axes)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def _legend(sheet: Figure, axes: Axes, bins: Groups) -> None:
    """One row below the map: marker, correctness and count of each bin, and the rings."""
    from matplotlib.lines import Line2D

    entries: list[Any] = [
        Line2D(
            [], [], ls="", marker=bins.markers[code], color=bins.colours[code], ms=8, mew=0, label=f"{name} ({count:,})"
        )
        for code, (name, count) in enumerate(zip(bins.names, bins.counts, strict=True))
    ]
    rings, names = axes.get_legend_handles_labels()
    box = axes.get_position()
    legend = sheet.legend(
        [*entries, *rings],
        [*(entry.get_label() for entry in entries), *names],
        title="correctness: share of epochs predicted correctly (examples)",
        loc="upper left",
        bbox_to_anchor=(box.x0 - 0.01, 0.088),
        ncols=len(entries) + len(rings),
        frameon=False,
        fontsize=9.5,
        title_fontsize=9.5,
        alignment="left",
        handletextpad=0.1,
        columnspacing=1.2,
        borderaxespad=0,
    )
    legend.get_title().set_color(FAINT)
