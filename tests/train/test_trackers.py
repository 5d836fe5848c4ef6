from __future__ import annotations

import sys
import time
from types import ModuleType, SimpleNamespace

import pytest

from tunewright.errors import MissingDependencyError
from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.train.loop import fit
from tunewright.train.trackers import finish, log_image


@pytest.fixture
def picture(tmp_path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.savefig(tmp_path / "map.png")
    return tmp_path / "map.png"


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "runs", kind="train", name="x", config={}, examples=toy_texts(2))


@pytest.mark.slow
def test_weights_and_biases_offline(tmp_path, source, task, config, picture, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.chdir(tmp_path)
    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    tracked = config.with_changes(trackers=("wandb",), arguments={"logging_steps": 1})
    run = fit(task, toy_texts(40), model=source, config=tracked, root=tmp_path / "runs")
    log_image(("wandb",), picture, run=run)
    finish(("wandb",))
    (log,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    wanted = {b"train/loss", b"eval/accuracy"}
    assert _written(log, wanted) == wanted
    assert list(tmp_path.glob("wandb/offline-run-*/files/media/images/map*.png"))


def _written(log, wanted):
    """Which words its own process has written, which it does once it has been told that all is over."""
    for _ in range(100):
        content = log.read_bytes()
        if all(word in content for word in wanted):
            break
        time.sleep(0.1)
    return {word for word in wanted if word in content}


def test_tensorboard_lies_in_the_run(tmp_path, source, task, config, picture):
    pytest.importorskip("tensorboard")
    tracked = config.with_changes(trackers=("tensorboard",), arguments={"logging_steps": 1})
    run = fit(task, toy_texts(40), model=source, config=tracked, root=tmp_path / "runs")
    log_image(("tensorboard",), picture, run=run)
    written = b"".join(path.read_bytes() for path in (run.folder / "tensorboard").glob("events.*"))
    assert b"train/loss" in written
    assert b"map" in written


def test_mlflow_and_trackio_get_the_picture(picture, run, monkeypatch):
    """Neither is installed here: what is called of them is what their documentation says."""
    seen = []
    mlflow, trackio = ModuleType("mlflow"), ModuleType("trackio")
    mlflow.last_active_run = lambda: SimpleNamespace(info=SimpleNamespace(run_id="r1"))
    mlflow.log_artifact = lambda path, *, run_id: seen.append((path, run_id))
    trackio.init = lambda *, project, name, resume: seen.append((project, name, resume))
    trackio.log, trackio.finish = seen.append, lambda: seen.append("finished")
    trackio.Image = lambda path: SimpleNamespace(path=path)
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    monkeypatch.setitem(sys.modules, "trackio", trackio)
    log_image(("mlflow", "trackio", "swanlab"), picture, run=run)
    finish(("mlflow", "trackio"))
    assert seen[0] == (str(picture), "r1")
    assert seen[1] == ("tunewright", run.id, "allow")
    assert seen[2]["map"].path == str(picture)
    assert seen[3:] == ["finished"]


def test_a_tracker_that_is_not_installed_is_named(picture, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingDependencyError, match="wandb"):
        log_image(("wandb",), picture, run=run)
