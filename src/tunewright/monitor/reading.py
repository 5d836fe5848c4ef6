"""Rows of a monitor as one table: segments, what waits for one, and ground truth that came later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.truth import first_of_each, last_of_each, with_more_reasons, with_truth

if TYPE_CHECKING:
    from tunewright.monitor.progress import Progress
    from tunewright.monitor.store import Store

__all__ = ["labelled_rows", "labels_of", "rows_of"]


def rows_of(store: Store, progress: Progress, *, ids: Sequence[str] | None = None) -> pa.Table:
    """Rows of all writers, or those with these ids, in that order; unknown ids are left out."""
    kept = store.read(ids=ids)
    waiting = progress.rows
    if ids is not None:
        wanted = pa.array(ids, pa.string())
        waiting = [rows.filter(pc.is_in(rows["id"], value_set=wanted)) for rows in waiting]
    found = [*([kept] if kept is not None else []), *waiting]
    if not found:
        return _nothing()
    rows = first_of_each(pa.concat_tables(found, promote_options="default"))
    if ids is None:
        return rows
    places = pc.index_in(wanted, value_set=rows["id"].combine_chunks())
    return rows.take(places.drop_null())


def labels_of(store: Store, progress: Progress) -> pa.Table | None:
    """Ground truth that came later, of all writers: the last one of each row."""
    kept = store.labels()
    found = [*([kept] if kept is not None else []), *progress.labels]
    return last_of_each(pa.concat_tables(found, promote_options="default")) if found else None


def labelled_rows(store: Store, progress: Progress, *, ids: Sequence[str] | None = None) -> pa.Table:
    """`rows_of`, `with_truth` of `labels_of`, and the reasons that they were marked with since."""
    rows = with_truth(rows_of(store, progress, ids=ids), labels_of(store, progress))
    return with_more_reasons(rows, store.catalogue.marks())


def _nothing() -> pa.Table:
    lists = {"reasons": pa.array([], pa.list_(pa.string())), "scores": pa.array([], pa.list_(pa.float32()))}
    return pa.table({"id": pa.array([], pa.string()), "logged": pa.array([], pa.timestamp("us", "UTC")), **lists})
