"""The append-only log of a dataset: which edit made which version, and which name points where.

One JSON object per line: ``{"version", "parent", "edit"}`` or ``{"name", "version"}``. A name points at the version of
the last line that names it. A line is written whole or, after a crash, torn; torn lines are skipped and reported.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunewright.data.edits import Edit, from_json, to_json, version_after
from tunewright.errors import DataError, EditError, did_you_mean

__all__ = ["Difference", "Entry", "History", "Log", "edit_line", "name_line"]

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One version: its id, the version it was made from, and the edit that made it."""

    version: str
    parent: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class Difference:
    """The way from one version to another: edits undone (latest first), then edits applied (in order)."""

    undone: tuple[Edit, ...]
    applied: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What a log says: versions by id (all but the base), names, and the numbers of torn lines."""

    base: str
    entries: Mapping[str, Entry]
    names: Mapping[str, str]
    torn: tuple[int, ...]

    def resolve(self, name: str) -> str:
        """The version id behind a name or an id.

        Raises:
            EditError: if there is no such version.
        """
        if name in self.names:
            return self.names[name]
        if name == self.base or name in self.entries:
            return name
        raise EditError(f"no version is called {name!r}", fix=did_you_mean(name, self.names))

    def path(self, version: str) -> list[Entry]:
        """The entries from the base to a version, oldest first."""
        found = []
        while version != self.base:
            found.append(self.entries[version])
            version = self.entries[version].parent
        return found[::-1]

    def between(self, a: str, b: str) -> Difference:
        """The way from version id ``a`` to ``b`` through the last version they have in common."""
        first, second = self.path(a), self.path(b)
        shared = sum(1 for left, right in zip(first, second, strict=False) if left.version == right.version)
        undone = tuple(entry.edit for entry in reversed(first[shared:]))
        return Difference(undone, tuple(entry.edit for entry in second[shared:]))


class Log:
    """The file; whoever appends holds its lock, so two processes cannot lose each other's edits."""

    def __init__(self, path: Path, base: str) -> None:
        self.path = path
        self.base = base

    def read(self) -> History:
        """The history so far.

        Raises:
            DataError: if a line was changed after it was written.
        """
        return _history(self.path.read_bytes() if self.path.exists() else b"", self.base, self.path.name)

    @contextmanager
    def appending(self) -> Iterator[tuple[History, list[Line]]]:
        """The history and a list to put lines in; they are appended at the end, together, if nothing was raised."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            lines: list[Line] = []
            yield self.read(), lines
            if lines:
                _append(descriptor, lines)
        finally:
            os.close(descriptor)  # gives the lock back


def edit_line(entry: Entry) -> Line:
    """The line of a new version."""
    return {"version": entry.version, "parent": entry.parent, "edit": to_json(entry.edit)}


def name_line(name: str, version: str) -> Line:
    """The line that makes a name point at a version."""
    return {"name": name, "version": version}


def _append(descriptor: int, lines: Sequence[Line]) -> None:
    written = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines).encode()
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        written = b"\n" + written  # what a crash has torn stays a line of its own
    while written:
        written = written[os.write(descriptor, written) :]
    os.fsync(descriptor)


def _history(data: bytes, base: str, name: str) -> History:
    entries: dict[str, Entry] = {}
    names = {"base": base, "main": base}
    torn = []
    for number, raw in enumerate(data.split(b"\n"), start=1):
        if not raw.strip():
            continue
        line = _line(raw)
        if line is None:
            torn.append(number)
        elif "edit" in line:
            entry = _entry(line, {base, *entries}, f"{name} line {number}")
            entries.setdefault(entry.version, entry)
        elif line["version"] not in entries and line["version"] != base:
            raise _changed(f"{name} line {number}", f"a name for the unknown version {line['version']}")
        else:
            names[line["name"]] = line["version"]
    return History(base, entries, names, tuple(torn))


def _line(raw: bytes) -> Line | None:
    """The object of a line; None when it is torn: the beginning of an object is never a whole one."""
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    whole = isinstance(line, dict) and (
        {"version", "parent", "edit"} <= line.keys() or {"name", "version"} <= line.keys()
    )
    return line if whole else None


def _entry(line: Line, known: set[str], where: str) -> Entry:
    entry = Entry(line["version"], line["parent"], from_json(line["edit"]))
    if entry.parent not in known:
        raise _changed(where, f"an edit of the unknown version {entry.parent}")
    if version_after(entry.parent, entry.edit) != entry.version:
        raise _changed(where, "an edit that is not the one its version was made by")
    return entry


def _changed(where: str, found: str) -> DataError:
    return DataError(f"expected a log that only grew, found {found} in {where}", fix="restore the file from a copy")
