"""``monitor clusters``: where in production the scores are low."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, table
from tunewright.cli.numbers import counted

if TYPE_CHECKING:
    from tunewright.verbs.low_scores import LowScores

__all__ = ["clusters"]

_MOST = 20


def clusters(
    *,
    score: Annotated[
        str | None,
        typer.Option(help='Column of numbers, or a signal such as \'text.rouge_l("gts", "output")\'; low is bad.'),
    ] = None,
    vectors: Annotated[str | None, typer.Option(help="Column of embeddings; that of the drift check.")] = None,
    method: Annotated[Literal["hdbscan", "kmeans"], typer.Option(help="How they are found.")] = "hdbscan",
    number: Annotated[int | None, typer.Option(help="How many clusters, of kmeans.", min=1)] = None,
    collect: Annotated[list[str] | None, typer.Option(help="Collect the rows of the cluster of this name.")] = None,
    name: Annotated[str | None, typer.Option(help="Which monitor; the newest if left out.")] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Cluster production by its embeddings, the lowest mean score first; collect the rows of a cluster."""
    from tunewright import verbs

    found = verbs.low_scores(
        opened(project), name, score=score, vectors=vectors, method=method, clusters=number, collect=collect or ()
    )
    as_json(found) if json else _say(found)


def _say(found: LowScores) -> None:
    mean = "" if found.mean is None else f", {found.mean:.3f} on average"
    say(f"Score {found.score} of {found.scored:,} of {counted(found.rows, 'row')}{mean}")
    say(f"{counted(len(found.clusters), 'cluster')} of {found.vectors}; {found.unclustered:,} rows lie in none")
    rows = (
        (one.name, one.n, f"{one.mean:.3f}", _interval(one.interval), "below the rest" if one.below else "")
        for one in found.clusters[:_MOST]
    )
    table("", ("cluster", "rows", "mean", "95% interval", ""), rows)
    if found.marked:
        say(f"{counted(found.marked, 'row')} marked, {found.collected:,} of them collected")
        say("Next: tunewright monitor collected --csv label.csv")
    elif found.clusters:
        say(f"Next: {found.clusters[0].command}")


def _interval(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
