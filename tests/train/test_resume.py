"""A process killed at any moment, then resumed, equals one that was never interrupted."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunewright.run import Run, runs
from tunewright.tasks.classify import Classification
from tunewright.toy import toy_texts
from tunewright.train.checkpoints import last_complete
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit, resume

TASK = Classification(labels=("neg", "pos"))
STEPWISE = {"save_strategy": "steps", "save_steps": 5, "eval_strategy": "steps", "eval_steps": 5}
SCRIPT = """
import json, sys, time
from transformers import TrainerCallback
from tunewright.run import Run
from tunewright.tasks.classify import Classification
from tunewright.toy import toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit, resume

class Slow(TrainerCallback):  # leaves time to be killed in
    def on_step_end(self, *args, **kwargs):
        time.sleep(0.02)

source, root, config, run = json.loads(sys.argv[1])
task = Classification(labels=("neg", "pos"))
if run:
    resume(Run.open(run), task, callbacks=[Slow()])
else:
    fit(task, toy_texts(80), model=source, config=TrainConfig.from_json(config), root=root, callbacks=[Slow()])
"""


def started(source, root, config, run=None):
    asked = json.dumps([source, str(root), config.to_json(), str(run) if run else None])
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, asked],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def begun(root: Path, process) -> Run:
    """The run, once its first checkpoint is being written."""
    for _ in range(600):
        if any(path.is_dir() for path in root.glob("*/checkpoints/checkpoint-*")):
            return runs(root)[0]
        assert process.poll() is None, "the training ended before it could be killed"
        time.sleep(0.05)
    raise AssertionError("the training never wrote a checkpoint")


@pytest.mark.slow
@pytest.mark.parametrize("record", ["train", "epoch_end", "both"])
def test_three_kills_at_random_moments_change_nothing(tmp_path, source, record, same_dynamics, weights):
    config = TrainConfig(
        epochs=4, batch_size=4, learning_rate=1e-2, threads=1, precision="fp32", record=record, arguments=STEPWISE
    )
    whole = fit(TASK, toy_texts(80), model=source, config=config, root=tmp_path / "whole")
    draw = random.Random(time.time_ns())
    process = started(source, tmp_path / "cut", config)
    run = begun(tmp_path / "cut", process)
    for _ in range(3):
        time.sleep(draw.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = started(source, tmp_path / "cut", config, run.folder)
        time.sleep(draw.uniform(2.5, 4))
    process.send_signal(signal.SIGKILL)
    process.wait()
    run = Run.open(run.folder)
    resumed = run if run.meta["status"] == "finished" else resume(run, TASK)
    same_dynamics(whole, resumed)
    assert weights(whole) == weights(resumed)
    assert resumed.meta["coverage"] == whole.meta["coverage"]
    assert resumed.meta["metrics"] == whole.meta["metrics"]


class Interrupting:
    """Stops a training from inside, where a signal cannot aim."""

    def __new__(cls, event: str, at_step: int):
        from transformers import TrainerCallback

        class Stop(TrainerCallback):
            pass

        def stop(self, args, state, control, **trainer):
            if state.global_step == at_step:
                raise KeyboardInterrupt

        setattr(Stop, event, stop)
        return Stop()


@pytest.mark.parametrize(
    ("event", "step"),
    [("on_step_end", 3), ("on_step_begin", 7), ("on_save", 10), ("on_evaluate", 10), ("on_epoch_end", 12)],
)
@pytest.mark.parametrize("accumulation", [1, 2])
def test_interrupted_anywhere_is_the_same_as_uninterrupted(
    tmp_path, source, same_dynamics, weights, event, step, accumulation
):
    config = TrainConfig(
        epochs=3,
        batch_size=4 // accumulation,
        learning_rate=1e-2,
        threads=1,
        precision="fp32",
        arguments=STEPWISE | {"gradient_accumulation_steps": accumulation, "save_total_limit": 1},
    )
    whole = fit(TASK, toy_texts(80), model=source, config=config, root=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(
            TASK,
            toy_texts(80),
            model=source,
            config=config,
            root=tmp_path / "cut",
            callbacks=[Interrupting(event, step)],
        )
    cut = runs(tmp_path / "cut")[0]
    assert cut.meta["status"] == "interrupted"
    resumed = resume(cut, TASK)
    same_dynamics(whole, resumed)
    assert weights(whole) == weights(resumed)


def test_a_checkpoint_cut_short_is_passed_over(tmp_path):
    for step, state in ((5, '{"global_step": 5}'), (10, '{"global_st'), (15, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert last_complete(tmp_path) == tmp_path / "checkpoint-5"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-5"]
    assert last_complete(tmp_path / "absent") is None
