"""The catalogue of a monitor: what counts, in one SQLite file (WAL), where one transaction makes a segment count.

Several writers share the file; each owns its segments, its states and its panes, which are merged when they are read.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunewright.errors import MonitorError
from tunewright.truth import marks

__all__ = ["Catalogue", "Pane", "Saved", "Segment", "add_to_pane"]

_FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS writers (writer TEXT PRIMARY KEY, next INTEGER NOT NULL, made INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS segments (
    name TEXT PRIMARY KEY, writer TEXT NOT NULL, sequence INTEGER NOT NULL, rows INTEGER NOT NULL,
    labels INTEGER NOT NULL, newest REAL NOT NULL);
CREATE TABLE IF NOT EXISTS ids (id TEXT PRIMARY KEY, content INTEGER NOT NULL, segment TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS labels (id TEXT PRIMARY KEY, content INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS states (
    writer TEXT, name TEXT, fingerprint TEXT NOT NULL, since INTEGER NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (writer, name));
CREATE TABLE IF NOT EXISTS panes (
    writer TEXT, width INTEGER, start INTEGER, counts TEXT NOT NULL, PRIMARY KEY (writer, width, start));
CREATE TABLE IF NOT EXISTS steps (id TEXT PRIMARY KEY, step TEXT NOT NULL, run TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (
    id TEXT, reason TEXT, score REAL, PRIMARY KEY (id, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (time TEXT NOT NULL, writer TEXT NOT NULL, note TEXT NOT NULL);
"""
_VARIABLES = 500  # in one query


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment that counts: its name, the writer that owns it, rows and labels in it, newest time (POSIX seconds)."""

    name: str
    writer: str
    sequence: int
    rows: int
    labels: int
    newest: float


@dataclass(frozen=True, slots=True)
class Saved:
    """The state of one check of one writer, and the number of rows that this writer had seen when the check began."""

    name: str
    fingerprint: str
    since: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Pane:
    """Counts of ``width`` seconds from ``start`` (POSIX seconds)."""

    width: int
    start: int
    counts: Mapping[str, int]


class Catalogue:
    """The SQLite file; each change is one transaction."""

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        """Open or make the file.

        Args:
            path: of the file.
            writes: False reads it as it is now, whatever others write meanwhile, and changes nothing.

        Raises:
            MonitorError: if it is of another format, is no catalogue, or cannot be opened.
        """
        try:
            self._connection = _made(path) if writes else _snapshot(path)
            known = self.facts()
        except (sqlite3.DatabaseError, OSError) as error:
            raise MonitorError(
                f"expected a catalogue at {path} that can be {'written' if writes else 'read'}, found another ({error})",
                fix="look whether the folder may be written to and has room, or restore the file from a copy",
            ) from error
        found = known.get("format", _FORMAT)
        if found != _FORMAT:
            self.close()
            raise MonitorError(
                f"expected a catalogue of format {_FORMAT} in {path}, found {found}",
                fix="read it with the version of the library that wrote it",
            )
        self.is_new = "format" not in known
        if writes and self.is_new:
            self.tell(format=_FORMAT)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A block whose changes count together or not at all.

        Raises:
            MonitorError: if they could not be written, as on a full disk.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise MonitorError(f"the catalogue could not be written ({error})", fix="make room on the disk") from error

    def facts(self) -> dict[str, Any]:
        """JSON values by name, such as the schema of the rows."""
        return {name: json.loads(value) for name, value in self._connection.execute("SELECT name, value FROM facts")}

    def tell(self, **facts: Any) -> None:
        """Set facts."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                [(name, json.dumps(value)) for name, value in facts.items()],
            )

    def offset(self, writer: str) -> tuple[int, int]:
        """Number of the next segment of a writer, and how many ids it made."""
        found = self._connection.execute("SELECT next, made FROM writers WHERE writer = ?", (writer,)).fetchone()
        return found or (0, 0)

    def segments(self) -> list[Segment]:
        """Those that count, of all writers, by name."""
        query = "SELECT name, writer, sequence, rows, labels, newest FROM segments ORDER BY name"
        return [Segment(*row) for row in self._connection.execute(query)]

    def known(self, ids: Sequence[str]) -> dict[str, int]:
        """Of these ids, those with a committed row, and the hash of its content."""
        return dict(self._among("SELECT id, content FROM ids", ids))

    def labelled(self, ids: Sequence[str]) -> dict[str, int]:
        """Of these ids, those with a committed ground truth, and the hash of it."""
        return dict(self._among("SELECT id, content FROM labels", ids))

    def where(self, ids: Sequence[str]) -> dict[str, str]:
        """Of these ids, the segments that hold their rows."""
        return dict(self._among("SELECT id, segment FROM ids", ids))

    def saved(self, writer: str | None = None) -> list[tuple[str, Saved]]:
        """(writer, state) of every check, of one writer or of all."""
        query = "SELECT writer, name, fingerprint, since, state FROM states ORDER BY writer, name"
        found = [(row[0], Saved(*row[1:])) for row in self._connection.execute(query)]
        return [(owner, state) for owner, state in found if writer in (None, owner)]

    def panes(self, writer: str | None = None) -> list[tuple[str, Pane]]:
        """(writer, pane), oldest first, of one writer or of all."""
        query = "SELECT writer, width, start, counts FROM panes ORDER BY start, writer"
        found = [(row[0], Pane(row[1], row[2], json.loads(row[3]))) for row in self._connection.execute(query)]
        return [(owner, pane) for owner, pane in found if writer in (None, owner)]

    def replace_panes(self, writer: str, old: Iterable[Pane], new: Iterable[Pane]) -> None:
        """Give a writer other panes in place of some that it has."""
        with self.transaction() as connection:
            connection.executemany(
                "DELETE FROM panes WHERE writer = ? AND width = ? AND start = ?",
                [(writer, pane.width, pane.start) for pane in old],
            )
            for pane in new:
                add_to_pane(connection, writer, pane)

    def steps(self) -> dict[str, tuple[str, str]]:
        """By id of a collected row: how far it came, and the run that used it, or nothing."""
        return {id: (step, run) for id, step, run in self._connection.execute("SELECT id, step, run FROM steps")}

    def set_steps(self, ids: Iterable[str], step: str, run: str = "") -> None:
        """Say how far collected rows came."""
        with self.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO steps VALUES (?, ?, ?)", [(id, step, run) for id in ids])

    def marks(self) -> dict[str, dict[str, float | None]]:
        """By id of a row that was marked after it was logged: its reasons, each with a score or nothing."""
        return marks(self._connection)

    def mark(self, reason: str, scores: Mapping[str, float | None]) -> None:
        """Give rows, by id, one more reason; one that a row has already keeps its first score."""
        with self.transaction() as connection:
            rows = [(id, reason, score) for id, score in scores.items()]
            connection.executemany("INSERT OR IGNORE INTO marks VALUES (?, ?, ?)", rows)

    def note(self, time: str, writer: str, notes: Iterable[str]) -> None:
        """Keep sentences about what a reader of the figures must know; one that its writer said already is kept once."""
        query = "INSERT INTO notes SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM notes WHERE writer = ? AND note = ?)"
        with self.transaction() as connection:
            connection.executemany(query, [(time, writer, note, writer, note) for note in notes])

    def notes(self) -> list[str]:
        """Every note, oldest first."""
        return [row[0] for row in self._connection.execute("SELECT note FROM notes ORDER BY rowid")]

    def _among(self, query: str, ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
        for start in range(0, len(ids), _VARIABLES):
            some = ids[start : start + _VARIABLES]
            places = ", ".join("?" * len(some))
            yield from self._connection.execute(f"{query} WHERE id IN ({places})", some)


def _made(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_TABLES)
    return connection


def _snapshot(path: Path) -> sqlite3.Connection:
    """What is committed by now: a transaction that only reads."""
    uri = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN")
    return connection


def add_to_pane(connection: sqlite3.Connection, writer: str, pane: Pane) -> None:
    """Add counts to a pane of a writer, inside of a transaction."""
    key = (writer, pane.width, pane.start)
    query = "SELECT counts FROM panes WHERE writer = ? AND width = ? AND start = ?"
    found = connection.execute(query, key).fetchone()
    counts = Counter(json.loads(found[0]) if found else {})
    counts.update(pane.counts)
    connection.execute("INSERT OR REPLACE INTO panes VALUES (?, ?, ?, ?)", (*key, json.dumps(counts, sort_keys=True)))
