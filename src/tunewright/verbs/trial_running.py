"""Train what a trial needs, side by side, seed by seed, with a look after each."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunewright.errors import TrainError
from tunewright.trial.schedule import Schedule
from tunewright.trial.workers import Pool, described, share
from tunewright.verbs.trial_base import Base, finished, unfinished
from tunewright.verbs.trial_worker import described_project, train_and_evaluate

if TYPE_CHECKING:
    from tunewright.train.config import TrainConfig
    from tunewright.trial.arms import Arm, Training
    from tunewright.trial.folder import Trial

__all__ = ["Look", "Progress", "schedule_of", "train_all", "unheard", "workers_for"]

Look = Callable[[int], set[str]]
"""Told how many seeds are complete, says which decisions are settled."""

Progress = Callable[[str, int, int], None]
"""Told what is being trained, and how many of all optimiser steps of the trial are done."""

_WORKER = "tunewright.verbs.trial_worker"


def schedule_of(base: Base, trial: Trial) -> Schedule:
    """What a trial has to train, without what it has trained already."""
    return Schedule(trial.arms, trial.seeds, trial.config, base.key, set(trial.done))


def workers_for(jobs: int, wanted: int | str = "auto") -> tuple[int, int]:
    """How many processes train side by side, and threads in each.

    Raises:
        TrainError: if it is no number of processes.
    """
    if wanted != "auto" and not (str(wanted).isdecimal() and int(wanted) >= 1):
        raise TrainError(f"expected a number of workers, or auto, found {wanted!r}")
    return share(wanted, jobs, accelerated=_accelerated())


def unheard(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class _Steps:
    """How far all trainings are, in steps; each counts alike."""

    total: int
    each: int
    progress: Progress
    done: dict[int, int] = field(default_factory=dict)

    def advance(self, job: int, name: str, step: int, of: int) -> None:
        """A job has done so many steps of so many."""
        self.done[job] = step * self.each // max(of, 1)
        self.progress(name, min(sum(self.done.values()), self.total), self.total)


def train_all(
    base: Base, trial: Trial, schedule: Schedule, *, workers: int | str, steps: int, look: Look, progress: Progress
) -> None:
    """Train and evaluate until every seed is complete, or every decision is settled; each result is kept at once.

    What is interrupted can be begun again, and goes on from there. Where a training fails, its decision is left, and
    the others are trained to their end before the error is raised; without the arm of no change there is nothing to go on for.

    Args:
        base: of the trial.
        trial: on disk.
        schedule: what to train.
        workers: processes, or ``auto``.
        steps: of one training, for the progress.
        look: called after each complete seed.
        progress: called now and then.

    Raises:
        TrainError: if a training fails.
    """
    count, threads = workers_for(schedule.left(), workers)
    # one process that has the machine to itself trains with the threads that the configuration says
    jobs, seen = _Jobs(base, trial, schedule, threads if count > 1 else None), schedule.complete()
    told = _Steps(schedule.left() * steps, steps, progress)
    failed: list[TrainError] = []
    pool = Pool.started(_WORKER, count, threads=threads, log=trial.log) if count > 1 else nullcontext()
    with pool as running:
        events = _alone(base, jobs, told) if running is None else running.run(jobs.take)
        for event in events:
            number = event["job"]
            if "step" in event:
                told.advance(number, jobs.names[number], event["step"], event["of"])
                continue
            told.advance(number, jobs.names[number], steps, steps)
            if "error" in event:
                failed.append(_failure(trial, jobs.names[number], event))
                if jobs.arms[number].kind == "unchanged":
                    break
                schedule.settled.add(jobs.arms[number].decision)
            else:
                trial.update(done={**trial.done, jobs.keys[number]: event["done"]})
                schedule.done.add(jobs.keys[number])
            while (complete := schedule.complete()) > seen:
                seen = complete
                schedule.settled |= look(seen)
    if failed:
        raise _together(failed)


def _failure(trial: Trial, name: str, event: Mapping[str, Any]) -> TrainError:
    again = f"what else was trained is kept: tunewright trial run --resume {trial.id}, or a new trial without it"
    return TrainError(f"{name}: {event['error']}", fix="; ".join(filter(None, (event["fix"], again))))


def _together(failed: Sequence[TrainError]) -> TrainError:
    """The first of several failures, with what happened to the others."""
    if len(failed) == 1:
        return failed[0]
    others = "; ".join(error.message for error in failed[1:])
    return TrainError(f"{failed[0].message}; and {others}", fix=failed[0].fix)


class _Jobs:
    """The trainings of a schedule as jobs for workers, which name what is there already."""

    def __init__(self, base: Base, trial: Trial, schedule: Schedule, threads: int | None) -> None:
        self._base, self._trial, self._schedule, self._threads = base, trial, schedule, threads
        self._known = {**unfinished(base), **finished(base)}
        self._arm_of = _first_arms(trial, schedule)
        self._judges = [
            {"version": one.judge, "split": one.split, "fingerprint": one.fingerprint} for one in base.judges
        ]
        self._versions = {version: name for name, version in base.dataset.versions.items()}
        self.arms: list[Arm] = []
        self.keys: list[str] = []
        self.names: list[str] = []

    def take(self) -> Mapping[str, Any] | None:
        taken = self._schedule.take()
        if taken is None:
            return None
        key, training = taken
        arm = self._arm_of[key]
        self.arms.append(arm)
        self.keys.append(key)
        self.names.append(f"{arm.name}, seed {training.config.seed}")
        known = self._known.get(key)
        return {
            "job": len(self.keys) - 1,
            "folder": str(self._base.project.folder.resolve()),
            "version": training.version,
            "config": _as_trained(training, self._threads, kind=arm.kind).to_json(),
            "parent": self._base.parent,
            "expects": described_project(self._base.project),
            "name": f"{self._base.project.name}-{arm.name}",
            "meta": {
                "version_name": self._versions.get(training.version, training.version),
                "trial": self._trial.id,
                "arm": arm.name,
            },
            "run": known and known.id,
            "is_finished": known is not None and known.meta["status"] == "finished",
            "judges": self._judges,
        }


def _as_trained(training: Training, threads: int | None, *, kind: str) -> TrainConfig:
    """Only the arm without a change is worth a map."""
    config = replace(training.config, threads=threads or training.config.threads)
    is_mapped = kind == "unchanged" and config.record != "none"
    return replace(config, record="train") if is_mapped else replace(config, record="none")


def _first_arms(trial: Trial, schedule: Schedule) -> dict[str, Arm]:
    """The first arm that each training is for."""
    found: dict[str, Arm] = {}
    for position in range(len(trial.seeds)):
        for arm in trial.arms:
            for key in schedule.keys(arm, position):
                found.setdefault(key, arm)
    return found


def _alone(base: Base, jobs: _Jobs, told: _Steps) -> Iterator[Mapping[str, Any]]:
    while (job := jobs.take()) is not None:
        advance = partial(told.advance, job["job"], jobs.names[job["job"]])
        ended: dict[str, Any]
        try:
            ended = {"done": train_and_evaluate(base.project, job, advance)}
        except Exception as error:  # noqa: BLE001  as in a process of its own: one training does not end the others
            ended = described(error)
        yield {"job": job["job"], **ended}


def _accelerated() -> bool:
    """Whether there is a GPU, without the seconds that importing torch takes."""
    if "torch" in sys.modules:
        import torch

        return torch.cuda.is_available() or torch.backends.mps.is_available()
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}
    nvidia = Path("/dev/nvidia0").exists() and not hidden
    return nvidia or Path("/dev/kfd").exists() or (sys.platform == "darwin" and platform.machine() == "arm64")
