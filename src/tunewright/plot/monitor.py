"""What a monitor knows of production: coverage over time, rows by edge case, drift with its threshold, and lengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.errors import DataError
from tunewright.plot.figures import FAINT, INK, blank, heading, plain, quiet_axes, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["Drift", "Lengths", "figure", "save"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by the colour-blind (Okabe and Ito 2008)."""
LIMIT = "#b42318"
SHOWN = 10
"""Edge cases there is room for."""
SMALLEST = 1e-6
"""A p-value drawn at the lower end of its axis."""
_EACH = (5.2, 3.5)

Series = tuple["NDArray[np.number]", "NDArray[np.number]"]
"""Rows so far, and a share, [windows] each."""


@dataclass(frozen=True, slots=True)
class Drift:
    """p of each window, the evidence after it, and the evidence that is an alarm."""

    p: NDArray[np.float64]
    evidence: NDArray[np.float64]
    threshold: float


@dataclass(frozen=True, slots=True)
class Lengths:
    """Middles of bins, rows in each, where a cut-off is suggested, and quantiles by the share below in percent."""

    middles: NDArray[np.float64]
    rows: NDArray[np.int64]
    cut: float | None
    quantiles: Mapping[float, float] = field(default_factory=dict)


def figure(
    *,
    coverage: Mapping[str, Series] | None = None,
    marked: Mapping[str, int] | None = None,
    drift: Mapping[str, Drift] | None = None,
    lengths: Mapping[str, Lengths] | None = None,
    rows: int = 0,
    title: str = "Production",
    model: str = "",
) -> Figure:
    """Draw a panel for each thing that is known.

    Args:
        coverage: by check, the share of words that the training set has.
        marked: by edge, rows that it marked.
        drift: by check; drawn as p-values and as evidence.
        lengths: by check; each has a panel.
        rows: that were logged.
        title: what the figure is about.
        model: name of the model, for the second line.

    Raises:
        DataError: if nothing is known.
    """
    panels: list[Callable[[Axes], None]] = []
    known = {name: series for name, series in (coverage or {}).items() if len(series[0])}
    panels += [lambda axes: _coverage(axes, known)] if known else []
    panels += [lambda axes: _marked(axes, marked or {}, rows)] if marked else []
    if found := {name: one for name, one in (drift or {}).items() if len(one.p)}:
        panels += [lambda axes: _p_values(axes, found), lambda axes: _evidence(axes, found)]
    panels += [_lengths_of(name, one) for name, one in (lengths or {}).items() if one.rows.sum()]
    if not panels:
        raise DataError("expected windows, edges or lengths to draw, found none", fix="log more rows")
    return _sheet(panels, title, [model, f"{rows:,} production rows"])


def _sheet(panels: list[Callable[[Axes], None]], title: str, facts: list[str]) -> Figure:
    across = min(len(panels), 2 if len(panels) in {2, 4} else 3)
    down = -(-len(panels) // across)
    width, height = _EACH[0] * across, _EACH[1] * down + 0.8
    sheet = blank(width, height)
    for number, draw in enumerate(panels):
        row, column = divmod(number, across)
        left, bottom = _EACH[0] * column + 0.8, height - 0.8 - _EACH[1] * (row + 1) + 0.65
        axes = sheet.add_axes((left / width, bottom / height, (_EACH[0] - 1.1) / width, (_EACH[1] - 1.15) / height))
        quiet_axes(axes)
        draw(axes)
    heading(sheet, title, facts)
    return sheet


def _coverage(axes: Axes, coverage: Mapping[str, Series]) -> None:
    for colour, (name, (ends, shares)) in zip(_colours(len(coverage)), coverage.items(), strict=True):
        axes.plot(ends, shares, marker="o", markersize=3.5, color=colour, label=plain(name))
    low = min(float(shares.min()) for _, shares in coverage.values())
    axes.set_ylim(max(0, low - max(0.02, 0.3 * (1 - low))), 1.001)
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.1%}")
    _named(axes, "Words that the training set has", "production rows", legend=len(coverage) > 1)


def _marked(axes: Axes, marked: Mapping[str, int], rows: int) -> None:
    most = sorted(marked.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    counts = [count for _, count in most]
    axes.barh(range(len(most)), counts, color=COLOURS[0], height=0.6)
    for place, (name, count) in enumerate(most):
        share = f" ({count / rows:.1%})" if rows else ""
        axes.text(0, place - 0.36, plain(name), va="bottom", fontsize=9, color=INK, parse_math=False)
        axes.text(count, place, f" {count:,}{share}", va="center", fontsize=9, color=FAINT)
    axes.set_ylim(max(len(most), 4) - 0.5, -0.75)
    axes.set_xlim(0, 1.35 * max(1, *counts))
    axes.set_yticks([])
    _whole_numbers(axes)
    left_out = f" (first {SHOWN} of {len(marked)})" if len(marked) > SHOWN else ""
    _named(axes, f"Rows by edge case{left_out}", "rows")


def _p_values(axes: Axes, drift: Mapping[str, Drift]) -> None:
    for colour, (name, one) in zip(_colours(len(drift)), drift.items(), strict=True):
        windows = np.arange(1, len(one.p) + 1)
        axes.plot(windows, np.maximum(one.p, SMALLEST), "o", markersize=4, color=colour, label=plain(name))
    axes.set_yscale("log")
    axes.set_ylim(SMALLEST / 2, 1.6)
    _whole_numbers(axes)
    _named(axes, "Drift: p of each window", "window", legend=len(drift) > 1)


def _evidence(axes: Axes, drift: Mapping[str, Drift]) -> None:
    for colour, (name, one) in zip(_colours(len(drift)), drift.items(), strict=True):
        windows = np.arange(1, len(one.evidence) + 1)
        axes.plot(windows, np.maximum(one.evidence, 1e-3), "o-", markersize=3.5, color=colour, label=plain(name))
    for threshold in sorted({one.threshold for one in drift.values()}):
        axes.axhline(threshold, color=LIMIT, linestyle="--", linewidth=1)
        axes.text(0.01, threshold, f"alarm at {threshold:g}", transform=axes.get_yaxis_transform(), **_ABOVE)
    top = max(max(one.threshold, float(one.evidence.max())) for one in drift.values())
    axes.set_yscale("log")
    axes.set_ylim(5e-4, 5 * top)
    _whole_numbers(axes)
    _named(axes, "Drift: evidence so far (e-value)", "window", legend=len(drift) > 1)


_QUANTILE: dict[str, Any] = {"color": FAINT, "fontsize": 8, "ha": "center", "va": "bottom"}
_ABOVE: dict[str, Any] = {"color": LIMIT, "fontsize": 9, "va": "bottom"}


def _lengths_of(name: str, lengths: Lengths) -> Callable[[Axes], None]:
    return lambda axes: _lengths(axes, name, lengths)


def _lengths(axes: Axes, name: str, lengths: Lengths) -> None:
    """The fine bins, put together in bars of equal width."""
    last = float(lengths.middles.max())
    counts, edges = np.histogram(lengths.middles, bins=40, range=(0, max(last, 1)), weights=lengths.rows)
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=COLOURS[0], linewidth=0)
    for share, value in lengths.quantiles.items():
        axes.axvline(value, color=FAINT, linestyle=":", linewidth=1)
        axes.text(value, 1.0, f"{share:g}%", transform=axes.get_xaxis_transform(), **_QUANTILE)
    if lengths.cut is not None:
        beyond = lengths.rows[lengths.middles > lengths.cut].sum() / lengths.rows.sum()
        axes.axvline(lengths.cut, color=LIMIT, linestyle="--", linewidth=1)
        right = lengths.cut < 0.6 * last
        words = f" cut-off {lengths.cut:,.0f} \n {beyond:.1%} beyond "
        axes.text(
            lengths.cut, 0.97 * counts.max(), words, **(_ABOVE | {"va": "top", "ha": "left" if right else "right"})
        )
    _named(axes, plain(name[:1].upper() + name[1:]), "length", above=16 if lengths.quantiles else 6)


def _named(axes: Axes, title: str, below: str, *, legend: bool = False, above: float = 6) -> None:
    axes.set_title(title, loc="left", fontsize=11, weight="bold", color=INK, pad=above, parse_math=False)
    axes.set_xlabel(below, fontsize=9, color=FAINT)
    if legend:
        for text in axes.legend(fontsize=8, frameon=False, loc="best").get_texts():
            text.set_parse_math(False)


def _whole_numbers(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _colours(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]
