from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tunewright.errors import TrainError
from tunewright.trial.workers import Pool, share


@pytest.fixture
def pool(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with Pool.started("echo_worker", 2, threads=1, log=tmp_path / "log") as pool:
        yield pool


def taking(jobs):
    left = iter({"job": number, **job} for number, job in enumerate(jobs))
    return lambda: next(left, None)


def test_every_job_is_done_once_by_either_worker(pool):
    events = list(pool.run(taking({"do": "square", "number": number} for number in range(6))))
    done = {event["job"]: event["done"] for event in events if "done" in event}
    assert [done[number]["square"] for number in range(6)] == [0, 1, 4, 9, 16, 25]
    assert {one["threads"] for one in done.values()} == {"1"}
    assert sum("step" in event for event in events) == 6


def test_what_comes_back_may_make_more_jobs(pool):
    jobs = [{"job": 0, "do": "square", "number": 2}]
    found = []
    for event in pool.run(lambda: jobs.pop() if jobs else None):
        if "done" in event:
            found.append(event["done"]["square"])
            if len(found) == 1:
                jobs.append({"job": 1, "do": "square", "number": found[0]})
    assert found == [4, 16]


def test_a_job_that_fails_says_why_and_the_worker_lives(pool, tmp_path):
    events = list(pool.run(taking([{"do": "fail"}, {"do": "square", "number": 3}])))
    (failed,) = [event for event in events if "error" in event]
    assert (failed["error"], failed["fix"]) == ("expected better", "do better")
    assert [event["done"]["square"] for event in events if "done" in event] == [9]
    assert "libraries print, too" in (tmp_path / "log").read_text()


def test_a_worker_that_dies_is_noticed(pool):
    with pytest.raises(TrainError, match=r"ended by itself \(exit code 3\)"):
        list(pool.run(taking([{"do": "die"}])))


def test_closing_interrupts_who_is_busy(pool, tmp_path):
    next(pool.run(taking([{"do": "wait"}])))
    started = time.monotonic()
    pool.close()
    assert time.monotonic() - started < 20
    assert "stopped in good order" in (tmp_path / "log").read_text()


def test_they_are_interrupted_also_where_the_caller_ignores_interrupts(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pool = Pool("echo_worker", 1, threads=1, log=tmp_path / "log")
    finally:
        signal.signal(signal.SIGINT, before)
    next(pool.run(taking([{"do": "wait"}])))
    pool.close()
    assert "stopped in good order" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("workers", "jobs", "accelerated", "expected"),
    [
        ("auto", 9, False, (4, 1)),
        ("auto", 2, False, (2, 2)),
        ("auto", 9, True, (1, 4)),
        (3, 9, True, (3, 1)),
        ("8", 1, False, (1, 4)),
        ("auto", 0, False, (1, 4)),
    ],
)
def test_processes_and_threads_share_the_cores(monkeypatch, workers, jobs, accelerated, expected):
    monkeypatch.setattr("tunewright.trial.workers.cores", lambda: 4)
    assert share(workers, jobs, accelerated=accelerated) == expected
