"""Every task is trained, recorded, killed and resumed alike; a new task is one row of the table."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from tunewright.observe.embed import embed
from tunewright.observe.predict import predict
from tunewright.run import Run, runs
from tunewright.tasks.source import load_tokenizer
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit, resume

# As source, because a killed process has to make the same ones.
MAKING = """
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.classify import Classification
from tunewright.tasks.summarize import Summarization
from tunewright.toy import toy_answers, toy_model, toy_pairs, toy_seq2seq, toy_summaries, toy_texts

CASES = {
    "texts": (Classification(labels=("neg", "pos")), toy_texts, toy_model),
    "pairs": (
        Classification(text="premise", text_pair="hypothesis", labels=("same", "different")), toy_pairs, toy_model
    ),
    "answers": (QuestionAnswering(max_length=24, stride=8), toy_answers, toy_model),
    "summaries": (Summarization(max_length=32, max_target_length=12), toy_summaries, toy_seq2seq),
}
"""
SCRIPT = (
    MAKING
    + """
import json, sys, time
from transformers import TrainerCallback
from tunewright.run import Run
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit, resume

class Slow(TrainerCallback):  # leaves time to be killed in
    def on_step_end(self, *args, **kwargs):
        time.sleep(0.02)

name, source, root, config, run = json.loads(sys.argv[1])
task, make, _ = CASES[name]
if run:
    resume(Run.open(run), task, callbacks=[Slow()])
else:
    fit(task, make(60), model=source, config=TrainConfig.from_json(config), root=root, callbacks=[Slow()])
"""
)
exec(MAKING)
STEPWISE = {"save_strategy": "steps", "save_steps": 5, "eval_strategy": "steps", "eval_steps": 5}
CONFIG = TrainConfig(epochs=3, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


@pytest.fixture(params=CASES, scope="module")  # noqa: F821
def case(request, tmp_path_factory):
    task, make, model = CASES[request.param]  # noqa: F821
    source = model(tmp_path_factory.mktemp("model"))
    return SimpleNamespace(name=request.param, task=task, rows=make(60), source=str(source))


@pytest.fixture(scope="module")
def run(case, tmp_path_factory):
    return fit(case.task, case.rows, model=case.source, config=CONFIG, root=tmp_path_factory.mktemp("runs"))


def test_every_training_row_is_recorded_once_an_epoch(case, run):
    lost = set(run.meta["untaught"]["ids"])
    expected = {row["id"] for row in case.rows.to_pylist() if row["split"] == "train"} - lost
    dynamics = run.table("dynamics")
    assert {(epoch["seen"], epoch["expected"]) for epoch in run.meta["coverage"]} == {(len(expected), len(expected))}
    keys = list(zip(*(dynamics[name].to_pylist() for name in ("id", "epoch", "window")), strict=True))
    assert len(keys) == len(set(keys))
    assert {(name, epoch) for name, epoch, _ in keys} == {(name, epoch) for name in expected for epoch in range(3)}
    assert np.isfinite(dynamics["gold_probability"].to_numpy()).all()


def test_the_clean_pass_records_the_same_rows(case, run, tmp_path):
    clean = fit(case.task, case.rows, model=case.source, config=CONFIG.with_changes(record="epoch_end"), root=tmp_path)
    assert clean.meta["coverage"] == run.meta["coverage"]


def test_predictions_are_one_per_row_with_what_every_reader_expects(case, run):
    predictions = run.table("predictions")
    validation = [row["id"] for row in case.rows.to_pylist() if row["split"] == "validation"]
    assert predictions["id"].to_pylist() == validation
    assert {"label", "predicted", "probability", "gold_probability", "loss", "margin", "correct"} <= set(
        predictions.column_names
    )
    probability = predictions["probability"].to_numpy()
    assert ((probability >= 0) & (probability <= 1)).all()
    assert set(run.meta["metrics"]) >= {f"validation_{case.task.metric}"}


def test_rows_without_targets_are_predicted_and_embedded(case, run):
    tokenizer = load_tokenizer(str(run.model_folder))
    model = case.task.load_model(str(run.model_folder))
    bare = case.rows.select(["id", *case.task.text_fields]).slice(0, 7)
    assert predict(model, case.task, tokenizer, bare)["id"].to_pylist() == bare["id"].to_pylist()
    for pooling in ("task", "mean", "cls"):
        vectors = embed(model, case.task, tokenizer, bare, pooling=pooling, batch_size=3)["vector"]
        assert np.isfinite(np.array(vectors.to_pylist())).all()
        assert len(vectors) == 7


def test_a_prediction_does_not_depend_on_its_batch(case, run):
    tokenizer = load_tokenizer(str(run.model_folder))
    model = case.task.load_model(str(run.model_folder))
    one, many = (predict(model, case.task, tokenizer, case.rows, batch_size=size) for size in (1, 64))
    assert one["predicted"].to_pylist() == many["predicted"].to_pylist()
    np.testing.assert_allclose(one["loss"].to_numpy(), many["loss"].to_numpy(), atol=1e-5)


@pytest.mark.parametrize("own", [False, True], ids=["", "own"])
@pytest.mark.parametrize("weights", [(1, 1), (1, 3)])
@pytest.mark.parametrize("accumulation", [1, 4])
def test_the_loss_is_the_weighted_mean_of_those_recorded(case, tmp_path, accumulation, weights, own):
    def half(outputs, targets):
        return case.task.measure(outputs, targets)["loss"] / 2

    rows = case.rows.append_column("weight", [[float(weights[row % 2]) for row in range(case.rows.num_rows)]])
    config = CONFIG.with_changes(
        epochs=1,
        batch_size=8 // accumulation,
        arguments={"gradient_accumulation_steps": accumulation, "logging_steps": 1},
    )
    made = fit(case.task, rows, model=case.source, config=config, root=tmp_path, loss=half if own else None)
    logged = {entry["step"] - 1: entry["loss"] for entry in made.meta["history"] if "loss" in entry}
    weight = dict(zip(rows["id"].to_pylist(), rows["weight"].to_pylist(), strict=True))
    recorded = defaultdict(list)
    for row in made.table("dynamics", ["id", "step", "loss"]).to_pylist():
        recorded[row["step"]].append(row["loss"] * weight[row["id"]] / (2 if own else 1))
    whole = [step for step, losses in recorded.items() if len(losses) == 8]
    assert len(whole) >= 3
    assert [logged[step] for step in whole] == pytest.approx([np.mean(recorded[step]) for step in whole], rel=1e-3)


class Diverged(TrainerCallback):
    """A model of nothing but NaN."""

    def on_train_begin(self, args, state, control, model, **trainer):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(float("nan"))


def test_a_model_that_diverged_has_no_loss_and_is_not_the_best(case, tmp_path):
    config = CONFIG.with_changes(epochs=1, arguments={"logging_steps": 1})
    made = fit(case.task, case.rows, model=case.source, config=config, root=tmp_path, callbacks=[Diverged()])
    losses = [entry[name] for entry in made.meta["history"] for name in ("loss", "eval_loss") if name in entry]
    assert len(losses) > 3
    assert set(losses) == {None}, "JSON has no NaN"
    if not case.task.labels:
        assert made.meta["best_step"] is None


@pytest.mark.parametrize(("event", "step"), [("on_step_end", 3), ("on_save", 10), ("on_epoch_end", 10)])
def test_interrupted_is_the_same_as_uninterrupted(case, tmp_path, same_dynamics, weights, event, step):
    config = CONFIG.with_changes(arguments=STEPWISE)
    whole = fit(case.task, case.rows, model=case.source, config=config, root=tmp_path / "whole")
    stop = interrupting(event, step)
    with pytest.raises(KeyboardInterrupt):
        fit(case.task, case.rows, model=case.source, config=config, root=tmp_path / "cut", callbacks=[stop])
    resumed = resume(runs(tmp_path / "cut")[0], case.task)
    same_dynamics(whole, resumed)
    assert weights(whole) == weights(resumed)
    assert resumed.meta["coverage"] == whole.meta["coverage"]


@pytest.mark.slow
def test_killed_and_resumed_is_the_same_as_uninterrupted(case, tmp_path, same_dynamics, weights):
    config = CONFIG.with_changes(arguments=STEPWISE)
    whole = fit(case.task, case.rows, model=case.source, config=config, root=tmp_path / "whole")
    process = started(case, tmp_path / "cut", config)
    cut = begun(tmp_path / "cut", process)
    time.sleep(random.Random(time.time_ns()).uniform(0, 0.2))
    process.send_signal(signal.SIGKILL)
    process.wait()
    cut = Run.open(cut.folder)
    resumed = cut if cut.meta["status"] == "finished" else resume(cut, case.task)
    same_dynamics(whole, resumed)
    assert weights(whole) == weights(resumed)


def interrupting(event, at_step):
    """A callback that stops a training from inside, where a signal cannot aim."""

    class Stop(TrainerCallback):
        pass

    def stop(self, args, state, control, **trainer):
        if state.global_step >= at_step:
            raise KeyboardInterrupt

    setattr(Stop, event, stop)
    return Stop()


def started(case, root, config):
    asked = json.dumps([case.name, case.source, str(root), config.to_json(), None])
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, asked],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def begun(root, process):
    """The run, once its first checkpoint is being written."""
    for _ in range(2400):
        if any(path.is_dir() for path in root.glob("*/checkpoints/checkpoint-*")):
            return runs(root)[0]
        assert process.poll() is None, "the training ended before it could be killed"
        time.sleep(0.05)
    raise AssertionError("the training never wrote a checkpoint")
