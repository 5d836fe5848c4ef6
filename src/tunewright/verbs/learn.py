"""``train``: a dataset version becomes a run."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import RunError, TrainError
from tunewright.project import Project, find_run, open_dataset
from tunewright.run import Run, runs
from tunewright.verbs.lineage import note_use

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from tunewright.train.config import TrainConfig

__all__ = ["configured", "is_first_process", "resumable", "train"]

_LEARNT_FROM = ("train", "validation")


def train(
    project: Project,
    *,
    version: str = "main",
    from_run: Run | str | None = None,
    resume: Run | str | bool = False,
    name: str | None = None,
    progress: bool = False,
    callbacks: Sequence[TrainerCallback] = (),
    meta: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Run:
    """Fine-tune on a version of the dataset, with the dynamics of every row.

    Args:
        project: data, task, model and configuration.
        version: name or id of the dataset version.
        from_run: start from this run's model instead of the project's.
        resume: continue an interrupted run: True for the last one, or its name. Everything else is as it was then.
        name: short name of the run; by default that of the dataset and its version.
        progress: show loss, speed and time left on standard error.
        callbacks: further callbacks of the Trainer.
        meta: further JSON values to keep in the new run's run.json.
        changes: fields of `TrainConfig` that differ from the project's.

    Returns:
        The finished run.

    Raises:
        EditError: if there is no such version.
        TrainError: if a change is no field of the configuration, or nothing can be trained.
        RunError: if there is no such run, or it has no model for the project's task.
    """
    started = time.perf_counter()
    callbacks = [*_shown(progress=progress), *callbacks]
    if resume is not False:
        run = _resume(
            project,
            None if resume is True else resume,
            callbacks,
            with_changes=bool(changes or from_run or name or version != "main"),
        )
    else:
        run = _begin(
            project,
            version=version,
            from_run=from_run,
            name=name,
            callbacks=callbacks,
            meta=meta or {},
            changes=changes,
        )
    if not is_first_process():
        return run
    if resume is False:  # the time before an interruption is not known
        run.update(seconds=round(time.perf_counter() - started, 1))
    _log_map(run)
    note_use(project, run)
    return run


def configured(project: Project, changes: Mapping[str, Any]) -> TrainConfig:
    """The project's configuration with changes; one of ``arguments`` leaves the project's others."""
    if "arguments" in changes:
        changes = {**changes, "arguments": {**project.train.arguments, **changes["arguments"]}}
    return project.train.with_changes(**changes)


def is_first_process() -> bool:
    """Whether this is the only process of a training, or the first of those that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def resumable(project: Project) -> Run:
    """The last training run that was not finished; those of folds go on with the others, see `train_folds`.

    Raises:
        TrainError: if there is none.
    """
    from tunewright.train.steps import is_running

    found = [run for run in runs(project.runs_folder) if run.kind == "train" and _is_unfinished(run)]
    found = [run for run in found if not is_running(run)]
    if not found:
        raise TrainError(
            "expected an unfinished training run, found none",
            fix="name a failed one to try it again (--resume RUN), or train without --resume",
        )
    return found[-1]


def _begin(
    project: Project,
    *,
    version: str,
    from_run: Run | str | None,
    name: str | None,
    callbacks: Sequence[TrainerCallback],
    meta: Mapping[str, Any],
    changes: dict[str, Any],
) -> Run:
    from tunewright.train.loop import fit

    config = configured(project, changes)
    parent = None if from_run is None else _start(project, from_run)
    dataset = open_dataset(project)
    resolved = dataset.resolve(version)
    table = dataset.table(resolved)
    return fit(
        project.task,
        table.filter(pc.is_in(table["split"], pa.array(_LEARNT_FROM))),
        model=project.model_source if parent is None else str(parent.model_folder),
        config=config,
        root=project.runs_folder,
        name=name or f"{project.name}-{version}",
        callbacks=callbacks,
        loss=project.loss,
        mixed=dataset.recipes(resolved),
        meta={
            "dataset": project.name,
            "version": resolved,
            "version_name": version,
            "parent": parent and parent.id,
            "seed": config.seed,
            **meta,
        },
    )


def _start(project: Project, from_run: Run | str) -> Run:
    """A run whose model can learn on in the project."""
    run, task = find_run(project, from_run), type(project.task).__name__
    if not run.model_folder.is_dir():
        raise RunError(f"run {run.id} has no model to start from", fix="name a finished training run")
    learnt = run.meta["config"].get("task", task).partition("(")[0]
    if learnt != task:
        raise RunError(
            f"run {run.id} learnt the task {learnt}, the project's is {task}",
            fix="start from the project's model, or from a run of the same task",
        )
    if run.labels != project.task.labels:
        raise RunError(
            f"run {run.id} knows the labels {list(run.labels)}, the project has {list(project.task.labels)}",
            fix="start from the project's model, or put the labels back",
        )
    return run


def _resume(
    project: Project, run: Run | str | None, callbacks: Sequence[TrainerCallback], *, with_changes: bool
) -> Run:
    from tunewright.train.loop import resume

    if with_changes:
        raise TrainError(
            "a resumed run goes on with the configuration it began with, found changes to it",
            fix="resume without changes, or begin a new run",
        )
    unfinished = resumable(project) if run is None else find_run(project, run)
    return resume(unfinished, project.task, callbacks=callbacks, loss=project.loss)


def _shown(*, progress: bool) -> list[TrainerCallback]:
    from tunewright.train.progress import TrainingProgress

    return [TrainingProgress()] if progress else []


def _is_unfinished(run: Run) -> bool:
    known = "model" in run.meta["config"] and "fold" not in run.meta
    return known and run.meta.get("status") not in {"finished", "failed"}


def _log_map(run: Run) -> None:
    """Send the data map to the trackers while their run is still open."""
    trackers = tuple(run.meta["config"].get("trackers", ()))
    if not trackers or run.meta["config"].get("record") == "none":
        return
    from tunewright.train.trackers import finish, log_image
    from tunewright.verbs.chart import pictures

    for path in pictures(run):
        if path.suffix == ".png":
            log_image(trackers, path, run=run)
    finish(trackers)
