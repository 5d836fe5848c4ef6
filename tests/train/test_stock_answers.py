"""The usual question answering script, with a stock ``Trainer``, its default collator and the model's own loss."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from datasets import Dataset as HubDataset
from transformers import (
    AutoModelForQuestionAnswering,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.source import load_tokenizer
from tunewright.toy import toy_answers
from tunewright.train.recorder import Recorder

# windows without the answer are examples of no answer, as the model's own loss has them
TASK = QuestionAnswering(max_length=28, stride=8, unanswerable=True)
EPOCHS = 3


class OwnLosses(TrainerCallback):
    """What the Trainer logs, step by step."""

    def __init__(self):
        self.losses = []

    def on_log(self, args, state, control, logs=None, **trainer):
        if "loss" in logs:
            self.losses.append(logs["loss"])


def usual_features(tokenizer):
    """As the tutorials do: padded to the maximum, one answer, the first token in windows without it."""
    features = TASK.encode(toy_answers(24).to_pydict(), tokenizer)
    columns = {
        "id": [],
        "window": [],
        "input_ids": [],
        "attention_mask": [],
        "start_positions": [],
        "end_positions": [],
    }
    for feature in features:
        missing = 28 - feature["length"]
        first, last = (feature["labels"] or [(0, 0)])[0]
        columns["id"].append(feature["id"])
        columns["window"].append(feature["window"])
        columns["input_ids"].append(feature["input_ids"] + [tokenizer.pad_token_id] * missing)
        columns["attention_mask"].append(feature["attention_mask"] + [0] * missing)
        columns["start_positions"].append(first)
        columns["end_positions"].append(last)
    return HubDataset.from_dict(columns)


@pytest.fixture(scope="module")
def trained(source, tmp_path_factory):
    root = tmp_path_factory.mktemp("script")
    rows, recorder, own = usual_features(load_tokenizer(source)), Recorder(root / "runs", TASK), OwnLosses()
    set_seed(0)
    Trainer(
        model=AutoModelForQuestionAnswering.from_pretrained(source),
        args=TrainingArguments(
            output_dir=str(root / "out"),
            num_train_epochs=EPOCHS,
            per_device_train_batch_size=8,
            gradient_accumulation_steps=2,
            learning_rate=1e-2,
            logging_steps=1,
            disable_tqdm=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
            save_strategy="no",
            report_to="none",
        ),
        train_dataset=rows,
        data_collator=recorder.collator(default_data_collator),
        callbacks=[recorder, own],
    ).train()
    return rows, recorder.run, own.losses


def test_every_window_is_recorded_once_per_epoch(trained):
    rows, run, _ = trained
    seen = run.table("dynamics", ["id", "window", "epoch"]).to_pydict()
    expected = Counter(
        (example, window, epoch)
        for example, window in zip(rows["id"], rows["window"], strict=True)
        for epoch in range(EPOCHS)
    )
    assert Counter(zip(seen["id"], seen["window"], seen["epoch"], strict=True)) == expected
    assert [(entry["seen"], entry["expected"]) for entry in run.meta["coverage"]] == [(24, 24)] * EPOCHS


def test_the_examples_are_rows_and_not_windows(trained):
    rows, run, _ = trained
    assert max(rows["window"]) > 0
    assert run.table("examples")["id"].to_pylist() == list(dict.fromkeys(rows["id"]))


def test_the_recorded_loss_is_twice_the_one_logged(trained):
    _, run, logged = trained
    rows = run.table("dynamics", ["step", "loss", "margin"]).to_pydict()
    steps, losses = np.array(rows["step"]), np.array(rows["loss"])
    full = [step for step in range(steps.max() + 1) if (steps == step).sum() == 16]
    assert len(full) >= EPOCHS
    np.testing.assert_allclose([losses[steps == step].mean() for step in full], 2 * np.array(logged)[full], rtol=1e-3)
    assert np.isfinite(rows["margin"]).all()
