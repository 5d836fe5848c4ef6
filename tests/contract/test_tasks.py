"""What every task must do; a new task is one row of the table."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from tunewright.columns import COLUMNS
from tunewright.tasks import Forward, Task
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer
from tunewright.tasks.summarize import Summarization
from tunewright.toy import toy_answers, toy_model, toy_pairs, toy_seq2seq, toy_summaries, toy_texts

TASKS = {
    "texts": (Classification(labels=("neg", "pos")), toy_texts(24), toy_model),
    "pairs": (
        Classification(text="premise", text_pair="hypothesis", labels=("same", "different")),
        toy_pairs(24),
        toy_model,
    ),
    "answers": (QuestionAnswering(max_length=28, stride=8), toy_answers(24), toy_model),
    "answers, or none": (
        QuestionAnswering(max_length=64, stride=8, unanswerable=True, metric="exact_match"),
        toy_answers(24),
        toy_model,
    ),
    "summaries": (Summarization(max_length=24, max_new_tokens=8), toy_summaries(24), toy_seq2seq),
    "summaries by two encoders": (Summarization(beams=2, max_new_tokens=8), toy_summaries(24), toy_model),
}


@pytest.fixture(params=TASKS, scope="module")
def case(request, tmp_path_factory):
    task, rows, make = TASKS[request.param]
    source = make(tmp_path_factory.mktemp("model"))
    tokenizer = load_tokenizer(source)
    torch.manual_seed(0)
    model = task.load_model(source).eval()
    features = task.encode(rows.to_pydict(), tokenizer)
    batch = task.collator(tokenizer)(features)
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    with torch.no_grad():
        outputs = model(**inputs)
    forward = Forward(outputs=outputs, features=features, inputs=inputs, model=model, tokenizer=tokenizer)
    return task, rows, batch["labels"], forward


def test_a_checkpoint_in_half_precision_is_loaded_in_single(case, tmp_path):
    task, *_, forward = case
    half = copy.deepcopy(forward.model).bfloat16()
    half.config.dtype = torch.bfloat16
    half.save_pretrained(tmp_path)
    model = task.load_model(str(tmp_path))
    assert {weights.dtype for weights in model.parameters()} == {torch.float32}
    assert model.dtype == torch.float32


def decoded_by(task, forward):
    """What a task decodes; the outputs stay whole for the next test."""
    return task.decode(dataclasses.replace(forward, outputs=copy.copy(forward.outputs)))


def narrowed(value, rows):
    """The rows of all tensors in a tensor, a mapping or outputs of a model."""
    if isinstance(value, torch.Tensor):
        return value[rows]
    if isinstance(value, Mapping):
        return type(value)(**{name: narrowed(inner, rows) for name, inner in value.items()})
    return value


def test_is_a_task(case):
    task = case[0]
    assert isinstance(task, Task)
    assert dataclasses.is_dataclass(task)
    assert hash(task) == hash(dataclasses.replace(task))
    assert task.metric in task.score({"label": ["x"], "predicted": ["x"]})


def test_features_carry_identity_in_order(case):
    _, rows, _, forward = case
    assert list(dict.fromkeys(feature["id"] for feature in forward.features)) == rows["id"].to_pylist()
    for feature in forward.features:
        assert {"id", "window", "length", "labels", "teaches", "input_ids"} <= feature.keys()
        assert feature["length"] == len(feature["input_ids"])
    windows = {}
    for feature in forward.features:
        windows.setdefault(feature["id"], []).append(feature["window"])
    assert all(found == list(range(len(found))) for found in windows.values())
    assert {feature["id"] for feature in forward.features if feature["teaches"]} == set(windows)


def test_tokens_come_from_the_text_fields(case):
    task, rows, _, forward = case
    texts = {row["id"]: row for row in rows.to_pylist()}
    for feature in task.encode(rows.to_pydict(), forward.tokenizer, offsets=True)[:10]:
        assert len(feature["offsets"]) == len(feature["fields"]) == feature["length"]
        for token, place, field in zip(feature["input_ids"], feature["offsets"], feature["fields"], strict=True):
            if field is not None:
                word = texts[feature["id"]][field][slice(*place)]
                assert field in task.text_fields
                assert token == forward.tokenizer.convert_tokens_to_ids(word)


def test_rows_without_targets_can_be_read_but_do_not_teach(case):
    task, rows, _, forward = case
    features = task.encode(rows.select(["id", *task.text_fields]).to_pydict(), forward.tokenizer)
    assert [feature["input_ids"] for feature in features] == [feature["input_ids"] for feature in forward.features]
    assert not any(feature["teaches"] for feature in features)
    measured = task.measure(forward.outputs, task.collator(forward.tokenizer)(features)["labels"])
    assert bool(measured["loss"].isnan().all())
    assert not bool(measured["correct"].any())


def test_measured_columns_are_defined_finite_and_in_range(case):
    task, _, targets, forward = case
    taught = torch.tensor([feature["teaches"] for feature in forward.features])
    measured = task.measure(forward.outputs, targets)
    assert set(measured) - {"gold_everywhere"} == {
        *("gold_probability", "loss", "gold_logit", "other_logit", "log_sum_exp", "sum_of_squares", "margin"),
        *("other", "correct"),
    }
    for name, values in measured.items():
        defined, known = COLUMNS[name], values[taught].float()
        assert values.shape == (len(forward.features),)
        assert bool(torch.isfinite(known).all())
        assert defined.low is None or float(known.min()) >= defined.low - 1e-6
        assert defined.high is None or float(known.max()) <= defined.high + 1e-6
    assert bool(measured["loss"][~taught].isnan().all())


def test_the_loss_is_that_of_the_gold_probability_and_has_a_gradient(case):
    task, _, targets, forward = case
    outputs = forward.model(**forward.inputs)
    measured = task.measure(outputs, targets)
    taught = torch.tensor([feature["teaches"] for feature in forward.features])
    torch.testing.assert_close(measured["gold_probability"][taught], (-measured["loss"][taught]).exp().detach())
    measured["loss"][taught].mean().backward()
    gradients = [weight.grad for weight in forward.model.parameters() if weight.grad is not None]
    assert gradients
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)
    forward.model.zero_grad()


def test_measure_and_decode_do_not_depend_on_the_batch(case):
    task, _, targets, forward = case
    rows = slice(3, 5)
    part = narrowed(forward.outputs, rows)
    whole = task.measure(forward.outputs, targets)
    for name, values in task.measure(part, narrowed(targets, rows)).items():
        torch.testing.assert_close(values, whole[name][rows], equal_nan=True)
    alone = dataclasses.replace(
        forward, outputs=part, features=forward.features[rows], inputs=narrowed(forward.inputs, rows)
    )
    assert list(decoded_by(task, alone)["predicted"]) == list(decoded_by(task, forward)["predicted"][rows])


def test_measured_numbers_do_not_depend_on_padding(case):
    task, _, targets, forward = case
    shortest = min(range(len(forward.features)), key=lambda number: forward.features[number]["length"])
    alone = task.collator(forward.tokenizer)([forward.features[shortest]])
    own = alone.pop("labels")
    with torch.no_grad():
        measured = task.measure(forward.model(**alone), own)
    for name, values in task.measure(forward.outputs, targets).items():
        torch.testing.assert_close(measured[name][0], values[shortest], equal_nan=True, rtol=1e-4, atol=1e-5)


def test_decoded_columns_are_defined_and_in_range(case):
    task, _, _, forward = case
    decoded = decoded_by(task, forward)
    assert {"predicted", "probability"} <= decoded.keys() <= COLUMNS.keys()
    assert {len(values) for values in decoded.values()} == {len(forward.features)}
    least = 1 / len(task.labels) if task.labels else 0
    assert np.all((np.array(decoded["probability"]) >= least - 1e-6) & (np.array(decoded["probability"]) <= 1))
    assert all(isinstance(said, str) for said in decoded["predicted"])
    assert not task.labels or set(decoded["predicted"]) <= set(task.labels)
    for answers in decoded.get("n_best", ()):
        assert answers[0].keys() == {"text", "start", "probability", "score"}


def test_what_is_right_scores_best(case):
    task, rows, *_ = case
    columns = {name: rows[name].to_pylist() for name in ("label", *task.target_fields)}
    right = columns | {"predicted": columns["label"]}
    wrong = columns | {"predicted": ["nothing of the kind"] * rows.num_rows}
    assert task.score(right)[task.metric] == 1
    assert task.score(wrong)[task.metric] == 0
    grades = task.grade(right)
    assert grades.keys() <= COLUMNS.keys()
    assert grades["correct"].tolist() == [1.0] * rows.num_rows
    assert task.grade(wrong)["correct"].tolist() == [0.0] * rows.num_rows


def test_rows_without_a_label_do_not_count(case):
    task, *_ = case
    assert task.score({"label": [None], "predicted": ["x"]}) == {}
    assert all(np.isnan(grade).all() for grade in task.grade({"label": [None], "predicted": ["x"]}).values())
