from __future__ import annotations

import importlib.util
import json
import threading
from pathlib import Path

import httpx2
import pyarrow as pa
import pytest

from tunewright.project import open_dataset
from tunewright.run import Run
from tunewright.train.steps import log_step
from tunewright.verbs.explore.curation import pending
from tunewright.verbs.explore.jobs import Jobs
from tunewright.verbs.explore.watching import Watcher

SCRIPT = Path(__file__).with_name("explorer_scenario.py")


def scenario():
    made = importlib.util.spec_from_file_location("explorer_scenario", SCRIPT)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


SCENARIO = scenario()


@pytest.fixture
def project(tmp_path):
    project = SCENARIO.reviews(tmp_path / "p")
    open_dataset(project)
    return project


@pytest.fixture
def run(project):
    rows = pa.table({"id": ["a"], "split": ["train"], "text": ["a secret text"], "label": ["pos"]})
    run = Run.create(project.runs_folder, kind="train", name="by hand", config={}, examples=rows)
    run.update(status="running")
    return run


def told(watcher):
    return [(one.event, one.data.to_json()) for one in watcher.look()]


def test_a_watcher_tells_only_what_is_new(project, run):
    log_step(run, step=1, of=4, epoch=0.25, logs={"loss": 0.7})
    watcher = Watcher(project, Jobs(project))
    first = told(watcher)
    assert [kind for kind, _ in first] == ["loss", "run"]
    assert first[0][1] == {"run": run.id, "step": 1, "epoch": 0.25, "loss": 0.7, "eval_loss": None}
    assert first[1][1]["status"] == "running"
    assert told(watcher) == []
    log_step(run, step=2, of=4, epoch=0.5, logs={"eval_loss": float("nan"), "loss": 0.6})
    assert told(watcher)[0] == ("loss", {"run": run.id, "step": 2, "epoch": 0.5, "loss": 0.6, "eval_loss": None})
    run.write("columns/confidence-0", pa.table({"id": ["a"], "confidence": [0.5]}))
    (grown,) = told(watcher)
    assert grown[0] == "run"
    assert grown[1]["etag"] != first[1][1]["etag"]
    pending(project).add([{"action": "tag", "ids": [open_dataset(project).table()["id"][0].as_py()], "value": "x"}])
    news = [("pending", {"version": "main", "revision": 1})]
    assert told(watcher) == news
    assert told(watcher) == []
    assert news[0] in told(Watcher(project, Jobs(project)))  # so that a page that was cut off misses nothing


def test_runs_that_have_ended_are_not_news(project, run):
    run.update(status="finished")
    log_step(run, step=1, of=1, epoch=1, logs={"loss": 0.7})
    assert told(Watcher(project, Jobs(project))) == []


def read(lines, count):
    """So many events of a stream, comments left out."""
    found, event = [], ""
    for line in lines:
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((event, json.loads(line.removeprefix("data: "))))
            if len(found) == count:
                break
    return found


def test_a_listener_hears_until_the_server_stops(project, run):
    with SCENARIO.served(project) as address:
        client = httpx2.Client(timeout=60, headers=SCENARIO.BEARER)
        with client.stream("GET", f"{address}/api/events") as stream:
            assert stream.status_code == 200
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            lines = stream.iter_lines()
            threading.Timer(0.5, log_step, (run,), {"step": 1, "of": 2, "epoch": 0.5, "logs": {"loss": 0.5}}).start()
            heard = read(lines, 2)
    assert {kind for kind, _ in heard} <= {"loss", "run"}
    assert "secret" not in json.dumps(heard)


def test_without_the_token_nobody_hears(project):
    with SCENARIO.served(project) as address:
        assert httpx2.get(f"{address}/api/events", timeout=60).status_code == 401
