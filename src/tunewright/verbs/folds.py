"""Dynamics of rows by models that never learnt from them: a training for each fold, and one run of all held-out rows."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.intake import content_of
from tunewright.data.splits import make_splits
from tunewright.errors import TrainError
from tunewright.project import Project, open_dataset
from tunewright.run import Run, runs
from tunewright.verbs.learn import configured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import TrainerCallback

    from tunewright.train.config import TrainConfig

__all__ = ["HELD_OUT", "assign", "train_folds"]

HELD_OUT = "held_out"
"""The split of the rows of a fold's run that it does not learn from, and the run's table of what it says about them."""
_FEWEST = 2
_TOGETHER = "_together"  # column of what must not be in two folds


def train_folds(
    project: Project,
    folds: int,
    *,
    version: str = "main",
    resume: bool = False,
    name: str | None = None,
    progress: bool = False,
    **changes: Any,
) -> Run:
    """Train once per fold, each time without it, and record its rows in a clean pass after each epoch.

    Costs ``folds`` trainings on (folds - 1) / folds of the rows. Rows of equal content, and questions about equal
    passages, are in one fold, and labels are spread evenly. Mixed rows are left out, because a parent of theirs may be
    held out; ``mixed_left_out`` of the run says how many.

    Args:
        project: data, task, model and configuration.
        folds: how many; two or more.
        version: name or id of the dataset version.
        resume: take the folds that an interrupted call with the same settings has finished, and train the others.
        name: short name; the runs of the folds are called after it.
        progress: show loss, speed and time left on standard error.
        changes: fields of `TrainConfig` that differ from the project's; ``seed`` also draws the folds.

    Returns:
        a run of its own, without a model, whose dynamics are those of every training row when it was held out; its
        ``fold_runs`` name the others.

    Raises:
        EditError: if there is no such version.
        TrainError: if there are too few folds or rows, several processes, or nothing to resume.
    """
    started = time.perf_counter()
    dataset = open_dataset(project)
    resolved = dataset.resolve(version)
    table = dataset.table(resolved)
    table = table.filter(pc.is_in(table["split"], pa.array(["train", "validation"])))
    _check(table, folds)
    config = configured(project, changes)
    fold = assign(table, folds, seed=config.seed, stratify=bool(project.task.labels), passage=dataset.fields.passage)
    called = name or f"{project.name}-{version}"
    meta = {"dataset": project.name, "version": resolved, "version_name": version, "seed": config.seed}
    settings = _settings(project, config, resolved, folds)
    made = _finished(project, settings) if resume else {}
    if resume and not made:
        raise TrainError("expected finished folds of an interrupted training, found none", fix="leave out --resume")
    for number in sorted(set(range(folds)) - made.keys()):
        about = meta | {"fold": number, "folds": folds, "fold_settings": settings}
        rows = _marked(table, fold, number)
        made[number] = _train_one(project, config, rows, f"{called}-fold{number}", about, progress=progress)
    run = _gathered(project, [made[number] for number in range(folds)], table, f"{called}-folds", meta)
    run.update(mixed_left_out=dataset.recipes(resolved).num_rows, seconds=round(time.perf_counter() - started, 1))
    return run


def assign(table: pa.Table, folds: int, *, seed: int, stratify: bool = True, passage: str | None = None) -> pa.Array:
    """The fold of each labelled training row as text, null for the others; see `make_splits`.

    Args:
        table: columns id, split, label, content and that of the passage.
        folds: how many.
        seed: another seed draws other folds.
        stratify: spread labels evenly; not for answers and summaries, which are nearly all different.
        passage: column of the text in which answers lie; rows with an equal one are in one fold.

    Raises:
        TrainError: if the rows have fewer different texts or passages than there are folds.
    """
    taught = table.filter(pc.and_(pc.equal(table["split"], "train"), pc.is_valid(table["label"])))
    together = taught["content"] if passage is None else content_of([taught[passage]])
    names = [str(number) for number in range(folds)]
    shares, label = dict.fromkeys(names, 1 / folds), "label" if stratify else None
    made = make_splits(
        taught.append_column(_TOGETHER, together), fractions=shares, seed=seed, label=label, content=_TOGETHER
    )
    if len(made.unique()) < folds:
        what = "texts" if passage is None else "passages"
        raise TrainError(f"there are too few different {what} for {folds} folds", fix="take fewer folds")
    return made.take(pc.index_in(table["id"].combine_chunks(), value_set=taught["id"].combine_chunks()))


def _settings(project: Project, config: TrainConfig, version: str, folds: int) -> str:
    """A digest of all that decides what a fold learns and is asked."""
    from tunewright.bindings import described

    loss = project.loss and described(project.loss)
    given = [version, folds, project.model_source, repr(project.task), loss, config.to_json()]
    return hashlib.blake2b(json.dumps(given, sort_keys=True).encode(), digest_size=8).hexdigest()


def _finished(project: Project, settings: str) -> dict[int, Run]:
    """The finished folds that no run has gathered yet, by number; of several the last."""
    every = runs(project.runs_folder)
    gathered = {fold for run in every for fold in run.meta.get("fold_runs", ())}
    return {
        run.meta["fold"]: run
        for run in every
        if run.meta.get("fold_settings") == settings and run.id not in gathered and run.has(HELD_OUT)
    }


def _gathered(project: Project, made: Sequence[Run], table: pa.Table, name: str, meta: dict[str, Any]) -> Run:
    """One run of what each fold's run says about the rows that it did not learn from."""
    config = {**made[0].meta["config"], "record": "held_out"}
    run = Run.create(project.runs_folder, kind="train", name=name, config=config, examples=table, **meta)
    for number, fold in enumerate(made):
        run.append("dynamics", f"part-f{number:02d}", fold.table(HELD_OUT))
    run.update(
        status="finished",
        recorded="held_out",
        labels=list(project.task.labels),
        fold_runs=[fold.id for fold in made],
        coverage=_coverage(run),
    )
    return run


def _check(table: pa.Table, folds: int) -> None:
    if folds < _FEWEST:
        raise TrainError(f"expected {_FEWEST} folds or more, found {folds}", fix="--folds 5")
    if "label" not in table.column_names or pc.sum(pc.is_valid(table["label"])).as_py() < folds:
        raise TrainError(f"expected {folds} labelled rows or more, one for each fold", fix="take fewer folds")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainError("folds are trained by one process, found several", fix="run it without torchrun")


def _marked(table: pa.Table, fold: pa.Array, number: int) -> pa.Table:
    """The rows with those of a fold in a split of their own."""
    held = pc.fill_null(pc.equal(fold, str(number)), False)
    split = pc.if_else(held, HELD_OUT, table["split"].combine_chunks())
    return table.set_column(table.column_names.index("split"), "split", split)


def _train_one(
    project: Project, config: TrainConfig, rows: pa.Table, name: str, meta: dict[str, Any], *, progress: bool
) -> Run:
    from tunewright.tasks.source import load_tokenizer
    from tunewright.train.held_out import HeldOut
    from tunewright.train.loop import fit
    from tunewright.train.progress import TrainingProgress

    tokenizer = load_tokenizer(project.model_source, trust_remote_code=config.trust_remote_code)
    held = rows.filter(pc.equal(rows["split"], HELD_OUT))
    weightless = held.drop_columns(["weight"]) if "weight" in held.column_names else held
    watching = HeldOut(project.task, weightless, tokenizer)
    shown: Sequence[TrainerCallback] = [TrainingProgress()] if progress else []
    run = fit(
        project.task,
        rows,
        model=project.model_source,
        config=config,
        root=project.runs_folder,
        name=name,
        callbacks=[*shown, watching],
        loss=project.loss,
        meta=meta,
    )
    run.write(HELD_OUT, pa.concat_tables(watching.parts))
    return run


def _coverage(run: Run) -> list[dict[str, int]]:
    seen = run.table("dynamics", ["id", "epoch"]).group_by("epoch").aggregate([("id", "count_distinct")])
    per_epoch = dict(zip(seen["epoch"].to_pylist(), seen["id_count_distinct"].to_pylist(), strict=True))
    expected = max(per_epoch.values())
    return [{"epoch": epoch, "seen": per_epoch[epoch], "expected": expected} for epoch in sorted(per_epoch)]
