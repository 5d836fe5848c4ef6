"""``trial plan``: what a trial can show and how long it will take, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.planning import Luck, Planned, luck, plan
from tunewright.analyze.preview import PreviewArm, Previewed, preview
from tunewright.data.edits import size
from tunewright.errors import DataError, ProjectError
from tunewright.run import runs
from tunewright.train.config import TrainConfig
from tunewright.trial.arms import Arm, Training, steps
from tunewright.trial.decisions import parse_all
from tunewright.trial.folder import LEDGER
from tunewright.trial.ledger import tries
from tunewright.trial.workers import cores
from tunewright.verbs.dynamics import arrays
from tunewright.verbs.evaluations import labelled
from tunewright.verbs.models import vectors
from tunewright.verbs.results import Result
from tunewright.verbs.trial_arms import Proposed, propose
from tunewright.verbs.trial_base import Base, finished, open_base, trained_rows
from tunewright.verbs.trial_edits import collected_adds, edited
from tunewright.verbs.trial_production import with_production
from tunewright.verbs.trial_running import workers_for
from tunewright.verbs.trials import trials_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["PlannedArm", "Previewed", "TrialPlan", "plan_trial"]

_SEEDS_TO_LEARN_FROM = 20
_USUAL_SCORE = 0.8
"""Taken where nothing was evaluated yet."""
_GAIN_OF_THREADS = 0.78
"""Speed grows with the threads to this power: two do 1.7 times the work of one."""
_COST_OF_PREDICTING = 1 / 3
"""Of an input, beside training on it: the forward pass without the backward one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedArm:
    """One arm: how many rows its edits name, how many inputs an epoch has, optimiser steps, and trainings it needs."""

    name: str
    kind: str
    rows: int
    inputs: int
    steps: int
    trainings: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlan(Result):
    """What a trial would be.

    Args:
        run: the run that decisions rest on, if any.
        version: name of the version that is changed.
        split: name of the rows that judge.
        metric: the task's, and ``judged_by`` the score of a row that decides: macro-F1 has none, and accuracy stands in.
        tries: decisions judged on these rows so far.
        known: whether the score and the luck of seeds are measured; else they are guesses.
        planned: the smallest difference that can be shown.
        arms: no change first.
        trainings: how many there are to do, and ``reused`` how many are done already.
        workers: processes side by side.
        seconds: the whole will take about so long, from the last training of the project or a short measurement; None
            on an accelerator of which nothing is known yet.
        preview: ranking on frozen embeddings, if it was asked for; no verdict.
        production: where collected rows are tried: which rows judge, and where random ones are from; else empty.
        beside: what the test rows can show, where production rows judge; else None.
    """

    run: str | None
    version: str
    split: str
    metric: str
    judged_by: str
    tries: int
    known: bool
    planned: Planned
    arms: tuple[PlannedArm, ...]
    trainings: int
    reused: int
    workers: int
    seconds: float | None
    preview: Previewed | None
    production: str = ""
    beside: Planned | None = None


def plan_trial(
    project: Project,
    *decisions: str,
    seeds: int = 3,
    run: Run | str | None = None,
    split: str = "test",
    control: str = "rest",
    same_epochs: bool = False,
    all_but_one: bool = False,
    workers: int | str = "auto",
    target: float | None = None,
    preview: bool = False,
) -> TrialPlan:
    """Say what a trial can show, what it trains and how long that takes; no dataset is changed, and nothing trained.

    Args:
        project: whose data and task it is.
        decisions: as in `tunewright.verbs.run_trial`, like all that is not said here.
        seeds: trainings of every arm.
        run: what decisions are changes of.
        split: the rows that judge.
        control: of collected rows.
        same_epochs: the same number of epochs, instead of steps.
        all_but_one: also each decision of several parts without each of them.
        workers: processes that train side by side.
        target: a difference in (0, 1] that is hoped for: how many seeds would it need?
        preview: also rank the decisions by a logistic regression on embeddings of the model before training.

    Raises:
        EditError: if a decision is none, or does not fit the data.
        RunError: if there is no such run, or a decision rests on one and there is none.
        ComparisonError: if there are no rows to judge by.
    """
    base = open_base(project, run, split=split)
    numbers = [base.config.seed + position for position in range(seeds)]
    parsed = parse_all(decisions)
    base = with_production(base, [collected_adds(base, one) for one in parsed], control)
    proposed = propose(base, parsed, seeds=numbers, same_epochs=same_epochs, all_but_one=all_but_one)
    wanted = {
        base.key(training): one.arm
        for one in proposed
        for position, seed in enumerate(numbers)
        for training in one.arm.trainings(base.config, seed, position)
    }
    done = finished(base)
    left = [arm for key, arm in wanted.items() if key not in done]
    arms = tuple(_planned(base, one, seeds) for one in proposed)
    count, _ = workers_for(len(left), workers)
    tried = _tried(base)
    score, chance = _known(base, done)
    size: dict[str, Any] = {"seeds": seeds, "arms": len(arms), "decisions": len(parsed)}
    return TrialPlan(
        run=base.run.id if base.run else None,
        version=base.version_name,
        split=base.split,
        metric=project.task.metric,
        judged_by="accuracy" if project.task.labels else project.task.metric,
        tries=tried,
        known=score is not None and chance is not None,
        planned=_reach(base, score, chance, target=target, **size),
        arms=arms,
        trainings=len(left),
        reused=len(wanted) - len(left),
        workers=count,
        seconds=_seconds(base, left, arms, count),
        preview=_previewed(base, proposed) if preview else None,
        production=base.pool.sentence() if base.pool else "",
        beside=None if base.by_test is None else _reach(base.by_test, *_known(base.by_test, done), **size),
    )


def _tried(base: Base) -> int:
    return len(tries(trials_folder(base.project) / LEDGER, base.fingerprint))


def _reach(
    base: Base,
    score: float | None,
    chance: Luck | None,
    *,
    seeds: int,
    arms: int,
    decisions: int,
    target: float | None = None,
) -> Planned:
    """The smallest difference that the rows which judge can show."""
    return plan(
        base.judged_by.num_rows,
        _USUAL_SCORE if score is None else score,
        seeds=seeds,
        arms=arms,
        tries=_tried(base) + decisions,
        target=target,
        **({} if chance is None else {"discordance": chance.discordance, "seed_sd": chance.seed_sd}),
    )


def _planned(base: Base, one: Proposed, seeds: int) -> PlannedArm:
    edits = one.edits[0]
    mixed = sum(len(getattr(edit, "recipes", ())) for edit in edits)
    inputs = trained_rows(base, edited(base, edits), mixed=mixed)
    (training, *_) = one.arm.trainings(base.config, base.config.seed, 0)
    return PlannedArm(
        name=one.arm.name,
        kind=one.arm.kind,
        rows=sum(map(size, edits)),
        inputs=inputs,
        steps=steps(inputs, training.config),
        trainings=seeds * one.arm.members,
        note=one.arm.note,
    )


def _known(base: Base, done: dict[str, Run]) -> tuple[float | None, Luck | None]:
    """The score of the arm without a change, and how it varies from seed to seed, of what was evaluated before."""
    first = base.config.seed
    configs = (base.config.with_changes(seed=seed) for seed in range(first, first + _SEEDS_TO_LEARN_FROM))
    keys = [base.key(Training(version=base.version, config=config)) for config in configs]
    mine = {done[key].id for key in keys if key in done}
    evaluations = [
        run
        for run in runs(base.project.runs_folder)
        if run.kind == "eval" and run.meta.get("parent") in mine and run.meta.get("fingerprint") == base.fingerprint
    ]
    by_run = {run.meta["parent"]: _scores(run, base.project.task.metric) for run in evaluations}
    if not by_run:
        return None, None
    known = np.stack(list(by_run.values()))
    return float(known.mean()), luck(known)


def _scores(evaluation: Run, metric: str) -> NDArray[np.float64]:
    table = labelled(evaluation).sort_by("id")
    column = metric if metric in table.column_names else "correct"
    values: NDArray[np.float64] = pc.cast(table[column], pa.float64()).to_numpy()
    return values


def _seconds(base: Base, left: Sequence[Arm], arms: Sequence[PlannedArm], workers: int) -> float | None:
    """From the seconds of a step, with one thread if several train at a time."""
    step = _step_seconds(base, workers)
    if step is None:
        return None
    of_arm = {arm.name: arm.steps for arm in arms}
    predicted = base.judged_by.num_rows / base.config.batch_size * _COST_OF_PREDICTING
    return float(sum((of_arm[arm.name] + predicted) * step for arm in left)) / max(workers, 1)


def _step_seconds(base: Base, workers: int) -> float | None:
    """As the project's last training took it, or else measured now."""
    measured = [run for run in runs(base.project.runs_folder) if run.meta.get("steps") and run.meta.get("seconds")]
    if not measured:
        return _measured(base, max(cores() // workers, 1))
    last = measured[-1]
    config = TrainConfig.from_json(last.meta["config"])
    threads = config.threads if isinstance(config.threads, int) else 1
    used = max(cores() // workers, 1) if workers > 1 else threads
    step = float(last.meta["seconds"] / last.meta["steps"])
    scaled: float = step * (threads / used) ** _GAIN_OF_THREADS * base.config.batch_size / config.batch_size
    return scaled


def _measured(base: Base, threads: int) -> float | None:
    """Seconds of a few steps on rows of the training data; None on an accelerator, which is not timed."""
    import torch

    from tunewright.tasks.source import load_tokenizer, quiet
    from tunewright.train.rows import inputs_of
    from tunewright.train.speed import choose

    task, trusted = base.project.task, base.config.trust_remote_code
    training = base.rows.filter(pc.and_(pc.equal(base.rows["split"], "train"), pc.is_valid(base.rows["label"])))
    tokenizer = load_tokenizer(base.model, trust_remote_code=trusted)
    features = inputs_of(task, training.slice(0, base.config.batch_size), tokenizer)
    with quiet():
        model = task.load_model(base.model, trust_remote_code=trusted)
    before = torch.get_num_threads()
    try:
        speed = choose(model, task.collator(tokenizer)(features), base.config.with_changes(threads=threads))
    finally:
        torch.set_num_threads(before)
    return min(speed.seconds.values(), default=None)


def _previewed(base: Base, proposed: Sequence[Proposed]) -> Previewed:
    """Rank the arms whose edits change labels, weights or pairs; settings and ensembles cannot be previewed."""
    labels = base.project.task.labels
    if not labels:
        raise ProjectError("a preview expects a task with a list of labels, found one without", fix="leave it out")
    plain = [one for one in proposed if any(one.edits) or one.arm.kind == "unchanged"]
    if len(plain) < 2:
        raise DataError("expected a decision about the data, found none that a preview could rank", fix="leave it out")
    tables = [edited(base, one.edits[0]) for one in plain]
    known = pa.concat_tables([_texts(base, table) for table in [*tables, base.judged_by]])
    first = pc.index_in(pc.unique(known["id"]), value_set=known["id"].combine_chunks())
    rows = known.take(first)
    vector = _embedded(base, rows)
    place = {name: position for position, name in enumerate(rows["id"].to_pylist())}
    code = {name: position for position, name in enumerate(labels)}
    made = {one.arm.name: _preview_arm(table, one, place, code) for one, table in zip(plain, tables, strict=True)}
    judged = arrays(base.judged_by.select(["id", "label"]))
    where = np.array([place[name] for name in judged["id"]])
    return preview(vector, made, vector[where], np.array([code[name] for name in judged["label"]]))


def _embedded(base: Base, rows: pa.Table) -> NDArray[np.floating]:
    """[n, d] of the model that training starts from."""
    from tunewright.observe.embed import embed
    from tunewright.tasks.source import load_tokenizer, quiet

    trusted = base.config.trust_remote_code
    with quiet():
        model = base.project.task.load_model(base.model, trust_remote_code=trusted)
    tokenizer = load_tokenizer(base.model, trust_remote_code=trusted)
    return vectors(embed(model, base.project.task, tokenizer, rows))


def _texts(base: Base, table: pa.Table) -> pa.Table:
    """Rows that are trained on or judged, with what an embedding needs."""
    kept = table.filter(pc.is_in(table["split"], pa.array(["train", base.split])))
    return kept.select([name for name in kept.column_names if name in {"id", "split", *base.project.task.text_fields}])


def _preview_arm(table: pa.Table, one: Proposed, place: dict[str, int], code: dict[str, int]) -> PreviewArm:
    """Labels and weights by place; -1 for rows that the arm does not learn."""
    training = table.filter(pc.equal(table["split"], "train"))
    columns = arrays(training.select(["id", "label", "weight"]))
    where = np.array([place[name] for name in columns["id"]], dtype=int)
    labels, weights = np.full(len(place), -1), np.zeros(len(place))
    labels[where] = [code.get(name, -1) for name in columns["label"]]
    weights[where] = columns["weight"]
    recipes = [recipe for edit in one.edits[0] for recipe in getattr(edit, "recipes", ())]
    if not recipes:
        return PreviewArm(labels=labels, weights=weights)
    pairs = np.array([(place[a], place[b]) for _, a, b, _ in recipes])
    return PreviewArm(labels=labels, weights=weights, pairs=pairs, shares=np.array([share for *_, share in recipes]))
