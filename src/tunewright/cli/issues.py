"""``tunewright issues``: what is wrong with a run's rows, worst first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, table

if TYPE_CHECKING:
    from tunewright.verbs.explore.issues import Issues

__all__ = ["issues"]


def issues(
    *,
    run: Annotated[str, typer.Argument(help="Run: its id or a part of it.")] = "last",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """List what is wrong with the rows of a run, worst first: labels, copies, leaks, slices, lints."""
    from tunewright import verbs

    found = verbs.issues(opened(project), run)
    as_json(found) if json else _say(found)


def _say(found: Issues) -> None:
    say(f"Run {found.run}", "")
    if found.issues:
        heads = ("severity", "rows", "issue", "why")
        table("", heads, ((one.severity, one.count, one.title, one.why) for one in found.issues))
    else:
        say("Nothing found in what is stored.")
    commands = dict.fromkeys(one.command for one in found.issues)
    say("", "To look closer, or to act:", *(f"  {command}" for command in commands)) if commands else None
    say(*(["", *found.notes] if found.notes else []))
