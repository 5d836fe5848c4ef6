"""Dynamics of rows by models that never learnt from them: a training for each fold, and one run of all held-out rows."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.splits import make_splits
from tunewright.errors import TrainError
from tunewright.project import Project, open_dataset
from tunewright.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import TrainerCallback

    from tunewright.train.config import TrainConfig

__all__ = ["HELD_OUT", "assign", "train_folds"]

HELD_OUT = "held_out"
"""The split of the rows of a fold's run that it does not learn from."""
_FEWEST = 2


def train_folds(
    project: Project,
    folds: int,
    *,
    version: str = "main",
    name: str | None = None,
    progress: bool = False,
    **changes: Any,
) -> Run:
    """Train once per fold, each time without it, and record its rows in a clean pass after each epoch.

    Costs ``folds`` trainings on (folds - 1) / folds of the rows. Rows of equal content are in one fold, and labels are
    spread evenly. Mixed rows are left out, because a parent of theirs may be held out.

    Args:
        project: data, task, model and configuration.
        folds: how many; two or more.
        version: name or id of the dataset version.
        name: short name; the runs of the folds are called after it.
        progress: show loss, speed and time left on standard error.
        changes: fields of `TrainConfig` that differ from the project's; ``seed`` also draws the folds.

    Returns:
        a run of its own, without a model, whose dynamics are those of every training row when it was held out; its
        ``fold_runs`` name the others.

    Raises:
        EditError: if there is no such version.
        TrainError: if there are too few folds or rows, or several processes.
    """
    started = time.perf_counter()
    dataset = open_dataset(project)
    resolved = dataset.resolve(version)
    table = dataset.table(resolved)
    table = table.filter(pc.is_in(table["split"], pa.array(["train", "validation"])))
    _check(table, folds)
    config = project.train.with_changes(**changes)
    fold = assign(table, folds, seed=config.seed, stratify=bool(project.task.labels))
    called = name or f"{project.name}-{version}"
    meta = {"dataset": project.name, "version": resolved, "version_name": version, "seed": config.seed}
    made, parts = [], []
    for number in range(folds):
        rows = _marked(table, fold, number)
        about = meta | {"fold": number, "folds": folds}
        run, measured = _train_one(project, config, rows, f"{called}-fold{number}", about, progress=progress)
        made.append(run)
        parts += [(f"part-f{number:02d}-e{epoch:04d}", part) for epoch, part in enumerate(measured)]
    config_of_all = {**made[0].meta["config"], **config.to_json(), "record": "held_out"}
    run = Run.create(
        project.runs_folder, kind="train", name=f"{called}-folds", config=config_of_all, examples=table, **meta
    )
    for part, measured in parts:
        run.append("dynamics", part, measured)
    run.update(
        status="finished",
        recorded="held_out",
        labels=list(project.task.labels),
        fold_runs=[one.id for one in made],
        coverage=_coverage(run),
        seconds=round(time.perf_counter() - started, 1),
    )
    return run


def assign(table: pa.Table, folds: int, *, seed: int, stratify: bool = True) -> pa.Array:
    """The fold of each labelled training row as text, null for the others; see `make_splits`.

    Without ``stratify``, labels are not looked at: answers and summaries are nearly all different.
    """
    taught = pc.and_(pc.equal(table["split"], "train"), pc.is_valid(table["label"]))
    names = [str(number) for number in range(folds)]
    shares, label = dict.fromkeys(names, 1 / folds), "label" if stratify else None
    made = make_splits(table.filter(taught), fractions=shares, seed=seed, label=label)
    places = pc.index_in(table["id"].combine_chunks(), value_set=table.filter(taught)["id"].combine_chunks())
    return made.take(places)


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
) -> tuple[Run, list[pa.Table]]:
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
    return run, watching.parts


def _coverage(run: Run) -> list[dict[str, int]]:
    seen = run.table("dynamics", ["id", "epoch"]).group_by("epoch").aggregate([("id", "count_distinct")])
    per_epoch = dict(zip(seen["epoch"].to_pylist(), seen["id_count_distinct"].to_pylist(), strict=True))
    expected = max(per_epoch.values())
    return [{"epoch": epoch, "seen": per_epoch[epoch], "expected": expected} for epoch in sorted(per_epoch)]
