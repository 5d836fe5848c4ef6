"""Looks at a stream: windows and runs of windows, each compared with the reference when it is full.

Rows go into the open window. When it has enough of them it is compared, and joins runs of 2, 4, 8 ... windows, which
are compared when they are full (see `tunewright.analyze.evidence`). States merge by adding up what is open, and by
taking together what was looked at; a window that has become larger by it is closed as it is. Merging is associative
and commutative; that windows are those of the partitions, and not of the whole stream, is in the nature of windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from zlib import crc32

import numpy as np
import pyarrow as pa

from tunewright.analyze.evidence import evidence, first_alarm, run_lengths
from tunewright.errors import ComparisonError

if TYPE_CHECKING:
    from tunewright.monitor.state import State

__all__ = ["Compared", "Pane", "Statistic", "fed", "looks", "merged_looks", "started", "summary"]

Pane: TypeAlias = dict[str, Any]
"""Rows so far, as JSON values and arrays; ``rows`` is their number."""

_KINDS = {"length": np.int64, "last": np.int64, "key": np.int64, "rows": np.int64, "p": float, "effect": float}


@dataclass(frozen=True, slots=True)
class Compared:
    """p-value in (0, 1] and effect of a window against the reference."""

    p: float
    effect: float


class Statistic(Protocol):
    """What is kept of rows, and how it is compared; a block is what one batch became, and can be sliced."""

    def empty(self) -> Pane: ...

    def add(self, pane: Pane, block: Any) -> Pane:
        """The open window with more rows."""
        ...

    def close(self, pane: Pane) -> Pane:
        """What runs of windows keep of a window."""
        ...

    def join(self, a: Pane, b: Pane) -> Pane:
        """Two panes, both open or both closed, as one."""
        ...

    def compare(self, closed: Pane) -> Compared: ...

    def mark(self, closed: Pane) -> bytes:
        """Says which of two windows comes first where nothing else does."""
        ...


def started(statistic: Statistic, reference: State, *, quarter: int) -> State:
    """The state before the first row."""
    return {
        "reference": reference,
        "windows": 0,
        "open": statistic.empty(),
        "runs": [None for _ in run_lengths(quarter)[1:]],
        "recent": None,
        "looks": {name: np.zeros(0, dtype=kind) for name, kind in _KINDS.items()},
    }


def fed(state: State, block: Any, statistic: Statistic, *, window: int) -> State:
    """The state after a block of rows."""
    place = 0
    while place < len(block):
        state = _closed(state, statistic, window)
        taken = min(len(block) - place, window - state["open"]["rows"])
        state["open"] = statistic.add(state["open"], block[place : place + taken])
        place += taken
    return _closed(state, statistic, window) if place else state


def merged_looks(a: State, b: State, statistic: Statistic) -> State:
    """Two states of partitions of one stream.

    Raises:
        ComparisonError: if they were started from different references.
    """
    if a["reference"]["version"] != b["reference"]["version"]:
        raise ComparisonError(
            "expected states that were started from the same reference, found two", fix="log all of it against one"
        )
    both = {name: np.concatenate([a["looks"][name], b["looks"][name]]) for name in _KINDS}
    order = np.lexsort((both["key"], both["last"], both["length"]))
    return {
        "reference": a["reference"],
        "windows": a["windows"] + b["windows"],
        "open": statistic.join(a["open"], b["open"]),
        "runs": [_joined(x, y, statistic) for x, y in zip(a["runs"], b["runs"], strict=True)],
        "recent": max((one["recent"] for one in (a, b) if one["recent"]), key=_age, default=None),
        "looks": {name: values[order] for name, values in both.items()},
    }


def looks(state: State, statistic: Statistic, *, window: int, quarter: int, reference: float = 0.0) -> dict[str, Any]:
    """All looks in the order of their last window, as columns: length, last, rows, p, effect, evidence.

    The reference is worth so many windows, see `evidence`.
    """
    closed = _closed({**state, "runs": [*state["runs"]]}, statistic, window)
    found = closed["looks"]
    order = np.lexsort((found["key"], found["last"], found["length"]))
    length = found["length"][order]
    place = np.arange(len(length)) - np.searchsorted(length, length)
    last = (place + 1) * length - 1
    by_time = np.lexsort((length, last))
    columns = {name: found[name][order][by_time] for name in ("rows", "p", "effect")}
    length, last = length[by_time], last[by_time]
    path = evidence(length, last, columns["p"], quarter=quarter, reference=reference)
    return {"length": length, "last": last, **columns, "evidence": path}


def summary(columns: dict[str, Any], *, threshold: float) -> dict[str, Any]:
    """What the looks say: the last window, the evidence now, and the first window at which it was enough."""
    length, path = columns["length"], columns["evidence"]
    alone = np.flatnonzero(length == 1)
    first = first_alarm(path, threshold)
    now = float(path[-1]) if len(path) else 0.0
    return {
        "windows": len(alone),
        "p": float(columns["p"][alone[-1]]) if len(alone) else None,
        "effect": float(columns["effect"][alone[-1]]) if len(alone) else None,
        "evidence": now,
        "threshold": threshold,
        "alarm": now >= threshold,
        "first_alarm": None if first is None else int(columns["last"][first]),
        "looks": pa.table(columns),
    }


def _closed(state: State, statistic: Statistic, window: int) -> State:
    """Compare the open window if it is full, and the runs of windows that it fills."""
    if state["open"]["rows"] < window:
        return state
    one = statistic.close(state["open"])
    last = state["windows"]
    state |= {"windows": last + 1, "open": statistic.empty()}
    state["recent"] = {"last": last, "key": crc32(statistic.mark(one)), "pane": one}
    added = [_look(1, last, one, statistic)]
    for place, so_far in enumerate(state["runs"]):
        length, run = 2 ** (place + 1), _joined(so_far, one, statistic)
        full = run["rows"] >= length * window
        state["runs"][place] = None if full else run
        added += [_look(length, last, run, statistic)] if full else []
    state["looks"] = {
        name: np.append(values, np.array([look[name] for look in added], dtype=values.dtype))
        for name, values in state["looks"].items()
    }
    return state


def _look(length: int, last: int, pane: Pane, statistic: Statistic) -> dict[str, Any]:
    found = statistic.compare(pane)
    key = crc32(statistic.mark(pane))
    return {"length": length, "last": last, "key": key, "rows": pane["rows"], "p": found.p, "effect": found.effect}


def _joined(a: Pane | None, b: Pane | None, statistic: Statistic) -> Any:
    return statistic.join(a, b) if a and b else a or b


def _age(recent: dict[str, Any]) -> tuple[int, int]:
    return recent["last"], recent["key"]
