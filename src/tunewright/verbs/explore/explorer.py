"""What a page asks of a project: its runs, their points, rows and texts. Nothing here changes anything."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.errors import DataError, RunError
from tunewright.project import find_run
from tunewright.verbs.explore.snapshot import ColumnInfo, Layout, Snapshot, dynamics, etag, snapshot
from tunewright.verbs.explore.text_index import TextIndex
from tunewright.verbs.history import versions
from tunewright.verbs.look import RunSummary, runs
from tunewright.verbs.results import Result, encode
from tunewright.verbs.signing import author

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.project import Project

__all__ = ["Explorer", "Hits", "Located", "RowsAt", "RunInfo", "SeenAt", "VersionSummary", "Workspace"]

_KEPT = 4  # runs whose rows stay in memory
_CUT = 300  # characters of a text in a list of rows
MOST_ROWS = 500
"""Rows that one request may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSummary:
    """A named version: how many edits lead to it, and its rows in all splits."""

    id: str
    name: str
    edits: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace(Result):
    """A project: its runs, oldest first, its versions, who edits, and the run to open first."""

    project: str
    labels: tuple[str, ...]
    author: str
    runs: tuple[RunSummary, ...]
    versions: tuple[VersionSummary, ...]
    run: str | None
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo(Result):
    """One run: what its columns mean, where its points may lie, and what can be asked of its model.

    ``epochs`` are those whose dynamics were recorded; ``fields`` the texts that the model reads; ``methods`` the ways to
    explain a row, none without a model; ``notes`` what a reader should know.
    """

    id: str
    kind: str
    summary: RunSummary
    examples: int
    columns: tuple[ColumnInfo, ...]
    layouts: tuple[Layout, ...]
    epochs: int
    fields: tuple[str, ...]
    methods: tuple[str, ...]
    etag: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAt:
    """One row of a snapshot; texts are cut to 300 characters, lists are left out."""

    row: int
    id: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsAt(Result):
    """Rows in the order in which they were asked for."""

    rows: tuple[SeenAt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Located(Result):
    """Row numbers of ids; -1 where the run has none."""

    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits(Result):
    """Rows that hold what was searched for, ascending; ``total`` of them, of which these may be the first."""

    rows: tuple[int, ...]
    total: int
    ms: float


class Explorer:
    """Reads a project for people who look at it. Safe to use from several threads."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._lock = threading.RLock()
        self._shots: OrderedDict[str, Snapshot] = OrderedDict()
        self._indices: dict[str, TextIndex] = {}

    def workspace(self) -> Workspace:
        """The project as it is now."""
        known = runs(self.project).runs
        return Workspace(
            project=self.project.name,
            labels=self.project.task.labels,
            author=author(),
            runs=known,
            versions=tuple(
                VersionSummary(id=one.id, name=one.name, edits=len(one.changes), rows=sum(one.rows.values()))
                for one in versions(self.project).versions
            ),
            run=self._first(known),
        )

    def snapshot(self, run: str) -> Snapshot:
        """The rows of a run, read again when one of its tables changed.

        Raises:
            RunError: if there is no such run.
        """
        found = find_run(self.project, run)
        with self._lock:
            shot = self._shots.get(found.id)
            if shot is None or shot.etag != etag(found):
                shot = snapshot(self.project, found)
                self._indices.pop(found.id, None)
            self._shots[found.id] = shot
            self._shots.move_to_end(found.id)
            while len(self._shots) > _KEPT:
                self._indices.pop(self._shots.popitem(last=False)[0], None)
            return shot

    def run(self, run: str) -> RunInfo:
        """What a page must know of a run before it shows points."""
        shot = self.snapshot(run)
        summaries = {one.id: one for one in runs(self.project).runs}
        coverage = shot.run.meta.get("coverage") or ()
        return RunInfo(
            id=shot.run.id,
            kind=shot.run.kind,
            summary=summaries[shot.run.id],
            examples=shot.rows.num_rows,
            columns=tuple(shot.columns.values()),
            layouts=shot.layouts,
            epochs=len(coverage) if shot.run.has("dynamics") else 0,
            fields=self.project.task.text_fields,
            methods=(),
            etag=shot.etag,
            notes=(),
        )

    def points(self, run: str) -> pa.Table:
        """Positions, labels, split and loss of every row, see `Snapshot.encoded`."""
        return self.snapshot(run).base()

    def column(self, run: str, name: str) -> pa.Table:
        """One more column of every row."""
        return self.snapshot(run).encoded([name])

    def epochs(self, run: str) -> pa.Table:
        """Dynamics of every row, see `tunewright.verbs.explore.snapshot.dynamics`."""
        return dynamics(self.snapshot(run))

    def rows(self, run: str, at: Sequence[int]) -> RowsAt:
        """Rows by number.

        Raises:
            DataError: if one is beyond the rows of the run, or there are more than 500.
        """
        shot = self.snapshot(run)
        numbers = checked(shot, at)
        names = [name for name in shot.rows.column_names if name in shot.columns]
        found = shot.rows.select(names).take(numbers).to_pylist()
        return RowsAt(
            rows=tuple(
                SeenAt(row=row, id=values["id"], values=encode({name: _cut(value) for name, value in values.items()}))
                for row, values in zip(at, found, strict=True)
            )
        )

    def locate(self, run: str, ids: Sequence[str]) -> Located:
        """Row numbers of ids."""
        return Located(rows=tuple(self.snapshot(run).numbers(ids).tolist()))

    def search(self, run: str, query: str) -> Hits:
        """Rows whose texts hold all words of a query, see `TextIndex.search`."""
        index = self._index(self.snapshot(run))
        began = time.perf_counter()
        found = index.search(query)
        return Hits(rows=found.rows, total=found.total, ms=1000 * (time.perf_counter() - began))

    def _first(self, known: Sequence[RunSummary]) -> str | None:
        """The last training, or any run where there is none."""
        try:
            return find_run(self.project).id
        except RunError:
            return known[-1].id if known else None

    def _index(self, shot: Snapshot) -> TextIndex:
        with self._lock:
            there = self._indices.get(shot.run.id)
            if there is None:
                texts = [name for name, info in shot.columns.items() if info.kind == "text"]
                there = self._indices[shot.run.id] = TextIndex(shot.rows, texts)
            return there


def checked(shot: Snapshot, at: Sequence[int]) -> Any:
    """Row numbers as an array [n].

    Raises:
        DataError: if one is beyond the rows, or there are more than 500.
    """
    last = shot.rows.num_rows
    if len(at) > MOST_ROWS or any(not 0 <= row < last for row in at):
        raise DataError(f"expected at most {MOST_ROWS} row numbers from 0 to {last - 1}, found others", fix="ask again")
    return np.asarray(at, dtype=np.int64)


def _cut(value: Any) -> Any:
    return value[: _CUT - 1] + "…" if isinstance(value, str) and len(value) > _CUT else value
