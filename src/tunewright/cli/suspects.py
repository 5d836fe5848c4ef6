"""The command about labels that look wrong: suspects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, table
from tunewright.cli.latent import progress
from tunewright.cli.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tunewright.verbs.suspecting import Precision, SuspectRow, Suspects

__all__ = ["suspects"]

_FIRST = 20  # rows that are shown unless --top says more; a CSV and the JSON have all
_FIRST_LETTERS = 80
_LETTERS = {"frozen": "Z", "folds": "O"}  # F is for features; of all other detectors the first letter


def suspects(
    *,
    run: Annotated[str, typer.Argument(help="Run: its id or a part of it.")] = "last",
    top: Annotated[int | None, typer.Option(help="How many rows; by default all that are flagged.", min=1)] = None,
    label: Annotated[str | None, typer.Option(help="Only rows that are labelled so, or should be.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the list to be reviewed: fill in 'decision'.")] = None,
    trust: Annotated[bool, typer.Option(help="State the precision of the list.")] = True,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """List the labels that are most likely wrong, with the evidence, and say how far the list can be trusted."""
    from tunewright import verbs

    with progress() as advance:
        found = verbs.suspects(
            opened(project), run, top=top, label=label, path=csv, trust=trust, advance=_announced(advance)
        )
    if json:
        as_json(found)
        return
    say(
        f"Run {found.run}: {counted(found.judged, 'label')} judged, {found.flagged:,} flagged as suspects",
        f"detectors: {', '.join(found.detectors) or 'none'}",
        *filter(None, [found.note, found.warning]),
    )
    _say_trust(found.trust)
    _say_rows(found.rows if top is not None else found.rows[:_FIRST])
    _say_next(found)


def _say_trust(trust: Iterable[Precision]) -> None:
    known = [one for one in trust if one.precision is not None]
    if known:
        say("", "Expected share of wrong labels, on this data:")
        rows = ((f"first {one.k:,}", _two(one.precision), _range(one), _source(one)) for one in known)
        table("", ("list", "wrong", "95% interval", "from"), rows)
    for reason in dict.fromkeys(one.reason for one in trust if one.precision is None):
        lists = ", ".join(f"{one.k:,}" for one in trust if one.reason == reason)
        say("", f"Cannot tell how many of the first {lists} are wrong: {reason}.")


def _say_rows(rows: tuple[SuspectRow, ...]) -> None:
    if not rows:
        say("", "Nothing to show.")
        return
    say("", "A list to read, not one to apply; most suspicious first:")
    suggests = any(row.suggested for row in rows)
    heads = ("id", "label", *(["suggested", "p"] * suggests), "suspicion", "votes", "text")
    cells = (
        (
            row.id,
            row.label,
            *([row.suggested, _two(row.suggested_probability)] * suggests),
            row.suspicion,
            "".join(map(_letter, row.votes)),
            " | ".join(row.texts)[:_FIRST_LETTERS],
        )
        for row in rows
    )
    table("", heads, cells, cut=("label", "suggested", "text"))
    say("", *_legend(rows, suggests=suggests))
    first = rows[0]
    if first.evidence:
        say("", f"{first.id}: {first.evidence}; votes: {', '.join(first.votes) or 'none'}")


def _legend(rows: Iterable[SuspectRow], *, suggests: bool) -> list[str]:
    """What the columns of the list mean."""
    voted = dict.fromkeys(name for row in rows for name in row.votes)
    names = ", ".join(f"{_letter(name)} {name}" for name in voted)
    said = "p: how probable the detectors find the suggestion, in the mean; " * suggests
    return [
        *([f"votes against the label: {names}"] * bool(voted)),
        f"{said}suspicion: 0 to 1, more is more likely wrong; it orders the list and is no probability",
    ]


def _letter(vote: str) -> str:
    return _LETTERS.get(vote, vote[0].upper())


def _announced(advance: Callable[[str, int, int], None] | None) -> Callable[[str, int, int], None]:
    """Also a line on standard error when something begins: not everyone has a terminal that shows the bar."""
    begun: set[str] = set()

    def tell(what: str, done: int, total: int) -> None:
        if what not in begun:
            begun.add(what)
            typer.echo(f"{what.capitalize()} {counted(total, 'row')}, once for this run", err=True)
        if advance is not None:
            advance(what, done, total)

    return tell


def _say_next(found: Suspects) -> None:
    if found.file is not None:
        say("", f"wrote {found.file} ({counted(len(found.rows), 'row')}): fill in the column 'decision' with accept,")
        say(f"reject, relabel, drop or keep. Next: tunewright edit apply {found.file}")
    say("", f"{found.seconds:.1f} s")


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _range(one: Precision) -> str:
    return "" if one.interval is None else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}"


def _source(one: Precision) -> str:
    return f"{counted(one.reviewed, 'review')} of yours" if one.source == "reviews" else "a model from before training"
