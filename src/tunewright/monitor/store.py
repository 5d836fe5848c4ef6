"""Where a monitor keeps its rows: append-only Parquet segments that a catalogue names.

<folder>/
    catalogue.sqlite      what counts; see `tunewright.monitor.catalogue`
    journal/              <writer>-<sequence>.journal: batches that wait for segment <sequence> of the writer
    examples/             <writer>-<sequence>.parquet: the rows, without what the next two hold
    embeddings/           the vectors, one column per vector column; the first is called ``vector``
    predictions/          what the model said, under the names that runs give it
    labels/               ground truth that came later: id and its columns

A segment is written to temporary files, which are flushed, renamed, and made to count by one transaction together with
the states and the offset of its writer. Files that no transaction names are removed when their writer opens the store.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tunewright import table as tables
from tunewright.errors import MonitorError
from tunewright.files import whole
from tunewright.monitor.catalogue import Catalogue, Pane, Saved, Segment, add_to_pane
from tunewright.monitor.journal import Journal, sync_folder
from tunewright.truth import first_of_each, last_of_each

__all__ = ["PLACES", "Commit", "Precision", "Store", "is_vector", "vector_columns"]

Precision = Literal["float16", "float32"]
_PRECISIONS: dict[Precision, pa.DataType] = {"float16": pa.float16(), "float32": pa.float32()}
_PREDICTIONS = frozenset({"predicted", "probability", "logits", "stop_reason", "generated_tokens"})
PLACES = ("examples", "embeddings", "predictions", "labels")
"""Folders of the parts of segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What one transaction makes count.

    ``contents`` are (id, hash) of the rows, ``truths`` those of the labels; ``panes`` are counts to
    add to what there is; ``made`` is how many ids the writer made.
    """

    rows: pa.Table | None
    labels: pa.Table | None
    contents: Sequence[tuple[str, int]] = ()
    truths: Sequence[tuple[str, int]] = ()
    states: Sequence[Saved] = ()
    panes: Iterable[Pane] = ()
    made: int = 0
    newest: float = 0.0


class Store:
    """One folder, as one writer sees it: it reads what all wrote, and writes segments of its own."""

    def __init__(self, folder: Path, writer: str, *, vectors: Precision = "float16") -> None:
        """Go on where this writer was.

        Raises:
            MonitorError: if the catalogue is none, is of another format or is gone, or the journal is damaged.
        """
        self.folder = folder
        self.writer = writer
        self.catalogue = Catalogue(folder / "catalogue.sqlite")
        self._require_catalogue()
        self._precision = _PRECISIONS[vectors]
        self._sequence, self.made = self.catalogue.offset(writer)
        self._sweep()
        self.journal = Journal(self._journal_path())

    @property
    def rows(self) -> int:
        """Committed rows of all writers."""
        return sum(segment.rows for segment in self.catalogue.segments())

    def commit(self, commit: Commit) -> None:
        """Write a segment and make it count, with the states; then the journal starts anew.

        Raises:
            MonitorError: if it could not be written; then nothing of it counts, and the journal stays.
        """
        name = f"{self.writer}-{self._sequence:08d}"
        try:
            for place, table in self._layout(commit).items():
                _write(self.folder / place / f"{name}.parquet", table)
        except OSError as error:
            raise MonitorError(
                f"segment {name} could not be written ({error.strerror or error})",
                fix="make room on the disk; what was acknowledged stays in the journal",
            ) from error
        self._name(name, commit)
        self._sequence += 1
        old, self.journal = self.journal, Journal(self._journal_path())
        old.remove()

    def read(self, columns: Sequence[str] | None = None, *, ids: Sequence[str] | None = None) -> pa.Table | None:
        """Committed rows of all writers, or those with these ids; an id that two writers have counts once.

        Args:
            columns: those to read; all by default. ``id`` is always there.
            ids: None is all; others come in no particular order.
        """
        segments = [segment.name for segment in self.catalogue.segments() if segment.rows]
        if ids is not None:
            holding = set(self.catalogue.where(ids).values())
            segments = [name for name in segments if name in holding]
        found = [self._read_segment(name, columns, ids) for name in segments]
        if not found:
            return None
        return first_of_each(pa.concat_tables(found, promote_options="default"))

    def labels(self) -> pa.Table | None:
        """Committed ground truth of all writers, the last one of each id."""
        paths = [
            self.folder / "labels" / f"{segment.name}.parquet"
            for segment in self.catalogue.segments()
            if segment.labels
        ]
        if not paths:
            return None
        return last_of_each(pa.concat_tables([tables.read(path) for path in paths], promote_options="default"))

    def shorten(self, segment: Segment, ids: Sequence[str]) -> None:
        """Leave of a segment only the rows with these ids; its labels stay."""
        kept = pa.array(ids, pa.string())
        for place in ("examples", "embeddings", "predictions"):  # rows are matched by id, so each may go first
            path = self.folder / place / f"{segment.name}.parquet"
            if path.exists():
                table = _read(path)
                _write(path, table.filter(pc.is_in(table["id"], value_set=kept)))
        with self.catalogue.transaction() as connection:
            connection.execute("UPDATE segments SET rows = ? WHERE name = ?", (len(ids), segment.name))

    def close(self) -> None:
        """Close the files."""
        self.journal.close()
        self.catalogue.close()

    def _journal_path(self) -> Path:
        return self.folder / "journal" / f"{self.writer}-{self._sequence:08d}.journal"

    def _require_catalogue(self) -> None:
        """Raises MonitorError if there are segments, and a catalogue that was made just now: nothing would name them."""
        if self.catalogue.is_new and any(tables.parts(self.folder / place) for place in PLACES):
            path = self.folder / "catalogue.sqlite"
            self.catalogue.close()
            path.unlink()
            raise MonitorError(
                f"expected {path}, which says what counts; it is gone or empty, and segments are there",
                fix="restore it from a copy; to begin anew give overwrite=True, which deletes the rows",
            )

    def _sweep(self) -> None:
        """Remove what a killed process of this writer left: files that no transaction names, journals that one took."""
        named = {segment.name for segment in self.catalogue.segments()}
        left = [path for place in PLACES for path in self._own(place, ".parquet") if path.stem not in named]
        left += [path for path in self._own("journal", ".journal") if path != self._journal_path()]
        left += [
            path for place in PLACES for path in (self.folder / place).glob(f".{self.writer}-????????.parquet.*.part")
        ]
        for path in left:
            path.unlink(missing_ok=True)

    def _own(self, place: str, suffix: str) -> list[Path]:
        return sorted((self.folder / place).glob(f"{self.writer}-????????{suffix}"))

    def _layout(self, commit: Commit) -> dict[str, pa.Table]:
        """The tables of a segment, by the folder each goes to."""
        parts: dict[str, pa.Table] = {}
        if commit.rows is not None and commit.rows.num_rows:
            parts = _split(commit.rows, self._precision)
        if commit.labels is not None and commit.labels.num_rows:
            parts["labels"] = commit.labels
        return parts

    def _name(self, name: str, commit: Commit) -> None:
        rows = 0 if commit.rows is None else commit.rows.num_rows
        labels = 0 if commit.labels is None else commit.labels.num_rows
        with self.catalogue.transaction() as connection:
            connection.execute(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)",
                (name, self.writer, self._sequence, rows, labels, commit.newest),
            )
            # another writer may have had the id: the first one counts, as it does when rows are read
            connection.executemany(
                "INSERT OR IGNORE INTO ids VALUES (?, ?, ?)", [(id, content, name) for id, content in commit.contents]
            )
            connection.executemany("INSERT OR REPLACE INTO labels VALUES (?, ?)", commit.truths)
            connection.execute("DELETE FROM states WHERE writer = ?", (self.writer,))
            connection.executemany(
                "INSERT INTO states VALUES (?, ?, ?, ?, ?)",
                [(self.writer, saved.name, saved.fingerprint, saved.since, saved.state) for saved in commit.states],
            )
            for pane in commit.panes:
                add_to_pane(connection, self.writer, pane)
            connection.execute(
                "INSERT OR REPLACE INTO writers VALUES (?, ?, ?)", (self.writer, self._sequence + 1, commit.made)
            )

    def _read_segment(self, name: str, columns: Sequence[str] | None, ids: Sequence[str] | None) -> pa.Table:
        table = _read(self.folder / "examples" / f"{name}.parquet")
        if ids is not None:
            table = table.filter(pc.is_in(table["id"], value_set=pa.array(ids, pa.string())))
        for place in ("predictions", "embeddings"):
            path = self.folder / place / f"{name}.parquet"
            if path.exists() and (columns is None or set(columns) - set(table.column_names)):
                table = tables.left_join(table, _read(path))
        return table if columns is None else table.select(["id", *(name for name in columns if name != "id")])


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column of this type holds embeddings."""
    return bool(pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type))


def vector_columns(schema: pa.Schema) -> list[str]:
    """Names of the columns that hold embeddings."""
    return [column.name for column in schema if is_vector(column.type)]


def _split(rows: pa.Table, precision: pa.DataType) -> dict[str, pa.Table]:
    said = [name for name in rows.column_names if name in _PREDICTIONS]
    vectors = [name for name in vector_columns(rows.schema) if name not in said]
    split = {"examples": rows.drop_columns([*vectors, *said])}
    if said:
        split["predictions"] = rows.select(["id", *said])
    if vectors:
        split["embeddings"] = _embeddings(rows, vectors, precision)
    return split


def _embeddings(rows: pa.Table, vectors: Sequence[str], precision: pa.DataType) -> pa.Table:
    arrays, fields = [rows["id"]], [pa.field("id", pa.string())]
    for place, name in enumerate(vectors):
        array = _stored(rows[name].combine_chunks(), precision)
        arrays.append(array)
        fields.append(pa.field(name if place else "vector", array.type, metadata={"column": name}))
    return pa.table(arrays, schema=pa.schema(fields))


def _stored(vectors: pa.FixedSizeListArray, precision: pa.DataType) -> pa.FixedSizeListArray:
    """In the precision of the store; what float16 cannot hold stays float32."""
    values = vectors.flatten().to_numpy()
    if precision == pa.float16() and np.abs(values).max(initial=0) <= np.finfo(np.float16).max:
        values = values.astype(np.float16)
    return pa.FixedSizeListArray.from_arrays(pa.array(values), vectors.type.list_size)


def _read(path: Path) -> pa.Table:
    """A file of a segment, with vectors in float32 under their own names."""
    table = tables.read(path)
    for place, column in enumerate(table.schema):
        if is_vector(column.type):
            name = (column.metadata or {}).get(b"column", column.name.encode()).decode()
            values = table.column(place).combine_chunks().flatten().to_numpy().astype(np.float32)
            array = pa.FixedSizeListArray.from_arrays(pa.array(values), column.type.list_size)
            table = table.set_column(place, pa.field(name, array.type), array)
    return table


def _write(path: Path, table: pa.Table) -> None:
    """Write a table so that it survives a power cut: whole, flushed, and named in a folder that is flushed."""
    texts = [column.name for column in table.schema if not pa.types.is_nested(column.type)]
    with whole(path) as part:
        pq.write_table(table, part, compression="zstd", use_dictionary=texts, write_statistics=["id"])
        descriptor = os.open(part, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(path.parent)
