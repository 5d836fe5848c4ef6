"""All columns of a run's rows, mapped from files that nobody else sees, so that a million rows take little memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.table import column_names
from tunewright.verbs.explore.beside import places_beside
from tunewright.verbs.explore.unstored import unstored

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["wide"]


def wide(run: Run, others: pa.Table | None = None) -> pa.Table:
    """The rows of `Run.examples`, then others, and columns that the run has not stored yet, see `unstored`.

    Columns are read one by one and written to files that are mapped into memory and at once forgotten by the file
    system (where it can): the pages that are read take memory, and the system may take it back.

    Args:
        run: whose rows they are.
        others: more rows, see `tunewright.verbs.explore.beside.other_rows`.
    """
    # where files that are mapped cannot be removed, as on Windows, they stay until somebody clears the folder
    with TemporaryDirectory(prefix="tunewright-", ignore_cleanup_errors=True) as folder:
        columns: dict[str, pa.ChunkedArray] = {}
        for name, column in _own(run, others):
            columns[name] = _mapped(Path(folder) / f"{len(columns)}.arrow", _named(name, column))
        for source, table in _sources(run):
            for name, column in _aligned(source, table, columns):
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


def _sources(run: Run) -> list[tuple[Run, str]]:
    """Tables with more columns of the rows: a name that several have means the first of them."""
    computed = [(run, name) for name in run.tables() if name.startswith("columns/")]
    said = [(run, "predictions")] if run.has("predictions") else []
    return [*_newest_first(computed), *said, *_newest_first(places_beside(run))]


def _newest_first(found: list[tuple[Run, str]]) -> list[tuple[Run, str]]:
    return sorted(found, key=lambda one: one[0].parts(one[1])[0].stat().st_mtime_ns)[::-1]


def _own(run: Run, others: pa.Table | None) -> Iterator[tuple[str, pa.Array]]:
    """Columns of the examples, those of others after them."""
    for name, column in _columns(run, "examples", ()):
        yield name, column if others is None else pa.concat_arrays([column, _rest(others, name, column.type)])


def _rest(others: pa.Table, name: str, type_: pa.DataType) -> pa.Array:
    return _whole(others[name]).cast(type_) if name in others.column_names else pa.nulls(others.num_rows, type_)


def _aligned(run: Run, table: str, known: dict[str, pa.ChunkedArray]) -> Iterator[tuple[str, pa.Array]]:
    """Columns of a table that are not known, in the order of the rows."""
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
