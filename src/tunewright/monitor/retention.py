"""What a monitor forgets: rows by age, and how fine its counts are.

Counts are kept by minute for a day, by hour for a month, and by day for good; their sums never change. Rows that were
collected stay, and so do ids: a row that comes again after it was forgotten is still not new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import pyarrow.parquet as pq

from tunewright.monitor.catalogue import Pane
from tunewright.monitor.store import Store

__all__ = ["compacted", "forget"]

_DAY = 86_400
_STEPS = ((30 * _DAY, _DAY), (_DAY, 3_600))  # (older than so many seconds, width in seconds), oldest first


def compacted(panes: Sequence[Pane], *, now: float) -> list[Pane]:
    """Panes as wide as their age allows, oldest first.

    Args:
        panes: of one writer.
        now: POSIX seconds.
    """
    sums: dict[tuple[int, int], Counter[str]] = {}
    for pane in panes:
        width = max(
            pane.width, next((wide for age, wide in _STEPS if pane.start + pane.width <= now - age), pane.width)
        )
        sums.setdefault((pane.start // width * width, width), Counter()).update(pane.counts)
    return [Pane(width, start, dict(counts)) for (start, width), counts in sorted(sums.items())]


def forget(store: Store, *, days: float, keep: Collection[str], now: float) -> int:
    """Drop the rows of this writer's segments that are older than so many days, and widen old panes.

    Args:
        store: opened by the writer.
        days: age in days of a segment's newest row.
        keep: ids that stay, such as those of collected rows.
        now: POSIX seconds.

    Returns:
        rows dropped.
    """
    dropped = 0
    for segment in store.catalogue.segments():
        if segment.writer == store.writer and segment.rows and segment.newest < now - days * _DAY:
            ids = pq.read_table(
                store.folder / "examples" / f"{segment.name}.parquet", columns=["id"], partitioning=None
            )
            kept = [id for id in ids["id"].to_pylist() if id in keep]
            if len(kept) < segment.rows:
                store.shorten(segment, kept)
                dropped += segment.rows - len(kept)
    old = [pane for _, pane in store.catalogue.panes(store.writer)]
    new = compacted(old, now=now)
    if new != old:
        store.catalogue.replace_panes(store.writer, old, new)
    return dropped
