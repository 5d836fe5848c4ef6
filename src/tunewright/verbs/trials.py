"""``trial``: try decisions against no change and against chance, and say whether they helped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunewright.analyze.sequential import boundaries, next_step
from tunewright.errors import RunError, TrainError
from tunewright.files import claimed
from tunewright.project import Project, find_run, open_dataset
from tunewright.trial.arms import steps
from tunewright.trial.decisions import parse_all
from tunewright.trial.folder import LEDGER, Trial, find
from tunewright.trial.ledger import tries
from tunewright.verbs.results import Result
from tunewright.verbs.trial_arms import Proposed, propose, store
from tunewright.verbs.trial_base import Base, open_base, trained_rows
from tunewright.verbs.trial_edits import aimed_at, collected_adds, edited
from tunewright.verbs.trial_judging import decisions_of, key_of, note_verdicts, verdicts
from tunewright.verbs.trial_production import with_production
from tunewright.verbs.trial_running import Progress, schedule_of, train_all, unheard
from tunewright.verbs.trial_verdict import DecisionVerdict, collect, judged, scored, slice_ids
from tunewright.verbs.trial_worker import described_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunewright.run import Run
    from tunewright.trial.decisions import Decision
    from tunewright.trial.schedule import Schedule

__all__ = ["Verdicts", "run_trial", "show_trial"]

_FIRST_LOOK = 2  # seeds: one cannot tell a decision from luck
_LOCK = ".running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts(Result):
    """What a trial has shown; ``decisions`` is empty until it is finished, for looking on the way would be peeking.

    Args:
        trial: its id.
        status: planned, running, interrupted, failed or finished.
        run: the run that decisions rest on, if any.
        split: name of the rows that judge, ``n`` of them.
        metric: the score of a row that they are judged by.
        seeds: that were asked for.
        tries: decisions judged on these rows so far, in all trials.
        decisions: in the order they were given.
        trainings: how many the trial has made, and ``reused`` how many were there already.
        seconds: that it took, from beginning to end and over all interruptions.
        training_seconds: of all trainings and evaluations, added up.
        folder: where it lies.
        production: where collected rows are tried: which rows judge, and where random ones are from; else empty.
    """

    trial: str
    status: str
    run: str | None
    split: str
    n: int
    metric: str
    seeds: tuple[int, ...]
    tries: int
    decisions: tuple[DecisionVerdict, ...]
    trainings: int
    reused: int
    seconds: float
    training_seconds: float
    folder: Path
    production: str = ""


def run_trial(
    project: Project,
    *decisions: str,
    seeds: int = 3,
    run: Run | str | None = None,
    resume: str | bool = False,
    name: str | None = None,
    split: str = "test",
    slice: str | None = None,
    control: str = "rest",
    same_epochs: bool = False,
    all_but_one: bool = False,
    stop_early: bool = True,
    workers: int | str = "auto",
    progress: Progress = unheard,
) -> Verdicts:
    """Train every arm with every seed, and judge each decision against no change and against its random control.

    Arms share seeds and take the same number of optimiser steps. What is trained already is not trained again.

    Args:
        project: whose data and task it is.
        decisions: what to try, as `tunewright.trial.decisions` reads it.
        seeds: trainings of every arm, 1 or more.
        run: what decisions are changes of; by default the last training run that belongs to no trial.
        resume: go on with an interrupted trial: True for the last one, or its name. Everything else is as it was then.
        name: short name of the trial.
        split: the rows that judge, which nothing may have been chosen on.
        slice: condition in SQL for the test rows that the decisions are aimed at; their gain is set against the rest.
            By default those of the labels that a decision's edits touch more than others, if there are such.
        control: of collected rows: as many random production rows with a label that were not collected (``rest``), or
            of all with a label (``whole``), or no control (``none``).
        same_epochs: the same number of epochs, instead of steps.
        all_but_one: also try each decision of several parts without each of them.
        stop_early: look after every seed, with boundaries that correct for it, and stop where the answer is clear or
            out of reach.
        workers: processes that train side by side, or ``auto``: one thread in each.
        progress: told how far it is.

    Raises:
        EditError: if a decision is none, or does not fit the data.
        RunError: if there is no such run or trial.
        ComparisonError: if there are no rows to judge by.
        TrainError: if a training fails, or the trial is running already.
    """
    started = time.perf_counter()
    if resume is not False:
        if decisions:
            raise TrainError("a resumed trial goes on with its own decisions, found others", fix="leave them out")
        trial = find(trials_folder(project), None if resume is True else resume)
        base = _base_of(project, trial)
        _require_same(project, trial)
    else:
        base = open_base(project, run, split=split)
        parsed = parse_all(decisions)
        base = with_production(base, [collected_adds(base, one) for one in parsed], control)
        how = {"same_epochs": same_epochs, "all_but_one": all_but_one}
        trial = _begin(base, parsed, seeds=seeds, name=name, slice=slice, stop_early=stop_early, **how)
    if trial.meta["status"] != "finished":
        with _running(trial, started):
            _train(base, trial, workers=workers, progress=progress)
    return show_trial(project, trial.id)


def show_trial(project: Project, trial: str | None = None) -> Verdicts:
    """The verdicts of a trial, by default the last one, computed anew from what its models said.

    They count all decisions that were judged on the same rows until now.

    Raises:
        RunError: if there is no such trial.
    """
    found = find(trials_folder(project), trial)
    meta = found.meta
    known = tries(trials_folder(project) / LEDGER, meta["fingerprint"])
    done = list(found.done.values())
    made = verdicts(_base_of(project, found), found, known) if meta["status"] == "finished" else ()
    return Verdicts(
        trial=found.id,
        status=meta["status"],
        run=meta["run"],
        split=meta["split"],
        n=meta["n"],
        metric=made[0].against_unchanged.metric if made else meta["metric"],
        seeds=found.seeds,
        tries=max(len(known), len(made)),
        decisions=made,
        trainings=sum(not one["reused"] for one in done),
        reused=sum(one["reused"] for one in done),
        seconds=meta["seconds"],
        training_seconds=sum(one["train_seconds"] + one["evaluate_seconds"] for one in done),
        folder=found.folder,
        production=meta.get("production", ""),
    )


def trials_folder(project: Project) -> Path:
    """Where the trials of a project lie."""
    return project.folder / "trials"


def _begin(
    base: Base,
    parsed: Sequence[Decision],
    *,
    seeds: int,
    name: str | None,
    slice: str | None,
    stop_early: bool,
    same_epochs: bool,
    all_but_one: bool,
) -> Trial:
    if seeds < 1:
        raise TrainError(f"expected one seed or more, found {seeds}")
    numbers = [base.config.seed + position for position in range(seeds)]
    proposed = propose(base, parsed, seeds=numbers, same_epochs=same_epochs, all_but_one=all_but_one)
    if slice is not None and not 0 < len(slice_ids(base.judged_by, slice)) < base.judged_by.num_rows:
        raise RunError(f"expected a slice of some of the rows that judge, found {slice!r}, which is none or all")
    store(base, proposed)
    looks = _looks(seeds) if stop_early else []
    return Trial.create(
        trials_folder(base.project),
        name=name or "+".join(decision.name for decision in parsed),
        arms=tuple(one.arm for one in proposed),
        config=base.config,
        run=base.run and base.run.id,
        version=base.version,
        version_name=base.version_name,
        model=base.model,
        parent=base.parent,
        split=base.split,
        fingerprint=base.fingerprint,
        judge=base.judge,
        beside=base.beside,
        production=base.pool.sentence() if base.pool else "",
        project=described_project(base.project),
        n=base.judged_by.num_rows,
        metric=base.project.task.metric,
        labels=list(base.project.task.labels),
        seeds=numbers,
        decisions={decision.name: decision.text for decision in parsed},
        slice=slice,
        aims=_aims(base, proposed),
        looks=looks,
        alpha=looks[-1][1] if looks else None,
        settled={},
        seconds=0.0,
    )


def _aims(base: Base, proposed: Sequence[Proposed]) -> dict[str, list[str]]:
    """By decision, the labels that its edits touch most; only where labels are a list."""
    decisions = [one for one in proposed if one.arm.kind == "decision" and base.project.task.labels]
    return {one.arm.name: list(aimed_at(base.rows, edited(base, one.edits[0]))) for one in decisions}


def _looks(seeds: int) -> list[tuple[int, float]]:
    """After how many seeds there is a look, and the level of the test there; none with fewer than three seeds."""
    counts = list(range(min(_FIRST_LOOK, seeds), seeds + 1))
    if len(counts) < 2:
        return []
    return list(zip(counts, boundaries([count / seeds for count in counts]), strict=True))


def _base_of(project: Project, trial: Trial) -> Base:
    """The base a trial was begun with, whatever was trained since."""
    meta = trial.meta
    dataset = open_dataset(project)
    judge = meta.get("judge", meta["version"])
    held_out = None if judge == meta["version"] else dataset.log(judge)[-1].edit
    base = Base(
        project=project,
        dataset=dataset,
        version=meta["version"],
        version_name=meta["version_name"],
        model=meta["model"],
        parent=meta["parent"],
        config=trial.config,
        run=meta["run"] and find_run(project, meta["run"]),
        fingerprint=meta["fingerprint"],
        split=meta["split"],
        held_out=held_out,  # type: ignore[arg-type]  # it is the edit that made the version of the rows that judge
        beside=meta.get("beside", ""),
    )
    if base.dataset.fingerprint(base.split, base.judge) != base.fingerprint:
        raise RunError(f"the rows that trial {trial.id} is judged by are not what they were", fix="begin a new trial")
    return base


def _require_same(project: Project, trial: Trial) -> None:
    found, began = described_project(project), trial.meta["project"]
    changed = [name for name in began if found.get(name) != began[name]]
    if changed and trial.meta["status"] != "finished":
        raise RunError(
            f"expected the project that trial {trial.id} was begun with, found another {', '.join(changed)}",
            fix="put it back into project.py, or begin a new trial",
        )


@contextmanager
def _running(trial: Trial, started: float) -> Iterator[None]:
    """The trial is this process's for the block; how it ends is written down."""
    with claimed(trial.folder / _LOCK) as free:
        if not free:
            raise TrainError(f"trial {trial.id} is running in another process", fix="wait for it, or stop it first")
        before = trial.meta["seconds"]
        trial.update(status="running")
        status = "failed"
        try:
            yield
            status = "finished"
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            trial.update(status=status, seconds=round(before + time.perf_counter() - started, 2))


def _train(base: Base, trial: Trial, *, workers: int | str, progress: Progress) -> None:
    schedule = schedule_of(base, trial)
    schedule.settled |= set(trial.meta["settled"])
    number = steps(trained_rows(base, base.rows), base.config)

    def look(complete: int) -> set[str]:
        return _look(base, trial, schedule, complete)

    train_all(base, trial, schedule, workers=workers, steps=number, look=look, progress=progress)
    for judge in base.judges:
        is_beside = judge is not base
        trial.write(collect(base, trial, schedule, beside=is_beside), beside=is_beside)
        note_verdicts(judge, trial, beside=is_beside)


def _look(base: Base, trial: Trial, schedule: Schedule, complete: int) -> set[str]:
    """Judge what is complete, and say which decisions need no further seed."""
    levels = dict(map(tuple, trial.meta["looks"]))
    if complete not in levels:
        return set()
    found = scored(collect(base, trial, schedule), metric=trial.meta["metric"])
    settled: dict[str, Any] = {}
    known = tries(trials_folder(base.project) / LEDGER, base.fingerprint)
    for arm in decisions_of(trial):
        if arm.name in schedule.settled:
            continue
        key = key_of(base, trial, arm)
        earlier = [one.p for one in known if one.key != key]
        count = len(earlier) + len(decisions_of(trial))
        said = judged(found, "unchanged", arm.name, complete, earlier=earlier, tries=count, alpha=levels[complete])
        step = next_step(
            said.verdict,
            said.spread,
            look=complete,
            looks=len(trial.seeds),
            alpha=trial.meta["alpha"],
            tries=said.tries,
        )
        if step.action.startswith("stop"):
            settled[arm.name] = {"seeds": complete, "alpha": levels[complete], "why": _why(step.action)}
    trial.update(settled={**trial.meta["settled"], **settled})
    return set(settled)


def _why(action: str) -> str:
    return {"stop: clear": "the answer was clear", "stop: futile": "no answer was in reach"}.get(action, "")
