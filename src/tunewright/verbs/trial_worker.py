"""One training of a trial, and its evaluation; `main` is a process that does one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunewright.errors import ProjectError
from tunewright.project import FILE, Project, open_project
from tunewright.run import Run, runs
from tunewright.train.config import TrainConfig
from tunewright.trial.workers import serve
from tunewright.verbs.evaluations import predict_split
from tunewright.verbs.learn import train

if TYPE_CHECKING:
    from transformers import TrainerCallback

__all__ = ["described_project", "main", "train_and_evaluate"]

Advance = Callable[[int, int], None]

_SECONDS_BETWEEN = 0.5


def train_and_evaluate(project: Project, job: Mapping[str, Any], advance: Advance) -> dict[str, Any]:
    """Train, unless a finished run is named, and predict the rows all arms are judged by.

    Args:
        project: whose data and task it is.
        job: ``version`` (id), ``config``, ``parent`` (a run to start from, or None), ``name`` and ``meta`` of the run,
            ``run`` (one to use or resume instead, or None), ``is_finished`` (whether that one is), and ``judges``: of
            each set of rows that judges ``version``, ``split`` and ``fingerprint``, the one that decides first.
        advance: told now and then how many steps of how many are done.

    Returns:
        run, evaluation, beside (ids; evaluations of the rows that decide, and of the others), train_seconds,
        evaluate_seconds, and reused: whether the model was there already.
    """
    _require_same(project, job["expects"])
    started = time.perf_counter()
    run = _trained(project, job, advance)
    trained = time.perf_counter()
    evaluation, *beside = [_evaluated(project, run, judge) for judge in job["judges"]]
    return {
        "run": run.id,
        "evaluation": evaluation.id,
        "beside": [one.id for one in beside],
        "train_seconds": round(trained - started, 2),
        "evaluate_seconds": round(time.perf_counter() - trained, 2),
        "reused": job["is_finished"],
    }


def described_project(project: Project) -> dict[str, str | None]:
    """What of a project decides how a run comes out, beside data and configuration."""
    from tunewright.bindings import described

    own_loss = described(project.loss) if project.loss else None
    return {"model": project.model, "task": repr(project.task), "own_loss": own_loss}


def main() -> None:
    """Do the jobs that come over standard input."""
    import tunewright.train.loop  # noqa: F401  what takes long to import, before there is a clock running

    projects: dict[str, Project] = {}

    def work(job: Mapping[str, Any], advance: Advance) -> Mapping[str, Any]:
        folder = job["folder"]
        if folder not in projects:
            projects[folder] = open_project(Path(folder))
        return train_and_evaluate(projects[folder], job, advance)

    serve(work)


def _require_same(project: Project, expected: Mapping[str, Any]) -> None:
    found = described_project(project)
    if found != expected:
        raise ProjectError(
            f"the project was changed after it was loaded: {FILE} says {found}, asked for is {dict(expected)}",
            fix=f"write the change into {FILE}, or use one worker, which trains in this process",
        )


def _trained(project: Project, job: Mapping[str, Any], advance: Advance) -> Run:
    callbacks = [_steps(advance)]
    if job["run"] is not None:
        run = Run.open(project.runs_folder / job["run"])
        return run if job["is_finished"] else train(project, resume=run.id, callbacks=callbacks)
    return train(
        replace(project, train=TrainConfig.from_json(job["config"])),
        version=job["version"],
        from_run=job["parent"],
        name=job["name"],
        meta=job["meta"],
        callbacks=callbacks,
    )


def _evaluated(project: Project, run: Run, judge: Mapping[str, Any]) -> Run:
    """The evaluation of a run on rows that judge; made now if there is none."""
    wanted = {"kind": "eval", "status": "finished", "parent": run.id, "fingerprint": judge["fingerprint"]}
    stored = [one for one in runs(project.runs_folder) if wanted.items() <= one.meta.items()]
    if stored:
        return stored[-1]
    return predict_split(project, run, split=judge["split"], version=judge["version"])


def _steps(advance: Advance) -> TrainerCallback:
    from transformers import TrainerCallback

    class Steps(TrainerCallback):
        last = 0.0

        def on_step_end(self, args: Any, state: Any, control: Any, **trainer: Any) -> None:
            now = time.monotonic()
            if now - self.last >= _SECONDS_BETWEEN or state.global_step == state.max_steps:
                self.last = now
                advance(state.global_step, state.max_steps)

    return Steps()
