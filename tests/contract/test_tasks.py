"""What every task must do; a new task is one row of the table."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tunewright.columns import COLUMNS
from tunewright.tasks import Forward, Task
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer
from tunewright.toy import toy_model, toy_pairs, toy_texts

TASKS = {
    "texts": (Classification(labels=("neg", "pos")), toy_texts(24)),
    "pairs": (
        Classification(text="premise", text_pair="hypothesis", labels=("same", "different")),
        toy_pairs(24),
    ),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return toy_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(params=TASKS, scope="module")
def case(request, source):
    task, rows = TASKS[request.param]
    tokenizer = load_tokenizer(source)
    torch.manual_seed(0)
    model = task.load_model(source).eval()
    features = task.encode(rows.to_pydict(), tokenizer)
    batch = task.collator(tokenizer)(features)
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    with torch.no_grad():
        outputs = model(**inputs)
    forward = Forward(outputs=outputs, features=features, inputs=inputs, model=model, tokenizer=tokenizer)
    return task, rows, tokenizer, features, batch, forward


def test_is_a_task(case):
    assert isinstance(case[0], Task)
    assert case[0].metric in case[0].score({"label": ["x"], "predicted": ["x"]})


def test_features_carry_identity_in_order(case):
    _, rows, _, features, *_ = case
    assert list(dict.fromkeys(feature["id"] for feature in features)) == rows["id"].to_pylist()
    assert all({"id", "window", "length", "labels", "input_ids"} <= feature.keys() for feature in features)


def test_measured_columns_are_defined_finite_and_in_range(case):
    task, *_, features, batch, outputs = case
    for name, values in task.measure(outputs, batch["labels"]).items():
        defined = COLUMNS[name]
        assert values.shape == (len(features),)
        assert bool(torch.isfinite(values.float()).all())
        assert defined.low is None or float(values.float().min()) >= defined.low - 1e-6
        assert defined.high is None or float(values.float().max()) <= defined.high + 1e-6


def test_measure_does_not_depend_on_the_batch(case):
    task, *_, batch, outputs = case
    whole = task.measure(outputs, batch["labels"])["gold_probability"]
    one = type(outputs)(logits=outputs.logits[3:4])
    torch.testing.assert_close(task.measure(one, batch["labels"][3:4])["gold_probability"], whole[3:4])


def test_decode_and_score(case):
    task, rows, *_, outputs = case
    decoded = task.decode(outputs)
    assert set(decoded["predicted"]) <= set(task.labels)
    assert np.all((decoded["probability"] >= 1 / len(task.labels) - 1e-6) & (decoded["probability"] <= 1))
    perfect = task.score({"label": rows["label"].to_pylist(), "predicted": rows["label"].to_pylist()})
    assert perfect[task.metric] == 1
    assert task.score({"label": [None], "predicted": [task.labels[0]]}) == {}
