"""The group ``monitor``: run, report, collected, attach."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunewright.cli.alerts import alerts, simulate
from tunewright.cli.app import AsJson, Folder, Group, as_json, guarded, opened, say, table
from tunewright.cli.latent import progress
from tunewright.cli.monitor_clusters import clusters
from tunewright.cli.numbers import counted, duration
from tunewright.cli.serve import serve

if TYPE_CHECKING:
    from tunewright.verbs.collecting import Collected
    from tunewright.verbs.monitored import MonitorReport
    from tunewright.verbs.monitoring import Monitored

__all__ = ["monitor"]

monitor = typer.Typer(
    name="monitor", cls=Group, help="Watch production: what is odd about its rows, and which are worth a label?"
)

Name = Annotated[str | None, typer.Option(help="Which monitor; the newest if left out.")]

_INTERRUPTED = 130
_MOST_WORDS, _MOST_ROWS = 10, 10


def run(
    *,
    data: Annotated[str, typer.Argument(help="Rows of production: a file, a folder, or a name on the Hub.")],
    run: Annotated[
        str | None, typer.Option(help="Run whose model predicts; the one that is watched, at first the last training.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the monitor, a folder among the runs.")] = "production",
    window: Annotated[
        int | None, typer.Option(help="Rows that are compared together; as before, at first 500.", min=10)
    ] = None,
    budget: Annotated[int | None, typer.Option(help="Rows to collect; as before, at first 2000.", min=1)] = None,
    batch_size: Annotated[int, typer.Option(help="Inputs per forward pass.", min=1)] = 64,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Predict rows of production, check them against the training rows, and log them; run again, it goes on."""
    from tunewright import verbs

    try:
        with progress() as advance:
            found = verbs.monitor(
                opened(project),
                data,
                run=run,
                name=name,
                window=window,
                budget=budget,
                batch_size=batch_size,
                advance=advance,
            )
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command goes on after the last row that was logged.", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    as_json(found) if json else _say_run(found)


def report(
    *,
    name: Name = None,
    save: Annotated[Path | None, typer.Option(help="Draw it, too: .png, .svg or .pdf.")] = None,
    map: Annotated[Path | None, typer.Option(help="Draw production in a UMAP of the reference.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write all of it as one page, with rows and causes.")] = None,
    score: Annotated[
        str | None, typer.Option(help="What the page ranks clusters by, as `monitor clusters` does.")
    ] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Say what each check has found: coverage, drift and its evidence, edge cases, lengths, labels."""
    from tunewright import verbs

    found = verbs.monitor_report(opened(project), name, path=save, map=map, html=html, score=score)
    as_json(found) if json else _say_report(found)


def collected(
    *,
    reason: Annotated[str | None, typer.Option(help="Only rows that this check marked.")] = None,
    control: Annotated[
        bool, typer.Option("--control", help="Instead, random rows without a label, to compare them with in a trial.")
    ] = False,
    csv: Annotated[Path | None, typer.Option(help="Write them as CSV, to be labelled.")] = None,
    add: Annotated[str | None, typer.Option(help="Make a version of this name that learns from them.")] = None,
    on: Annotated[str, typer.Option(help="Version that they are added to: name or id.")] = "main",
    hold_out: Annotated[
        float, typer.Option(help="Share of production that is never added, and judges.", min=0, max=0.9)
    ] = 0.2,
    name: Name = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """List the rows worth a label with all their reasons, write them for labelling, or add them to the data."""
    from tunewright import verbs

    found = verbs.collected(
        opened(project), name, reason=reason, control=control, path=csv, add=add, on=on, hold_out=hold_out
    )
    as_json(found) if json else _say_collected(found)


def attach(
    *,
    file: Annotated[Path, typer.Argument(help="Columns id and label: the list of collected --csv, filled in.")],
    name: Name = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Attach labels to production rows that were logged; checks that need them count each row once."""
    from tunewright import verbs

    found = verbs.attach_labels(opened(project), file, name)
    if json:
        as_json(found)
    else:
        say(f"{counted(found.labels, 'label')} attached to {found.run}.")
        strange = ", ".join(f"{label} ({count:,})" for label, count in found.unknown.items())
        say(
            *(
                [f"Not among the labels of the task: {strange}. If they are slips, attach them again."]
                if strange
                else []
            )
        )


for _command in (run, report, alerts, simulate, collected, attach, clusters, serve):
    monitor.command()(guarded(_command))


def _say_run(found: Monitored) -> None:
    before = f", {found.known:,} were there" if found.known else ""
    truth = f", {counted(found.labelled, 'label')} attached" if found.labelled else ""
    say(f"{counted(found.rows, 'row')}: {found.logged:,} logged{before}{truth}; {duration(found.seconds)}")
    if found.marked and found.logged:
        marked = sorted(found.marked.items(), key=lambda item: -item[1])
        table("", ("edge case", "rows", "share"), ((name, rows, rows / found.logged) for name, rows in marked))
    say(*(f"{name}: {error}" for name, error in found.errors.items()))
    say("Next: tunewright monitor report")


def _say_report(found: MonitorReport) -> None:
    say(f"Monitor {found.run} of {found.model}: {counted(found.rows, 'row')}, {counted(found.labels, 'label')}")
    edges = {name: check for name, check in found.checks.items() if "marked" in check}
    if edges:
        heads = ("edge case", "rows", "share", "no value", "errors")
        say("")
        table("", heads, (_edge(name, check, found.rows) for name, check in edges.items()))
    for name, check in found.checks.items():
        if name not in edges:
            _say_fold(name, check)
    say(*(["", *(f"note: {note}" for note in dict.fromkeys(found.notes))] if found.notes else []))
    drawn = {"Picture": found.file, "Map": found.map, "Page": found.page}
    say(*(f"{what}: {file}" for what, file in drawn.items() if file is not None))


def _edge(name: str, check: Mapping[str, Any], rows: int) -> tuple[Any, ...]:
    return name, check["marked"], check["marked"] / rows if rows else None, check["nulls"], check["errors"]


def _say_fold(name: str, check: Mapping[str, Any]) -> None:
    """The numbers of a fold in one line, and the most frequent unknown words."""
    known = {key: value for key, value in check.items() if isinstance(value, bool | int | float | str)}
    hidden = {"since", *(key for key in ("errors", "missing", "count_error") if not known.get(key))}
    said = ", ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in known.items() if key not in hidden)
    say("", f"{name}: {said}")
    words = check["normal_unknown"].slice(0, _MOST_WORDS).to_pylist() if "normal_unknown" in check else []
    if words:
        say(f"  not in the training set: {', '.join(_word(word) for word in words)}")


def _word(word: Mapping[str, Any]) -> str:
    return f"{word['word']} ({word['texts']:,})"


def _short(value: object) -> str:
    """A number as it is read.

    >>> _short(True), _short(1200), _short(0.98765), _short("up")
    ('yes', '1,200', '0.988', 'up')
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.3g}"
    return str(value)


def _say_collected(found: Collected) -> None:
    of = f" that {found.reason} marked" if found.reason else ""
    what = " at random, to label and compare with those collected" if found.control else f" collected{of}"
    say(f"{counted(found.rows.num_rows, 'row')}{what}")
    first = found.rows.slice(0, _MOST_ROWS).to_pylist()
    if first:
        rows = ((row["id"], row.get("step"), ", ".join(row["reasons"]), row.get("predicted")) for row in first)
        say("")
        table("", ("id", "step", "reasons", "predicted"), rows)
    if found.rows.num_rows > len(first):
        say(f"... and {found.rows.num_rows - len(first):,} more (--csv, or --json for all)")
    say(*([f"List: {found.file}"] if found.file else []))
    if found.version:
        left = (
            f"; {found.unlabelled:,} have no label yet, {found.held_out:,} are held out to judge by, "
            f"{found.there:,} were there before"
        )
        say(f"{found.name} is {found.version}, with {counted(found.added, 'row')} more{left}")
        say(f"Next: tunewright trial run version:{found.name}")
