"""What a training logged."""

from __future__ import annotations

import pyarrow as pa

from tunewright.run import Run
from tunewright.train.steps import log_step
from tunewright.verbs.explore.losses import StepLoss, losses


def training(folder):
    return Run.create(folder, kind="train", name="one", config={}, examples=pa.table({"id": ["a"], "split": ["train"]}))


def test_loss_and_validation_loss_of_a_step_come_together(tmp_path):
    run = training(tmp_path)
    assert losses(run).losses == ()
    log_step(run, step=10, of=20, epoch=0.5, logs={"loss": 0.7})
    log_step(run, step=10, of=20, epoch=0.5, logs={"eval_loss": 0.6})
    assert losses(run).losses == (StepLoss(step=10, epoch=0.5, loss=0.7, eval_loss=0.6),)


def test_of_an_older_run_the_kept_history_is_told(tmp_path):
    run = training(tmp_path)
    run.update(history=[{"loss": 1.0, "step": 5, "epoch": 1.0}, {"eval_loss": None, "step": 5, "epoch": 1.0}])
    assert losses(run).losses == (StepLoss(step=5, epoch=1.0, loss=1.0, eval_loss=None),)
