from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tunewright.errors import EditError, RunError
from tunewright.run import runs
from tunewright.train.config import TrainConfig
from tunewright.train.steps import logged_steps
from tunewright.verbs.explore.jobs import Jobs

SCRIPT = Path(__file__).with_name("explorer_scenario.py")
SECONDS = 300
ENDED = {"done", "failed", "stopped"}


def scenario():
    made = importlib.util.spec_from_file_location("explorer_scenario", SCRIPT)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


SCENARIO = scenario()


def quick(epochs):
    return TrainConfig(epochs=epochs, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


@pytest.fixture
def project(tmp_path, request):
    return SCENARIO.reviews(tmp_path / "p", train=quick(getattr(request, "param", 1)))


def until(jobs, job, wanted):
    """The job, once it is in a state that is wanted."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = jobs.job(job.id)
        if found.state in wanted:
            return found
        assert found.state not in ENDED, found
        time.sleep(0.2)
    raise AssertionError(f"still {found}")


def test_a_version_is_trained_through_the_route(project):
    client = TestClient(SCENARIO.app_of(project), base_url="http://127.0.0.1:8000")
    headers = {**SCENARIO.BEARER, "Content-Type": "application/json"}
    started = client.post("/api/train", json={"version": "main"}, headers=headers).json()
    assert set(started) == {"id", "command", "state", "progress", "run", "said"}
    assert started["command"] == "tunewright train --version main"
    jobs = Jobs(project)
    done = until(jobs, jobs.job(started["id"]), {"done"})
    (run,) = runs(project.runs_folder)
    assert (done.run, done.progress) == (run.id, 1.0)
    steps, _ = logged_steps(run)
    assert [one.step for one in steps] == sorted(one.step for one in steps)
    assert any(one.loss is not None for one in steps)
    assert steps[-1].step == steps[-1].of
    assert client.get("/api/jobs", headers=headers).json() == {"jobs": [done.to_json()]}
    assert client.post("/api/jobs/none/stop", json={}, headers=headers).status_code == 400
    assert (project.folder / "jobs" / f"{done.id}.log").read_text()


@pytest.mark.parametrize("project", [500], indirect=True)
def test_one_at_a_time_and_stopped_as_by_ctrl_c(project):
    jobs, others = Jobs(project), Jobs(project)
    first = jobs.start("main")
    until(others, first, {"running"})
    second = others.start("main")
    assert jobs.job(second.id).state == "waiting"
    while not jobs.job(first.id).progress:
        time.sleep(0.2)
    assert "step" in jobs.job(first.id).said
    assert others.stop(second.id).state in {"waiting", "stopped"}
    others.stop(first.id)
    assert until(jobs, first, {"stopped"}).run == runs(project.runs_folder)[0].id
    assert until(jobs, second, {"stopped"}).run is None
    assert runs(project.runs_folder)[0].meta["status"] == "interrupted"


def test_what_cannot_be_trained(project):
    jobs = Jobs(project)
    with pytest.raises(EditError, match="no version is called"):
        jobs.start("nothing")
    with pytest.raises(RunError, match="no job is called"):
        jobs.stop("nothing")
    (project.folder / "project.py").write_text("broken(")
    failed = until(jobs, jobs.start("main"), {"failed"})
    assert "project.py, line 1" in failed.said


def test_those_that_wait_are_given_up_with_their_server(project):
    jobs = Jobs(project)
    jobs.close()
    job = jobs.start("main")
    assert until(Jobs(project), job, {"stopped"}).run is None
