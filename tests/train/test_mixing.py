"""Trainings with synthetic rows: what is recorded where, what the loss is, and that they can be resumed exactly."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tunewright.errors import TrainError
from tunewright.run import Run
from tunewright.tasks.answer import QuestionAnswering
from tunewright.toy import toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit, resume
from tunewright.train.mixing import mixing_of

STEPWISE = {"save_strategy": "steps", "save_steps": 5, "eval_strategy": "steps", "eval_steps": 5}


def recipes(rows: int = 30, *, layer: str = "embeddings", seed: int = 0) -> pa.Table:
    """Random pairs of the training rows of 80 toy texts."""
    draw = random.Random(seed)
    examples = toy_texts(80)
    training = examples.filter(pc.equal(examples["split"], "train"))["id"].to_pylist()
    pairs = [draw.sample(training, 2) for _ in range(rows)]
    return pa.table(
        {
            "id": [f"mix-{row}" for row in range(rows)],
            "a": [a for a, _ in pairs],
            "b": [b for _, b in pairs],
            "weight": [draw.betavariate(0.9, 0.9) for _ in pairs],
            "layer": [layer] * rows,
        }
    )


def trained(task, source, config, root, **more):
    return fit(task, toy_texts(80), model=source, config=config, root=root, **more)


@pytest.mark.parametrize(
    ("layer", "batching"), [("embeddings", "length"), ("hidden:1", "random"), ("pooled", "length")]
)
def test_recipes_are_learnt_from_and_recorded_apart(tmp_path, source, task, config, layer, batching):
    config = config.with_changes(record="both", batching=batching)
    run = trained(task, source, config, tmp_path, mixed=recipes(layer=layer))
    assert run.meta["coverage"] == [{"epoch": epoch, "seen": 48, "expected": 48} for epoch in range(3)]
    assert set(run.table("dynamics")["id"].to_pylist()) == set(run.table("features")["id"].to_pylist())
    assert run.table("passes").num_rows == 2 * 48
    synthetic = run.table("synthetic")
    assert synthetic.num_rows == 3 * 30
    assert set(synthetic["id"].to_pylist()) == {f"mix-{row}" for row in range(30)}
    assert np.isfinite(synthetic["loss"].to_numpy()).all()
    assert run.table("mixed").equals(recipes(layer=layer))
    assert run.meta["mixing"] == {"layer": layer, "alpha": None, "recipes": 30, "used": 30}


@pytest.mark.parametrize(("layer", "record"), [("embeddings", "epoch_end"), ("hidden:2", "train"), ("pooled", "both")])
def test_fresh_pairs_are_as_many_as_the_rows_and_others_in_each_epoch(tmp_path, source, task, config, layer, record):
    config = config.with_changes(mixup_alpha=0.4, mixup_layer=layer, record=record)
    run = trained(task, source, config, tmp_path)
    assert run.meta["coverage"] == [{"epoch": epoch, "seen": 48, "expected": 48} for epoch in range(3)]
    if record == "epoch_end":  # a clean pass over the data mixes nothing
        assert not run.has("synthetic")
        return
    synthetic = run.table("synthetic")
    assert synthetic.num_rows == 3 * 48
    drawn = [set(synthetic.filter(pc.equal(synthetic["epoch"], epoch))["id"].to_pylist()) for epoch in range(3)]
    assert len(drawn[0] & drawn[1]) < 24


def test_accumulated_batches_of_soft_and_of_plain_rows_count_alike(tmp_path, source, task, config):
    """Half as large batches, twice accumulated, learn the same; some of the parts hold no synthetic row."""
    still = config.with_changes(epochs=1, batching="random", arguments={"logging_steps": 1, "seed": 3, "data_seed": 3})
    model = without_dropout(source, tmp_path / "model")
    whole = trained(task, model, still, tmp_path / "whole", mixed=recipes(6))
    halves = still.with_changes(batch_size=4, arguments=still.arguments | {"gradient_accumulation_steps": 2})
    split = trained(task, model, halves, tmp_path / "split", mixed=recipes(6))
    losses = [[entry["loss"] for entry in run.meta["history"] if "loss" in entry] for run in (whole, split)]
    assert len(losses[0]) == 7
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def without_dropout(source, folder) -> str:
    from transformers import BertModel

    model = BertModel.from_pretrained(source, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    shutil.copytree(source, folder)
    model.save_pretrained(folder)
    return str(folder)


def test_recipes_without_a_trained_parent_are_left_out_and_counted(tmp_path, source, task, config):
    given = recipes(8)
    weights = [0.0 if row == given["a"][0].as_py() else 1.0 for row in toy_texts(80)["id"].to_pylist()]
    examples = toy_texts(80).append_column("weight", pa.array(weights))
    run = fit(task, examples, model=source, config=config.with_changes(epochs=1), root=tmp_path, mixed=given)
    gone = given["a"][0].as_py()
    left = sum(gone not in pair for pair in zip(given["a"].to_pylist(), given["b"].to_pylist(), strict=True))
    assert run.meta["mixing"]["used"] == left < 8
    assert run.table("synthetic").num_rows == left


@pytest.mark.parametrize(
    ("changes", "given", "own_loss", "said"),
    [
        ({}, {"labels": False}, False, "list of labels"),
        ({}, {}, True, "one of your own"),
        ({"mixup_alpha": 1.0, "mixup_layer": "pooled"}, {}, False, "one layer"),
    ],
)
def test_what_cannot_be_mixed_is_refused(task, config, changes, given, own_loss, said):
    asked = task if given.get("labels", True) else QuestionAnswering()
    with pytest.raises(TrainError, match=said):
        mixing_of(config.with_changes(**changes), recipes(), asked, own_loss=own_loss)


def test_nothing_to_mix_is_none(task, config):
    assert mixing_of(config, None, task, own_loss=True) is None
    assert mixing_of(config, recipes(0), task, own_loss=True) is None


@pytest.mark.parametrize("wrong", [{"mixup_alpha": 0.0}, {"mixup_layer": "hidden:0"}, {"mixup_layer": "top"}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(TrainError, match=next(iter(wrong))):
        TrainConfig(**wrong)


def test_a_layer_the_model_lacks_stops_the_training(tmp_path, source, task, config):
    with pytest.raises(TrainError, match="2 layers"):
        trained(task, source, config, tmp_path, mixed=recipes(layer="hidden:7"))


@pytest.mark.parametrize(("mixed", "accumulation", "step"), [("recipes", 2, 9), ("fresh", 1, 3), ("fresh", 2, 9)])
def test_interrupted_it_is_the_same_as_uninterrupted(
    tmp_path, source, task, same_dynamics, weights, mixed, accumulation, step
):
    config = TrainConfig(
        epochs=3,
        batch_size=8 // accumulation,
        learning_rate=1e-2,
        threads=1,
        precision="fp32",
        mixup_alpha=0.4 if mixed == "fresh" else None,
        arguments=STEPWISE | {"gradient_accumulation_steps": accumulation, "save_total_limit": 1},
    )
    given = {"mixed": recipes()} if mixed == "recipes" else {}
    whole = trained(task, source, config, tmp_path / "whole", **given)
    with pytest.raises(KeyboardInterrupt):
        trained(task, source, config, tmp_path / "cut", callbacks=[stopping(step)], **given)
    (folder,) = (tmp_path / "cut").iterdir()
    resumed = resume(Run.open(folder), task)
    same_dynamics(whole, resumed)
    assert weights(whole) == weights(resumed)
    keys = [("epoch", "ascending"), ("step", "ascending"), ("id", "ascending")]
    one, two = (run.table("synthetic").sort_by(keys) for run in (whole, resumed))
    assert one.equals(two)


def stopping(at_step: int):
    from transformers import TrainerCallback

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **trainer):
            if state.global_step == at_step:
                raise KeyboardInterrupt

    return Stop()


def test_a_run_that_has_lost_its_recipes_is_not_resumed_without_them(task, source, config, tmp_path):
    run = trained(task, source, config.with_changes(epochs=1), tmp_path, mixed=recipes())
    (run.folder / "mixed.parquet").unlink()
    run.update(status="created")
    with pytest.raises(TrainError, match="began with 30 mixed rows and has lost them"):
        resume(run, task)
