"""Trainings that are started from a page: one at a time, each a process of its own that outlives who started it.

<project>/jobs/<job>.json    what was asked for, the process, and how it ended
<project>/jobs/<job>.log     what the process printed
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from tunewright.errors import RunError, did_you_mean
from tunewright.files import claimed, write_json
from tunewright.project import open_dataset
from tunewright.run import Run, runs
from tunewright.train.steps import is_running, logged_steps
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tunewright.project import Project

__all__ = ["Job", "JobList", "Jobs", "State"]

State = Literal["waiting", "running", "done", "failed", "stopped"]
_ENDED: frozenset[State] = frozenset({"done", "failed", "stopped"})
_TRAINS = frozenset({"created", "running", "trained"})  # status of a run that a process may be at work on

_FOLDER = "jobs"
_MOST = 50  # jobs that are listed
_PATIENCE = 20.0  # seconds for a training to stop in good order
_TURN = 0.5  # seconds between two looks whether it is one's turn
_SAID = 300  # letters
_TAIL = 1 << 14  # bytes of a log in which an error is looked for

# whoever starts a server in the background of a shell has it ignore Ctrl-C, and its children with it
_CHILD = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('tunewright', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Result):
    """A training that was asked for, or that somebody has started in a shell.

    Attributes:
        id: of the job; of a training in a shell, that of its run.
        command: that trains.
        state: where it is.
        progress: 0 to 1; None as long as nobody knows.
        run: that it makes, once there is one.
        said: a sentence for people: the step and the loss, or why it failed.
    """

    id: str
    command: str
    state: State
    progress: float | None
    run: str | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList(Result):
    """Jobs, oldest first; then trainings that were started elsewhere."""

    jobs: tuple[Job, ...]


_Record = dict[str, Any]


class Jobs:
    """Starts trainings of a project, and tells how they are. Several processes may do so at once.

    A training goes on when the process that started it ends, and the next one finds it. Those that wait for their turn
    belong to the process that was asked, and are given up with it.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = project.folder.resolve() / _FOLDER
        self._closed = threading.Event()

    def start(self, version: str) -> Job:
        """Train a version as soon as no other job does.

        Raises:
            EditError: if there is no such version.
        """
        dataset = open_dataset(self._project)
        dataset.resolve(version)
        now = datetime.now(UTC)
        job = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        self._folder.mkdir(exist_ok=True)
        record = {"id": job, "asked": now.isoformat(), "command": f"tunewright train --version {version}"}
        descriptor = self._lock_of(job)
        self._write({**record, "version": version})
        threading.Thread(target=self._live, args=(job, descriptor), name=f"job {job}", daemon=True).start()
        return self.job(job)

    def jobs(self) -> JobList:
        """All that there are, the newest 50."""
        known = runs(self._project.runs_folder)
        own = tuple(self._told(record, known) for record in self._records()[-_MOST:])
        named = {job.run for job in own}
        return JobList(jobs=(*own, *(_elsewhere(run) for run in known if _trains(run) and run.id not in named)))

    def job(self, name: str) -> Job:
        """One of them.

        Raises:
            RunError: if there is none of this name.
        """
        found = {job.id: job for job in self.jobs().jobs}
        if name not in found:
            raise RunError(f"no job is called {name!r}", fix=did_you_mean(name, found))
        return found[name]

    def stop(self, name: str) -> Job:
        """Stop a training as Ctrl-C does, so that it can be resumed; if that takes longer than 20 s, end it.

        Raises:
            RunError: if there is no such job, or it was started elsewhere.
        """
        told = self.job(name)
        record = self._record(name)
        if record is None:
            raise RunError(f"the training of run {name} was started elsewhere", fix="press Ctrl-C where it runs")
        if told.state not in _ENDED:
            record = self._write(record, stop=True)
            self._signal(record, signal.SIGINT)
            late = threading.Timer(_PATIENCE, self._signal, (record, signal.SIGTERM))
            late.daemon = True
            late.start()
        return self.job(name)

    def close(self) -> None:
        """Give up those that wait; what trains goes on."""
        self._closed.set()

    def _live(self, job: str, descriptor: int) -> None:
        """The life of a job in its thread. Its lock is held until it ends, by the process that trains if there is one."""
        try:
            process = self._in_turn(job, descriptor)
        finally:
            os.close(descriptor)
        code = None if process is None else process.wait()
        self._end(job, code)

    def _in_turn(self, job: str, descriptor: int) -> subprocess.Popen[bytes] | None:
        """The process, once no older job waits or runs; None if it was stopped before."""
        while not self._closed.is_set():
            with claimed(self._folder / ".turn", wait=True):
                if (self._record(job) or {"stop": True}).get("stop"):
                    return None
                if next((one["id"] for one in self._records() if self._state(one) not in _ENDED), job) == job:
                    return self._begin(job, descriptor)
            self._closed.wait(_TURN)
        return None

    def _begin(self, job: str, descriptor: int) -> subprocess.Popen[bytes]:
        record = self._record(job) or {}
        asked = ["train", "--version", record["version"], "--project", str(self._folder.parent)]
        with self._log(job).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  our own interpreter and command
                [sys.executable, "-c", _CHILD, *asked],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder.parent,
                start_new_session=True,  # Ctrl-C ends the server alone
                pass_fds=(descriptor,),
            )
        self._write(record, process=process.pid)
        return process

    def _end(self, job: str, code: int | None) -> None:
        record = self._record(job)
        if record is not None:
            run = _run_of(record, runs(self._project.runs_folder))
            self._write(record, state=_ended(record, run, code), code=code, run=run.id if run else None)

    def _signal(self, record: _Record, number: int) -> None:
        if "process" in record and self._is_held(record["id"]):
            with suppress(ProcessLookupError):
                os.killpg(record["process"], number)

    def _told(self, record: _Record, known: Sequence[Run]) -> Job:
        state = self._state(record, known)
        run = _run_of(record, known)
        progress, said = _progress(run) if run is not None else (None, "")
        if state == "failed":
            said = _error_in(self._log(record["id"])) or f"it failed; see {_FOLDER}/{record['id']}.log"
        return Job(
            id=record["id"],
            command=record["command"],
            state=state,
            progress=1.0 if state == "done" else progress,
            run=run.id if run else None,
            said=said if state in {"running", "failed"} else "",
        )

    def _state(self, record: _Record, known: Sequence[Run] = ()) -> State:
        if "state" in record:
            state: State = record["state"]
            return state
        if self._is_held(record["id"]):
            return "running" if "process" in record else "waiting"
        return _ended(record, _run_of(record, known), None)

    def _is_held(self, job: str) -> bool:
        with claimed(self._folder / f".{job}.lock") as free:
            return not free

    def _lock_of(self, job: str) -> int:
        """The job's lock, held: it is free when the last process that has this descriptor ends, however it comes."""
        import fcntl

        descriptor = os.open(self._folder / f".{job}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def _records(self) -> list[_Record]:
        found = (self._record(path.stem) for path in self._folder.glob("*.json"))
        return sorted((one for one in found if one is not None), key=lambda one: (one["asked"], one["id"]))

    def _record(self, job: str) -> _Record | None:
        """What is written of a job; None if there is none."""
        with suppress(FileNotFoundError, ValueError):
            record: _Record = json.loads((self._folder / f"{job}.json").read_text(encoding="utf-8"))
            return record
        return None

    def _write(self, record: _Record, **more: Any) -> _Record:
        """Write a record with what others have added meanwhile."""
        with claimed(self._folder / ".writing", wait=True):
            written = {**record, **(self._record(record["id"]) or {}), **more}
            write_json(self._folder / f"{record['id']}.json", written)
        return written

    def _log(self, job: str) -> Path:
        return self._folder / f"{job}.log"


def _elsewhere(run: Run) -> Job:
    progress, said = _progress(run)
    version = run.meta.get("version_name") or run.meta.get("version") or "main"
    command = f"tunewright train --version {version}"
    return Job(id=run.id, command=command, state="running", progress=progress, run=run.id, said=said)


def _trains(run: Run) -> bool:
    """Whether a process of this machine trains a run; its lock is only looked at where there is a process."""
    process = run.meta.get("process")
    return run.kind == "train" and run.meta.get("status") in _TRAINS and _lives(process) and is_running(run)


def _lives(process: Any) -> bool:
    if not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _run_of(record: _Record, known: Sequence[Run]) -> Run | None:
    """The run that the process of a job has made."""
    for run in reversed(known):
        if run.id == record.get("run"):
            return run
        if (
            "process" in record
            and run.meta.get("process") == record["process"]
            and run.meta["created"] >= record["asked"]
        ):
            return run
    return None


def _ended(record: _Record, run: Run | None, code: int | None) -> State:
    """How a job ended; without an exit code, which only the starter gets, by what became of the run."""
    if code == 0 or (run is not None and run.meta.get("status") == "finished"):
        return "done"
    interrupted = run is not None and run.meta.get("status") == "interrupted"
    if record.get("stop") or "process" not in record or interrupted:
        return "stopped"
    return "failed"


def _progress(run: Run) -> tuple[float | None, str]:
    """How far a run is, 0 to 1, and a sentence."""
    steps, _ = logged_steps(run)
    if not steps:
        return None, ""
    last = steps[-1]
    loss = next((one.loss for one in reversed(steps) if one.loss is not None), None)
    said = f"step {last.step} of {last.of}, epoch {last.epoch:.1f}"
    return min(last.step / max(last.of, 1), 1.0), said + (f", loss {loss:.4f}" if loss is not None else "")


def _error_in(log: Path) -> str:
    """The error that a command of ours has printed last; empty where there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - _TAIL, 0))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.removeprefix("error: ")[:_SAID] for line in reversed(lines) if line.startswith("error: ")), "")
