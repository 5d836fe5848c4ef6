"""Charts of a report as SVG inside of its page: they take the page's colours, light or dark, and its fonts.

Every text is escaped here, so that what these functions return is markup that may stand in a page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tunewright.plot.report_text import escaped, spoken

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["histogram", "lines", "scatter"]

_WIDTH, _HEIGHT = 560, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 26, 16, 42
_DOTS = 60
"""Points of a line that are drawn as dots; of more only the line."""

Series = tuple["NDArray[np.number]", "NDArray[np.number]"]


class _Frame:
    """Where numbers lie in the picture."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], *, log: bool = False) -> None:
        self.x, self.log = _wide(x), log
        self.y = (math.log10(y[0]), math.log10(y[1])) if log else _wide(y)

    def across(self, value: float) -> float:
        low, high = self.x
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def up(self, value: float) -> float:
        low, high = self.y
        place = math.log10(max(value, 10**low)) if self.log else value
        return _HEIGHT - _BOTTOM - (place - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self, below: str, *, percent: bool) -> str:
        """Grid lines with their numbers, and what stands below."""
        parts = []
        for value in self._levels():
            y = self.up(value)
            parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
            parts.append(_text(_LEFT - 8, y + 4, _percent(value) if percent else _round(value), "end"))
        floor = _HEIGHT - _BOTTOM + 18
        parts += [_text(self.across(value), floor, _round(value), "middle") for value in ticks(*self.x, most=6)]
        parts.append(_text(_WIDTH - _RIGHT, _HEIGHT - 6, below, "end"))
        return "".join(parts)

    def limit(self, label: str, value: float) -> str:
        y = self.up(value)
        line = f'<path class="limit" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
        return line + _text(_LEFT + 6, y - 5 if y > _TOP + 18 else y + 15, label, "start", "limit")

    def _levels(self) -> list[float]:
        if not self.log:
            return ticks(*self.y, most=5)
        low, high = math.ceil(self.y[0]), math.floor(self.y[1])
        return [10.0**power for power in range(low, high + 1, max(1, -(-(high - low) // 5)))]


def ticks(low: float, high: float, *, most: int) -> list[float]:
    """Round numbers between two others.

    >>> ticks(0, 3000, most=3), ticks(0.93, 1, most=5)
    ([0, 1000, 2000, 3000], [0.94, 0.96, 0.98, 1.0])
    """
    rough = (high - low) / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * size for size in (1, 2, 5, 10) if unit * size >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    found = [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return [int(value) if float(value).is_integer() and step >= 1 else round(value, 12) for value in found]


def lines(
    title: str,
    series: Mapping[str, Series],
    *,
    below: str,
    percent: bool = False,
    log: bool = False,
    least: float | None = None,
    limit: tuple[str, float] | None = None,
) -> str:
    """Lines over rows or windows.

    Args:
        title: what is drawn, for those who do not see it.
        series: by name, two arrays [n]; one point or more in all.
        below: what the horizontal axis counts.
        percent: the numbers are shares.
        log: powers of ten on the vertical axis; ``least`` is its lower end, and what is smaller is drawn there.
        limit: a label and a level.
    """
    shares = np.concatenate([np.asarray(ys, dtype=np.float64) for _, ys in series.values()])
    ends = np.concatenate([np.asarray(xs, dtype=np.float64) for xs, _ in series.values()])
    level = [] if limit is None else [limit[1]]
    if log:
        y = (least or 1e-6, max(1.0, float(shares.max()), *level) * 4)
    else:
        low, high = min([float(shares.min()), *level]), max([float(shares.max()), *level])
        spare = max(0.15 * (high - low), 0.005 if percent else 0.0)
        y = (max(0.0, low - spare) if low >= 0 else low - spare, min(1.0, high + spare) if percent else high + spare)
    frame = _Frame((min(0.0, float(ends.min())), float(ends.max())), y, log=log)
    parts = [frame.axes(below, percent=percent)]
    parts += [frame.limit(*limit)] if limit is not None else []
    for number, (name, (xs, ys)) in enumerate(series.items()):
        parts.append(_line(frame, name, xs.tolist(), ys.tolist(), number, percent=percent))
    return _picture(title, parts)


def histogram(title: str, edges: Sequence[float], counts: Sequence[int], *, marks: Mapping[str, float]) -> str:
    """Bars, and upright lines at named places; the first one is the limit."""
    last = max([edges[-1], *marks.values()])
    frame = _Frame((float(edges[0]), float(last)), (0.0, max(counts) * 1.05))
    parts = [frame.axes("length", percent=False)]
    bottom = frame.up(0)
    for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            x, top = frame.across(left), frame.up(count)
            wide = max(frame.across(right) - x - 0.8, 0.6)
            told = escaped(f"{spoken(left)} to {spoken(right)}: {spoken(count)} rows")
            box = f'x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{bottom - top:.1f}"'
            parts.append(f'<rect class="s0 bar" {box}><title>{told}</title></rect>')
    lines_and_labels = [_upright(frame, label, value, number) for number, (label, value) in enumerate(marks.items())]
    parts += [line for line, _ in lines_and_labels] + [label for _, label in lines_and_labels]
    return _picture(title, parts)


def scatter(title: str, groups: Iterable[tuple[str, NDArray[np.float64]]]) -> str:
    """Points [n, 2] of several groups, the first at the back; each point is a dot of its group's colour."""
    drawn = [(name, points) for name, points in groups if len(points)]
    every = np.concatenate([points for _, points in drawn])
    low, high = every.min(axis=0), every.max(axis=0)
    wide, tall, room = 900, 600, 14
    scale = min((wide - 2 * room) / max(high[0] - low[0], 1e-9), (tall - 2 * room) / max(high[1] - low[1], 1e-9))
    shift = (np.array([wide, tall]) - (high - low) * scale) / 2
    parts = []
    for number, (name, points) in enumerate(drawn):
        placed = (points - low) * scale + shift
        path = "".join(f"M{x:.0f} {tall - y:.0f}h0" for x, y in placed.tolist())
        parts.append(f'<path class="dots g{number}" d="{path}"><title>{escaped(name)}</title></path>')
    return f'<svg viewBox="0 0 {wide} {tall}" role="img" aria-label="{escaped(title)}">{"".join(parts)}</svg>'


def _line(frame: _Frame, name: str, xs: list[float], ys: list[float], number: int, *, percent: bool) -> str:
    places = [(frame.across(x), frame.up(y)) for x, y in zip(xs, ys, strict=True)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    drawn = f'<path class="s{number % 6} line" d="{path}"><title>{escaped(name)}</title></path>'
    if len(places) > _DOTS:
        return drawn
    dots = [
        f'<circle class="s{number % 6} dot" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>'
        f"{escaped(f'{name}: {_percent(value) if percent else spoken(value)} at {spoken(at)}')}</title></circle>"
        for (x, y), at, value in zip(places, xs, ys, strict=True)
    ]
    return drawn + "".join(dots)


def _upright(frame: _Frame, label: str, value: float, number: int) -> tuple[str, str]:
    """A line, and its label."""
    x, kind = frame.across(value), "faint" if number else "limit"
    right = x < 0.62 * _WIDTH
    line = f'<path class="{kind}" d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
    place = x + 5 if right else x - 5
    return line, _text(place, _TOP + 12 + 16 * number, label, "start" if right else "end", kind)


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escaped(text)}</text>'


def _picture(title: str, parts: Sequence[str]) -> str:
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escaped(title)}"'
    return f"<svg {box}>{''.join(parts)}</svg>"


def _percent(share: float) -> str:
    """With as many decimals as it takes.

    >>> _percent(0.95), _percent(0.985)
    ('95%', '98.5%')
    """
    return f"{100 * share:.3g}%"


def _round(value: float) -> str:
    """A number on an axis.

    >>> _round(3000), _round(0.5), _round(1e-06)
    ('3,000', '0.5', '10⁻⁶')
    """
    return f"{value:,g}" if value == 0 or 1e-3 <= abs(value) < 1e6 else spoken(float(value)).removeprefix("1.0×")


def _wide(ends: tuple[float, float]) -> tuple[float, float]:
    """Ends that are not the same."""
    return ends if ends[1] > ends[0] else (ends[0] - 0.5, ends[1] + 0.5)
