"""The history of any metric of a monitor, made of the rows that it keeps.

Nothing is recorded for it while rows are logged: the check takes the rows once more, in windows of the alert. So there is
a history of every number that a check reports, in any window, for checks that were named later too, as far back as
rows are kept. Windows end after exactly as many rows, where a monitor ends one with the batch that fills it, and rows
whose truth came late have it from the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ProjectError
from tunewright.monitor.checks import marks
from tunewright.monitor.conditions import Observation
from tunewright.monitor.gauges import ERRORS, Gauge
from tunewright.monitor.monitors import Fold, Merge, merges
from tunewright.monitor.state import State
from tunewright.monitor.windows import seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.alerts import Alert
    from tunewright.monitor.checks import Checks
    from tunewright.monitor.reference import Reference
    from tunewright.monitor.simulation import Drawn

__all__ = ["Replayed", "replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What an alert would have seen.

    Attributes:
        observations: of its metric at the end of each window, the oldest first.
        rows: [observations] rows from the first one to the end of each window.
        drawn: makes observations of windows in another order; None where that cannot be done.
    """

    observations: tuple[Observation, ...]
    rows: tuple[int, ...]
    drawn: Drawn | None


def replay(alert: Alert, rows: pa.Table, *, checks: Checks, reference: Reference | None) -> Replayed:
    """Look at the metric of an alert in all rows that are kept.

    Args:
        alert: any, whether it is switched on or not.
        rows: of a monitor, in the order in which they were logged, with ``logged`` and what the check needs.
        checks: of the monitor.
        reference: of the monitor.

    Raises:
        ProjectError: if no check reports the metric, it is `ERRORS`, or the check raises.
    """
    if alert.metric == ERRORS:
        raise ProjectError(
            "failures are counted when they happen: there is nothing to replay", fix="name another metric"
        )
    gauge = Gauge.of(alert.metric, alert.window, checks)
    windows = list(_windows(_ready(rows, gauge), alert.window))
    try:
        if gauge.edge:
            return _of_edge(gauge, windows, checks=checks, reference=reference)
        return _of_fold(gauge, windows, fold=checks.folds[gauge.check], reference=reference)
    except ProjectError:
        raise
    except Exception as error:  # whatever a user's check raises
        raise ProjectError(
            f"{gauge.check!r} raised {type(error).__name__}: {error}", fix="try: tunewright check"
        ) from error


class _Window(NamedTuple):
    """Rows, POSIX seconds at their end, and how many there were until then."""

    rows: pa.Table
    end: float
    until: int


def _of_edge(gauge: Gauge, windows: Sequence[_Window], *, checks: Checks, reference: Reference | None) -> Replayed:
    edges = {gauge.check: checks.edges[gauge.check]}
    found = []
    for window in windows:
        told = marks(edges, window.rows, reference=reference)
        if told.errors:
            raise ProjectError(f"{gauge.check!r}: {told.errors[gauge.check]}", fix="try: tunewright check")
        known = window.rows.num_rows - told.nulls.get(gauge.check, 0)
        if known:
            found.append((Observation(window.end, float(told.marked[gauge.check].sum()) / known, known), window.until))
    return _replayed(found, None)


def _of_fold(gauge: Gauge, windows: Sequence[_Window], *, fold: Fold, reference: Reference | None) -> Replayed:
    state, found, kept = fold.start(reference), [], []
    for window in windows:
        state = fold.update(state, window.rows)
        told = gauge.read(fold.report(state), now=window.end)
        if told is not None:
            found.append((told, window.until))
            kept.append(window.rows)
    merge = merges(fold)
    whole = any(seen.whole for seen, _ in found)
    if not whole or merge is None or "windows" in fold.report(state):
        return _replayed(found, None)
    panes = [fold.update(fold.start(reference), rows) for rows in kept]
    return _replayed(found, _merging(gauge, fold, merge=merge, panes=panes))


def _replayed(found: Sequence[tuple[Observation, int]], drawn: Drawn | None) -> Replayed:
    return Replayed(observations=tuple(seen for seen, _ in found), rows=tuple(stop for _, stop in found), drawn=drawn)


def _merging(gauge: Gauge, fold: Fold, *, merge: Merge, panes: Sequence[State]) -> Drawn:
    """Numbers of all rows so far, had the windows come in another order: their states, merged one after the other."""

    def drawn(places: Sequence[int]) -> list[Observation]:
        state, found = panes[places[0]], []
        for order, place in enumerate(places):
            state = merge(state, panes[place]) if order else state
            told = gauge.read(fold.report(state), now=float(order))
            found += [told] if told is not None else []
        return found

    return drawn


def _ready(rows: pa.Table, gauge: Gauge) -> pa.Table:
    """Rows that the check says something about, by time of logging: those whose truth is known, if it waits for that."""
    for name in sorted(gauge.late):
        if name not in rows.column_names:
            return rows.slice(0, 0)
        rows = rows.filter(pc.is_valid(rows[name]))
    return rows.take(pc.sort_indices(rows["logged"]))  # several writers' are stored one after the other


def _windows(rows: pa.Table, window: int | str) -> Iterator[_Window]:
    told = rows["logged"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    times = np.asarray(told.to_numpy() / 1e6)
    for start, stop in _cuts(times, window):
        yield _Window(rows.slice(start, stop - start), float(times[stop - 1]), stop)


def _cuts(times: NDArray[np.float64], window: int | str) -> Iterator[tuple[int, int]]:
    """Where windows begin and end; rows of one that is not full yet are left out."""
    if isinstance(window, int):
        yield from ((start, start + window) for start in range(0, len(times) - window + 1, window))
        return
    start, width = 0, seconds(window)
    while start < len(times) and times[-1] >= times[start] + width:
        fills = int(np.searchsorted(times, times[start] + width))
        stop = int(np.searchsorted(times, times[fills], side="right"))  # all of the batch that fills it
        yield start, stop
        start = stop
