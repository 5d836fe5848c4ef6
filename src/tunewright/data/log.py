"""The append-only log of a dataset: which edit made which version, and which name points where.

One JSON object per line: ``{"version", "parent", "edit"}`` or ``{"name", "version"}``. A name points at the version of
the last line that names it. A line is written whole or, after a crash, torn; torn lines are skipped and reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunewright.data.edits import Edit, from_json, to_json, version_after
from tunewright.data.lines import Line, appending, numbered
from tunewright.errors import DataError, EditError, did_you_mean

__all__ = ["Difference", "Entry", "History", "Log", "edit_line", "name_line"]


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
        return _history(numbered(self.path), self.base, self.path.name)

    @contextmanager
    def appending(self) -> Iterator[tuple[History, list[Line]]]:
        """The history and a list to put lines in; they are appended at the end, together, if nothing was raised."""
        with appending(self.path) as lines:
            yield self.read(), lines


def edit_line(entry: Entry) -> Line:
    """The line of a new version."""
    return {"version": entry.version, "parent": entry.parent, "edit": to_json(entry.edit)}


def name_line(name: str, version: str) -> Line:
    """The line that makes a name point at a version."""
    return {"name": name, "version": version}


def _history(lines: Iterable[tuple[int, Line | None]], base: str, name: str) -> History:
    entries: dict[str, Entry] = {}
    names = {"base": base, "main": base}
    torn = []
    for number, line in lines:
        if line is None or not _is_whole(line):
            torn.append(number)
        elif "edit" in line:
            entry = _entry(line, {base, *entries}, f"{name} line {number}")
            entries.setdefault(entry.version, entry)
        elif line["version"] not in entries and line["version"] != base:
            raise _changed(f"{name} line {number}", f"a name for the unknown version {line['version']}")
        else:
            names[line["name"]] = line["version"]
    return History(base, entries, names, tuple(torn))


def _is_whole(line: Line) -> bool:
    return {"version", "parent", "edit"} <= line.keys() or {"name", "version"} <= line.keys()


def _entry(line: Line, known: set[str], where: str) -> Entry:
    entry = Entry(line["version"], line["parent"], from_json(line["edit"]))
    if entry.parent not in known:
        raise _changed(where, f"an edit of the unknown version {entry.parent}")
    if version_after(entry.parent, entry.edit) != entry.version:
        raise _changed(where, "an edit that is not the one its version was made by")
    return entry


def _changed(where: str, found: str) -> DataError:
    return DataError(f"expected a log that only grew, found {found} in {where}", fix="restore the file from a copy")
