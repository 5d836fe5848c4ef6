"""Where the rows of each split lie in latent space: one panel per split, the others in grey behind it.

The area of a dot is its loss, so what the model has not learnt can be seen before anything is read; a ring is a row
whose loss is unknown. Clusters are named where most of their rows are.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tunewright.columns import numerals
from tunewright.errors import DataError
from tunewright.plot.captions import place_captions
from tunewright.plot.figures import FAINT, INK, blank, heading, plain, point_style, quiet_axes, save
from tunewright.plot.groups import Groups, clustered, grouped
from tunewright.plot.inputs import Columns, missing, take

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

__all__ = ["figure", "save"]

FIRST = ("train", "validation", "test")
BEHIND = "#d9dce0"
PANEL = 5.0  # inches
PER_ROW = 3
MARGIN = 2.7
"""Inches right of the panels, for the legends."""
RING = 0.8
"""Width of the line, in points, around a dot whose loss is unknown."""
NAMED = 10
"""Clusters that are named, the largest ones."""
NAME_SIZE = (0.46, 0.045)
"""Width and height of a name, as shares of a panel."""
LARGEST = 0.98
"""Quantile of the loss from which dots do not grow any more."""


def figure(
    columns: Columns,
    *,
    axes: tuple[str, str] = ("umap1", "umap2"),
    colour: str = "label",
    title: str = "Population",
    model: str = "",
    dataset: str = "",
) -> Figure:
    """Draw every row that has coordinates.

    Args:
        columns: the two of ``axes``, float [n]; ``split``; ``loss``, NaN where unknown, drawn as small rings;
            the column of ``colour``; and optionally ``cluster_name``, None for rows in no cluster.
        axes: names of the coordinates.
        colour: column that colours the dots: each value its own, or fifths of a number.
        title: what the figure is about.
        model: name of the model, for the second line.
        dataset: name and version of the dataset, for the second line.

    Raises:
        ColumnError: if a column is missing.
        DataError: if lengths differ, or no row has coordinates.
    """
    across, up, split, loss, values = take(columns, *axes, "split", "loss", colour)
    across, up, loss = (one.astype(np.float64) for one in (across, up, loss))
    there = np.isfinite(across) & np.isfinite(up)
    if not there.any():
        raise DataError(f"none of the {there.size} rows has {axes[0]} and {axes[1]}", fix="run `tunewright analyze`")
    groups = clustered(values) if colour == "cluster_name" else grouped(values)
    largest = _largest(loss)
    area = _areas(loss, largest, int(there.sum()))
    splits = _ordered(split[there])
    sheet, panels = _panels(len(splits))
    for name, panel in zip(splits, panels, strict=True):
        own = there & (split == name)
        panel.scatter(
            across[there & ~own], up[there & ~own], s=3, color=BEHIND, linewidths=0, rasterized=True, zorder=1
        )
        _dots(panel, (across, up), (area, np.isnan(loss)), groups, own)
        panel.set_title(_facts(name, loss[own]), fontsize=11, color=INK, loc="left", parse_math=False)
        _frame(panel, axes)
    if "cluster_name" in columns:
        _name_clusters(panels[0], across[there], up[there], np.asarray(columns["cluster_name"])[there])
    _legend(sheet, groups, there, colour, unknown=int((there & np.isnan(loss)).sum()))
    if largest > 0:
        _sizes(sheet, largest, int(there.sum()))
    facts = [model, dataset, f"{int(there.sum()):,} rows", "dot area: loss"]
    heading(sheet, title, facts)
    return sheet


def _ordered(split: NDArray[Any]) -> list[str]:
    """The usual splits first, then others by name."""
    there = {str(name) for name in split.tolist()}
    return [*(name for name in FIRST if name in there), *sorted(there - set(FIRST))]


def _largest(loss: NDArray[np.float64]) -> float:
    """The loss from which dots do not grow any more; 0 where none is known."""
    known = loss[np.isfinite(loss)]
    return float(np.quantile(known, LARGEST)) if len(known) else 0.0


def _areas(loss: NDArray[np.float64], largest: float, n: int) -> NDArray[np.float64]:
    """[n] marker areas in points squared, proportional to the loss above a visible minimum."""
    base, _, _ = point_style(n)
    share = np.clip(np.nan_to_num(loss) / largest, 0, 1) if largest > 0 else np.zeros(len(loss))
    areas: NDArray[np.float64] = base * (0.35 + 5 * share)
    return areas


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    """A sheet with one square panel per split, all with the same limits."""
    wide, high = min(count, PER_ROW), -(-count // PER_ROW)
    width, height = max(PANEL * wide, 7.5) + MARGIN, PANEL * high + 0.9
    sheet = blank(width, height)
    panels: list[Axes] = []
    for number in range(count):
        row, column = divmod(number, PER_ROW)
        left = (0.75 + column * PANEL) / width
        bottom = (0.6 + (high - 1 - row) * PANEL) / height
        box = (left, bottom, (PANEL - 0.75) / width, (PANEL - 1.05) / height)
        shared: dict[str, Any] = {"sharex": panels[0], "sharey": panels[0]} if panels else {}
        panels.append(sheet.add_axes(box, **shared))
    return sheet, panels


def _dots(
    panel: Axes,
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    loss: tuple[NDArray[np.float64], NDArray[np.bool_]],
    groups: Groups,
    own: NDArray[np.bool_],
) -> None:
    """Large dots first, so that small ones stay visible; rings where the loss is unknown."""
    from matplotlib.colors import to_rgba_array

    _, alpha, _ = point_style(int(own.sum()))
    area, unknown = loss
    rows = np.flatnonzero(own)
    rows = rows[np.argsort(-area[rows], kind="stable")]
    colours, ring = np.array(groups.colours)[groups.codes[rows]], unknown[rows]
    face, edge = (to_rgba_array(one.tolist(), alpha) for one in (colours, np.where(ring, colours, "white")))
    face[ring, 3] = 0
    style: dict[str, Any] = {"facecolors": face, "edgecolors": edge, "linewidths": np.where(ring, RING, 0.3)}
    panel.scatter(points[0][rows], points[1][rows], s=area[rows], zorder=2, rasterized=len(rows) > 1000, **style)


def _facts(split: str, loss: NDArray[np.float64]) -> str:
    known = loss[np.isfinite(loss)]
    mean = f", mean loss {known.mean():.3f}" if len(known) else ""
    return f"{plain(split, most=24)}: {len(loss):,} rows{mean}"


def _frame(panel: Axes, axes: tuple[str, str]) -> None:
    panel.set_xlabel(axes[0], fontsize=10, color=FAINT)
    panel.set_ylabel(axes[1], fontsize=10, color=FAINT)
    quiet_axes(panel)
    panel.tick_params(labelbottom=False, labelleft=False, length=0)


def _name_clusters(panel: Axes, across: NDArray[np.float64], up: NDArray[np.float64], names: NDArray[Any]) -> None:
    counts = Counter(str(name) for name in names.tolist() if not missing(name) and name)
    wanted = []
    (left, right), (low, high) = panel.get_xlim(), panel.get_ylim()
    shares = (across - left) / (right - left), (up - low) / (high - low)
    for name, _ in counts.most_common(NAMED):
        inside = names == name
        wanted.append(
            (plain(_words(name), most=28), float(np.median(shares[0][inside])), float(np.median(shares[1][inside])))
        )
    nothing = np.zeros(0)  # a name may hide dots, near to what it names; it only keeps clear of other names
    for caption in place_captions(nothing, nothing, wanted=tuple(wanted), size=NAME_SIZE):
        _write(panel, caption.text, (caption.x, caption.y), (caption.near_x, caption.near_y))


def _words(name: str) -> str:
    """The name of a cluster without the metadata in brackets.

    >>> _words("when, did (title=Rhine)")
    'when, did'
    """
    return re.sub(r" \(.*=.*\)$", "", name)


def _write(panel: Axes, text: str, place: tuple[float, float], near: tuple[float, float]) -> None:
    from matplotlib.patheffects import withStroke

    panel.annotate(
        text,
        xy=near,
        xytext=place,
        xycoords="axes fraction",
        textcoords="axes fraction",
        ha="center",
        va="center",
        fontsize=8,
        weight="bold",
        color=INK,
        zorder=5,
        parse_math=False,
        arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.6},
        path_effects=[withStroke(linewidth=3.5, foreground="white", alpha=0.95)],
    )


def _legend(sheet: Figure, groups: Groups, there: NDArray[np.bool_], colour: str, *, unknown: int) -> None:
    """Right of the panels: colour, value and count."""
    from matplotlib.lines import Line2D

    counts = np.bincount(groups.codes[there], minlength=len(groups.names))
    shown = [place for place, count in enumerate(counts) if count]
    entries = [Line2D([], [], ls="", marker="o", color=groups.colours[place], ms=7, mew=0) for place in shown]
    names = [_words(name) for name in groups.names] if colour == "cluster_name" else groups.names
    texts = [f"{plain(names[place], most=20)} ({counts[place]:,})" for place in shown]
    if unknown:
        entries.append(Line2D([], [], ls="", marker="o", mfc="none", mec=FAINT, mew=RING, ms=5))
        texts.append(f"loss unknown ({unknown:,})")
    _explain(sheet, entries, texts, title=plain(colour, most=24), corner="upper right")


def _sizes(sheet: Figure, largest: float, n: int) -> None:
    """Right of the panels, below: three dots with the loss they stand for."""
    from matplotlib.lines import Line2D

    losses = np.array([0, largest / 2, largest])
    widths = np.sqrt(_areas(losses, largest, n))
    entries = [Line2D([], [], ls="", marker="o", color=FAINT, ms=width, mew=0) for width in widths]
    none, half, most = numerals(*losses.tolist(), least=2)
    _explain(sheet, entries, [none, half, f"{most} or more"], title="loss (nats)", corner="lower right")


def _explain(
    sheet: Figure,
    entries: list[Line2D],
    texts: list[str],
    *,
    title: str,
    corner: Literal["upper right", "lower right"],
) -> None:
    """A legend in a corner of the margin right of the panels."""
    edge = 1 - 0.75 / sheet.get_figheight() if corner == "upper right" else 0.5 / sheet.get_figheight()
    legend = sheet.legend(
        entries,
        texts,
        loc=corner,
        bbox_to_anchor=(1 - 0.1 / sheet.get_figwidth(), edge),
        frameon=False,
        fontsize=9,
        title=title,
        alignment="left",
        handletextpad=0.1,
    )
    legend.get_title().set_color(FAINT)
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)
