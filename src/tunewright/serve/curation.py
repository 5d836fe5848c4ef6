"""The routes that change data: changes that wait, and the version that they become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response  # noqa: TC002  FastAPI reads it

from tunewright.serve.answers import Refusal, answer
from tunewright.verbs.explore.curation import Committed, Pending, PendingEdits
from tunewright.verbs.explore.pending import Action, RowChange

if TYPE_CHECKING:
    from tunewright.project import Project

__all__ = ["Asked", "Change", "Commit", "Discard", "More", "routes"]

Name = Annotated[str, Field(min_length=1, max_length=200)]
"""Of a version, a run, or a row."""

_Reason = Annotated[str, Field(max_length=2_000)]
_Ids = Annotated[list[Name], Field(min_length=1, max_length=500_000)]
_Revision = Annotated[int, Field(ge=0, le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which pending changes are meant, and the revision that the asker has seen."""

    version: Name
    revision: _Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is meant to be done with some rows, see `tunewright.verbs.explore.pending.RowChange`."""

    action: Action
    ids: _Ids
    value: Annotated[str | None, Field(max_length=20_000)] = None
    old: dict[str, str] | None = None
    weight: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    reason: _Reason = ""
    run: Annotated[str, Field(max_length=200)] = ""
    analysis: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class More(Asked):
    """Changes to add, as one step."""

    changes: Annotated[list[Change], Field(min_length=1, max_length=10_000)] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard(Asked):
    """Keys of changes to throw away."""

    keys: Annotated[list[Name], Field(min_length=1, max_length=100_000)] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(Asked):
    """The version to make; an empty name, or that of the version itself: its name moves on."""

    name: Annotated[str, Field(max_length=200)] = ""
    reason: _Reason = ""
    skip: bool = False
    allow_test: bool = False


@dataclass(frozen=True, slots=True)
class Gone(Refusal):
    """A refusal, and how things are now."""

    state: Pending | None


_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": Gone, "description": "Somebody else was faster: nothing was done."}
}


def routes(project: Project) -> APIRouter:
    """The routes about pending changes of a project."""
    router = APIRouter(prefix="/api", responses=_CONFLICT)

    def told(version: str, work: Callable[[PendingEdits], Pending | Committed]) -> Response:
        return answer(work(PendingEdits(project, version)).to_json())

    @router.get("/pending", response_model=Pending)
    def pending(version: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
        """The changes that wait for a version."""
        return told(version, PendingEdits.read)

    @router.post("/pending", response_model=Pending)
    def add(asked: More) -> Response:
        """Add changes, all or none, as one step."""
        changes = [RowChange(**{name: getattr(one, name) for name in Change.__slots__}) for one in asked.changes]
        return told(asked.version, lambda edits: edits.add(changes, revision=asked.revision))

    @router.post("/pending/undo", response_model=Pending)
    def undo(asked: Asked) -> Response:
        """Take the last step back."""
        return told(asked.version, lambda edits: edits.undo(revision=asked.revision))

    @router.post("/pending/redo", response_model=Pending)
    def redo(asked: Asked) -> Response:
        """Take the step again that was last undone."""
        return told(asked.version, lambda edits: edits.redo(revision=asked.revision))

    @router.post("/pending/discard", response_model=Pending)
    def discard(asked: Discard) -> Response:
        """Throw changes away, as one step."""
        return told(asked.version, lambda edits: edits.discard(asked.keys, revision=asked.revision))

    @router.post("/pending/commit", response_model=Committed)
    def commit(asked: Commit) -> Response:
        """Make a version of the changes."""
        how = {"name": asked.name or None, "reason": asked.reason, "skip": asked.skip, "allow_test": asked.allow_test}
        return told(asked.version, lambda edits: edits.commit(revision=asked.revision, **how))  # type: ignore[arg-type]

    return router
