"""Where a classifier goes wrong: the confusion matrix, counts written, colour by share of the gold label's row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.errors import DataError
from tunewright.plot.figures import FAINT, INK, blank, heading, plain, save
from tunewright.plot.inputs import Columns, missing, take

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["confusion", "figure", "save"]

WRITTEN = 25
"""Up to so many labels every cell has its count written and every row its name; beyond, colour alone."""


def confusion(
    gold: Sequence[str | None], predicted: Sequence[str | None], *, labels: Sequence[str]
) -> NDArray[np.int64]:
    """How often each gold label (row) was predicted as each label (column), int [labels, labels].

    Rows without a gold label or a prediction do not count.

    >>> confusion(["a", "a", "b", None], ["a", "b", "b", "b"], labels=["a", "b"]).tolist()
    [[1, 1], [0, 1]]

    Raises:
        DataError: if a label is not in ``labels``.
    """
    code = {label: index for index, label in enumerate(labels)}
    pairs = [pair for pair in zip(gold, predicted, strict=True) if not any(missing(label) for label in pair)]
    unknown = sorted({str(label) for pair in pairs for label in pair if label not in code})
    if unknown:
        raise DataError(f"labels are among {list(labels)}, found {unknown[:5]}", fix="give all label names")
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for label, guess in pairs:
        counts[code[str(label)], code[str(guess)]] += 1
    return counts


def figure(
    columns: Columns,
    *,
    labels: Sequence[str] | None = None,
    title: str = "Confusion matrix",
    model: str = "",
    dataset: str = "",
) -> Figure:
    """Draw the confusion matrix of ``label`` and ``predicted``, string [n].

    Args:
        columns: the two columns; None where unlabelled.
        labels: all label names in order; by default those that occur, sorted.
        title: what the figure is about.
        model: name of the model, for the second line.
        dataset: name and version of the dataset, for the second line.

    Raises:
        ColumnError: if a column is missing.
        DataError: if no row has both, or a label is not in ``labels``.
    """
    gold, predicted = (column.tolist() for column in take(columns, "label", "predicted"))
    names = labels or sorted({str(label) for label in (*gold, *predicted) if not missing(label)})
    counts = confusion(gold, predicted, labels=names)
    total = int(counts.sum())
    if not total:
        raise DataError(f"none of the {len(gold)} rows has a label and a prediction", fix="predict a labelled split")
    side = float(np.clip(3.4 + 0.55 * len(names), 5.6, 10))
    sheet = blank(side + 1.4, side + 0.6)
    axes = sheet.add_axes((0.22, 0.2, 0.64, 0.64))
    _matrix(sheet, axes, counts)
    _name(axes, names)
    right = int(np.trace(counts))
    heading(sheet, title, [model, dataset, f"{right:,} of {total:,} correct ({right / total:.1%})"])
    return sheet


def _matrix(sheet: Figure, axes: Axes, counts: NDArray[np.int64]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(counts) <= WRITTEN:
        for (row, column), count in np.ndenumerate(counts):
            _count(axes, (row, column), int(count), float(shares[row, column]))
    bar = sheet.colorbar(image, ax=axes, fraction=0.046, pad=0.03, format="{x:.0%}")
    bar.set_label("share of the gold label", color=FAINT)
    bar.outline.set_visible(False)


def _count(axes: Axes, cell: tuple[int, int], count: int, share: float) -> None:
    size = float(np.clip(150 / axes.get_xlim()[1], 6.5, 13))
    style: dict[str, Any] = {"weight": "bold"} if cell[0] == cell[1] else {}
    colour = "white" if share > 0.55 else INK
    axes.text(cell[1], cell[0], f"{count:,}", ha="center", va="center", fontsize=size, color=colour, **style)


def _name(axes: Axes, names: Sequence[str]) -> None:
    """Label names on both axes, slanted when they would touch."""
    axes.set_xlabel("predicted", fontsize=12, color=INK)
    axes.set_ylabel("gold", fontsize=12, color=INK)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=FAINT)
    if len(names) > WRITTEN:
        return
    places, texts = np.arange(len(names)), [plain(str(name), most=18) for name in names]
    slanted = sum(map(len, texts)) > 44
    axes.set_xticks(places, texts, rotation=40 if slanted else 0, ha="right" if slanted else "center")
    axes.set_yticks(places, texts)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_parse_math(False)
