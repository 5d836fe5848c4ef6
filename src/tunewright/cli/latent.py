"""Commands about the rows as the model sees them: analyze, similar, slices, lint, plot."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, say_lints, table
from tunewright.cli.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tunewright.verbs.nearby import SeenRow
    from tunewright.verbs.overview import Analyzed
    from tunewright.verbs.slicing import FoundSlice, Sliced

__all__ = ["analyze", "lint", "plot", "progress", "similar", "slices"]

Named = Annotated[str, typer.Argument(help="Run: its id or a part of it.")]

_FIRST_SLICES = 5
_FIRST_LETTERS = 100  # of a text that is asked about; its JSON has all
_ANY = "all"


def analyze(
    *,
    run: Named = "last",
    force: Annotated[bool, typer.Option("--force", help="Compute everything again.")] = False,
    method: Annotated[
        str, typer.Option(help="hdbscan finds dense groups and leaves rows over, kmeans cuts everything.")
    ] = "hdbscan",
    clusters: Annotated[int | None, typer.Option(help="With kmeans: how many; chosen otherwise.", min=1)] = None,
    layer: Annotated[int, typer.Option(help="Hidden states to embed with; -1 is the last layer, 0 the words.")] = -1,
    pooling: Annotated[str, typer.Option(help="task, mean or cls.")] = "task",
    dtype: Annotated[str, typer.Option(help="Of the vectors: float16, or float32 if they do not fit.")] = "float16",
    smallest: Annotated[int, typer.Option(help="Fewest rows of a slice.", min=2)] = 20,
    seed: Annotated[int, typer.Option(help="Of UMAP, clusters and samples.")] = 0,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Embed and predict every row, then find clusters, slices with a high loss, duplicates and split differences."""
    from tunewright import verbs

    _one_of("--method", method, "hdbscan", "kmeans")
    _one_of("--pooling", pooling, "task", "mean", "cls")
    _one_of("--dtype", dtype, "float16", "float32")
    options: dict[str, Any] = {
        "method": method,
        "pooling": pooling,
        "clusters": clusters,
        "layer": layer,
        "dtype": dtype,
    }
    with progress() as advance:
        found = verbs.analyze(
            opened(project), run, force=force, smallest=smallest, seed=seed, advance=advance, **options
        )
    as_json(found) if json else _say_analyzed(found)


def similar(
    *,
    run: Named = "last",
    id: Annotated[str | None, typer.Argument(help="Row: its id.")] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="Instead of an id: a text, once for each text field, in order.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="How many rows.", min=1)] = 10,
    split: Annotated[str, typer.Option(help="Where to look: train, validation, test, or all.")] = "train",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """List the rows most like one, in the model's own latent space, with labels, predictions and losses."""
    from tunewright import verbs

    if (id is None) == (not text):
        raise typer.BadParameter(
            'name a row: tunewright similar RUN ID; or a text: tunewright similar RUN --text "..."'
        )
    wanted = None if split == _ANY else split
    with progress() as advance:
        found = verbs.similar(opened(project), run, id, texts=text or (), k=k, split=wanted, advance=advance)
    if json:
        as_json(found)
        return
    where = "any split" if found.split is None else f"split {found.split}"
    query = found.query
    say(f"Run {found.run}: rows of {where} most like {query.id if id else 'the text'}", _told(query), "")
    if found.recall < 1:
        say(f"The index finds {found.recall:.1%} of the nearest rows.", "")
    heads = ("id", "similarity", "label", "predicted", "loss", "cluster", "text")
    rows = (
        (row.id, row.similarity, _target(row.label), _target(row.predicted), row.loss, row.cluster, _text(row))
        for row in found.rows
    )
    table("", heads, rows, cut=("label", "predicted", "cluster", "text"))


def slices(
    *,
    run: Named = "last",
    by: Annotated[
        list[str] | None,
        typer.Option(help="Column to slice by (repeatable); by default metadata, label, texts, cluster."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Which rows; by default all but the test split.")] = None,
    smallest: Annotated[int, typer.Option(help="Fewest rows of a slice.", min=2)] = 20,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Find the values, ranges and clusters whose rows have a significantly higher loss."""
    from tunewright import verbs

    with progress() as advance:
        found = verbs.slices(opened(project), run, by=by or (), split=split, smallest=smallest, advance=advance)
    if json:
        as_json(found)
        return
    where = "all splits but test" if found.split is None else f"split {found.split}"
    say(f"Run {found.run}: {counted(found.rows, 'row')} of {where}, mean loss {found.mean_loss:.3f}", "")
    _say_slices(found, found.slices)


def lint(*, run: Named = "last", project: Folder = Path(), json: AsJson = False) -> None:
    """Look for artifacts in data, encoding and outputs, to be ruled out before the data is blamed."""
    from tunewright import verbs

    found = verbs.lint(opened(project), run)
    if json:
        as_json(found)
    else:
        say(f"Run {found.run}: {counted(found.rows, 'row')}, outputs of {found.predicted:,}", "")
        say_lints(found.lints)
    if not found.passed:
        raise typer.Exit(1)


def plot(
    *,
    run: Annotated[str, typer.Argument(help="Run: its id, a part of it, or last.")],
    picture: Annotated[str, typer.Argument(help="population, errors or dynamics.")],
    split: Annotated[
        str | None, typer.Option(help="Which rows; by default all, of errors those of validation.")
    ] = None,
    colour: Annotated[
        str | None, typer.Option(help="Column that colours the population, or groups the dynamics.")
    ] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Draw the population in latent space, the errors, or the dynamics, as PNG and SVG."""
    from tunewright import verbs

    with progress() as advance:
        drawn = verbs.plot(opened(project), run, picture, split=split, colour=colour, advance=advance)  # type: ignore[arg-type]  # it is refused there
    if json:
        as_json(drawn)
        return
    by = f", by {drawn.colour}" if drawn.colour else ""
    say(
        f"Run {drawn.run}: {drawn.picture} of {counted(drawn.rows, 'row')}{by}",
        *(f"wrote {path}" for path in drawn.files),
    )


def _say_analyzed(found: Analyzed) -> None:
    sizes = ", ".join(f"{split} {count:,}" for split, count in found.splits.items())
    say(f"Run {found.run}: {sizes}; {found.dimensions} dimensions, layer {found.layer}, pooling {found.pooling}")
    count = sum(found.splits.values())
    if found.fitted == 0:
        say("Too few rows differ for a UMAP: its coordinates are principal components")
    elif found.fitted < count:
        say(f"UMAP was fitted on {found.fitted:,} of the rows, the others were placed among them")
    if found.searched < count:
        say(f"Clusters were looked for in {found.searched:,} of the rows, the others were assigned to them")
    say("", f"{counted(len(found.clusters), 'cluster')} ({found.method}), {counted(found.unclustered, 'row')} in none:")
    splits = list(found.clusters[0].mean_loss) if found.clusters else []
    measured = (f"{split} {what}" for what in ("loss", "accuracy") for split in splits)
    rows = ((c.number, c.name, c.n, c.stability, *c.mean_loss.values(), *c.accuracy.values()) for c in found.clusters)
    table("", ("cluster", "name", "rows", "stability", *measured), rows)
    say("")
    _say_slices(found.slices, found.slices.slices[:_FIRST_SLICES])
    say("", found.shift.sentence)
    twins = counted(found.duplicates, "row")
    say(f"{twins} with nearly the same text as an earlier row, {found.across_splits:,} of them of another split")
    say(f"{found.seconds:.0f} s. Next: tunewright plot {found.run} population")


def _say_slices(found: Sliced, shown: tuple[FoundSlice, ...]) -> None:
    if not found.tested:
        say(f"Nothing to cut into slices of {counted(found.smallest, 'row')} or more, and of at most half of all.")
        return
    if not shown:
        say(
            f"None of {counted(found.tested, 'slice')} of {found.smallest} rows or more has a significantly higher loss."
        )
        return
    say(f"{counted(len(found.slices), 'slice')} with a higher loss, of {found.tested:,} that were tested:")
    heads = ("slice", "rows", "groups", "mean loss", "difference", "95% interval", "p (BH)", "also")
    table(
        "",
        heads,
        (
            (
                one.description,
                one.n,
                one.groups,
                one.mean_loss,
                f"{one.difference:+.3f}",
                f"[{one.interval[0]:+.3f}, {one.interval[1]:+.3f}]",
                f"{one.p_corrected:.2g}",
                _also(one.also),
            )
            for one in shown
        ),
    )


def _told(row: SeenRow) -> str:
    said = f"gold {_quoted(row.label)}, " if row.label is not None else ""
    loss = f", loss {row.loss:.3f}" if row.loss is not None else ""
    cluster = f", cluster {row.cluster!r}" if row.cluster else ""
    return f"{_first(_text(row))}\n{said}predicted {_quoted(row.predicted)}{loss}{cluster}"


def _text(row: SeenRow) -> str:
    return " | ".join(" ".join(text.split()) for text in row.texts.values() if text)


def _target(text: str | None) -> str | None:
    return "(no answer)" if text == "" else text


def _quoted(text: str | None) -> str:
    return repr(_first(text)) if text else str(_target(text))


def _first(text: str) -> str:
    return text if len(text) <= _FIRST_LETTERS else text[: _FIRST_LETTERS - 1] + "…"


def _also(others: tuple[str, ...]) -> str:
    more = f" (+{len(others) - 1})" if len(others) > 1 else ""
    return others[0] + more if others else ""


def _one_of(option: str, value: str, *known: str) -> None:
    if value not in known:
        raise typer.BadParameter(f"{option} is one of {', '.join(known)}; found {value!r}")


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on standard error for as long as something takes; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total or None)
            bars.update(tasks[what], completed=done)

        yield advance
