"""Commands about models: train, map, evaluate, predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunewright.cli.app import AsJson, Folder, Split, as_json, opened, say, table
from tunewright.cli.numbers import counted, interval, percent, scores_sentence

if TYPE_CHECKING:
    from tunewright.project import Project
    from tunewright.verbs.chart import DataMap
    from tunewright.verbs.evaluations import Scores
    from tunewright.verbs.look import RunDetails
    from tunewright.verbs.score import Original

__all__ = ["evaluate", "import_dynamics", "map", "predict", "say_trained", "train"]

_INTERRUPTED = 130
_FULL = 1.0
_NEXT = "Next: tunewright map, or tunewright suspects"
_NOTHING = "(no answer)"


def train(
    *,
    version: Annotated[str, typer.Option(help="Version of the dataset.")] = "main",
    from_run: Annotated[str | None, typer.Option("--from", help="Start from the model of this run.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the last interrupted run, or the one that is named.")
    ] = False,
    run: Annotated[str | None, typer.Argument(help="With --resume: the run to continue.")] = None,
    name: Annotated[str | None, typer.Option(help="Short name of the run.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a field of TrainConfig: epochs=2 (repeatable).")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Train once per fold without it, and record each row when it was held out.")
    ] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Fine-tune, and record the dynamics of every training row: a run on disk."""
    from tunewright import verbs
    from tunewright.verbs.learn import is_first_process
    from tunewright.verbs.settings import parse

    if run is not None and not resume:
        raise typer.BadParameter("a run is named only with --resume; to start from its model: --from RUN")
    opened_project = opened(project)
    if folds is not None:
        if from_run or run is not None:
            raise typer.BadParameter("folds begin with the project's model: leave out --from, and name no run")
        choice = {"version": version, "name": name, "resume": resume}
        _train_folds(opened_project, folds, choice, settings=settings or [], json=json)
        return
    try:
        made = verbs.train(
            opened_project,
            version=version,
            from_run=from_run,
            resume=(run or True) if resume else False,
            name=name,
            progress=True,
            **parse(settings or []),
        )
    except KeyboardInterrupt:
        typer.echo("Interrupted. Go on with: tunewright train --resume", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    if not is_first_process():
        return
    details = verbs.show(opened_project, made)
    if json:
        as_json(details)
    else:
        say_trained(details)
        say(_NEXT)


def _train_folds(project: Project, folds: int, choice: dict[str, Any], *, settings: list[str], json: bool) -> None:
    from tunewright import verbs
    from tunewright.verbs.folds import train_folds
    from tunewright.verbs.settings import parse

    typer.echo(
        f"{counted(folds, 'training')}, each on {(folds - 1) / folds:.0%} of the rows: "
        f"the time of about {max(folds - 1, 0)} and a pass over the rows per epoch.",
        err=True,
    )
    try:
        made = train_folds(project, folds, progress=True, **choice, **parse(settings))
    except KeyboardInterrupt:
        typer.echo("Interrupted. To keep the finished folds, give the same command with --resume", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    details = verbs.show(project, made)
    if json:
        as_json(details)
        return
    say_trained(details)
    left_out = made.meta["mixed_left_out"]
    if left_out:
        say(f"{counted(left_out, 'mixed row')} left out: a parent may be held out.")
    say(f"Runs of the folds: {', '.join(made.meta['fold_runs'])}", _NEXT)


def say_trained(details: RunDetails) -> None:
    """What a person wants to know of a training run."""
    meta = details.meta
    epochs = [f"{epoch['seen']:,} of {epoch['expected']:,}" for epoch in meta.get("coverage") or []]
    data = " ".join(filter(None, (meta.get("dataset"), meta.get("version_name"))))
    say(f"Run {details.id}: {data}, {meta.get('status')}")
    if details.coverage is not None:
        missing = "" if details.coverage >= _FULL else "  INCOMPLETE: do not trust the map"
        each = "each of " if len(epochs) > 1 else ""
        say(
            f"coverage: {percent(details.coverage)} ({epochs[0]} rows in {each}{counted(len(epochs), 'epoch')}){missing}"
        )
    sentence = scores_sentence(details.scores, details.grades)
    if sentence:
        say(f"validation: {sentence}")
    if meta.get("padding"):
        say(f"padding: {meta['padding']:.3f} tokens per real token")
    if details.speed:
        say(f"speed: {details.speed:.1f} examples/s over {meta['seconds']:.0f} s")


def map(
    *,
    run: Annotated[
        list[str] | None,
        typer.Argument(help="Run to draw: its id or a part of it; by default the last. Several are drawn as one map."),
    ] = None,
    latent: Annotated[bool, typer.Option("--latent", help="Also embed the rows and draw the latent space.")] = False,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Draw the data map as PNG and SVG, write the run as one HTML file, and list what looks mislabelled."""
    from tunewright import verbs

    if run is not None and len(run) > 1:
        _map_across(opened(project), run, latent=latent, json=json)
        return
    drawn = verbs.map(opened(project), run[0] if run else "last", latent=latent)
    if json:
        as_json(drawn)
        return
    covered = "" if drawn.coverage is None else f", coverage {percent(drawn.coverage)}"
    say(f"Run {drawn.run}: {counted(drawn.rows.num_rows, 'row')}, {counted(drawn.epochs, 'epoch')}{covered}")
    regions = ((one.name, one.count, one.confidence, one.variability) for one in drawn.regions)
    table("", ("region", "rows", "median confidence", "median variability"), regions)
    if drawn.epochs == 1:
        say("", "After one epoch nothing has varied: variability is 0 everywhere. Train for more to tell rows apart.")
    _say_suspects(drawn)
    say("", *(f"wrote {path}" for path in drawn.files), *drawn.notes)


def _map_across(project: Project, runs: list[str], *, latent: bool, json: bool) -> None:
    from tunewright.verbs.across import across

    if latent:
        raise typer.BadParameter("the latent space is that of one run: leave out --latent, or name one run")
    drawn = across(project, runs)
    if json:
        as_json(drawn)
        return
    say(f"{len(drawn.runs)} runs: {', '.join(drawn.runs)}")
    say(f"{counted(drawn.rows.num_rows, 'row')}, {drawn.shared:,} of them in every run")
    say(f"Another seed moves the confidence of a row by {drawn.median_error:.3f} (median standard error of the mean).")
    say(f"{drawn.suspects:,} flagged by more than half of the runs, {drawn.unanimous:,} by all of them.", "")
    say("The runs differ most about:")
    rows = ((one.id, one.label, one.confidence, one.confidence_error, one.agreement) for one in drawn.uncertain)
    table("", ("id", "label", "confidence", "standard error", "agreement"), rows, cut=("label",))
    say("", *(f"wrote {path}" for path in drawn.files), *drawn.notes)


def _say_suspects(drawn: DataMap) -> None:
    look = "row looks" if drawn.suspects == 1 else "rows look"
    early = "The model has hardly learnt: this list means little yet. " * (2 * drawn.suspects > drawn.rows.num_rows)
    say("", f"{drawn.suspects:,} {look} mislabelled; a list to read, not one to apply. {early}The first:")
    suggests = any(one.suggested for one in drawn.first_suspects)
    suspects = (
        (one.id, one.label, *([one.suggested] * suggests), one.suspicion, " | ".join(one.text)[:80])
        for one in drawn.first_suspects
    )
    table("", ("id", "label", *(["suggested"] * suggests), "suspicion", "text"), suspects)
    if drawn.suspects:
        say("", f"All of them, the evidence, and how far to trust it: tunewright suspects {drawn.run}")


def evaluate(
    *,
    run: Annotated[str, typer.Argument(help="Run to evaluate: its id or a part of it.")] = "last",
    split: Split = "test",
    version: Annotated[
        str | None, typer.Option(help="Version of the dataset; by default the one the run was trained on.")
    ] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Score a run with intervals, per class, and list its mistakes with what the evidence points to."""
    from tunewright import verbs

    found = verbs.evaluate(opened(project), run, split=split, version=version)
    if json:
        as_json(found)
        return
    say(f"Run {found.run}: {found.model} on {found.split}", scores_sentence(found.scores, found.grades))
    say(*(f"left out: {message}" for message in found.failed.values()))
    if found.unlabelled:
        say(f"{found.unlabelled:,} rows have no label and were not scored")
    if found.scores is not None:
        _say_classes(found.scores)
    if found.original is not None:
        _say_original(found.version, found.original)
    causes = ", ".join(f"{cause} {count}" for cause, count in found.causes.items())
    say("", f"{counted(found.mistakes, 'mistake')}. Evidence: {causes or 'none needed'}", f"wrote {found.table}")


def _say_original(version: str, original: Original) -> None:
    said = scores_sentence(original.scores, original.grades)
    say("", f"These test rows were edited (version {version}). On the test rows as they were imported: {said}")
    if original.scores is not None:
        _say_classes(original.scores)


def _say_classes(scores: Scores) -> None:
    classes = (
        (
            one.label,
            one.support,
            interval(one.precision, one.precision_interval),
            interval(one.recall, one.recall_interval),
            interval(one.f1, one.f1_interval),
        )
        for one in scores.classes
    )
    table("", ("label", "rows", "precision", "recall", "F1"), classes)


def predict(
    *,
    run: Annotated[str, typer.Argument(help="Run to ask: its id, a part of it, or last.")],
    text: Annotated[str, typer.Argument(help="The text, or the first of a pair.")],
    text_pair: Annotated[str | None, typer.Argument(help="The second text of a pair.")] = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Ask a run about one text: label, probability, and latency of warm calls."""
    from tunewright import verbs

    answer = verbs.predict(opened(project), run, *([text] if text_pair is None else [text, text_pair]))
    if json:
        as_json(answer)
        return
    others = [(label, share) for label, share in answer.probabilities.items() if label != answer.label][:4]
    say(f"{answer.label or _NOTHING}  {answer.probability:.3f}")
    if others:
        say("  ".join(f"{label or _NOTHING} {share:.3f}" for label, share in others))
    if answer.stop_reason is not None:
        say(f"stop reason: {answer.stop_reason}")
    if answer.cut_at is not None:
        say(f"The text has {answer.tokens} tokens and was cut at {answer.cut_at}.")
    time = answer.latency
    say(
        f"latency of {time.repeats} warm calls, p50/p95: tokenising {time.tokenise_p50:.2f}/{time.tokenise_p95:.2f} ms, "
        f"forward {time.forward_p50:.2f}/{time.forward_p95:.2f} ms"
    )


def import_dynamics(
    *,
    folder: Annotated[Path, typer.Argument(help="Folder of dynamics_epoch_0.jsonl and so on.")],
    name: Annotated[str, typer.Option(help="Short name of the run.")] = "imported",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Make a run of training dynamics in the format of AllenAI's cartography."""
    from tunewright import verbs

    opened_project = opened(project)
    details = verbs.show(opened_project, verbs.import_dynamics(opened_project, folder, name=name))
    if json:
        as_json(details)
    else:
        say_trained(details)
