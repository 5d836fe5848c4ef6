"""Pending changes: what people mean to do with rows, kept in a file until it is committed, undone or thrown away.

<dataset folder>/pending/<version>.jsonl    what was done, one step a line; see `PendingLog`
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from tunewright.data.lines import appending, numbered
from tunewright.errors import EditError, did_you_mean
from tunewright.files import claimed, whole

__all__ = ["ACTIONS", "Action", "PendingChange", "PendingLog", "RowChange", "Steps"]

Action = Literal["relabel", "drop", "keep", "reweight", "tag", "note", "reject"]
ACTIONS: tuple[Action, ...] = get_args(Action)
"""What can be meant: another label, no more of the rows, of the training rows only these, another weight, a tag more,
another note, and not the label that was suggested."""

_KEPT_STEPS = 1_000
"""Steps that can be undone; those before stay done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """What one person means to do with some rows.

    Attributes:
        ids: of the rows.
        value: new label, refused label (reject), tag or note; None for the rest.
        old: label that the author saw, by id; another one by now is a conflict.
        weight: for reweight.
        reason: in words.
        run: that suggested it; empty: nobody did.
        analysis: that found the rows, such as ``suspicion``.
    """

    action: Action
    ids: tuple[str, ...]
    value: str | None = None
    old: Mapping[str, str] | None = None
    weight: float | None = None
    reason: str = ""
    run: str = ""
    analysis: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(map(str, self.ids)))
        if self.action not in ACTIONS:
            raise EditError(f"{self.action!r} is no action", fix=did_you_mean(str(self.action), ACTIONS))


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange(RowChange):
    """A change that waits: its key, and who wanted it when (ISO 8601)."""

    key: str
    author: str
    when: str


_Changes = tuple[PendingChange, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """What a log says: the changes that wait now, and those of the steps that can be undone and redone.

    ``head`` is the id that the version had when the first of the changes came; ``revision`` grows with each line.
    ``committing`` are, if the last line is the beginning of a commit, the versions that it makes.
    """

    revision: int = 0
    head: str = ""
    now: _Changes = ()
    past: tuple[_Changes, ...] = ()
    future: tuple[_Changes, ...] = ()
    committing: Mapping[str, Any] = field(default_factory=dict)

    def stepped(self, line: Mapping[str, Any]) -> Steps:  # noqa: PLR0911  one per kind of step
        """After one more line."""
        after = replace(self, revision=int(line.get("revision", self.revision + 1)), committing={})
        match line:
            case {"do": "add", "changes": changes, "head": head}:
                made = tuple(PendingChange(**change) for change in changes)
                return _done(after, (*self.now, *made), head=self.head if self.now else head)
            case {"do": "discard", "keys": keys}:
                return _done(after, tuple(one for one in self.now if one.key not in set(keys)))
            case {"do": "undo"} if self.past:
                return replace(after, now=self.past[-1], past=self.past[:-1], future=(*self.future, self.now))
            case {"do": "redo"} if self.future:
                return replace(after, now=self.future[-1], past=(*self.past, self.now), future=self.future[:-1])
            case {"do": "committing"}:
                return replace(after, committing=line)
            case {"do": "left", "changes": changes, "head": head}:
                made = tuple(PendingChange(**change) for change in changes)
                return Steps(revision=after.revision, head=head, now=made)
        return after


def _done(after: Steps, now: _Changes, *, head: str | None = None) -> Steps:
    past = (*after.past, after.now)[-_KEPT_STEPS:]
    return replace(after, now=now, past=past, future=(), head=after.head if head is None else head)


class PendingLog:
    """The file of one version. It only grows, but for a commit, which replaces it as a whole.

    Whoever writes holds a lock beside it, so two processes cannot lose each other's steps, and a line that a crash has
    torn counts for nothing. Steps that are read are whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Steps:
        """The steps so far."""
        steps = Steps()
        for _, line in numbered(self.path):
            if line is not None:
                steps = steps.stepped(line)
        return steps

    def locked(self) -> Any:
        """A context in which nobody else writes."""
        self.path.parent.mkdir(exist_ok=True)
        return claimed(self.path.with_suffix(".lock"), wait=True)

    def append(self, steps: Steps, line: Mapping[str, Any]) -> Steps:
        """One line more; the lock is held."""
        written = {**line, "revision": steps.revision + 1}
        with appending(self.path) as lines:
            lines.append(written)
        return steps.stepped(written)

    def restart(self, steps: Steps, left: Sequence[PendingChange], *, head: str) -> Steps:
        """Begin again with the changes that are left, which cannot be undone; the lock is held."""
        line = {"do": "left", "changes": list(map(asdict, left)), "head": head, "revision": steps.revision + 1}
        with whole(self.path) as part, appending(part) as lines:
            lines.append(line)
        return Steps().stepped(line)


def keyed(change: RowChange, *, author: str, when: str) -> PendingChange:
    """A change as it waits."""
    return PendingChange(**asdict(change), key=secrets.token_hex(6), author=author, when=when)
