"""Rows of production with what came after them: ground truth, and the reasons it gave.

A monitor never rewrites the rows it was given, so what comes later lies beside them: labels in parts of a table, the last
of an id counts, and reasons of rows that were marked since in the catalogue. Whoever reads the rows reads them with both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright import table as tables

__all__ = ["first_of_each", "last_of_each", "marks", "read", "with_more_reasons", "with_truth"]

_OF_LABELS = frozenset({"id", "digest", "corrects", "reasons", "scores"})


def read(folder: Path) -> pa.Table:
    """The rows of production in a folder, each once, with the ground truth and the reasons that came after them."""
    rows = first_of_each(tables.read(folder / "examples"))
    there = tables.parts(folder / "labels")
    labels = last_of_each(tables.read(folder / "labels")) if there else None
    return with_more_reasons(with_truth(rows, labels), _marks(folder / "catalogue.sqlite"))


def with_truth(rows: pa.Table, labels: pa.Table | None) -> pa.Table:
    """Rows with the ground truth of the labels in place of their own, and with the reasons that it gave too.

    Args:
        rows: with ``id``, and ``reasons`` and ``scores`` if the labels have them.
        labels: one per id, columns ``id``, those of ground truth, and what the monitor adds.
    """
    if labels is None or rows.num_rows == 0:
        return rows
    places = pc.index_in(rows["id"].combine_chunks(), value_set=labels["id"].combine_chunks())
    for name in (name for name in labels.column_names if name not in _OF_LABELS):
        later = labels[name].combine_chunks().take(places)
        if name in rows.column_names:
            place = rows.column_names.index(name)
            rows = rows.set_column(place, name, _coalesced(later, rows[name].combine_chunks()))
        else:
            rows = rows.append_column(name, later)
    return _with_late_reasons(rows, labels.take(places.fill_null(0)), places.is_valid().to_pylist())


def with_more_reasons(rows: pa.Table, more: Mapping[str, Mapping[str, float | None]]) -> pa.Table:
    """Rows with further reasons and their scores, by id; a reason that a row has gets the later score."""
    if not more or rows.num_rows == 0:
        return rows
    return _more(rows, [more.get(id, {}) for id in rows["id"].to_pylist()])


def marks(connection: sqlite3.Connection) -> dict[str, dict[str, float | None]]:
    """By id of a row that was marked after it was logged: its reasons, each with a score or nothing."""
    found: dict[str, dict[str, float | None]] = {}
    for id, reason, score in connection.execute("SELECT id, reason, score FROM marks ORDER BY id, reason"):
        found.setdefault(id, {})[reason] = score
    return found


def first_of_each(rows: pa.Table) -> pa.Table:
    """Without the rows whose id an earlier row has."""
    ids = rows["id"].combine_chunks()
    first = pc.index_in(ids, value_set=ids.unique())  # numbers the ids in the order of their first rows
    places = first.to_numpy()
    if len(places) == 0 or places[-1] + 1 == len(places) or pc.count_distinct(ids).as_py() == len(ids):
        return rows
    _, kept = np.unique(places, return_index=True)
    return rows.take(pa.array(np.sort(kept)))


def last_of_each(rows: pa.Table) -> pa.Table:
    """Of each id the last row."""
    backwards = rows.take(pa.array(np.arange(rows.num_rows)[::-1]))
    return first_of_each(backwards)


def _marks(catalogue: Path) -> dict[str, dict[str, float | None]]:
    if not catalogue.is_file():
        return {}
    with closing(sqlite3.connect(f"file:{quote(str(catalogue))}?mode=ro", uri=True, timeout=30)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'marks'").fetchone()
        return marks(connection) if known else {}


def _coalesced(later: pa.Array, before: pa.Array) -> pa.Array:
    """The later value where there is one; where the types have nothing in common, both as texts."""
    try:
        return pc.coalesce(later, before.cast(later.type))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pc.coalesce(later.cast(pa.string()), before.cast(pa.string()))


def _with_late_reasons(rows: pa.Table, labels: pa.Table, there: Sequence[bool]) -> pa.Table:
    """Rows with the reasons, and their scores, that labels at the same places gave."""
    if "reasons" not in labels.column_names or "reasons" not in rows.column_names:
        return rows
    late = zip(labels["reasons"].to_pylist(), labels["scores"].to_pylist(), there, strict=True)
    return _more(rows, [dict(zip(names, scores, strict=True)) if labelled else {} for names, scores, labelled in late])


def _more(rows: pa.Table, more: Sequence[Mapping[str, float | None]]) -> pa.Table:
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
