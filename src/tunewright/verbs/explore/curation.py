"""``pending``: changes that wait, are undone, redone, thrown away, and become a version of the dataset."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tunewright.data.allowed import require_allowed
from tunewright.data.applying import apply
from tunewright.data.edits import Keep, version_after
from tunewright.errors import ConflictError, EditError, did_you_mean
from tunewright.project import Project, open_dataset
from tunewright.verbs.explore.issue import counted
from tunewright.verbs.explore.pending import PendingChange, PendingLog, RowChange, Steps, keyed
from tunewright.verbs.explore.planning import Conflict, Plan, known, plan
from tunewright.verbs.results import Result
from tunewright.verbs.signing import author

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.data.dataset import Dataset

__all__ = ["Committed", "Pending", "PendingEdits", "pending"]

_FOLDER = "pending"
_NAMED = 3  # ids in a message
_LATEST = "look at the pending changes, then do it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending(Result):
    """The changes that wait for a version.

    Attributes:
        version: its name.
        head: the id it had when the first of the changes was made.
        revision: grows with every step; who names an older one has not seen the last.
        changes: in the order in which they were made.
        undo: steps that can be undone.
        redo: steps that can be redone.
        conflicts: rows that somebody else has changed since.
        idle: keys of changes of which nothing comes: another one has the last word on their rows, or these go, or are
            so already.
        test_rows: rows of the test split that would change.
    """

    version: str
    head: str
    revision: int
    changes: tuple[PendingChange, ...]
    undo: int
    redo: int
    conflicts: tuple[Conflict, ...]
    idle: tuple[str, ...]
    test_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed(Result):
    """The version that pending changes have become.

    Attributes:
        id: of the version.
        name: of the version.
        changes: pending ones that are in it, or were kept as decisions.
        idle: pending ones of which nothing came; they do not wait any more.
        edits: of the version, each of which gathers changes of one kind, author and reason.
        rows: in all splits.
        command: that trains it.
    """

    id: str
    name: str
    changes: int
    idle: int
    edits: int
    rows: int
    command: str


def pending(project: Project, version: str = "main") -> PendingEdits:
    """The pending changes of a version.

    Raises:
        EditError: if no version has this name.
    """
    return PendingEdits(project, version)


class PendingEdits:
    """The pending changes of one named version: every call reads what other processes have done."""

    def __init__(self, project: Project, version: str = "main") -> None:
        self._dataset = open_dataset(project)
        known_names = self._dataset.versions
        if version not in known_names:
            raise EditError(f"no version has the name {version!r}", fix=did_you_mean(version, known_names))
        self.version = version
        self._log = PendingLog(self._dataset.folder / _FOLDER / f"{version}.jsonl")

    def read(self) -> Pending:
        """How things are now."""
        return self._told(self._steps())

    def add(self, changes: Iterable[RowChange | Mapping[str, Any]], *, revision: int | None = None) -> Pending:
        """More changes, all or none, as one step.

        Args:
            changes: what is meant, as values or by the names of their fields.
            revision: the one that the author has seen; None: any.

        Raises:
            ConflictError: if there is a later revision, or a row has another label than its author saw.
            EditError: if a row is not there, or the dataset does not take such an edit.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        who = author()
        made = [keyed(one if isinstance(one, RowChange) else _change(one), author=who, when=now) for one in changes]
        if not made:
            raise EditError("expected a change or more, found none")
        with self._log.locked():
            steps = self._settled_steps(revision)
            head = self._dataset.resolve(self.version)
            self._require_fitting(steps, made, head)
            return self._told(self._log.append(steps, {"do": "add", "changes": list(map(asdict, made)), "head": head}))

    def undo(self, *, revision: int | None = None) -> Pending:
        """Take the last step back.

        Raises:
            ConflictError: if there is a later revision.
            EditError: if there is no step.
        """
        return self._step("undo", revision)

    def redo(self, *, revision: int | None = None) -> Pending:
        """Take the step again that was last undone.

        Raises:
            ConflictError: if there is a later revision.
            EditError: if there is none.
        """
        return self._step("redo", revision)

    def discard(self, keys: Sequence[str], *, revision: int | None = None) -> Pending:
        """Throw changes away, as one step that can be undone.

        Raises:
            ConflictError: if there is a later revision.
            EditError: if a key is that of no change.
        """
        with self._log.locked():
            steps = self._settled_steps(revision)
            unknown = set(keys) - {one.key for one in steps.now}
            if unknown or not keys:
                raise EditError(f"no pending change has the key {next(iter(unknown), '')!r}", fix=_LATEST)
            return self._told(self._log.append(steps, {"do": "discard", "keys": list(keys)}))

    def commit(
        self,
        *,
        name: str | None = None,
        reason: str = "",
        revision: int | None = None,
        skip: bool = False,
        allow_test: bool = False,
    ) -> Committed:
        """Make a version of the dataset of the changes, all or none; what was decided about suggestions is kept.

        Args:
            name: of a new version; None, or that of this one: its name moves on.
            reason: of the edits, beside that of each change.
            revision: the one that the author has seen; None: any.
            skip: leave rows that are in conflict pending, and commit the rest.
            allow_test: whether rows of the test split may change; models are then scored on both test sets.

        Raises:
            ConflictError: if there is a later revision, or a row was changed by somebody else and ``skip`` is False.
            EditError: if there is nothing to commit, the name is taken, or test rows change unasked.
        """
        name = name or self.version
        with self._log.locked():
            steps = self._settled_steps(revision)
            if name != self.version and name in self._dataset.versions:
                raise EditError(f"there is a version {name!r} already", fix="give the new one another name")
            while True:
                head = self._dataset.resolve(self.version)
                try:
                    return self._committed(steps, head, name, reason, skip=skip, allow_test=allow_test)
                except _Moved:  # somebody has edited the version in this moment
                    steps = self._log.read()

    def _committed(self, steps: Steps, head: str, name: str, reason: str, *, skip: bool, allow_test: bool) -> Committed:
        table = self._dataset.table(head)
        asked = plan(steps.now, known(table, steps.now), reason=reason)
        self._require_clear(asked, steps, skip=skip, allow_test=allow_test)
        made = head
        for edit in asked.edits:
            made = version_after(made, edit)
        if asked.edits:  # if a crash comes after the edits are kept, the changes are known to be in them
            line = {"do": "committing", "name": name, "version": made, "changes": list(map(asdict, asked.left))}
            steps = self._log.append(steps, line)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        reviews = [replace(one, version=head, time=one.time or now) for one in asked.reviews]
        try:
            self._dataset.apply(
                asked.edits,
                on=self.version,
                name=None if name == self.version else name,
                allow_test=allow_test,
                reviews=reviews,
                expecting=head,
            )
        except ConflictError as error:
            raise _Moved from error
        self._log.restart(steps, asked.left, head=self._dataset.resolve(self.version))
        return _told_of(self._dataset, name, asked, steps.now)

    def _require_clear(self, asked: Plan, steps: Steps, *, skip: bool, allow_test: bool) -> None:
        if asked.conflicts and not skip:
            raise _conflict(asked.conflicts, self._told(steps))
        if not asked.edits and not asked.reviews:
            raise EditError("there is nothing to commit", fix="change rows first: tunewright edit pending add")
        _require_rows_left(asked)
        if asked.test_rows and not allow_test:
            raise EditError(
                f"{counted(asked.test_rows, 'row')} of the test split would change, and scores before and after would not compare",
                fix="leave test rows out, or allow it (--allow-test, allow_test=True) and get both scores",
            )

    def _require_fitting(self, steps: Steps, made: Sequence[PendingChange], head: str) -> None:
        """Refuse changes that could not be committed, were they alone."""
        dataset, table = self._dataset, self._dataset.table(head)
        for change in made:
            _require_whole(change)
        rows = known(table, [*steps.now, *made])
        missing = [name for change in made for name in change.ids if name not in rows.rows]
        if missing:
            raise EditError(
                f"expected rows of version {self.version}, found {counted(len(missing), 'other row')}: {_first(missing)}",
                fix="name rows that it has",
            )
        stale = {one.key for one in made}
        found = [one for one in plan([*steps.now, *made], rows).conflicts if one.key in stale]
        if found:
            raise _conflict(found, self._told(steps))
        asked = plan(made, rows)
        _require_rows_left(asked)
        for edit in asked.edits:
            require_allowed(table, edit, fields=dataset.fields, label_names=dataset.label_names, allow_test=True)
            apply(table, edit, text=dataset.fields.text)

    def _step(self, which: str, revision: int | None) -> Pending:
        with self._log.locked():
            steps = self._settled_steps(revision)
            if not (steps.past if which == "undo" else steps.future):
                raise EditError(f"there is no step to {which}", fix=_LATEST)
            return self._told(self._log.append(steps, {"do": which}))

    def _settled_steps(self, revision: int | None) -> Steps:
        """The steps, from which another one may be made; the lock is held.

        Raises:
            ConflictError: if there is a later revision than the one that was seen.
        """
        steps, read = self._steps(), self._log.read()
        if revision is not None and revision != steps.revision:
            raise ConflictError(
                f"the pending changes of {self.version} have gone on: expected revision {steps.revision}, found {revision}",
                fix=_LATEST,
                state=self._told(steps),
            )
        return self._log.restart(read, steps.now, head=steps.head) if steps.revision != read.revision else steps

    def _steps(self) -> Steps:
        """The steps so far; after a commit that was cut off once its edits were kept, those that it leaves."""
        steps = self._log.read()
        match steps.committing:
            case {"name": name, "version": version, "changes": left} if self._has(name, version):
                head = self._dataset.resolve(self.version)
                return Steps().stepped({"do": "left", "changes": left, "head": head, "revision": steps.revision + 1})
        return steps

    def _has(self, name: str, version: str) -> bool:
        """Whether edits lead through a version to a name."""
        names = self._dataset.versions
        return name in names and version in {entry.version for entry in self._dataset.log(name)}

    def _told(self, steps: Steps) -> Pending:
        head = self._dataset.resolve(self.version)
        asked = plan(steps.now, known(_rows(self._dataset, head), steps.now)) if steps.now else None
        return Pending(
            version=self.version,
            head=steps.head if steps.now else head,
            revision=steps.revision,
            changes=steps.now,
            undo=len(steps.past),
            redo=len(steps.future),
            conflicts=asked.conflicts if asked else (),
            idle=asked.idle if asked else (),
            test_rows=asked.test_rows if asked else 0,
        )


class _Moved(Exception):  # noqa: N818 - no failure: what was planned is planned again
    """The version has another id than a moment before."""


_SEEN: dict[str, tuple[str, pa.Table]] = {}
_SEEING = threading.Lock()


def _rows(dataset: Dataset, version: str) -> pa.Table:
    """Id, split and label of a version; those of the last one are kept, for a version never changes."""
    place = str(dataset.folder)
    with _SEEING:
        kept = _SEEN.get(place)
        if kept is None or kept[0] != version:
            kept = _SEEN[place] = (version, dataset.table(version).select(["id", "split", "label"]))
        return kept[1]


def _change(fields: Mapping[str, Any]) -> RowChange:
    try:
        return RowChange(**fields)
    except TypeError as error:
        raise EditError(f"expected the fields of a change, found others ({error})") from error


def _require_whole(change: PendingChange) -> None:
    """Refuse a change that does not say what is meant."""
    if not change.ids:
        raise EditError(f"expected rows to {change.action}, found none")
    if change.action in {"relabel", "tag", "reject", "note"} and change.value is None:
        raise EditError(f"expected a value to {change.action}, found none", fix="give the label, tag or note")
    if (change.weight is None) is (change.action == "reweight"):
        raise EditError(f"expected a weight for reweight and nothing else, found {change.weight} for {change.action}")


def _require_rows_left(asked: Plan) -> None:
    if any(isinstance(edit, Keep) and not edit.ids for edit in asked.edits):
        raise EditError("expected training rows to keep, found none", fix="keep rows of the split train")


def _conflict(found: Sequence[Conflict], state: Pending) -> ConflictError:
    return ConflictError(
        f"somebody else has changed {counted(len(found), 'row')}: {_first([one.id for one in found])}",
        fix="discard these changes, make them again from what the rows are now, or commit the rest (--skip, skip=True)",
        state=state,
    )


def _first(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_NAMED]) + (", ..." if len(ids) > _NAMED else "")


def _told_of(dataset: Dataset, name: str, asked: Plan, changes: Sequence[PendingChange]) -> Committed:
    made = dataset.resolve(name)
    whole = {one.key: len(one.ids) for one in changes}
    waiting = sum(len(one.ids) == whole[one.key] for one in asked.left)
    return Committed(
        id=made,
        name=name,
        changes=len(changes) - len(asked.idle) - waiting,
        idle=len(asked.idle),
        edits=len(asked.edits),
        rows=dataset.table(made).num_rows,
        command=f"tunewright train --version {name}",
    )
