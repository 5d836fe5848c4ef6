from __future__ import annotations

import re
from typing import ClassVar

import pytest
from transformers import TrainerCallback

from tunewright.errors import RunError, TrainError
from tunewright.files import claimed
from tunewright.run import Run, find, runs
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import loading
from tunewright.toy import toy_answers, toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit, resume
from tunewright.train.steps import is_running


def test_a_run_holds_what_it_promises(tmp_path, source, task, config):
    run = fit(task, toy_texts(60), model=source, config=config, root=tmp_path, meta={"version": "abc"})
    meta = Run.open(run.folder).meta
    assert meta["status"] == "finished"
    assert meta["version"] == "abc"
    assert meta["versions"]["torch"]
    assert meta["config"]["seed"] == 0
    assert meta["config"]["threads"] == 1
    assert 1 <= meta["padding"] <= 1.1
    predicted = run.table("predictions")
    assert set(predicted["split"].to_pylist()) == {"validation"}
    assert meta["metrics"]["validation_accuracy"] == pytest.approx(
        sum(predicted["correct"].to_pylist()) / predicted.num_rows
    )
    assert (run.model_folder / "model.safetensors").exists()
    assert not list(run.folder.rglob("*.bin"))
    assert not (run.folder / "checkpoints").exists()


def test_the_same_seed_gives_the_same_run_and_another_does_not(tmp_path, source, task, config, same_dynamics, weights):
    examples = toy_texts(40)
    one, two, other = (
        fit(task, examples, model=source, config=config.with_changes(seed=seed), root=tmp_path) for seed in (0, 0, 1)
    )
    same_dynamics(one, two)
    assert weights(one) == weights(two)
    assert weights(one) != weights(other)


def test_the_best_epoch_is_kept_and_not_the_last(tmp_path, source, task, config):
    """A rate that explodes after a good start: the kept weights are those of the best validation score."""
    wild = config.with_changes(epochs=6, learning_rate=0.03, arguments={"lr_scheduler_type": "constant"})
    run = fit(task, toy_texts(120, noise=0.3), model=source, config=wild, root=tmp_path)
    by_epoch = [entry["eval_accuracy"] for entry in run.meta["history"] if "eval_accuracy" in entry]
    assert len(by_epoch) == 6
    assert run.meta["metrics"]["validation_accuracy"] == pytest.approx(max(by_epoch))
    assert run.meta["best_step"] == (by_epoch.index(max(by_epoch)) + 1) * run.meta["steps"] // 6


@pytest.mark.parametrize("accumulation", [1, 4])
def test_the_loss_is_a_mean_however_the_batch_is_split(tmp_path, source, task, config, accumulation):
    split = config.with_changes(
        learning_rate=1e-9, batch_size=8 // accumulation, arguments={"gradient_accumulation_steps": accumulation}
    )
    run = fit(task, toy_texts(60), model=source, config=split, root=tmp_path)
    losses = [entry["loss"] for entry in run.meta["history"] if "loss" in entry]
    assert losses == pytest.approx([0.693] * len(losses), abs=0.02)


def test_patience_stops_early(tmp_path, source, task, config):
    patient = config.with_changes(epochs=30, learning_rate=1e-9, patience=2)
    run = fit(task, toy_texts(40), model=source, config=patient, root=tmp_path)
    assert len(run.meta["coverage"]) == 3


def test_unlabelled_rows_are_left_out_and_counted(tmp_path, source, task, config):
    rows = toy_texts(40).to_pylist()
    for row in rows[:4]:
        row["label"] = None
    run = fit(task, _table(rows), model=source, config=config, root=tmp_path)
    assert run.meta["unlabelled"] == 4
    assert {row["id"] for row in rows[:4]}.isdisjoint(run.table("dynamics")["id"].to_pylist())


def test_weights_change_what_is_learnt(tmp_path, source, task, config):
    rows = toy_texts(200).to_pylist()
    plain = [row | {"weight": 1.0} for row in rows]
    only_pos = [row | {"weight": 1.0 if row["label"] == "pos" else 0.0} for row in rows]
    shares = []
    for made in (plain, only_pos):
        run = fit(task, _table(made), model=source, config=config.with_changes(epochs=6), root=tmp_path)
        shares.append(run.table("predictions")["predicted"].to_pylist().count("pos"))
    assert shares[1] == run.table("predictions").num_rows
    assert shares[0] < shares[1]


def test_without_training_rows_there_is_one_clear_error(tmp_path, source, task, config):
    rows = [row | {"split": "test"} for row in toy_texts(10).to_pylist()]
    with pytest.raises(TrainError, match="split 'train'"):
        fit(task, _table(rows), model=source, config=config, root=tmp_path)
    assert list(tmp_path.iterdir()) == [], "nothing is half-written"


def test_resuming_a_finished_run_is_refused(tmp_path, source, task, config):
    run = fit(task, toy_texts(20), model=source, config=config.with_changes(epochs=1), root=tmp_path)
    with pytest.raises(TrainError, match="finished"):
        resume(run, task)


def test_a_trained_model_can_be_trained_on(tmp_path, source, task, config):
    first = fit(task, toy_texts(200), model=source, config=config.with_changes(epochs=8), root=tmp_path)
    again = fit(
        task, toy_texts(200), model=str(first.model_folder), config=config.with_changes(epochs=1), root=tmp_path
    )
    start = again.sql("SELECT avg(gold_probability) AS p FROM dynamics")["p"][0].as_py()
    assert start > 0.8


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"loss": "hinge"}, "cross_entropy"),
        ({"arguments": {"learning_rat": 1}}, "learning_rate"),
        ({"class_weights": (1.0, 2.0, 3.0)}, "2 class weights"),
    ],
)
def test_a_wrong_config_is_named(tmp_path, source, task, wrong, message):
    with pytest.raises(TrainError, match=message):
        fit(task, toy_texts(20), model=source, config=TrainConfig(threads=1, **wrong), root=tmp_path)


def test_a_config_survives_json():
    config = TrainConfig(class_weights=(1.0, 2.0), trackers=("wandb",), arguments={"max_steps": 3})
    assert TrainConfig.from_json(config.to_json()) == config
    with pytest.raises(TrainError, match="did you mean 'epochs'"):
        config.with_changes(epoch=1)


def _table(rows):
    import pyarrow as pa

    return pa.Table.from_pylist(rows)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"threads": 0}, "threads"),
        ({"arguments": {"output_dir": "elsewhere"}}, "not free"),
        ({"arguments": {"dataloader_persistent_workers": True}}, "not free"),
        ({"arguments": {"save_strategy": "steps"}}, "TrainingArguments refuses"),
    ],
)
def test_what_cannot_work_is_refused_before_a_run_is_made(tmp_path, source, task, wrong, message):
    with pytest.raises(TrainError, match=message):
        fit(task, toy_texts(20), model=source, config=TrainConfig(**wrong), root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_patience_needs_validation_rows(tmp_path, source, task, config):
    rows = [row for row in toy_texts(30).to_pylist() if row["split"] == "train"]
    with pytest.raises(TrainError, match="validation rows"):
        fit(task, _table(rows), model=source, config=config.with_changes(patience=1), root=tmp_path)


def test_arguments_win_over_the_choice_of_the_best(tmp_path, source, task, config):
    by_loss = config.with_changes(arguments={"metric_for_best_model": "loss", "greater_is_better": False})
    run = fit(task, toy_texts(120, noise=0.3), model=source, config=by_loss, root=tmp_path)
    losses = [entry["eval_loss"] for entry in run.meta["history"] if "eval_loss" in entry]
    assert run.meta["best_step"] == (losses.index(min(losses)) + 1) * run.meta["steps"] // 3


def test_rows_of_weight_zero_are_not_trained_on(tmp_path, source, task, config):
    """An all-zero target has no gold label: such a row would be recorded as one of the first class."""
    rows = [row | {"weight": 0.0 if number < 6 else 1.0} for number, row in enumerate(toy_texts(40).to_pylist())]
    run = fit(task, _table(rows), model=source, config=config, root=tmp_path)
    without = {row["id"] for row in rows if row["weight"] == 0}
    assert without.isdisjoint(run.table("dynamics")["id"].to_pylist())
    assert run.meta["weightless"] == 6
    assert run.meta["coverage"][0]["seen"] == run.meta["coverage"][0]["expected"]


def test_a_run_is_resumed_with_the_task_it_began_with(tmp_path, source, task, config):
    run = fit(task, toy_texts(20), model=source, config=config.with_changes(epochs=1), root=tmp_path)
    run.update(status="interrupted")
    with pytest.raises(TrainError, match="another task"):
        resume(run, Classification(labels=("pos", "neg")))


def spread(outputs, targets):
    return outputs.logits.square().sum(-1)


def flat(outputs, targets):
    return outputs.logits.square().mean(-1)


def test_a_run_is_resumed_with_the_loss_it_began_with(tmp_path, source, task, config):
    short = config.with_changes(epochs=1, record="none")
    run = fit(task, toy_texts(20), model=source, config=short, root=tmp_path, loss=spread)
    run.update(status="interrupted")
    assert re.fullmatch(r"spread [0-9a-f]{8}", run.meta["config"]["own_loss"])
    for other in (None, flat):
        with pytest.raises(TrainError, match="another own loss: spread"):
            resume(run, task, loss=other)
    assert resume(run, task, loss=spread).meta["status"] == "finished"


def test_a_run_of_before_losses_were_noted_is_resumed(tmp_path, source, task, config):
    run = fit(task, toy_texts(20), model=source, config=config.with_changes(epochs=1, record="none"), root=tmp_path)
    noted = {name: value for name, value in run.meta["config"].items() if name != "own_loss"}
    run.update(status="interrupted", config=noted)
    assert resume(run, task, loss=spread).meta["status"] == "finished"


class Watched(Classification):
    """Says how its models were loaded."""

    trusted: ClassVar[list[bool]] = []

    def load_model(self, source, *, trust_remote_code=False):
        self.trusted.append(trust_remote_code)
        return Classification.load_model(self, source)


@pytest.mark.parametrize("trusted", [False, True])
def test_code_that_comes_with_a_model_is_trusted_or_not_to_the_end(tmp_path, source, config, trusted):
    Watched.trusted.clear()
    config = config.with_changes(epochs=1, record="none", trust_remote_code=trusted)
    fit(Watched(labels=("neg", "pos")), toy_texts(20), model=source, config=config, root=tmp_path)
    assert Watched.trusted == [trusted, trusted]


def test_what_cannot_be_loaded_is_said_with_the_setting():
    with pytest.raises(TrainError, match=r"cannot load 'x': ValueError\(\)") as caught, loading("x"):
        raise ValueError
    assert "trust_remote_code=True" in caught.value.fix


def test_answers_that_were_cut_are_told_from_questions_without_any(tmp_path, source, config):
    far = {"question": "where ?", "context": "good " * 40 + "rome", "label": "rome", "answers_text": ["rome"]}
    none = {"question": "who ?", "context": "good", "label": "", "answers_text": [], "answers_start": []}
    rows = toy_answers(20).to_pylist()
    rows += [far | {"answers_start": [200], "id": "cut", "split": "train"}, none | {"id": "none", "split": "train"}]
    cutting = Cutting(max_length=24, stride=8)
    run = fit(cutting, _table(rows), model=source, config=config.with_changes(epochs=1), root=tmp_path)
    assert run.meta["untaught"] == {"count": 1, "ids": ["cut"]}
    assert run.meta["unlabelled"] == 1


class Cutting(QuestionAnswering):
    """Reads the first window of each context alone."""

    def encode(self, rows, tokenizer, *, offsets=False):
        features = QuestionAnswering.encode(self, rows, tokenizer, offsets=offsets)
        return [feature for feature in features if feature["id"] != "cut" or feature["window"] == 0]


def test_two_processes_cannot_train_the_same_run(tmp_path, source, task, config):
    run = fit(task, toy_texts(20), model=source, config=config.with_changes(epochs=1), root=tmp_path)
    run.update(status="interrupted")
    assert not is_running(run)
    with claimed(run.folder / ".training") as free:
        assert free
        assert is_running(run)
        with pytest.raises(TrainError, match="another process"):
            resume(run, task)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"trackers": ("foo",)}, "no tracker"),
        ({"arguments": {"num_train_epochs": "abc"}}, "expects a value like"),
        ({"class_weights": (1.0,)}, "2 class weights"),
        ({"precision": "fp16"}, "GPU"),
    ],
)
def test_a_mistake_in_the_configuration_leaves_no_run(tmp_path, source, task, wrong, message):
    with pytest.raises(TrainError, match=message):
        fit(task, toy_texts(20), model=source, config=TrainConfig(**wrong), root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_fails_says_so(tmp_path, source, task, config):
    class Broken(TrainerCallback):
        def on_step_end(self, *_, **__):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        fit(task, toy_texts(20), model=source, config=config, root=tmp_path, callbacks=[Broken()])
    (run,) = runs(tmp_path)
    assert run.meta["status"] == "failed"
    with pytest.raises(RunError, match="expected a training run"):
        find(tmp_path, "last")
