"""The group ``trial``: plan, run, show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunewright.cli.app import AsJson, Folder, Group, as_json, guarded, opened, say, table
from tunewright.cli.numbers import counted, point_interval, points

if TYPE_CHECKING:
    from tunewright.verbs.trial_plan import Previewed, TrialPlan
    from tunewright.verbs.trial_verdict import BeforeAfter, DecisionVerdict, Judged
    from tunewright.verbs.trials import Verdicts

__all__ = ["trial", "trial_progress"]

trial = typer.Typer(name="trial", cls=Group, help="Try decisions against no change and against chance: did they help?")

Decisions = Annotated[
    list[str], typer.Argument(help="What to try: drop:top:5%, version:NAME, set:loss=focal, ...; parts joined with +.")
]
Split = Annotated[
    str, typer.Option(help="Rows that judge: test, or a name of your own; never those that pick checkpoints.")
]
Seeds = Annotated[int, typer.Option(help="Trainings of every arm.", min=1)]
From = Annotated[str | None, typer.Option(help="Run that decisions are changes of; the last one outside trials.")]
Control = Annotated[
    str, typer.Option(help="Random counterpart of collected rows, from production: rest, not collected; whole; none.")
]
SameEpochs = Annotated[bool, typer.Option("--same-epochs", help="The same number of epochs, instead of steps.")]
AllButOne = Annotated[
    bool, typer.Option("--all-but-one", help="Also try a decision of several parts without each of them.")
]
Workers = Annotated[str, typer.Option(help="Processes that train side by side, or auto.")]

_INTERRUPTED = 130
_MOST_GROUPS = 5


def plan(
    *,
    decisions: Decisions,
    seeds: Seeds = 3,
    run: From = None,
    split: Split = "test",
    control: Control = "rest",
    same_epochs: SameEpochs = False,
    all_but_one: AllButOne = False,
    workers: Workers = "auto",
    target: Annotated[float | None, typer.Option(help="A difference that is hoped for, in points.", min=0)] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Rank the decisions on frozen embeddings.")] = False,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Say what a trial can show, with how many seeds, and how long it takes; nothing is trained."""
    from tunewright import verbs

    planned = verbs.plan_trial(
        opened(project),
        *decisions,
        seeds=seeds,
        run=run,
        split=split,
        control=control,
        same_epochs=same_epochs,
        all_but_one=all_but_one,
        workers=workers,
        target=None if target is None else target / 100,
        preview=preview,
    )
    as_json(planned) if json else _say_plan(planned)


def run(
    *,
    decisions: Annotated[list[str] | None, typer.Argument(help="What to try; see trial plan.")] = None,
    seeds: Seeds = 3,
    run: From = None,
    resume: Annotated[str | None, typer.Option(help="Go on with this trial: its id, a part of it, or last.")] = None,
    name: Annotated[str | None, typer.Option(help="Short name of the trial.")] = None,
    split: Split = "test",
    slice: Annotated[
        str | None, typer.Option(help="Test rows that the decisions are aimed at: \"label = 'pos'\".")
    ] = None,
    control: Control = "rest",
    same_epochs: SameEpochs = False,
    all_but_one: AllButOne = False,
    all_seeds: Annotated[
        bool, typer.Option("--all-seeds", help="Do not stop before the last seed when the answer is clear.")
    ] = False,
    workers: Workers = "auto",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Train every arm with every seed, and judge the decisions; what is interrupted can be resumed."""
    from tunewright import verbs

    try:
        with trial_progress() as progress:
            found = verbs.run_trial(
                opened(project),
                *(decisions or ()),
                seeds=seeds,
                run=run,
                resume=resume or False,
                name=name,
                split=split,
                slice=slice,
                control=control,
                same_epochs=same_epochs,
                all_but_one=all_but_one,
                stop_early=not all_seeds,
                workers=workers,
                progress=progress,
            )
    except KeyboardInterrupt:
        typer.echo("Interrupted. Go on with: tunewright trial run --resume last", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    as_json(found) if json else _say_verdicts(found)


def show(
    *,
    name: Annotated[str, typer.Argument(help="Trial: its id or a part of it.")] = "last",
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Show what a trial has found: the verdicts, the evidence, and what got worse."""
    from tunewright import verbs

    found = verbs.show_trial(opened(project), name)
    as_json(found) if json else _say_verdicts(found)


for _command in (plan, run, show):
    trial.command()(guarded(_command))


@contextmanager
def trial_progress() -> Iterator[Callable[[str, int, int], None]]:
    """One bar over all trainings, on standard error, from the first of them on; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=console, transient=True)
    bar = bars.add_task("trial", total=None)

    def advance(what: str, done: int, total: int) -> None:
        if console.is_terminal:
            bars.start()  # again and again is as good as once
            bars.update(bar, description=what, completed=done, total=total)

    try:
        yield advance
    finally:
        bars.stop()


def _say_plan(planned: TrialPlan) -> None:
    base = planned.run or "the project's configuration; there is no finished run"
    say(f"Trial from {base}, version {planned.version}")
    arms = ((one.name, one.rows, one.inputs, one.steps, one.trainings) for one in planned.arms)
    table("", ("arm", "rows changed", "inputs", "steps", "trainings"), arms)
    say("", *(f"{one.name}: {one.note}" for one in planned.arms if one.note), *_without_control(planned))
    guessed = "" if planned.known else " (from usual numbers: nothing like this was trained and evaluated before)"
    say(*([f"{planned.production}."] if planned.production else []))
    say(f"{planned.planned.sentence()}{guessed}")
    say(*([f"Beside them, the test rows: {planned.beside.sentence()}"] if planned.beside else []))
    if planned.metric != planned.judged_by:
        say(f"Judged row by row, and so by {planned.judged_by}; {planned.metric} of both arms is shown beside it.")
    say(f"Judged on {planned.split} so far: {counted(planned.tries, 'decision')}.")
    about = "unknown time" if planned.seconds is None else f"about {_lasting(planned.seconds)}"
    reused = f", {planned.reused:,} done already" if planned.reused else ""
    beside = f", {planned.workers} at a time" if planned.workers > 1 else ""
    say(f"{counted(planned.trainings, 'training')}{reused}{beside}: {about}.")
    if planned.preview is not None:
        _say_preview(planned.preview)


def _without_control(planned: TrialPlan) -> list[str]:
    controlled = {one.name.removesuffix(" at random") for one in planned.arms if one.kind == "control"}
    alone = [one.name for one in planned.arms if one.kind == "decision" and one.name not in controlled]
    return [f"No random control: {', '.join(alone)} (none can be drawn, or none was asked for)."] if alone else []


def _say_preview(preview: Previewed) -> None:
    rows = ((one.name, one.accuracy, points(one.difference), point_interval(one.interval)) for one in preview.arms)
    say("", "Preview: logistic regression on frozen embeddings. It ranks what to try, and is no verdict.")
    table("", ("arm", "accuracy", "difference", "interval"), rows)


def _say_verdicts(found: Verdicts) -> None:
    say(f"Trial {found.trial}: {found.status}")
    if not found.decisions:
        say(f"No verdict before it is finished. Go on with: tunewright trial run --resume {found.trial}")
        return
    many = f"{counted(found.tries, 'decision')} judged on these {found.n:,} {found.split} rows so far"
    reused = f" and {found.reused} reused" if found.reused else ""
    say(f"{counted(found.trainings, 'training')}{reused} in {_lasting(found.seconds)}; {many}")
    say(*([f"{found.production}."] if found.production else []))
    for one in found.decisions:
        _say_decision(one)


def _say_decision(one: DecisionVerdict) -> None:
    judged = one.against_unchanged
    named = "" if one.name == one.text else f" ({one.text})"
    say("", f"{one.name}{named}: {one.word.upper()}")
    rows = [_row("no change", judged)]
    rows += [_row("itself at random rows", one.against_control)] if one.against_control else []
    heads = (
        "against",
        f"its {judged.metric}",
        judged.metric,
        "difference",
        _level(judged),
        "p",
        "corrected p",
        "so it is",
    )
    table("", heads, rows)
    say(*_remarks(one))
    if one.beside is not None:
        _say_beside(one)
    if one.reasons:
        _say_reasons(one.reasons)
    if one.earned:
        gains = ((each.part, *_row("", each.judged)[3:6], each.judged.verdict) for each in one.earned)
        table("", ("what a part adds", "difference", _level(one.earned[0].judged), "p", "so it is"), gains)


def _say_beside(one: DecisionVerdict) -> None:
    """What the test rows say; the word is that of the production rows."""
    if one.beside is None:
        return
    judged, control = one.beside.against_unchanged, one.beside.against_control
    rows = [_row("no change", judged), *([_row("random production rows", control)] if control else [])]
    heads = ("against", "its score", "score", "difference", _level(judged), "p", "corrected p", "so it is")
    say("", f"Beside it, {judged.n:,} {one.beside.split} rows, corrected for {_tries(judged)}:")
    table("", heads, rows)


def _say_reasons(reasons: Sequence[BeforeAfter]) -> None:
    """Did the rows get better that are marked for a reason? Those that judge, which no arm learns from."""
    heads = ("marked by", "n", "before", "at random", "after", "difference", "interval", "over random", "interval")
    found = (
        (
            one.kind,
            one.n,
            one.before,
            one.control,
            one.after,
            points(one.difference),
            point_interval(one.interval),
            "" if one.over_control is None else points(one.over_control),
            "" if one.control_interval is None else point_interval(one.control_interval),
            one.word,
        )
        for one in reasons
    )
    say("", "Production rows that judge, by reason:")
    table("", (*heads, "so they are"), found)


def _level(judged: Judged) -> str:
    return f"{100 * judged.level:.3g}% interval"


def _row(name: str, judged: Judged) -> tuple[Any, ...]:
    return (
        name,
        judged.mean_a,
        judged.mean_b,
        points(judged.difference),
        point_interval(judged.interval),
        f"{judged.p:.3g}",
        f"{judged.p_corrected:.3g}",
        judged.verdict,
    )


def _remarks(one: DecisionVerdict) -> list[str]:
    judged = one.against_unchanged
    said = [f"n = {judged.n:,} rows, {counted(judged.seeds, 'seed')}, corrected for {_tries(judged)}. {_reach(judged)}"]
    if one.stopped:
        said.append(f"stopped early: {one.stopped}")
    if one.against_control is None:
        said.append("no random control: none can be drawn, or none was asked for")
    said.append(f"negative flips (right before in most seeds, now wrong): {len(one.negative_flips)} of {judged.n:,}")
    worse = [
        f"{group.by} {group.group} {points(group.difference)} {point_interval(group.interval)}, n = {group.n:,}"
        for group in one.worse_groups
    ][:_MOST_GROUPS]
    said.append(f"got worse: {', '.join(worse)}" if worse else "no class or slice is shown to be worse")
    return [*said, *_further(one), *([one.note] if one.note else [])]


def _tries(judged: Judged) -> str:
    return f"{judged.tries:,} {'try' if judged.tries == 1 else 'tries'} on these rows"


def _reach(judged: Judged) -> str:
    """What the trial could have found, and so what "cannot tell" leaves open."""
    if judged.seeds == 1:
        return "One seed cannot tell a decision from luck."
    if judged.detectable is None:
        return "With so few rows and seeds no difference could have been found."
    found = f"A true difference of {points(judged.detectable).lstrip('+')} would be found in 80% of such trials"
    return f"{found}, a smaller one less often." if judged.verdict == "cannot tell" else f"{found}."


def _further(one: DecisionVerdict) -> list[str]:
    said = []
    if one.macro_f1 is not None:
        macro = one.macro_f1
        said.append(
            f"macro-F1 {macro.mean_a:.3f} -> {macro.mean_b:.3f}: {points(macro.difference)} "
            f"{point_interval(macro.interval)}; the verdict is about single rows, and so about accuracy"
        )
    if one.calibration is not None:
        change = one.calibration
        said.append(
            f"calibration error {change.ece_a:.3f} -> {change.ece_b:.3f}: {points(change.ece_difference)} "
            f"{point_interval(change.ece_interval)}, {change.word}"
        )
    if one.local is not None:
        local = one.local
        said.append(
            f"where it was aimed ({one.aim}, n = {local.n_inside:,}) {points(local.inside)}, elsewhere "
            f"{points(local.outside)}: {points(local.difference)} {point_interval(local.interval)}, {local.word}"
        )
    elif one.against_control is not None and not one.reasons:
        said.append("its edits are aimed at no label in particular; --slice names other rows to compare with the rest")
    return said


def _lasting(seconds: float) -> str:
    """A time as people say it.

    >>> _lasting(42), _lasting(600)
    ('42 s', '10 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
