"""The group ``edit``: apply, pending, log, diff, undo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunewright.cli.app import AsJson, Folder, Group, as_json, guarded, opened, say, table
from tunewright.cli.numbers import counted
from tunewright.cli.pending import pending

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tunewright.verbs.history import Change, EditLog, NetDifference

__all__ = ["edit", "listed", "sentence"]

edit = typer.Typer(
    name="edit", cls=Group, help="Change the data: relabel, drop, reweight, and look up or undo what was done."
)

Rows = Annotated[int, typer.Option(help="How many of the rows to list.", min=0)]


def apply(
    *,
    file: Annotated[Path | None, typer.Argument(help="A reviewed list: CSV with the columns id and decision.")] = None,
    suspects: Annotated[str | None, typer.Option(help="The most suspicious training rows: top:200, or top:5%.")] = None,
    rule: Annotated[
        str | None, typer.Option(help="A condition over the rows and the run's columns: 'suspicion > 0.95'.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="relabel, drop, reweight or keep; suspects are relabelled if left out.")
    ] = None,
    weight: Annotated[
        float | None, typer.Option(help="Of reweighted rows, and needed for them; 0 does not count.", min=0)
    ] = None,
    run: Annotated[str, typer.Option(help="Run whose columns are meant: its id or a part of it.")] = "last",
    on: Annotated[str, typer.Option(help="Version to edit: name or id.")] = "main",
    name: Annotated[str | None, typer.Option(help="Name of the new version; by default the old one's moves.")] = None,
    reason: Annotated[str, typer.Option(help="Why, in words; kept with the edit.")] = "",
    allow_test: Annotated[
        bool, typer.Option("--allow-test", help="Let test rows change; scores are then shown on both test sets.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    rows: Rows = 10,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Relabel, drop, reweight or keep rows: of a reviewed list, the most suspicious, or those a rule finds."""
    from tunewright import verbs

    made = verbs.edit(
        opened(project),
        file,
        suspects=suspects,
        rule=rule,
        action=action,  # type: ignore[arg-type]  # an unknown one is refused with the known ones
        weight=weight,
        run=None if run == "last" else run,
        on=on,
        name=name,
        reason=reason,
        allow_test=allow_test,
        dry_run=dry_run,
    )
    if json:
        as_json(made)
        return
    _say_net(made.net, most=rows)
    say("", *(sentence(change) for change in made.changes))
    if made.outdated:
        say(f"{counted(made.outdated, 'row')} left out: their label is another than the run knew.")
    if made.test_rows:
        say("Test rows change: evaluate and compare show every score on the original and on the edited test set.")
    if not made.written:
        say("Nothing was written (--dry-run).")
        return
    if made.reviews:
        say(f"{counted(made.reviews, 'decision')} kept.")
    if made.version == made.parent:
        say(f"{made.name} stays {made.version}: no row changes.")
    else:
        say(f"{made.name} is now {made.version}. Next: tunewright train --version {made.name}")


def log(
    *,
    version: Annotated[str, typer.Argument(help="Version: name or id.")] = "main",
    id: Annotated[str | None, typer.Option(help="Of a row: what became of it, also if it was dropped.")] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """List the edits that lead to a version: who, when, why, how many rows; or all that happened to one row."""
    from tunewright import verbs

    found = verbs.edit_log(opened(project), version, id=id)
    if json:
        as_json(found)
    elif id is None:
        _say_edits(found.changes)
    else:
        _say_row(found)


def diff(
    *,
    version_a: Annotated[str, typer.Argument(help="Version: name or id.")],
    version_b: Annotated[str, typer.Argument(help="Version to set against it.")],
    rows: Rows = 20,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Show in what two versions differ: rows by kind of change, labels before and after, and the rows themselves."""
    from tunewright import verbs

    found = verbs.edit_diff(opened(project), version_a, version_b)
    if json:
        as_json(found)
        return
    say(f"{version_a} ({found.a}) -> {version_b} ({found.b})")
    say(*(f"undone: {sentence(change)}" for change in found.undone))
    say(*(f"applied: {sentence(change)}" for change in found.applied), "")
    _say_net(found.net, most=rows)


def undo(
    *,
    name: Annotated[str, typer.Argument(help="Name of the version.")] = "main",
    steps: Annotated[int, typer.Option(help="How many edits to go back.", min=1)] = 1,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Move the name of a version back to before its last edit; nothing is lost."""
    from tunewright import verbs

    undone = verbs.edit_undo(opened(project), name, steps=steps)
    if json:
        as_json(undone)
    else:
        say(f"{undone.name} is now {undone.after}; it was {undone.before}, which that id still names.")


for _command in (apply, pending, log, diff, undo):
    edit.command()(guarded(_command))


def sentence(change: Change) -> str:
    """What an edit does to how many rows, and why.

    >>> from tunewright.verbs.history import Change
    >>> sentence(Change(kind="Drop", rows=2, reason="", rule="words < 3", run="", author="", time=""))
    'Drop 2 rows: words < 3'
    """
    said = "; ".join(filter(None, (change.rule, change.reason)))
    return f"{change.kind} {counted(change.rows, 'row')}" + (f": {said}" if said else "")


def listed(changes: Iterable[Change]) -> str:
    """Edits in one line."""
    return "; ".join(map(sentence, changes))


def _say_edits(changes: Sequence[Change]) -> None:
    heads = ("version", "edit", "rows", "rule", "reason", "run", "author", "time")
    found = [tuple(getattr(one, name) for name in ("version", "kind", *heads[2:])) for one in changes]
    if found:
        table("", heads, found)
    else:
        say("No edits: the rows are as they were imported.")


def _say_row(found: EditLog) -> None:
    edits = found.provenance.to_pylist() if found.provenance is not None else []
    reviews = found.reviews.to_pylist() if found.reviews is not None else []
    if edits:
        heads = ("kind", "field", "old", "new", "rule", "reason", "run", "author", "time")
        table("", ("edit", *heads[1:]), ([one[name] for name in heads] for one in edits))
    else:
        say(f"No edit on the way to {found.version} touched {found.id}.")
    say(*([f"Learnt from by: {', '.join(found.runs)}"] if found.runs else []))
    if reviews:
        asked = ("decision", "label", "suggested", "new_label", "note", "run", "author", "time")
        table("reviews", asked, ([one[name] for name in asked] for one in reviews))


def _say_net(net: NetDifference, *, most: int) -> None:
    if net.recipes[0] != net.recipes[1]:
        say(f"recipes of synthetic rows: {net.recipes[0]:,} -> {net.recipes[1]:,}")
    if not net.counts:
        say("No row differs.")
        return
    say(", ".join(_happened(what, number) for what, number in net.counts.items()))
    if net.labels:
        say("")
        table(
            "",
            ("split", "label", "before", "after"),
            ((one.split, one.label or "(unlabelled)", one.before, one.after) for one in net.labels),
        )
    first = net.rows.slice(0, most).to_pylist()
    if first:
        texts = [name for name in net.rows.column_names if name not in {"id", "kind", "field", "old", "new"}]
        say("")
        table(
            "",
            ("id", "change", *texts),
            ((row["id"], _arrow(row), *(row[name] for name in texts)) for row in first),
            cut=texts,
        )
    if net.rows.num_rows > most > 0:
        say(f"... and {net.rows.num_rows - most:,} more (--rows, or --json for all)")


def _happened(what: str, number: int) -> str:
    kind, _, field = what.partition(" ")
    return f"{field} {kind} in {counted(number, 'row')}" if field else f"{counted(number, 'row')} {kind}"


def _arrow(row: dict[str, str | None]) -> str:
    if row["kind"] != "changed":
        return str(row["kind"])
    old, new = ("(nothing)" if row[name] is None else row[name] for name in ("old", "new"))
    return f"{row['field']}: {old} -> {new}"
