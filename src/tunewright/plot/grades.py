"""Where a model without classes goes wrong: how its scores are spread, and the slices with the highest loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.errors import DataError
from tunewright.plot.figures import FAINT, INK, blank, heading, plain, quiet_axes, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["Bar", "figure", "save"]

Bar = tuple[str, int, float, tuple[float, float]]
"""A slice: its name, rows, how much higher its mean loss is (nats), and the interval of that."""

BINS = 20
SHOWN = 12
FEWEST = 6
"""Bars there is room for, so that few are not fat."""
SCORE, SLICE = "#0072b2", "#d55e00"


def figure(
    scores: Mapping[str, NDArray[np.float64]],
    slices: Sequence[Bar] = (),
    *,
    tested: int = 0,
    title: str = "Scores",
    model: str = "",
    dataset: str = "",
) -> Figure:
    """Draw how each score is spread, and beside that the worst slices, if there are any.

    A score that is 0 or 1 is two bars, others are a histogram.

    Args:
        scores: by name, [n] in [0, 1], NaN for rows without gold target.
        slices: worst first.
        tested: slices that were looked at.
        title: what the figure is about.
        model: name of the model, for the second line.
        dataset: name and version of the dataset, for the second line.

    Raises:
        DataError: if there is no score.
    """
    known = {name: values[np.isfinite(values)] for name, values in scores.items()}
    known = {name: values for name, values in known.items() if len(values)}
    if not known:
        raise DataError("expected scores of labelled rows, found none", fix="predict a labelled split")
    width = 11.5 if slices else 6.6
    sheet = blank(width, max(1.9 * len(known) + 1.3, 5.2))
    height = sheet.get_figheight()
    each = (height - 1.3) / len(known)
    for number, (name, values) in enumerate(known.items()):
        bottom = (height - 0.75 - (number + 1) * each + 0.35) / height
        axes = sheet.add_axes((0.8 / width, bottom, (4.1 if slices else 5.5) / width, (each - 0.65) / height))
        _spread(axes, name, values)
    if slices:
        _bars(sheet.add_axes((0.66, 0.6 / height, 0.31, (height - 1.75) / height)), slices[:SHOWN])
    rows = max(len(values) for values in known.values())
    heading(sheet, title, [model, dataset, f"{rows:,} labelled rows"])
    if tested and not slices:
        sheet.text(0.8 / width, 0.12 / height, f"None of {tested:,} slices has a higher loss.", fontsize=9, color=FAINT)
    return sheet


def _spread(axes: Axes, name: str, values: NDArray[np.float64]) -> None:
    mean = float(values.mean())
    if np.isin(values, (0, 1)).all():
        axes.bar((0, 1), (np.sum(values == 0), np.sum(values == 1)), color=(SLICE, SCORE), width=0.6)
        axes.set_xticks((0, 1), (f"0: {1 - mean:.1%}", f"1: {mean:.1%}"))
    else:
        axes.hist(values, bins=BINS, range=(0, 1), color=SCORE, rwidth=0.92)
        axes.axvline(mean, color=INK, lw=1.2, ls=(0, (4, 3)))
        axes.set_xlim(0, 1)
    axes.set_title(f"{name}: mean {mean:.3f}", fontsize=11, color=INK, loc="left", parse_math=False)
    axes.set_ylabel("rows", fontsize=10, color=FAINT)
    quiet_axes(axes)


def _bars(axes: Axes, slices: Sequence[Bar]) -> None:
    """Differences of mean loss with their intervals, the worst on top."""
    axes.set_title("slices with a higher loss", fontsize=11, color=INK, loc="left")
    axes.set_xlabel("mean loss above that of the other rows of the split (nats)", fontsize=10, color=FAINT)
    quiet_axes(axes)
    rows = max(len(slices), FEWEST)
    places = rows - 1 - np.arange(len(slices))
    axes.set_ylim(-0.6, rows - 0.4)
    differences = np.array([difference for _, _, difference, _ in slices])
    bounds = np.array([interval for _, _, _, interval in slices])
    errors: Any = np.abs(bounds.T - differences)
    axes.barh(places, differences, color=SLICE, height=0.62, xerr=errors, error_kw={"ecolor": INK, "lw": 1})
    texts = [f"{plain(name, most=34)} ({n:,})" for name, n, _, _ in slices]
    axes.set_yticks(places, texts, fontsize=9)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
