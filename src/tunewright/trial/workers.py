"""Processes that do jobs side by side, each with its own share of the cores.

A job is a JSON value, and so is what comes back: one line each, over pipes. A worker is a fresh interpreter, so nothing
of the caller's is imported again, and it stops in good order when its pipe closes: on Ctrl-C, and also when the caller
is killed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from tunewright.errors import TrainError

__all__ = ["Event", "Pool", "cores", "described", "serve", "share"]

Event = Mapping[str, Any]
"""``{"job": its number, "step": n, "of": n}`` now and then, and at last ``"done"``, or ``"error"`` and ``"fix"``."""

_SECONDS_TO_STOP = 60


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(workers: int | str, jobs: int, *, accelerated: bool) -> tuple[int, int]:
    """How many processes, and threads in each.

    One thread in each of as many processes as there are cores trains more examples in a second than all threads in one
    process; an accelerator is not shared.

    Args:
        workers: how many processes, or ``auto``.
        jobs: never more processes than jobs.
        accelerated: whether there is a GPU.
    """
    available = cores()
    wanted = (1 if accelerated else available) if workers == "auto" else int(workers)
    count = max(min(wanted, jobs), 1)
    return count, max(available // count, 1)


class Pool:
    """Workers that run ``main()`` of a module, which calls `serve`.

    Args:
        module: dotted name.
        count: how many processes.
        threads: of numerical libraries in each.
        log: file that gets what they print.
    """

    def __init__(self, module: str, count: int, *, threads: int, log: Path) -> None:
        self._events: queue.Queue[tuple[int, Event | None]] = queue.Queue()
        environment = {**os.environ, **dict.fromkeys(_THREADS, str(threads)), "TOKENIZERS_PARALLELISM": "false"}
        self._log = log.open("ab")
        self._listeners: list[threading.Thread] = []
        self._processes = [self._start(module, number, environment) for number in range(count)]
        self._idle = list(range(count))

    @classmethod
    @contextmanager
    def started(cls, module: str, count: int, *, threads: int, log: Path) -> Iterator[Pool]:
        """A pool for the block; whatever ends the block, the workers stop in good order."""
        pool = cls(module, count, threads=threads, log=log)
        try:
            yield pool
        finally:
            pool.close()

    def run(self, take: Callable[[], Mapping[str, Any] | None]) -> Iterator[Event]:
        """Do jobs until none is left and all are done.

        Args:
            take: gives the next job, asked whenever a worker is free; None for now, for what comes back may change that.

        Raises:
            TrainError: if a worker dies; the log says of what.
        """
        while True:
            while self._idle and (job := take()) is not None:
                self._send(self._idle.pop(), job)
            if len(self._idle) == len(self._processes):
                return
            number, event = self._events.get()
            if event is None:
                raise TrainError(
                    f"a process that trains ended by itself (exit code {self._processes[number].wait()})",
                    fix=f"see {self._log.name}; if memory ran out, use fewer --workers",
                )
            if "step" not in event:
                self._idle.append(number)
            yield event

    def close(self) -> None:
        """End the workers: idle ones at once, busy ones as on Ctrl-C, which leaves what can be resumed."""
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in self._processes:
            try:
                process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for listener in self._listeners:
            listener.join()
        self._log.close()

    def _start(self, module: str, number: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603  our own interpreter and module
            [sys.executable, "-c", f"from {module} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=dict(environment),
            start_new_session=True,  # Ctrl-C reaches the caller alone, which closes the pipes
        )
        listener = threading.Thread(target=self._listen, args=(number, process.stdout), daemon=True)
        listener.start()
        self._listeners.append(listener)
        return process

    def _listen(self, number: int, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._events.put((number, json.loads(line)))
        self._events.put((number, None))

    def _send(self, number: int, job: Mapping[str, Any]) -> None:
        stream = self._processes[number].stdin
        assert stream is not None
        with suppress(BrokenPipeError):  # it has died, and its last event says so
            stream.write(json.dumps(job).encode() + b"\n")
            stream.flush()


def serve(work: Callable[[Mapping[str, Any], Callable[[int, int], None]], Mapping[str, Any]]) -> None:
    """Be a worker: do jobs from standard input until it closes.

    Args:
        work: does one job; gets the job and a function to tell how many steps of how many are done.
    """
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not come between the replies
    jobs: queue.Queue[Mapping[str, Any] | None] = queue.Queue()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell began in the background
    threading.Thread(target=_read, args=(sys.stdin.buffer, jobs), daemon=True).start()
    with suppress(KeyboardInterrupt):
        while (job := jobs.get()) is not None:
            reply = _Reply(replies, job["job"])
            try:
                reply(done=dict(work(job, reply.advance)))
            except Exception as error:  # noqa: BLE001  it is the caller who decides what becomes of it
                traceback.print_exception(error, file=sys.stderr)
                reply(**described(error))


def described(error: Exception) -> dict[str, str]:
    """The event of a job that failed: ``error`` and ``fix``."""
    said = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
    return {"error": str(said), "fix": str(getattr(error, "fix", None) or "")}


class _Reply:
    def __init__(self, stream: IO[str], job: int) -> None:
        self._stream, self._job = stream, job

    def __call__(self, **event: Any) -> None:
        self._stream.write(json.dumps({"job": self._job, **event}) + "\n")
        self._stream.flush()

    def advance(self, step: int, of: int) -> None:
        self(step=step, of=of)


def _read(stream: IO[bytes], jobs: queue.Queue[Mapping[str, Any] | None]) -> None:
    for line in stream:
        jobs.put(json.loads(line))
    jobs.put(None)
    # a training is interrupted as by Ctrl-C, also where it waits for something
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
