"""From rows and labels to journal entries: what is new among them, and what the edges say about it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tunewright.errors import DataError, listed
from tunewright.monitor.checks import Marks, with_reasons
from tunewright.monitor.intake import contents
from tunewright.monitor.journal import Entry
from tunewright.monitor.reading import rows_of
from tunewright.truth import last_of_each

if TYPE_CHECKING:
    from tunewright.monitor.progress import Progress
    from tunewright.monitor.store import Store

__all__ = ["label_entry", "news", "of_conflicts", "require_known", "require_truth", "row_entry", "unseen"]

_NAMED = 3  # ids in a message


def unseen(store: Store, progress: Progress, table: pa.Table) -> tuple[pa.Table, list[str]]:
    """The rows whose id is new, with a ``digest`` of each; and the ids that came again with another content."""
    content = contents(table.drop_columns(sorted(progress.checks.truth & set(table.column_names))))
    table = table.append_column("digest", pa.array(content, pa.int64()))
    known = {**store.catalogue.known(table["id"].to_pylist()), **progress.contents}
    keep, others = [], []
    for id, digest in _pairs(table):
        keep.append(id not in known)
        if known.setdefault(id, digest) != digest:
            others.append(id)
    return (table if all(keep) else table.filter(pa.array(keep, pa.bool_()))), others


def of_conflicts(ids: Sequence[str]) -> dict[str, str]:
    """What to say about ids that came again with another content."""
    if not ids:
        return {}
    named = listed(ids[:_NAMED])
    return {
        "id": f"{len(ids)} ids came again with another content and were left out: {named}; make ids unique, by the source"
    }


def news(store: Store, progress: Progress, labels: pa.Table) -> pa.Table:
    """Labels that say something new, with ``corrects``: whether their row had another truth before."""
    labels = last_of_each(labels.append_column("digest", pa.array(contents(labels), pa.int64())))
    ids = labels["id"].to_pylist()
    known = {**store.catalogue.labelled(ids), **progress.truths}
    logged = _with_truth_of_their_own(rows_of(store, progress, ids=ids), progress.checks.truth)
    labels = labels.append_column("corrects", pa.array([id in known or id in logged for id in ids], pa.bool_()))
    return labels.filter(pa.array([known.get(id) != digest for id, digest in _pairs(labels)], pa.bool_()))


def require_truth(store: Store, progress: Progress, labels: pa.Table) -> None:
    """Raises DataError if a column is no ground truth, or a row is unknown."""
    if wrong := sorted(set(labels.column_names) - {"id", *progress.checks.truth}):
        raise DataError(
            f"column {wrong[0]!r} is no ground truth of this monitor; these are: {listed(sorted(progress.checks.truth))}",
            fix=f"open it with truth=[{wrong[0]!r}]",
        )
    require_known(store, progress, labels["id"].to_pylist())


def require_known(store: Store, progress: Progress, ids: Sequence[str]) -> None:
    """Raises DataError if a row was never logged."""
    known = {*store.catalogue.known(ids), *progress.contents}
    if unknown := [id for id in ids if id not in known]:
        named = listed(unknown[:_NAMED])
        raise DataError(f"{len(unknown)} rows were never logged: {named}", fix="log rows before their labels")


def row_entry(progress: Progress, rows: pa.Table, found: Marks, *, made: int) -> Entry:
    """Rows with the time and the reasons, of which ``made`` got their id here."""
    header = _header(progress, {"rows": rows.num_rows}, found, counted=np.ones(rows.num_rows, dtype=bool))
    logged = pa.scalar(int(header["time"] * 1e6), pa.timestamp("us", "UTC"))
    rows = with_reasons(rows.append_column("logged", pa.repeat(logged, rows.num_rows)), found)
    return Entry("rows", rows, {**header, "made": progress.made + made})


def label_entry(progress: Progress, labels: pa.Table, found: Marks) -> Entry:
    """Labels with the reasons that they give; corrections are kept, and not counted."""
    first = ~labels["corrects"].to_numpy()
    header = _header(progress, {"labels": int(first.sum())}, found, counted=first)
    return Entry("labels", with_reasons(labels, found), header)


def _header(
    progress: Progress, counts: Mapping[str, int], found: Marks, *, counted: np.ndarray[Any, np.dtype[np.bool_]]
) -> dict[str, Any]:
    """Time and counts of an entry; those of an edge carry its fingerprint, as the edge may change."""
    key = {name: f"{name}@{edge.fingerprint}" for name, edge in progress.checks.edges.items()}
    marked = {f"marked:{key[name]}": int((mask & counted).sum()) for name, mask in found.marked.items()}
    nulls = {f"nulls:{key[name]}": count for name, count in found.nulls.items()}
    errors = {f"error:{key[name]}": 1 for name in found.errors}
    return {"time": time.time(), "counts": {**counts, **marked, **nulls, **errors}}


def _with_truth_of_their_own(rows: pa.Table, truth: frozenset[str]) -> set[str]:
    """Ids of rows that were logged with ground truth."""
    names = truth & set(rows.column_names)
    return {id for name in names for id in rows.filter(rows[name].is_valid())["id"].to_pylist()}


def _pairs(rows: pa.Table) -> Iterable[tuple[str, int]]:
    return zip(rows["id"].to_pylist(), rows["digest"].to_pylist(), strict=True)
