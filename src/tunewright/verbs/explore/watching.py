"""What happens in a project while somebody looks at it: trainings, their losses, columns that grow, pending changes.

Nothing here carries a text of the dataset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunewright.run import Run
from tunewright.train.steps import LoggedStep, logged_steps
from tunewright.verbs.explore.pending import PendingLog
from tunewright.verbs.explore.snapshot import etag
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.project import Project
    from tunewright.verbs.explore.jobs import Job, Jobs

__all__ = ["Happened", "LossLogged", "PendingChanged", "RunChanged", "Watcher"]

_ENDED = frozenset({"finished", "failed", "interrupted", "refused", "imported"})
_GROWING = ("", "run.json", "dynamics", "columns")  # what changes when a table of a run does
_Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossLogged(Result):
    """A step that a training has logged; losses in nats, None where they were not measured."""

    run: str
    step: int
    epoch: float
    loss: float | None
    eval_loss: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChanged(Result):
    """A run has another status, or other columns than before."""

    run: str
    etag: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChanged(Result):
    """Somebody has changed what waits for a version."""

    version: str
    revision: int


@dataclass(frozen=True, slots=True)
class Happened:
    """One event: its kind, and what is told of it."""

    event: Literal["job", "loss", "run", "pending"]
    data: Result


class Watcher:
    """Tells what has happened since it was asked last. For one listener, in one thread at a time.

    At first it tells of the jobs, of trainings that go on all losses so far, and of what waits for a version: who was
    cut off hears what was missed.
    """

    def __init__(self, project: Project, jobs: Jobs) -> None:
        self._project = project
        self._jobs = jobs
        self._known_jobs: dict[str, Job] = {}
        self._stamps: dict[Path, _Stamp] = {}
        self._runs: dict[str, RunChanged] = {}
        self._lines: dict[str, int] = {}
        self._pending: dict[Path, _Stamp] = {}
        self._is_first = True

    def look(self) -> tuple[Happened, ...]:
        """What has happened, in the order in which it is told best: losses and columns before the end of a job."""
        found = (*self._of_runs(), *self._of_jobs(), *self._of_pending())
        self._is_first = False
        return found

    def _of_jobs(self) -> Iterator[Happened]:
        for job in self._jobs.jobs().jobs:
            # an error may quote a row; whoever wants it asks for the jobs
            told = replace(job, said=job.said if job.state == "running" else "")
            if self._known_jobs.get(job.id) != told:
                self._known_jobs[job.id] = told
                yield Happened("job", told)

    def _of_runs(self) -> Iterator[Happened]:
        for path in sorted(self._project.runs_folder.glob("*/run.json")):
            folder = path.parent
            stamp = (*_stamp(*(folder / name for name in _GROWING)), *_stamp(folder / "steps.jsonl"))
            if self._stamps.get(folder) != stamp:
                self._stamps[folder] = stamp
                run = Run.open(folder)
                yield from self._of_losses(run)
                yield from self._of_run(run)

    def _of_run(self, run: Run) -> Iterator[Happened]:
        told = RunChanged(run=run.id, etag=etag(self._project, run), status=run.meta.get("status", ""))
        before = self._runs.get(run.id)
        self._runs[run.id] = told
        if told != before and not (self._is_first and told.status in _ENDED):
            yield Happened("run", told)

    def _of_losses(self, run: Run) -> Iterator[Happened]:
        if self._is_first and run.meta.get("status") in _ENDED:
            self._lines[run.id] = logged_steps(run)[1]
            return
        after = self._lines.get(run.id, 0)
        steps, lines = logged_steps(run, after=after)
        if lines < after:  # it was resumed at an earlier step
            steps, lines = logged_steps(run)
        self._lines[run.id] = lines
        yield from (Happened("loss", _loss(run, step)) for step in steps if (step.loss, step.eval_loss) != (None, None))

    def _of_pending(self) -> Iterator[Happened]:
        for path in sorted((self._project.dataset_folder / "pending").glob("*.jsonl")):
            stamp = _stamp(path)
            if self._pending.get(path) != stamp:
                self._pending[path] = stamp
                yield Happened("pending", PendingChanged(version=path.stem, revision=PendingLog(path).read().revision))


def _loss(run: Run, step: LoggedStep) -> LossLogged:
    return LossLogged(run=run.id, step=step.step, epoch=step.epoch, loss=step.loss, eval_loss=step.eval_loss)


def _stamp(*paths: Path) -> _Stamp:
    """Changes when one of the files or folders does; one that is not there counts as 0."""
    found: list[int] = []
    for path in paths:
        try:
            status: Any = path.stat()
        except FileNotFoundError:
            found += (0, 0)
        else:
            found += (status.st_mtime_ns, status.st_size)
    return tuple(found)
