"""``versions`` and ``undo``: what was done to the data, by whom and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunewright.data.edits import size
from tunewright.project import Project, open_dataset
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.data.edits import Edit

__all__ = ["Change", "Undone", "Version", "Versions", "undo", "versions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One edit: what it does to how many rows, and where it comes from."""

    kind: str
    rows: int
    reason: str
    rule: str
    run: str
    author: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A named version: its id, its rows by split, and the edits that lead to it from the base, oldest first."""

    name: str
    id: str
    rows: Mapping[str, int]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions(Result):
    """The named versions of a dataset; between two of them, what is undone (latest first) and then applied."""

    dataset: str
    versions: tuple[Version, ...]
    undone: tuple[Change, ...] = ()
    applied: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone(Result):
    """A name and the versions it pointed to and points to now."""

    name: str
    before: str
    after: str


def versions(project: Project, *, between: tuple[str, str] | None = None) -> Versions:
    """The named versions of the dataset and the edits behind them.

    Args:
        project: whose dataset it is.
        between: also the edits that lead from the first of these versions to the second.

    Raises:
        EditError: if there is no such version.
    """
    dataset = open_dataset(project)
    found = tuple(
        Version(
            name=name,
            id=version,
            rows=dataset.describe(version)["rows"],
            changes=tuple(_change(entry.edit) for entry in dataset.log(version)),
        )
        for name, version in dataset.versions.items()
    )
    if between is None:
        return Versions(dataset=dataset.name, versions=found)
    difference = dataset.diff(*between)
    return Versions(
        dataset=dataset.name,
        versions=found,
        undone=tuple(map(_change, difference.undone)),
        applied=tuple(map(_change, difference.applied)),
    )


def undo(project: Project, name: str = "main", *, steps: int = 1) -> Undone:
    """Move the name of a version back by so many edits; nothing is lost, and ids stay what they are.

    Raises:
        EditError: if there is no such name, or it has fewer edits.
    """
    dataset = open_dataset(project)
    before = dataset.resolve(name)
    return Undone(name=name, before=before, after=dataset.undo(name, steps=steps))


def _change(edit: Edit) -> Change:
    evidence = edit.evidence
    return Change(
        kind=type(edit).__name__,
        rows=size(edit),
        reason=edit.reason,
        rule=evidence.rule,
        run=evidence.run,
        author=evidence.author,
        time=evidence.time,
    )
