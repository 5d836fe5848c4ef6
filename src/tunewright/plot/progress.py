"""How a training went for each group of rows: gold probability and loss over the epochs, with quantile bands."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.columns import column
from tunewright.errors import DataError
from tunewright.plot.figures import FAINT, INK, blank, heading, plain, quiet_axes, save
from tunewright.plot.groups import Groups, clustered, grouped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["BAND", "figure", "save"]

BAND = (0.25, 0.75)
"""Quantiles between which half of the rows of a group lie."""


def figure(
    gold_probability: NDArray[np.float64],
    loss: NDArray[np.float64],
    *,
    groups: NDArray[Any],
    by: str,
    title: str = "Dynamics",
    model: str = "",
    dataset: str = "",
) -> Figure:
    """Draw the mean of each group per epoch, and the band that holds half of it.

    Args:
        gold_probability: [n, epochs], NaN where a row was not seen.
        loss: [n, epochs], likewise, in nats.
        groups: [n] what each row belongs to.
        by: name of the column that groups.
        title: what the figure is about.
        model: name of the model, for the second line.
        dataset: name and version of the dataset, for the second line.

    Raises:
        DataError: if no row was seen, or the shapes differ.
    """
    if gold_probability.shape != loss.shape or len(groups) != len(loss) or not np.isfinite(gold_probability).any():
        raise DataError(
            f"expected two tables [rows, epochs] of rows that were seen and a group for each row, found shapes "
            f"{gold_probability.shape}, {loss.shape} and {len(groups)} groups",
            fix="train with a recorder",
        )
    parts = clustered(groups) if by == "cluster_name" else grouped(groups)
    sheet = blank(12.2, 5.6)
    for left, values, name in ((0.082, gold_probability, "gold_probability"), (0.462, loss, "loss")):
        _lines(sheet.add_axes((left, 0.125, 0.295, 0.71)), values, parts, name)
    _legend(sheet, parts, by)
    facts = [model, dataset, f"{len(loss):,} rows", "line: mean; band: the middle half of the rows"]
    facts += ["one epoch only: nothing has changed yet"] if loss.shape[1] == 1 else []
    heading(sheet, title, facts)
    return sheet


def _lines(axes: Axes, values: NDArray[np.float64], parts: Groups, name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = np.arange(1, values.shape[1] + 1)
    for code, colour in enumerate(parts.colours):
        own = values[parts.codes == code]
        if not np.isfinite(own).any():
            continue
        mean, low, high = _summary(own)
        axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(epochs, mean, color=colour, lw=2, marker="o", ms=4)
    unit = column(name).unit
    axes.set_xlabel("epoch", fontsize=12, color=INK)
    axes.set_ylabel(name.replace("_", " ") + (f" ({unit})" if unit else ""), fontsize=12, color=INK)
    bound, top = column(name).high, axes.get_ylim()[1]
    axes.set_ylim(0, top if bound is None or top < bound / 2 else bound)
    axes.set_xlim(0.5, len(epochs) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.ticklabel_format(axis="y", scilimits=(-3, 4))  # so that ticks leave room for the label
    quiet_axes(axes)


def _summary(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean and quantiles of [n, epochs] over the rows, each [epochs]; NaN in an epoch in which none was seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of epochs without rows
        low, high = np.nanquantile(values, BAND, axis=0)
        return np.nanmean(values, axis=0), low, high


def _legend(sheet: Figure, parts: Groups, by: str) -> None:
    from matplotlib.lines import Line2D

    entries = [Line2D([], [], color=colour, lw=2.5, marker="o", ms=5) for colour in parts.colours]
    texts = [f"{plain(name, most=20)} ({count:,})" for name, count in zip(parts.names, parts.counts, strict=True)]
    where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0.765, 0.86), "alignment": "left"}
    legend = sheet.legend(entries, texts, frameon=False, fontsize=9, title=plain(by), **where)
    legend.get_title().set_color(FAINT)
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)
