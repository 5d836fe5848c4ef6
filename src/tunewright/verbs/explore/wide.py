"""All columns of a run's rows, mapped from files that nobody else sees, so that a million rows take little memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.table import column_names
from tunewright.verbs.explore.unstored import unstored

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["wide"]


def wide(run: Run) -> pa.Table:
    """The rows of `Run.examples`, and columns that the run has not stored yet, see `unstored`.

    Columns are read one by one and written to files that are mapped into memory and at once forgotten by the file
    system (where it can): the pages that are read take memory, and the system may take it back.
    """
    # where files that are mapped cannot be removed, as on Windows, they stay until somebody clears the folder
    with TemporaryDirectory(prefix="tunewright-", ignore_cleanup_errors=True) as folder:
        columns: dict[str, pa.ChunkedArray] = {}
        for table in _sources(run):
            for name, column in _aligned(run, table, columns):
                columns[name] = _mapped(Path(folder) / f"{len(columns)}.arrow", _named(name, column))
        rows = pa.table(columns)
        for name, column in unstored(run, rows).items():
            columns[name] = _mapped(Path(folder) / f"{name}.new", column)
        return pa.table(columns)


def _named(name: str, column: pa.Array) -> pa.Array:
    """Reasons for which production marked a row as one name, which can be filtered; null where there are none."""
    if name != "reasons" or not pa.types.is_list(column.type):
        return column
    joined = pc.binary_join(column, " + ")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)


def _sources(run: Run) -> list[str]:
    """Names of the tables with columns of rows: a name that several have means the first of them."""
    computed = [name for name in run.tables() if name.startswith("columns/")]
    computed.sort(key=lambda name: run.parts(name)[0].stat().st_mtime_ns)
    return ["examples", *reversed(computed), *(["predictions"] if run.has("predictions") else [])]


def _aligned(run: Run, table: str, known: dict[str, pa.ChunkedArray]) -> Iterator[tuple[str, pa.Array]]:
    """Columns of a table that are not known, in the order of the rows."""
    if not known:
        yield from _columns(run, table, ())
        return
    ids, others = known["id"].combine_chunks(), run.table(table, ["id"])["id"].combine_chunks()
    places = None if ids.equals(others) else pc.index_in(ids, value_set=others)
    for name, column in _columns(run, table, tuple(known)):
        yield name, column if places is None else column.take(places)


def _columns(run: Run, table: str, known: Collection[str]) -> Iterator[tuple[str, pa.Array]]:
    if run.kind == "production" and table == "examples":  # what came after them is part of every column
        rows = run.table(table)
        yield from ((name, _whole(rows[name])) for name in rows.column_names)
        return
    for name in column_names(run.parts(table)[0]):
        if name not in known:
            yield name, _whole(run.table(table, [name])[name])


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """In one piece, without a dictionary."""
    type_ = column.type
    return (column.cast(type_.value_type) if pa.types.is_dictionary(type_) else column).combine_chunks()


def _mapped(path: Path, column: pa.Array) -> pa.ChunkedArray:
    table = pa.table({"column": column})
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()["column"]
