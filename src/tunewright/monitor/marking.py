"""Rows that are given a reason after they were logged, such as those of a cluster that somebody looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunewright.errors import DataError
from tunewright.monitor.collector import Marked
from tunewright.monitor.days import day
from tunewright.monitor.entries import require_known
from tunewright.monitor.reading import rows_of

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.monitor.collector import Collector
    from tunewright.monitor.progress import Progress
    from tunewright.monitor.state import State
    from tunewright.monitor.store import Store

__all__ = ["mark", "with_marks"]


def mark(
    store: Store, progress: Progress, ids: Sequence[Any], *, reason: str, scores: Sequence[float] | None = None
) -> None:
    """Give rows one more reason, in one transaction; those that have it keep it as it is.

    Raises:
        DataError: if a row was never logged, the reason is empty or a check's name, or scores are too many or few.
        MonitorError: if it could not be written; then no row has it.
    """
    wanted = [str(id) for id in ids]
    if not reason.strip() or reason in progress.checks.all:
        raise DataError(
            f"expected a reason that is no check of this monitor, found {reason!r}", fix='such as "cluster:flights"'
        )
    if scores is not None and len(scores) != len(wanted):
        raise DataError(f"expected a score for each of {len(wanted)} rows, found {len(scores)}")
    require_known(store, progress, wanted)
    numbers: Sequence[float | None] = [None] * len(wanted) if scores is None else scores
    store.catalogue.mark(reason, dict(zip(wanted, numbers, strict=True)))


def with_marks(state: State, store: Store, progress: Progress, collector: Collector) -> State:
    """The collector's state with the rows that were marked since; the one that is given stays."""
    marks = store.catalogue.marks()
    if not marks:
        return state
    rows = rows_of(store, progress, ids=[*marks])
    return collector.merge(state, collector.update(collector.start(), _marked(rows, marks, progress.time)))


def _marked(rows: pa.Table, marks: Mapping[str, Mapping[str, Any]], time: str | None) -> Iterator[Marked]:
    days = rows["logged"].to_pylist() if time is None else rows[time].to_pylist()
    keys = (rows["id"].to_pylist(), rows["digest"].to_pylist(), days, rows["logged"].to_pylist())
    for id, content, at, logged in zip(*keys, strict=True):
        yield Marked(id, content, day(logged if at is None else at), tuple(marks[id]))
