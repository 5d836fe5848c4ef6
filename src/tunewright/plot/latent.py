"""The latent space: embeddings on their first two principal components.

With two labels: correct positive, correct negative, incorrect. With three to ten: the colour of the gold label, a disc
where the model is right and a cross where it is wrong. With more: correct and incorrect. Opacity follows confidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.errors import DataError
from tunewright.plot.figures import FAINT, INK, blank, heading, plain, point_style, quiet_axes, save
from tunewright.plot.groups import CATEGORIES
from tunewright.plot.inputs import Columns, missing, ones_and_zeros, take

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["figure", "save"]

RIGHT, WRONG = "#0072b2", "#d55e00"
POSITIVE, NEGATIVE = "#009e73", "#0072b2"
FAINTEST = 0.15
"""Opacity of a prediction with no confidence at all."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Points that share a legend entry: a bool mask [n], a colour and a marker."""

    name: str
    mask: NDArray[np.bool_]
    colour: str
    marker: str


def figure(
    columns: Columns,
    *,
    labels: Sequence[str] | None = None,
    explained: tuple[float, float] | None = None,
    title: str = "Latent space",
    model: str = "",
    dataset: str = "",
) -> Figure:
    """Draw every embedded example.

    Args:
        columns: ``pc1``, ``pc2`` and ``probability`` (of the predicted label), float [n]; ``label`` string [n], None
            where unlabelled; ``correct`` bool [n].
        labels: all label names in the order of the task, so that of two the second is the positive one; by default
            those that occur, sorted.
        explained: share of the variance on each axis.
        title: what the figure is about.
        model: name of the model, for the second line.
        dataset: name and version of the dataset, for the second line.

    Raises:
        ColumnError: if a column is missing.
        DataError: if lengths differ, or no example has finite coordinates.
    """
    pc1, pc2, probability, label, correct = take(columns, "pc1", "pc2", "probability", "label", "correct")
    finite = np.isfinite(pc1.astype(float)) & np.isfinite(pc2.astype(float))
    if not finite.any():
        raise DataError(f"none of the {finite.size} examples has an embedding", fix="embed the split first")
    gold = np.array([None if missing(value) else value for value in label.tolist()], dtype=object)[finite]
    layers = _layers(gold, ones_and_zeros(correct[finite]), labels)
    sheet = blank(9.6, 7.6)
    axes = sheet.add_axes((0.095, 0.09, 0.63, 0.775))
    _draw(axes, pc1[finite].astype(float), pc2[finite].astype(float), probability[finite].astype(float), layers)
    _frame(axes, explained)
    _legend(axes, layers)
    absent = finite.size - int(finite.sum())
    count = f"n = {int(finite.sum()):,}" + (f" ({absent:,} not embedded)" if absent else "")
    heading(sheet, title, [model, dataset, count, "opacity: confidence of the prediction"])
    return sheet


def _layers(gold: NDArray[Any], correct: NDArray[np.bool_], labels: Sequence[str] | None) -> list[Layer]:
    """The layers that have points, in the order of the legend."""
    known = np.array([value is not None for value in gold])
    names = tuple(labels) if labels is not None else tuple(sorted({str(value) for value in gold[known]}))
    none = Layer("unlabelled", ~known, "#9aa0a6", "o")
    layers = [*_labelled(gold, correct & known, ~correct & known, names), none]
    return [layer for layer in layers if layer.mask.any()]


def _labelled(
    gold: NDArray[Any], right: NDArray[np.bool_], wrong: NDArray[np.bool_], names: tuple[str, ...]
) -> Iterator[Layer]:
    if len(names) == 2:
        yield Layer(f"correct, {names[1]}", right & (gold == names[1]), POSITIVE, "o")
        yield Layer(f"correct, {names[0]}", right & (gold == names[0]), NEGATIVE, "s")
        yield Layer("incorrect", wrong, WRONG, "X")
    elif len(names) < len(CATEGORIES):
        for name, colour in zip(names, CATEGORIES, strict=False):
            yield Layer(f"{name}, correct", right & (gold == name), colour, "o")
            yield Layer(f"{name}, incorrect", wrong & (gold == name), colour, "X")
    else:
        yield Layer("correct", right, RIGHT, "o")
        yield Layer("incorrect", wrong, WRONG, "X")


def _draw(
    axes: Axes,
    pc1: NDArray[np.float64],
    pc2: NDArray[np.float64],
    probability: NDArray[np.float64],
    layers: list[Layer],
) -> None:
    area, alpha, raster = point_style(pc1.size)
    opacity = np.clip(np.nan_to_num(probability), FAINTEST, 1) * min(1.0, 2 * alpha)
    for layer in sorted(layers, key=lambda layer: (layer.marker == "X", -layer.mask.sum())):
        axes.scatter(
            pc1[layer.mask],
            pc2[layer.mask],
            s=area * (2 if layer.marker == "X" else 1),
            color=layer.colour,
            alpha=opacity[layer.mask],  # type: ignore[arg-type]  # one per point, which the stubs do not know
            marker=layer.marker,
            linewidths=0,
            rasterized=raster,
        )


def _frame(axes: Axes, explained: tuple[float, float] | None) -> None:
    """Equal units on both axes, each named with its share of the variance."""
    shares = ["", ""] if explained is None else [f" ({share:.0%} of variance)" for share in explained]
    axes.set_xlabel(f"principal component 1{shares[0]}", fontsize=12, color=INK)
    axes.set_ylabel(f"principal component 2{shares[1]}", fontsize=12, color=INK)
    axes.set_aspect("equal", adjustable="datalim")
    quiet_axes(axes)


def _legend(axes: Axes, layers: list[Layer]) -> None:
    """Right of the plot: marker, name and count of each layer."""
    from matplotlib.lines import Line2D

    entries = [Line2D([], [], ls="", marker=layer.marker, color=layer.colour, ms=8, mew=0) for layer in layers]
    texts = [f"{plain(layer.name, most=24)} ({int(layer.mask.sum()):,})" for layer in layers]
    legend = axes.legend(
        entries,
        texts,
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        frameon=False,
        fontsize=10 if len(layers) <= 14 else 9,
        title="gold label (examples)" if len(layers) > 4 else "prediction (examples)",
        alignment="left",
        handletextpad=0.1,
        borderaxespad=0,
    )
    legend.get_title().set_color(FAINT)
    for text in legend.get_texts():
        text.set_parse_math(False)
