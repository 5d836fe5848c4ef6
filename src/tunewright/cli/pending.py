"""``edit pending``: changes that wait until they are committed, as the page of the explorer keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, table
from tunewright.cli.numbers import counted

if TYPE_CHECKING:
    from tunewright.verbs.explore.curation import Committed, Pending, PendingEdits

__all__ = ["pending"]

_WHY_IDLE = "a later one has the last word on its rows, or they go, or are so already"
_NAMED = 3  # ids in a cell


def pending(
    *,
    step: Annotated[str, typer.Argument(help="list, add, undo, redo, discard or commit.")] = "list",
    action: Annotated[
        str | None,
        typer.Argument(help="With add: relabel, drop, keep, reweight, tag, note or reject (a suggested label)."),
    ] = None,
    id: Annotated[list[str] | None, typer.Option(help="A row (repeatable).")] = None,
    value: Annotated[str | None, typer.Option(help="The new label, the refused one, the tag or the note.")] = None,
    weight: Annotated[float | None, typer.Option(help="Of reweighted rows; 0 does not count.", min=0)] = None,
    key: Annotated[list[str] | None, typer.Option(help="With discard: key of a change (repeatable).")] = None,
    on: Annotated[str, typer.Option(help="Name of the version.")] = "main",
    name: Annotated[str | None, typer.Option(help="Name of the new version; by default the old one's moves.")] = None,
    reason: Annotated[str, typer.Option(help="Why, in words; kept with the edit.")] = "",
    run: Annotated[str, typer.Option(help="Run that suggested the label: then it is accepted, and kept as such.")] = "",
    skip: Annotated[
        bool, typer.Option("--skip", help="Commit what can be, and leave rows that somebody else changed.")
    ] = False,
    allow_test: Annotated[
        bool, typer.Option("--allow-test", help="Let test rows change; scores are then shown on both test sets.")
    ] = False,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """List the changes that wait for a version, add one, undo, redo or discard it, or commit them all."""
    from tunewright import verbs
    from tunewright.project import find_run

    opened_project = opened(project)
    edits = verbs.pending(opened_project, on)
    made: Pending | Committed
    match step:
        case "list":
            made = edits.read()
        case "add":
            source = find_run(opened_project, run).id if run else ""
            made = _added(edits, action, id or [], value=value, weight=weight, reason=reason, run=source)
        case "undo":
            made = edits.undo()
        case "redo":
            made = edits.redo()
        case "discard":
            made = edits.discard(key or [])
        case "commit":
            made = edits.commit(name=name, reason=reason, skip=skip, allow_test=allow_test)
        case _:
            raise typer.BadParameter(f"expected list, add, undo, redo, discard or commit, found {step!r}")
    if json:
        as_json(made)
    elif step == "commit":
        _say_committed(made)  # type: ignore[arg-type]  # see the match
    else:
        _say_pending(made)  # type: ignore[arg-type]


def _added(
    edits: PendingEdits,
    action: str | None,
    ids: list[str],
    *,
    value: str | None,
    weight: float | None,
    reason: str,
    run: str,
) -> Pending:
    if action is None:
        raise typer.BadParameter("add what? relabel, drop, keep, reweight, tag, note or reject")
    change = {"action": action, "ids": ids, "value": value, "weight": weight, "reason": reason, "run": run}
    return edits.add([{**change, "analysis": "suspicion" if run else ""}])


def _say_pending(found: Pending) -> None:
    if not found.changes:
        say(f"Nothing waits for {found.version}." + (" The last step can be redone." if found.redo else ""))
        return
    stale = {(one.key, one.id) for one in found.conflicts}
    table(
        "",
        ("key", "change", "to", "rows", "author", "reason"),
        (
            (
                one.key,
                one.action,
                one.value if one.weight is None else f"{one.weight:g}",
                _rows(one.ids),
                one.author,
                one.reason,
            )
            for one in found.changes
        ),
    )
    say(f"{counted(found.undo, 'step')} can be undone, {found.redo} redone.")
    if stale:
        first = ", ".join(sorted({name for _, name in stale})[:_NAMED])
        say(
            f"{counted(len(stale), 'row')} changed by somebody else since: {first}. Discard these, or commit with --skip."
        )
    if found.idle:
        say(f"{counted(len(found.idle), 'change')} will come to nothing: {_WHY_IDLE}.")
    if found.test_rows:
        say(f"{counted(found.test_rows, 'test row')} would change: commit with --allow-test.")
    say(f"Next: tunewright edit pending commit --on {found.version} --reason '...'")


def _say_committed(made: Committed) -> None:
    gathered = f"{counted(made.changes, 'pending change')} as {counted(made.edits, 'edit')}"
    nothing = f" {counted(made.idle, 'change')} came to nothing: {_WHY_IDLE}." if made.idle else ""
    say(f"{made.name} is now {made.id}: {gathered}, {made.rows:,} rows.{nothing} Next: {made.command}")


def _rows(ids: tuple[str, ...]) -> str:
    first = ", ".join(ids[:_NAMED])
    return first if len(ids) <= _NAMED else f"{first} and {len(ids) - _NAMED:,} more"
