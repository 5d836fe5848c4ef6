"""What a page is told of a project: runs, rows, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunewright.verbs.explore.snapshot import ColumnInfo, Layout
from tunewright.verbs.look import RunSummary
from tunewright.verbs.results import Result

__all__ = ["Hits", "Located", "RowsAt", "RunInfo", "SeenAt", "VersionSummary", "Workspace"]


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
    explain a row, none without a model; ``reference`` the rows of the reference that lie on the map of production;
    ``notes`` what a reader should know.
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
    reference: int
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
