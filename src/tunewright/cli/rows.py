"""``rows`` and ``views``: what the page of the explorer selects, finds out and keeps, typed in a shell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, table
from tunewright.cli.numbers import counted

if TYPE_CHECKING:
    from tunewright.project import Project
    from tunewright.verbs.explore.detail import Example
    from tunewright.verbs.explore.selecting import Selected
    from tunewright.verbs.explore.views import Views

__all__ = ["rows", "views"]

_SHOWN = ("split", "label", "predicted", "loss", "region")
_SHORT = 60  # letters of a text in a list


def rows(
    *,
    run: Annotated[str, typer.Argument(help="Run: its id or a part of it.")] = "last",
    id: Annotated[list[str] | None, typer.Option(help="A row: its id (repeatable).")] = None,
    search: Annotated[
        str | None, typer.Option(help='Words that the texts hold; "two words" stand together, wor* is a beginning.')
    ] = None,
    rule: Annotated[
        str | None, typer.Option(help="A condition over the columns in SQL: \"loss > 2 AND label = 'neg'\".")
    ] = None,
    most: Annotated[int, typer.Option(help="How many are shown.", min=0, max=500)] = 20,
    details: Annotated[bool, typer.Option("--details", help="Show all about each of them.")] = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Compare the score of all of them with that of the others.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write all of them to this .csv, .jsonl or .parquet.")] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """List the rows of a run that fulfil every condition, say how well the model does on them, or write them to a file."""
    from tunewright import verbs

    found = verbs.rows(
        opened(project),
        run,
        ids=id or (),
        search=search,
        rule=rule,
        most=most,
        details=details,
        measured=measure,
        path=out,
    )
    as_json(found) if json else _say_rows(found, opened(project))


def views(
    *,
    step: Annotated[str, typer.Argument(help="list, save or forget.")] = "list",
    name: Annotated[str | None, typer.Argument(help="With save and forget: name of the view.")] = None,
    query: Annotated[
        str, typer.Argument(help="With save: what follows the question mark in the address of the page.")
    ] = "",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """List the views that are kept for the page of the explorer, keep one, or forget it."""
    from tunewright import verbs

    match step, name:
        case "list", None:
            found = verbs.views(opened(project))
        case "save", str():
            found = verbs.save_view(opened(project), name, query)
        case "forget", str():
            found = verbs.forget_view(opened(project), name)
        case _:
            raise typer.BadParameter("expected list, save NAME QUERY, or forget NAME")
    as_json(found) if json else _say_views(found)


def _say_rows(found: Selected, project: Project) -> None:
    say(f"Run {found.run}: {counted(found.total, 'row')}" + (f", the first {len(found.rows)}:" if found.rows else ""))
    if found.examples:
        for one in found.examples:
            _say_example(one)
    elif found.rows:
        known = [name for name in _SHOWN if any(row.values.get(name) is not None for row in found.rows)]
        texts = [name for name in project.task.text_fields if name in found.rows[0].values]
        shown = ((row.id, *_cells(row.values, known), *_texts(row.values, texts)) for row in found.rows)
        table("", ("id", *known, *texts), shown, cut=("label", "predicted", *texts))
    say(*(["", found.measured.sentence] if found.measured else []))
    say(*([f"wrote {found.file}"] if found.file else []))


def _say_example(one: Example) -> None:
    said = "" if one.predicted is None else f", predicted {one.predicted}"
    say("", f"{one.id}: split {one.split}, label {one.label}{said}")
    for block in one.blocks:
        text = getattr(block, "text", None)
        say(*([f"  {block.title}: {text}"] if text is not None else []))
    if one.epochs:
        heads = ("epoch", "gold probability", "loss", "margin", "correct")
        table("", heads, ((it.epoch, it.gold_probability, it.loss, it.margin, it.correct) for it in one.epochs))
    say(*(f"  {it.when} {it.who}: {it.action}" + (f" ({it.why})" if it.why else "") for it in one.history))


def _say_views(found: Views) -> None:
    if not found.views:
        say("No views are kept. Next: tunewright views save NAME QUERY, or Views in the page")
        return
    table("", ("view", "query"), ((one.name, one.query) for one in found.views))


def _cells(values: Any, names: Iterable[str]) -> list[object]:
    return [values.get(name) for name in names]


def _texts(values: Any, names: Iterable[str]) -> list[str]:
    return [str(values[name] or "")[:_SHORT] for name in names]
