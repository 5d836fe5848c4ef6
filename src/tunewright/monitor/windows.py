"""Windows over rows or event time, from one ring of panes: a pane is a state of its own, and panes are merged.

Panes are as wide as the largest step that both the window and the slide are multiples of. A tumbling window slides by
its own width, a sliding one by less; a fold without a window is cumulative.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ColumnError, ProjectError
from tunewright.monitor.monitors import Fold, Merge, Report, fingerprint, merges, scalars
from tunewright.monitor.state import State, copied, joined, split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.reference import Reference

__all__ = ["RowWindows", "TimeWindows", "seconds", "windowed"]

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"(\d+)\s*(s|min|h|d|w)")


def windowed(
    fold: Fold, window: int | str, *, slide: int | str | None = None, time: str = "time", keep: int = 100
) -> Fold:
    """A fold over the last rows, or the last hours, only.

    Args:
        fold: that merges.
        window: a number of rows, or a span of event time such as ``"30min"``, ``"1h"``, ``"1d"``.
        slide: how far apart windows end, in the same unit; the window itself if None, so that they do not overlap.
        time: column of time stamps that event time is read from.
        keep: how many windows are kept.

    Raises:
        ProjectError: if the fold is sequential, or window and slide do not fit each other.
    """
    if merges(fold) is None:
        raise ProjectError(
            f"expected a fold that merges, as windows are merged of panes; {fold.name!r} has no `merge`",
            fix="give it a function merge(a, b) -> state, or leave the window out",
        )
    slide = window if slide is None else slide
    if isinstance(window, str) != isinstance(slide, str):
        raise ProjectError(f"expected a window and a slide in the same unit, found {window!r} and {slide!r}")
    widths = [seconds(span) if isinstance(span, str) else span for span in (window, slide)]
    if not 0 < widths[1] <= widths[0] or keep < 1:
        raise ProjectError(
            f"expected 0 < slide <= window and one window to keep, found window {window!r}, slide {slide!r}, keep {keep}"
        )
    if isinstance(window, str):
        return TimeWindows(fold=fold, window=widths[0], slide=widths[1], keep=keep, time=time)
    return RowWindows(fold=fold, window=widths[0], slide=widths[1], keep=keep)


def seconds(span: str) -> int:
    """Of a span of time.

    Raises:
        ProjectError: if it is not a number and one of the units s, min, h, d and w.

    >>> seconds("30min"), seconds("1 h")
    (1800, 3600)
    """
    match = _SPAN.fullmatch(span.strip())
    if match is None:
        raise ProjectError(f"expected a span such as '30min', '1h' or '7d', found {span!r}")
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panes:
    """What both kinds of windows share; a state holds panes by number, counted from the first row or from 1970."""

    fold: Fold
    window: int
    slide: int
    keep: int

    @property
    def width(self) -> int:
        """Of a pane, in rows or seconds."""
        return math.gcd(self.window, self.slide)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        constant, blank = split(self.fold.start(reference))
        return joined(constant, {"rows": 0, "first": None, "blank": blank, "panes": {}})

    def report(self, state: State) -> Report:
        """The last whole window, and ``windows``, one row for each that is kept: ``start``, ``end`` and all numbers."""
        told = [(end, self._window(state, end)) for end in self._ends(state)]
        rows = [{"start": self._place(end - self.window), "end": self._place(end), **scalars(one)} for end, one in told]
        last = told[-1][1] if told else self.fold.report(joined(split(state)[0], copied(state["blank"])))
        return {**last, "windows": pa.Table.from_pylist(rows), "all_rows": state["rows"]}

    def _add(self, state: State, pane: int, rows: pa.Table) -> None:
        constant, panes = split(state)[0], state["panes"]
        state["first"] = _earlier(state["first"], pane)
        known = panes.get(str(pane)) or {"rows": 0, "state": copied(state["blank"])}
        after = self.fold.update(joined(constant, known["state"]), rows)
        panes[str(pane)] = {"rows": known["rows"] + rows.num_rows, "state": split(after)[1]}

    def _forget(self, state: State) -> None:
        """Drop panes that no window reaches that is kept."""
        panes = state["panes"]
        oldest = max(map(int, panes), default=0) - (self.window + self.keep * self.slide) // self.width
        for pane in [name for name in panes if int(name) < oldest]:
            del panes[pane]

    def _window(self, state: State, end: int) -> Report:
        constant, panes = split(state)[0], state["panes"]
        inside = range((end - self.window) // self.width, end // self.width)
        states = [joined(constant, panes[str(pane)]["state"]) for pane in inside if str(pane) in panes]
        merge = merges(self.fold)
        assert merge is not None
        whole = copied(states[0] if states else joined(constant, state["blank"]))
        for other in states[1:]:
            whole = merge(whole, other)
        return self.fold.report(whole)

    def _ends(self, state: State) -> range:
        """Where the whole windows end, the oldest first."""
        raise NotImplementedError

    def _place(self, position: int) -> Any:
        return position


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWindows(_Panes):
    """Windows of so many rows, in the order in which they came; sequential, as partitions have no common order."""

    @property
    def name(self) -> str:
        return f"{self.fold.name}, {_sliding(self.window, self.slide)} rows"

    @property
    def needs(self) -> frozenset[str]:
        return self.fold.needs

    def update(self, state: State, rows: pa.Table) -> State:
        start = 0
        while start < rows.num_rows:
            pane, filled = divmod(state["rows"], self.width)
            piece = rows.slice(start, self.width - filled)
            self._add(state, pane, piece)
            state["rows"] += piece.num_rows
            start += piece.num_rows
        self._forget(state)
        return state

    def _ends(self, state: State) -> range:
        last = state["rows"] // self.slide
        first = max(math.ceil(self.window / self.slide), last - self.keep + 1)
        return range(first * self.slide, last * self.slide + 1, self.slide)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindows(_Panes):
    """Windows of event time, whose panes begin at multiples of their width since 1970 (UTC).

    A window is whole when a row of a later pane has come; a row that comes late still counts in its pane. Rows without
    a time, and rows later than all windows that are kept, are counted and not looked at.
    """

    time: str

    @property
    def name(self) -> str:
        return f"{self.fold.name}, {_sliding(self.window, self.slide)} s"

    @property
    def needs(self) -> frozenset[str]:
        return self.fold.needs | {self.time}

    def update(self, state: State, rows: pa.Table) -> State:
        for pane, inside in self._by_pane(rows):
            self._add(state, pane, inside)
        state["rows"] += rows.num_rows
        self._forget(state)
        return state

    @property
    def merge(self) -> Merge:
        return self._merge

    def report(self, state: State) -> Report:
        told = _Panes.report(self, state)
        return {**told, "left_out": state["rows"] - sum(pane["rows"] for pane in state["panes"].values())}

    def _merge(self, a: State, b: State) -> State:
        constant = split(a)[0]
        panes = {name: {"rows": one["rows"], "state": copied(one["state"])} for name, one in a["panes"].items()}
        both = {"rows": a["rows"] + b["rows"], "first": _earlier(a["first"], b["first"])}
        state = joined(constant, {**both, "blank": a["blank"], "panes": panes})
        for name, other in b["panes"].items():
            panes[name] = self._both(constant, panes[name], other) if name in panes else copied(other)
        self._forget(state)
        return state

    def _both(self, constant: Any, a: State, b: State) -> State:
        merge = merges(self.fold)
        assert merge is not None
        both = merge(joined(constant, a["state"]), joined(constant, b["state"]))
        return {"rows": a["rows"] + b["rows"], "state": split(both)[1]}

    def _by_pane(self, rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
        stamped = rows.filter(pc.is_valid(rows[self.time]))
        panes = _stamps(stamped[self.time], self.time) // self.width
        for pane in np.unique(panes).tolist():
            yield pane, stamped.filter(pa.array(panes == pane))

    def _ends(self, state: State) -> range:
        if state["first"] is None:
            return range(0)
        last = max(map(int, state["panes"])) * self.width // self.slide
        first = max(math.ceil((state["first"] * self.width + self.window) / self.slide), last - self.keep + 1)
        return range(first * self.slide, last * self.slide + 1, self.slide)

    def _place(self, position: int) -> datetime:
        return datetime.fromtimestamp(position, UTC)


def _stamps(times: pa.ChunkedArray, name: str) -> NDArray[np.int64]:
    """[n] whole seconds since 1970, of time stamps or of numbers of seconds."""
    if pa.types.is_timestamp(times.type):
        times = pc.floor(pc.divide(pc.cast(pc.cast(times, pa.timestamp("us")), pa.int64()), 1e6))
    elif not (pa.types.is_integer(times.type) or pa.types.is_floating(times.type)):
        raise ColumnError(f"expected time stamps, or seconds since 1970, in column {name!r}, found {times.type}")
    whole: NDArray[np.int64] = np.floor(times.to_numpy()).astype(np.int64)
    return whole


def _earlier(a: int | None, b: int | None) -> int | None:
    return min((pane for pane in (a, b) if pane is not None), default=None)


def _sliding(window: int, slide: int) -> str:
    return f"{window}" if window == slide else f"{window} by {slide}"
