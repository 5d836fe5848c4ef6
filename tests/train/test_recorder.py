from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from datasets import Dataset as HubDataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from tunewright.errors import RecorderError
from tunewright.run import find
from tunewright.tasks.classify import Classification
from tunewright.toy import toy_pairs, toy_texts
from tunewright.train.loop import fit
from tunewright.train.recorder import Recorder, _examples


def covered(run) -> list[tuple[int, int]]:
    return [(entry["seen"], entry["expected"]) for entry in run.meta["coverage"]]


def recorded(run) -> set[tuple[str, int]]:
    rows = run.table("dynamics", ["id", "epoch"]).to_pydict()
    pairs = list(zip(rows["id"], rows["epoch"], strict=True))
    assert len(pairs) == len(set(pairs)), "an example was recorded twice in an epoch"
    return set(pairs)


VARIANTS = {
    "plain": {},
    "accumulation": {"arguments": {"gradient_accumulation_steps": 3}},
    "workers": {"arguments": {"dataloader_num_workers": 2}},
    "bf16": {"precision": "bf16"},
    "label smoothing": {"label_smoothing": 0.1},
    "the Trainer's label smoothing": {"arguments": {"label_smoothing_factor": 0.1}},
    "class weights": {"class_weights": "balanced"},
    "focal": {"loss": "focal", "class_weights": (0.25, 0.75)},
    "save_total_limit": {
        "arguments": {
            "save_strategy": "steps",
            "eval_strategy": "steps",
            "save_steps": 2,
            "eval_steps": 2,
            "save_total_limit": 1,
        }
    },
    "sparse logging": {"arguments": {"logging_steps": 500}},
    "random order": {"batching": "random"},
    "epoch_end": {"record": "epoch_end"},
    "epoch_end with accumulation": {"record": "epoch_end", "arguments": {"gradient_accumulation_steps": 2}},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_training_row_once_per_epoch_and_no_evaluation_row(tmp_path, source, task, config, variant):
    examples = toy_texts(55)
    run = fit(task, examples, model=source, config=config.with_changes(**VARIANTS[variant]), root=tmp_path)
    train = [row["id"] for row in examples.to_pylist() if row["split"] == "train"]
    assert recorded(run) == {(example, epoch) for example in train for epoch in range(3)}
    assert covered(run) == [(len(train), len(train))] * 3
    assert run.meta["recorded"] == ("epoch_end" if "epoch_end" in variant else "train")


def test_pairs_and_duplicate_texts_keep_their_identity(tmp_path, source, config):
    """Ids come with the data: equal texts stay two examples."""
    pairs = toy_pairs(20)
    doubled = pa.concat_tables([pairs, pairs.set_column(0, "id", pa.array([f"again-{n}" for n in range(20)]))])
    task = Classification(text="premise", text_pair="hypothesis", labels=("same", "different"))
    run = fit(task, doubled, model=source, config=config, root=tmp_path)
    assert len({example for example, _ in recorded(run)}) == 24


def test_recorded_numbers_are_those_of_the_forward_pass(tmp_path, source, task, config):
    """One epoch at learning rate ~0 without dropout is what a plain forward pass of the same model gives."""
    examples = toy_texts(30)
    still = config.with_changes(epochs=1, learning_rate=1e-12, record="epoch_end", weight_decay=0.0)
    run = fit(task, examples, model=source, config=still, root=tmp_path)
    set_seed(config.seed)
    model = task.load_model(source).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)
    rows = run.table("dynamics").sort_by("id").to_pydict()
    texts = dict(zip(examples["id"].to_pylist(), examples.to_pylist(), strict=True))
    for example, probability, margin in zip(rows["id"], rows["gold_probability"], rows["margin"], strict=True):
        with torch.no_grad():
            logits = model(**tokenizer(texts[example]["text"], return_tensors="pt")).logits[0]
        gold = task.labels.index(texts[example]["label"])
        assert probability == pytest.approx(logits.softmax(-1)[gold].item(), abs=1e-5)
        assert margin == pytest.approx((logits[gold] - logits[1 - gold]).item(), abs=1e-5)


def test_recording_changes_nothing(tmp_path, source, task, config, weights):
    """The recorder, in either mode, leaves order, dropout and weights alone."""
    examples = toy_texts(40)
    runs = [
        fit(task, examples, model=source, config=config.with_changes(record=record), root=tmp_path)
        for record in ("none", "train", "epoch_end", "both")
    ]
    assert weights(runs[0]) == weights(runs[1]) == weights(runs[2]) == weights(runs[3])
    assert not runs[0].has("dynamics")


def test_both_is_the_training_pass_and_two_clean_passes(tmp_path, source, task, config, same_dynamics):
    examples = toy_texts(40)
    train, clean, both = (
        fit(task, examples, model=source, config=config.with_changes(epochs=4, record=record), root=tmp_path)
        for record in ("train", "epoch_end", "both")
    )
    same_dynamics(train, both)
    passes = both.table("passes").sort_by([("epoch", "ascending"), ("id", "ascending")])
    assert set(passes["epoch"].to_pylist()) == {1, 3}
    ids, inputs = both.inputs(("passes.margin",))
    known, reference = clean.inputs(("dynamics.margin",))
    order = np.array([known.to_pylist().index(name) for name in ids.to_pylist()])
    np.testing.assert_allclose(inputs["margin"], reference["margin"][order][:, [1, 3]], atol=1e-6)


def test_features_are_the_mean_states_of_an_early_epoch(tmp_path, source, task, config):
    """At a learning rate of ~0 and without dropout they are what a plain forward pass of the encoder gives."""
    examples = toy_texts(30)
    model = AutoModelForSequenceClassification.from_pretrained(
        source, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    model.save_pretrained(tmp_path / "still")
    AutoTokenizer.from_pretrained(source).save_pretrained(tmp_path / "still")
    still = config.with_changes(epochs=2, learning_rate=1e-12, weight_decay=0.0)
    run = fit(task, examples, model=str(tmp_path / "still"), config=still, root=tmp_path)
    features = run.table("features").to_pydict()
    train = [row["id"] for row in examples.to_pylist() if row["split"] == "train"]
    assert sorted(features["id"]) == sorted(train)
    assert set(features["epoch"]) == {1}
    tokenizer = AutoTokenizer.from_pretrained(source)
    texts = dict(zip(examples["id"].to_pylist(), examples["text"].to_pylist(), strict=True))
    for name, vector in zip(features["id"], features["vector"], strict=True):
        with torch.no_grad():
            states = model.base_model(**tokenizer(texts[name], return_tensors="pt")).last_hidden_state[0]
        np.testing.assert_allclose(np.array(vector, float), states.mean(0).numpy(), atol=2e-3)


def test_shuffling_does_not_move_numbers_between_rows(tmp_path, source, task, config):
    examples = toy_texts(240, noise=0.1)
    shuffled = examples.take(np.random.default_rng(1).permutation(240))
    trained = config.with_changes(epochs=6)
    first = fit(task, examples, model=source, config=trained, root=tmp_path)
    second = fit(task, shuffled, model=source, config=trained, root=tmp_path)
    means = [
        {row["id"]: row["m"] for row in run.sql("SELECT id, avg(margin) AS m FROM dynamics GROUP BY id").to_pylist()}
        for run in (first, second)
    ]
    flipped = {row["id"] for row in examples.to_pylist() if _is_flipped(row) and row["split"] == "train"}
    assert flipped
    for mean in means:
        wrong = np.mean([mean[example] for example in flipped])
        right = np.mean([value for example, value in mean.items() if example not in flipped])
        assert wrong < right - 1


def _is_flipped(row) -> bool:
    praised = any(word in row["text"].split() for word in ("good", "great", "fine", "lovely"))
    return praised != (row["label"] == "pos")


# --- a script of one's own ------------------------------------------------------------------------------------------


def stock_script(root, source, task, table, arguments):
    """A stock fine-tuning script, plus two lines."""
    tokenizer = AutoTokenizer.from_pretrained(source)
    rows = HubDataset.from_dict(
        {name: table[name].to_pylist() for name in ("id", "text")}
        | {"label": [task.labels.index(label) for label in table["label"].to_pylist()]}
    )
    rows = rows.map(lambda row: tokenizer(row["text"], truncation=True))
    set_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=2)
    recorder = Recorder(root / "runs", task)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(root / "out"), disable_tqdm=True, dataloader_pin_memory=False, **arguments
        ),
        train_dataset=rows,
        data_collator=recorder.collator(DataCollatorWithPadding(tokenizer)),
        callbacks=[recorder],
    )
    set_seed(0)
    trainer.train()
    return recorder.run


def test_a_stock_script_gives_the_same_dynamics(tmp_path, source, task, config, same_dynamics):
    train = toy_texts(60).filter(pa.compute.equal(toy_texts(60)["split"], "train"))
    arguments = {
        "num_train_epochs": 3,
        "per_device_train_batch_size": 8,
        "learning_rate": 1e-2,
        "warmup_steps": 0.06,
        "weight_decay": 0.01,
        "seed": 0,
        "remove_unused_columns": False,
    }
    stock = stock_script(tmp_path, source, task, train, arguments)
    ours = fit(task, train, model=source, config=config.with_changes(batching="random"), root=tmp_path)
    same_dynamics(stock, ours)
    assert find(tmp_path / "runs", "last").id == stock.id
    assert stock.meta["labels"] == ["neg", "pos"]
    for name in ("text", "label"):
        assert stock.table("examples")[name].to_pylist() == train[name].to_pylist()


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("pos", "pos"),
        (1, "pos"),
        (np.int64(0), "neg"),
        (torch.tensor(1), "pos"),
        (-100, None),
        (None, None),
        ([0.5, 0.5], None),
    ],
)
def test_examples_of_a_script_have_labels_by_name(task, target, name):
    features = [{"id": "a", "labels": target}]
    assert _examples(features, task, ["a"])["label"].to_pylist() == [name]


def test_refuses_what_would_be_incomplete(tmp_path, source, task):
    train = toy_texts(20)
    with pytest.raises(RecorderError, match="remove_unused_columns") as raised:
        stock_script(tmp_path, source, task, train, {"num_train_epochs": 1})
    assert "remove_unused_columns=False" in raised.value.fix


def test_says_when_the_collator_was_not_wrapped(tmp_path, source, task):
    tokenizer = AutoTokenizer.from_pretrained(source)
    features = [
        {key: feature[key] for key in ("id", "input_ids", "attention_mask", "labels")}
        for feature in task.encode(toy_texts(8).to_pydict(), tokenizer)
    ]
    recorder = Recorder(tmp_path / "runs", task)
    trainer = Trainer(
        model=task.load_model(source),
        args=TrainingArguments(
            output_dir=str(tmp_path), remove_unused_columns=False, disable_tqdm=True, dataloader_pin_memory=False
        ),
        train_dataset=features,
        data_collator=task.collator(tokenizer),
        callbacks=[recorder],
    )
    with pytest.raises(RecorderError, match="recorder.collator"):
        trainer.train()


def test_features_without_ids_are_refused(task):
    collate = Recorder("nowhere", task).collator(lambda features: {})
    with pytest.raises(RecorderError, match="'id'"):
        collate([{"input_ids": [1]}])


def test_a_resumed_script_records_into_the_run_it_began_with(tmp_path, source, task):
    """A new run would lack the first epochs and still call itself complete."""
    train = toy_texts(40)
    arguments = {
        "num_train_epochs": 2,
        "per_device_train_batch_size": 8,
        "save_strategy": "epoch",
        "remove_unused_columns": False,
    }
    first = stock_script(tmp_path, source, task, train, arguments)
    (last, *_) = sorted((tmp_path / "out").glob("checkpoint-*"))
    with pytest.raises(RecorderError, match="another run"):
        _resumed(tmp_path, source, task, train, arguments, Recorder(tmp_path / "runs", task), last)
    again = _resumed(tmp_path, source, task, train, arguments, Recorder(first.folder, task), last)
    assert again.id == first.id
    assert [entry["seen"] for entry in again.meta["coverage"]] == [40, 40]


def _resumed(root, source, task, table, arguments, recorder, checkpoint):
    tokenizer = AutoTokenizer.from_pretrained(source)
    trainer = Trainer(
        model=task.load_model(source),
        args=TrainingArguments(
            output_dir=str(root / "out"), disable_tqdm=True, dataloader_pin_memory=False, **arguments
        ),
        train_dataset=[
            {name: feature[name] for name in ("id", "input_ids", "attention_mask", "labels")}
            for feature in task.encode(table.to_pydict(), tokenizer)
        ],
        data_collator=recorder.collator(task.collator(tokenizer)),
        callbacks=[recorder],
    )
    trainer.train(resume_from_checkpoint=str(checkpoint))
    return recorder.run


def test_repeated_ids_are_refused(tmp_path, source, task):
    """Merged, two examples would count as one, and coverage would still say 100 %."""
    rows = toy_texts(10)
    doubled = rows.set_column(0, "id", pa.array(["same"] * 10))
    with pytest.raises(RecorderError, match="'same' again"):
        stock_script(tmp_path, source, task, doubled, {"num_train_epochs": 1, "remove_unused_columns": False})


def test_an_epoch_without_rows_shows_in_the_coverage(tmp_path, source, task, config):
    run = fit(task, toy_texts(30), model=source, config=config, root=tmp_path)
    recorder = Recorder(run, task)
    recorder._expected = ["x"] * 18
    for path in (run.folder / "dynamics").glob("*e0001*"):
        path.unlink()
    recorder._update_coverage()
    assert [entry["seen"] for entry in run.meta["coverage"]] == [18, 0, 18]
