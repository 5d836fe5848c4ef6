"""``versions``, ``edit_log``, ``edit_diff`` and ``edit_undo``: what was done to the data, by whom and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from tunewright.data.edits import size
from tunewright.data.provenance import changes
from tunewright.errors import DataError, did_you_mean
from tunewright.project import Project, open_dataset
from tunewright.verbs.lineage import learnt_by
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.data.dataset import Dataset
    from tunewright.data.edits import Edit

__all__ = [
    "Change",
    "EditDiff",
    "EditLog",
    "LabelCount",
    "NetDifference",
    "Undone",
    "Version",
    "Versions",
    "edit_diff",
    "edit_log",
    "edit_undo",
    "net_difference",
    "told",
    "versions",
    "versions_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One edit: what it does to how many rows, where it comes from, and the version it made, if that is known."""

    kind: str
    rows: int
    reason: str
    rule: str
    run: str
    author: str
    time: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A named version: its id, its rows by split, its recipes of synthetic rows, and the edits that lead to it."""

    name: str
    id: str
    rows: Mapping[str, int]
    recipes: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions(Result):
    """The named versions of a dataset, with their edits, oldest first."""

    dataset: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditLog(Result):
    """The edits that lead to a version, oldest first; of one row, those that touched it and what people decided.

    ``provenance`` has the columns of `Dataset.provenance`, ``reviews`` those of `Dataset.reviews`; None without an id.
    ``runs`` are those that learnt from the row, if an edit added it.
    """

    version: str
    id: str | None
    changes: tuple[Change, ...]
    provenance: pa.Table | None
    reviews: pa.Table | None
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCount:
    """How many rows of a split have a label (None: no label) before and after."""

    split: str
    label: str | None
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetDifference:
    """In what two states of the rows differ, whatever edits lie between them.

    ``counts`` are rows by what happened: ``dropped``, ``added``, and ``changed`` with the name of the field. ``labels``
    are those whose number differs; none where labels are open. ``recipes`` are how many synthetic rows there are before
    and after. ``rows`` are columns id, kind, field, old, new, and the texts of the row.
    """

    counts: Mapping[str, int]
    labels: tuple[LabelCount, ...]
    recipes: tuple[int, int]
    rows: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class EditDiff(Result):
    """Two versions by their ids, the edits between them (undone, latest first; then applied), and what differs."""

    a: str
    b: str
    undone: tuple[Change, ...]
    applied: tuple[Change, ...]
    net: NetDifference


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone(Result):
    """A name and the versions it pointed to and points to now."""

    name: str
    before: str
    after: str


def versions(project: Project) -> Versions:
    """The named versions of the dataset and the edits behind them."""
    return versions_of(open_dataset(project))


def versions_of(dataset: Dataset) -> Versions:
    """The same of a dataset that is open."""
    found = tuple(
        Version(
            name=name,
            id=version,
            rows=dataset.describe(version)["rows"],
            recipes=dataset.recipes(version).num_rows,
            changes=tuple(told(entry.edit, entry.version) for entry in dataset.log(version)),
        )
        for name, version in dataset.versions.items()
    )
    return Versions(dataset=dataset.name, versions=found)


def edit_log(project: Project, version: str = "main", *, id: str | None = None) -> EditLog:
    """The edits that lead to a version, or what became of one row on the way.

    Args:
        project: whose dataset it is.
        version: name or id.
        id: of a row, also one that was dropped; or of a recipe.

    Raises:
        EditError: if there is no such version.
        DataError: if no row of the base was ever called so, and no edit made one.
    """
    dataset = open_dataset(project)
    entries = dataset.log(version)
    log = EditLog(
        version=dataset.resolve(version),
        id=id,
        changes=tuple(told(entry.edit, entry.version) for entry in entries),
        provenance=None if id is None else _of(dataset.provenance(version), id),
        reviews=None if id is None else _of(dataset.reviews(), id),
    )
    if log.provenance is not None and log.provenance.num_rows == 0:
        known = dataset.table("base")["id"].to_pylist()
        if id not in set(known):
            raise DataError(f"no row is called {id!r}", fix=did_you_mean(str(id), known))
    was_added = log.provenance is not None and "Add" in log.provenance["kind"].to_pylist()
    return replace(log, runs=learnt_by(project, str(id))) if was_added else log


def edit_diff(project: Project, a: str, b: str) -> EditDiff:
    """In what version ``b`` differs from ``a``: rows, labels, and the edits that lead from one to the other.

    Raises:
        EditError: if there is no such version.
    """
    dataset = open_dataset(project)
    way = dataset.diff(a, b)
    before, after = (dataset.recipes(version).num_rows for version in (a, b))
    return EditDiff(
        a=dataset.resolve(a),
        b=dataset.resolve(b),
        undone=tuple(map(told, way.undone)),
        applied=tuple(map(told, way.applied)),
        net=net_difference(dataset, dataset.table(a), dataset.table(b), recipes=(before, after)),
    )


def edit_undo(project: Project, name: str = "main", *, steps: int = 1) -> Undone:
    """Move the name of a version back by so many edits; nothing is lost, and ids stay what they are.

    Raises:
        EditError: if there is no such name, or it has fewer edits.
    """
    dataset = open_dataset(project)
    before = dataset.resolve(name)
    return Undone(name=name, before=before, after=dataset.undo(name, steps=steps))


def told(edit: Edit, version: str = "") -> Change:
    """An edit as people read it."""
    evidence = edit.evidence
    return Change(
        kind=type(edit).__name__,
        rows=size(edit),
        reason=edit.reason,
        rule=evidence.rule,
        run=evidence.run,
        author=evidence.author,
        time=evidence.time,
        version=version,
    )


def net_difference(
    dataset: Dataset, before: pa.Table, after: pa.Table, *, recipes: tuple[int, int] = (0, 0)
) -> NetDifference:
    """In what two states of a dataset's rows differ."""
    found = changes(before, after)
    kinds = zip(found["kind"].to_pylist(), found["field"].to_pylist(), strict=True)
    counts = Counter(f"{kind} {field}" if kind == "changed" else kind for kind, field in kinds)
    for field in dataset.fields.text:
        found = found.append_column(field, _texts(found["id"], field, before, after))
    return NetDifference(counts=dict(counts), labels=_labels(dataset, before, after), recipes=recipes, rows=found)


def _labels(dataset: Dataset, before: pa.Table, after: pa.Table) -> tuple[LabelCount, ...]:
    if not dataset.label_names:
        return ()
    first, second = (
        Counter(zip(table["split"].to_pylist(), table["label"].to_pylist(), strict=True)) for table in (before, after)
    )
    names = {name: place for place, name in enumerate((*dataset.label_names, None))}
    splits = {split: place for place, split in enumerate(dict.fromkeys(split for split, _ in (*first, *second)))}
    differing = [pair for pair in {*first, *second} if first[pair] != second[pair]]
    ordered = sorted(differing, key=lambda pair: (splits[pair[0]], names[pair[1]]))
    return tuple(
        LabelCount(split=split, label=label, before=first[split, label], after=second[split, label])
        for split, label in ordered
    )


def _texts(ids: pa.ChunkedArray, field: str, before: pa.Table, after: pa.Table) -> pa.ChunkedArray:
    """A text of each row: what it is now, or was before it went."""
    now, then = (
        table[field].combine_chunks().take(pc.index_in(ids.combine_chunks(), value_set=table["id"].combine_chunks()))
        for table in (after, before)
    )
    return pc.coalesce(now, then)


def _of(table: pa.Table, id: str) -> pa.Table:
    return table.filter(pc.equal(table["id"], id))
