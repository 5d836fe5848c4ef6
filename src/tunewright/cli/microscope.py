"""Commands that look closely at single rows: explain."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunewright.cli.app import AsJson, Folder, Split, as_json, opened, passage, say, table
from tunewright.cli.numbers import counted, interval, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tunewright.verbs.explaining import Explained, Faithfulness

__all__ = ["explain"]

_SHADED = 0.04  # share of the largest score from which on a word is coloured
_UP, _DOWN = "dark_orange3", "dodger_blue2"
_BRACKETS = {"gold": ("«", "»"), "predicted": ("‹", "›")}


def explain(
    *,
    run: Annotated[str, typer.Argument(help="Run: its id or a part of it.")] = "last",
    id: Annotated[str | None, typer.Argument(help="Row: its id.")] = None,
    method: Annotated[str, typer.Option(help="integrated_gradients or gradient_x_input.")] = "integrated_gradients",
    steps: Annotated[
        int | None, typer.Option(help="Steps of the integral; by default 16 to 64, as many as it takes.", min=1)
    ] = None,
    token: Annotated[
        int | None, typer.Option(help="Explain one token of the written target, counted from 0.", min=0)
    ] = None,
    sample: Annotated[
        int | None, typer.Option(help="Instead of one row: test explanations on so many random rows.", min=2)
    ] = None,
    split: Split = "validation",
    html: Annotated[Path | None, typer.Option(help="File of the heatmap; by default in the run.")] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Show which words of a row drive the loss of its gold target, and how far to believe that."""
    from tunewright import verbs

    if (id is None) == (sample is None):
        raise typer.BadParameter(
            "name a row: tunewright explain RUN ID; or a sample: tunewright explain RUN --sample 100"
        )
    options: dict[str, Any] = {"method": method, "steps": steps}
    if sample is not None:
        tested = verbs.faithfulness(opened(project), run, rows=sample, split=split, **options)
        as_json(tested) if json else _say_tested(tested)
        return
    began = time.perf_counter()
    explained = verbs.explain(opened(project), run, id or "", token=token, path=html, **options)
    took = 1000 * (time.perf_counter() - began)
    as_json(explained, verbs.heat_of(explained.attribution, ms=took)) if json else _say_explained(explained)


def _say_explained(explained: Explained) -> None:
    found = explained.attribution
    said = f"predicted {found.predicted!r} with probability {explained.probability:.3f}"
    say(f"Row {found.id}: gold {found.label!r}, {said}, loss {found.loss:.3f}", "")
    for field in found.texts:
        say(f"{field}:")
        passage(_pieces(explained, field))
        say("")
    if found.target:
        which = "all of them are explained" if found.token is None else f"explained is token {found.token}"
        say(f"gold tokens ({which}): " + " ".join(f"{place}:{piece}" for place, piece in enumerate(found.target)), "")
    say("[+word] drives the loss up, [-word] holds it down; signs mark the strongest fifth of the words")
    say(*(["«gold answer»  ‹predicted answer›"] if found.marks else []), "")
    table("", ("word", "in", "score"), ((word.text, word.field, f"{word.score:+.4f}") for word in found.strongest[:10]))
    say("", *(f"{name}: {figures}" for name, figures in explained.evidence.items()))
    say(*(f"\n{name}:\n{text}" for name, text in explained.shown.items()))
    say("", f"wrote {explained.file}")


def _pieces(explained: Explained, field: str) -> Iterator[tuple[str, str]]:
    """A text in pieces with their styles; signs and brackets say the same without colour."""
    text = explained.attribution.texts[field]
    words = [word for word in explained.attribution.words if word.field == field]
    largest = max((abs(word.score) for word in explained.attribution.words), default=0.0)
    styles = {word.start: _style(word.score, largest) for word in words}
    signs = sorted(_signs(explained, field))
    edges = {0, len(text), *(edge for word in words for edge in (word.start, word.end)), *(sign[0] for sign in signs)}
    style, ends = "", {word.end for word in words}
    for edge, following in zip(ordered := sorted(edges), [*ordered[1:], len(text)], strict=True):
        yield from ((sign, "bold") for place, _, sign in signs if place == edge)
        style = styles.get(edge, "" if edge in ends else style)
        yield text[edge:following], style


def _signs(explained: Explained, field: str) -> Iterator[tuple[int, int, str]]:
    """Place, rank among those at the same place, and sign; what closes comes before what opens."""
    found = explained.attribution
    for word in found.strongest:
        if word.field == field:
            yield word.start, 5, "[+" if word.score > 0 else "[-"
            yield word.end, 0, "]"
    for rank, (kind, (opening, closing)) in enumerate(_BRACKETS.items()):
        for start, end in _joined(
            (mark.start, mark.end) for mark in found.marks if (mark.kind, mark.field) == (kind, field)
        ):
            yield start, 3 + rank, opening
            yield end, 2 - rank, closing


def _joined(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places without overlap: several gold answers may share words."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _style(score: float, largest: float) -> str:
    share = abs(score) / largest if largest else 0.0
    if share < _SHADED:
        return ""
    return f"{'bold ' if share > 1 / 2 else ''}{_UP if score > 0 else _DOWN}"


def _say_tested(tested: Faithfulness) -> None:
    say(f"Run {tested.run}: {tested.method.replace('_', ' ')} on {counted(tested.top.n, tested.split + ' row')}", "")
    grades = (("strongest words masked", tested.top), ("random words masked", tested.random))
    rows = [(name, interval(one.mean, one.interval)) for name, one in (*grades, ("difference", tested.difference))]
    table("", ("change of the loss", "mean and 95% interval"), rows)
    say("", f"The strongest words change the loss more than random ones in {percent(tested.wins)} of the rows.")
    say(f"median completeness error: {100 * tested.completeness_error:.1f} %")
    say(*([f"{counted(tested.skipped, 'row')} could not be explained"] if tested.skipped else []))
