"""From pending changes to a commit: what they come to, row by row, and what somebody else has changed since.

Pure functions of the changes and of the rows of one version. The last word on a row counts; a row that goes needs no
other edit; what is as it shall be already is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.allowed import GUARDED
from tunewright.data.edits import Drop, Edit, Evidence, Keep, Note, Relabel, Reweight, Tag
from tunewright.data.reviews import Review

if TYPE_CHECKING:
    from tunewright.verbs.explore.pending import PendingChange

__all__ = ["Conflict", "Known", "Plan", "known", "plan"]

_TRAIN = "train"  # the split that `keep` is about
_Name = TypeVar("_Name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A row that somebody changed since: the label that the author of a change saw, and the one it has now.

    ``now`` is None where the row is gone, or has no label any more.
    """

    key: str
    id: str
    seen: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What a version says of the rows that changes name: split and label by id; ``training`` are ids of that split."""

    rows: Mapping[str, tuple[str, str | None]]
    training: Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What changes come to.

    Attributes:
        edits: what is done, in order; each has one author, reason and origin.
        reviews: what was decided about suggestions; version and time are still to be filled in.
        conflicts: rows that are in none of these.
        left: the changes of these rows.
        idle: keys of changes of which nothing comes: another one has the last word on their rows, or these go, or are
            so already.
        test_rows: rows of the test split that the edits change.
    """

    edits: tuple[Edit, ...]
    reviews: tuple[Review, ...]
    conflicts: tuple[Conflict, ...]
    left: tuple[PendingChange, ...]
    idle: tuple[str, ...]
    test_rows: int


@dataclass(frozen=True, slots=True)
class _Net:
    """The last word on each row, and which change has it."""

    label: dict[str, PendingChange] = field(default_factory=dict)
    weight: dict[str, PendingChange] = field(default_factory=dict)
    tag: dict[tuple[str, str], PendingChange] = field(default_factory=dict)
    note: dict[str, PendingChange] = field(default_factory=dict)
    dropped: dict[str, PendingChange] = field(default_factory=dict)
    refused: dict[tuple[str, str | None], PendingChange] = field(default_factory=dict)
    keeps: list[PendingChange] = field(default_factory=list)


def known(table: pa.Table, changes: Iterable[PendingChange]) -> Known:
    """Split and label of every row that a change names.

    Args:
        table: columns id, split and label of the version.
        changes: whose rows are meant.
    """
    named = pa.array(dict.fromkeys(name for change in changes for name in change.ids), pa.string())
    ids = table["id"].combine_chunks()
    at = pc.drop_null(pc.index_in(named, value_set=ids))
    columns = (table[name].combine_chunks().take(at).to_pylist() for name in ("id", "split", "label"))
    rows = {name: (split, label) for name, split, label in zip(*columns, strict=True)}

    def training() -> list[str]:
        found: list[str] = ids.filter(pc.equal(table["split"].combine_chunks(), _TRAIN)).to_pylist()
        return found

    return Known(rows, training)


def plan(changes: Sequence[PendingChange], rows: Known, *, reason: str = "") -> Plan:
    """What changes come to in a version.

    Args:
        changes: in the order in which they were made.
        rows: of the version.
        reason: of the commit, beside that of each change.
    """
    net, conflicts = _Net(), list[Conflict]()
    for change in changes:
        stale = {one.id: one for one in _conflicts(change, rows.rows, net.label)}
        conflicts += stale.values()
        _take(net, change, [name for name in change.ids if name in rows.rows and name not in stale])
    kept = _kept(net, rows)
    going = set(net.dropped) if kept is None else {*net.dropped, *(set(rows.training()) - kept)}
    standing = _standing(net, rows.rows, going)
    edits = tuple(_edits(standing, rows.rows, kept, reason))
    busy = _busy(net, standing) | {one.key for one in conflicts}
    return Plan(
        edits=edits,
        reviews=tuple(_reviews(net, rows.rows)),
        conflicts=tuple(conflicts),
        left=tuple(_left(changes, conflicts)),
        idle=tuple(change.key for change in changes if change.key not in busy),
        test_rows=sum(rows.rows[name][0] == GUARDED for name in set(_changed(edits))),
    )


def _conflicts(
    change: PendingChange, rows: Mapping[str, tuple[str, str | None]], pending: Mapping[str, PendingChange]
) -> Iterator[Conflict]:
    """Rows of a change that are not as its author saw them; a row that is already as wanted is none."""
    seen = change.old or {}
    for name in change.ids:
        if name not in rows:
            if change.action not in {"drop", "keep", "reject"}:
                yield Conflict(key=change.key, id=name, seen=seen.get(name), now=None)
            continue
        now = rows[name][1]
        fine = {now, pending[name].value if name in pending else now}
        agreed = change.action == "relabel" and change.value == now
        if name in seen and seen[name] not in fine and not agreed:
            yield Conflict(key=change.key, id=name, seen=seen[name], now=now)


def _take(net: _Net, change: PendingChange, ids: Sequence[str]) -> None:
    match change.action:
        case "relabel":
            net.label.update(dict.fromkeys(ids, change))
        case "reweight":
            net.weight.update(dict.fromkeys(ids, change))
        case "note":
            net.note.update(dict.fromkeys(ids, change))
        case "tag":
            net.tag.update({(name, str(change.value)): change for name in ids})
        case "reject":
            net.refused.update({(name, change.value): change for name in ids})
        case "drop":
            net.dropped.update(dict.fromkeys(ids, change))
        case "keep":
            net.keeps.append(change)


def _kept(net: _Net, rows: Known) -> set[str] | None:
    """Training rows that every ``keep`` names; None where there is no such change."""
    if not net.keeps:
        return None
    named = set.intersection(*(set(change.ids) for change in net.keeps))
    return {name for name in named if name in rows.rows and rows.rows[name][0] == _TRAIN}


def _standing(net: _Net, rows: Mapping[str, tuple[str, str | None]], going: set[str]) -> _Net:
    """What is left to do: nothing else to rows that go, nor to labels that are so already."""
    return replace(
        net,
        label={
            name: change for name, change in net.label.items() if name not in going and change.value != rows[name][1]
        },
        weight={name: change for name, change in net.weight.items() if name not in going},
        tag={(name, tag): change for (name, tag), change in net.tag.items() if name not in going},
        note={name: change for name, change in net.note.items() if name not in going},
    )


def _busy(net: _Net, standing: _Net) -> set[str]:
    """Keys of changes of which something comes: an edit, or a decision about what a run suggested."""
    whole: tuple[Mapping[Any, PendingChange], ...] = (
        standing.label,
        standing.weight,
        standing.tag,
        standing.note,
        standing.dropped,
        standing.refused,
    )
    decided = {change.key for change in net.label.values() if change.run}
    return decided | {change.key for part in whole for change in part.values()} | {one.key for one in standing.keeps}


def _edits(net: _Net, rows: Mapping[str, tuple[str, str | None]], kept: set[str] | None, reason: str) -> Iterator[Edit]:
    for one, ids in _grouped(net.label):
        yield Relabel(changes=tuple((name, rows[name][1], net.label[name].value) for name in ids), **_why(one, reason))
    for one, ids in _grouped(net.weight):
        yield Reweight(weights=tuple((name, net.weight[name].weight or 0.0) for name in ids), **_why(one, reason))
    for tag in dict.fromkeys(tag for _, tag in net.tag):
        tagged = {name: change for (name, own), change in net.tag.items() if own == tag}
        for one, ids in _grouped(tagged):
            yield Tag(ids=tuple(ids), tag=tag, **_why(one, reason))
    for text in dict.fromkeys(change.value or "" for change in net.note.values()):
        for one, ids in _grouped({name: change for name, change in net.note.items() if (change.value or "") == text}):
            yield Note(ids=tuple(ids), text=text, **_why(one, reason))
    for one, ids in _grouped(net.dropped):
        yield Drop(ids=tuple(ids), **_why(one, reason))
    if kept is not None:
        left = [name for name in net.keeps[-1].ids if name in kept and name not in net.dropped]
        yield Keep(ids=tuple(left), split=_TRAIN, **_why(net.keeps[-1], reason))


def _grouped(changes: Mapping[_Name, PendingChange]) -> Iterator[tuple[PendingChange, list[_Name]]]:
    """Rows whose changes have one author, reason and origin; the first of the changes stands for all."""
    groups: dict[tuple[str, ...], tuple[PendingChange, list[_Name]]] = {}
    for name, change in changes.items():
        origin = (change.author, change.reason, change.run, change.analysis)
        groups.setdefault(origin, (change, []))[1].append(name)
    yield from groups.values()


def _why(change: PendingChange, reason: str) -> dict[str, Any]:
    told = "; ".join(dict.fromkeys(filter(None, (change.reason, reason))))
    evidence = Evidence(run=change.run, analysis=change.analysis, author=change.author, time=change.when)
    return {"reason": told, "evidence": evidence}


def _reviews(net: _Net, rows: Mapping[str, tuple[str, str | None]]) -> Iterator[Review]:
    """Decisions about what a run suggested."""
    for name, change in net.label.items():
        if change.run:
            yield _review(name, change, rows[name][1], "accept")
    for (name, _), change in net.refused.items():
        yield _review(name, change, rows[name][1], "reject")


def _review(name: str, change: PendingChange, label: str | None, decision: Any) -> Review:
    return Review(
        id=name,
        version="",
        decision=decision,
        run=change.run,
        label=label,
        suggested=change.value,
        author=change.author,
        time=change.when,
        note=change.reason,
    )


def _changed(edits: Iterable[Edit]) -> Iterator[str]:
    """Rows that are learnt from or scored in another way."""
    for edit in edits:
        match edit:
            case Drop(ids=ids):
                yield from ids
            case Relabel(changes=changes):
                yield from (name for name, _, _ in changes)
            case Reweight(weights=weights):
                yield from (name for name, _ in weights)


def _left(changes: Iterable[PendingChange], conflicts: Iterable[Conflict]) -> Iterator[PendingChange]:
    stale: dict[str, set[str]] = {}
    for one in conflicts:
        stale.setdefault(one.key, set()).add(one.id)
    for change in changes:
        if change.key in stale:
            yield replace(change, ids=tuple(name for name in change.ids if name in stale[change.key]))
