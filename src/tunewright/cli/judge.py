"""Commands about runs: compare, ensemble, runs, show, export."""

from __future__ import annotations

import json as encoding
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunewright.cli.app import AsJson, Folder, Split, as_json, opened, say, table
from tunewright.cli.learn import say_trained
from tunewright.cli.numbers import counted, duration, interval, percent, point_interval, points, scores_sentence

if TYPE_CHECKING:
    from tunewright.verbs.ensembling import Ensembled
    from tunewright.verbs.judge import Compared

__all__ = ["compare", "ensemble", "export", "runs", "show"]


def compare(
    *,
    run_a: Annotated[str, typer.Argument(help="The run to start from.")],
    run_b: Annotated[str, typer.Argument(help="The run to judge.")],
    split: Split = "test",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Say whether run B is better than run A: paired, with interval, exact test, wins and losses, per class."""
    from tunewright import verbs

    compared = verbs.compare(opened(project), run_a, run_b, split=split)
    if json:
        as_json(compared, verbs.compare_stored(opened(project), compared.a, compared.b, split=compared.split))
    else:
        _say_compared(compared)


def ensemble(
    *,
    runs: Annotated[list[str], typer.Argument(help="Two or more runs.")],
    weights: Annotated[
        str | None, typer.Option(help="One per run, with commas: 0.5,0.5; chosen on validation rows otherwise.")
    ] = None,
    of: Annotated[str, typer.Option(help="What is averaged: probabilities or logits.")] = "probabilities",
    split: Split = "test",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Combine runs, and say whether the ensemble is better than its best member."""
    from tunewright import verbs

    if of not in {"probabilities", "logits"}:
        raise typer.BadParameter(f"--of is probabilities or logits, found {of!r}")
    made = verbs.ensemble(
        opened(project),
        *runs,
        weights=_weights(weights),
        of="logits" if of == "logits" else "probabilities",
        split=split,
    )
    if json:
        as_json(made)
        return
    where = "chosen on the validation rows" if made.chosen else "given"
    say(f"Run {made.run}: mean of {made.of}, weights {where}")
    members = zip(made.members, made.weights, made.validation, strict=True)
    table("", ("member", "weight", "validation accuracy"), members)
    _say_ensembled(made)
    say("", f"A is {made.best}, the best member on the validation rows; B is the ensemble.")
    _say_compared(made.compared)


def runs(*, project: Folder = Path(), json: AsJson = False) -> None:
    """List all runs of the project."""
    from tunewright import verbs

    found = verbs.runs(opened(project))
    if json:
        as_json(found)
        return
    if not found.runs:
        say("No runs yet. Next: tunewright train")
        return
    rows = (
        (
            one.id,
            one.kind,
            one.status,
            " ".join(filter(None, (one.version, one.split))),
            "" if one.coverage is None else percent(one.coverage),
            next(iter(one.metrics.values()), None),
        )
        for one in found.runs
    )
    table("", ("run", "kind", "status", "data", "coverage", "score"), rows)


def show(
    *,
    run: Annotated[str, typer.Argument(help="Run: its id or a part of it.")] = "last",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Show all about a run: configuration, seeds, versions of the libraries, coverage, scores, tables."""
    from tunewright import verbs

    details = verbs.show(opened(project), run)
    if json:
        as_json(details)
        return
    if details.meta["kind"] == "train":
        say_trained(details)
    else:
        say(f"Run {details.id}: {details.meta['kind']}, {details.meta.get('status')}")
        say(*filter(None, [scores_sentence(details.scores, details.grades)]))
    table("", ("table", "rows"), details.tables.items())
    shown = ((name, _short(value)) for name, value in details.meta.items() if name not in {"history", "coverage"})
    say("")
    table("", ("field", "value"), shown)


def export(
    *,
    run: Annotated[str, typer.Argument(help="Run: its id or a part of it.")] = "last",
    format: Annotated[str, typer.Option(help="cartography, csv, jsonl or parquet.")] = "csv",
    out: Annotated[Path | None, typer.Option(help="File, or folder for cartography; by default in the run.")] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Write a run for other tools: the wide table, or the dynamics in the format of AllenAI's cartography."""
    from tunewright import verbs

    written = verbs.export(opened(project), run, format=format, path=out)  # type: ignore[arg-type]  # it is refused there
    if json:
        as_json(written)
    else:
        say(f"wrote {written.path} ({counted(written.rows, 'row')})")


def _say_compared(compared: Compared) -> None:
    if compared.original is not None:
        say("The test rows were edited. As they are now:", "")
    _say_rows(compared)
    if compared.original is not None:
        say("", "As they were imported:", "")
        _say_rows(compared.original)


def _say_rows(compared: Compared) -> None:
    found = compared.comparison
    say(f"A {compared.a}", f"B {compared.b}", "")
    if compared.scores:
        changes = (
            (
                one.name,
                one.mean_a,
                one.mean_b,
                f"{points(one.difference)} {point_interval(one.interval)}",
                f"{one.p:.3g}",
            )
            for one in compared.scores
        )
        table("", ("score", "mean of A", "mean of B", "difference", "p (permutation)"), changes)
        say("")
    share = "accuracy" if found.classes else "share correct"
    figures = (
        (f"{share} of A", interval(found.accuracy_a, found.interval_a)),
        (f"{share} of B", interval(found.accuracy_b, found.interval_b)),
        ("difference", f"{points(found.difference)} {point_interval(found.interval)}"),
        ("McNemar p", f"{found.p:.3g}"),
        ("wins, losses", f"{found.wins}, {found.losses} of {found.n:,} rows"),
        ("smallest detectable", "none" if found.detectable is None else points(found.detectable).lstrip("+")),
    )
    table("", (f"{compared.split} rows", ""), figures)
    classes = (
        (one.label, one.support, one.recall_a, one.recall_b, points(one.difference), f"{one.p:.3g}")
        for one in found.classes
    )
    if found.classes:
        say("")
        table("", ("label", "rows", "recall of A", "recall of B", "difference", "p (Holm)"), classes)
    say("", f"Verdict: {compared.sentence}")


def _say_ensembled(made: Ensembled) -> None:
    diverse, cost = made.diversity, made.cost
    correlated = "" if diverse.q is None else f"; Yule's Q {diverse.q:.2f} (0: unrelated mistakes, 1: the same)"
    say(
        "",
        f"diversity: two members answer {percent(diverse.disagreement)} of the rows otherwise and are both wrong on "
        f"{percent(diverse.double_fault)} ({percent(diverse.expected_double_fault)} if mistakes were unrelated)"
        f"{correlated}; some member is right on {percent(diverse.oracle)}",
        f"cost: {cost.models} models, {cost.megabytes:,.0f} MB, {duration(cost.milliseconds / 1e3)} for one input: "
        f"{cost.times_one:.1f} times the best member alone",
    )


def _weights(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise typer.BadParameter(f"--weights are numbers with commas, such as 0.5,0.5; found {text!r}") from None


def _short(value: Any) -> str:
    return value if isinstance(value, str) else encoding.dumps(value, ensure_ascii=False)
