"""Rows of a monitor as one table: segments, what waits for one, and ground truth that came later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.monitor.store import first_of_each, last_of_each

if TYPE_CHECKING:
    from tunewright.monitor.progress import Progress
    from tunewright.monitor.store import Store

__all__ = ["labelled_rows", "labels_of", "rows_of", "with_truth"]

_OF_LABELS = frozenset({"id", "digest", "corrects", "reasons", "scores"})


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
    marks = store.catalogue.marks()
    return _with_more_reasons(rows, [marks.get(id, {}) for id in rows["id"].to_pylist()]) if marks else rows


def with_truth(rows: pa.Table, labels: pa.Table | None) -> pa.Table:
    """Rows with the ground truth of the labels in place of their own, and with the reasons that it gave too."""
    if labels is None or rows.num_rows == 0:
        return rows
    places = pc.index_in(rows["id"].combine_chunks(), value_set=labels["id"].combine_chunks())
    for name in (name for name in labels.column_names if name not in _OF_LABELS):
        later = labels[name].combine_chunks().take(places)
        if name in rows.column_names:
            place = rows.column_names.index(name)
            rows = rows.set_column(place, name, pc.coalesce(later, rows[name].combine_chunks().cast(later.type)))
        else:
            rows = rows.append_column(name, later)
    return _with_late_reasons(rows, labels.take(places.fill_null(0)), places.is_valid().to_pylist())


def _with_late_reasons(rows: pa.Table, labels: pa.Table, there: Sequence[bool]) -> pa.Table:
    """Rows with the reasons, and their scores, that labels at the same places gave."""
    if "reasons" not in labels.column_names:
        return rows
    late = zip(labels["reasons"].to_pylist(), labels["scores"].to_pylist(), there, strict=True)
    return _with_more_reasons(
        rows, [dict(zip(names, scores, strict=True)) if labelled else {} for names, scores, labelled in late]
    )


def _with_more_reasons(rows: pa.Table, more: Sequence[Mapping[str, float | None]]) -> pa.Table:
    """Rows with further reasons, [rows] each with its score."""
    known = zip(rows["reasons"].to_pylist(), rows["scores"].to_pylist(), more, strict=True)
    found = [{**dict(zip(names, scores, strict=True)), **late} for names, scores, late in known]
    columns = {
        "reasons": pa.array([list(row) for row in found], pa.list_(pa.string())),
        "scores": pa.array([list(row.values()) for row in found], pa.list_(pa.float32())),
    }
    for name, values in columns.items():
        rows = rows.set_column(rows.column_names.index(name), name, values)
    return rows


def _nothing() -> pa.Table:
    lists = {"reasons": pa.array([], pa.list_(pa.string())), "scores": pa.array([], pa.list_(pa.float32()))}
    return pa.table({"id": pa.array([], pa.string()), "logged": pa.array([], pa.timestamp("us", "UTC")), **lists})
