from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
import torch

from tunewright.errors import DataError
from tunewright.observe.attribute import attribute
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer
from tunewright.toy import toy_model, toy_pairs, toy_texts

TASK = Classification(labels=("neg", "pos"))
TELLING = {"good", "great", "fine", "lovely", "bad", "awful", "poor", "dull"}
METHODS = ("integrated_gradients", "gradient_x_input")


def hidden(text: str, share: float, draw: random.Random) -> str:
    return " ".join("[MASK]" if draw.random() < share else word for word in text.split())


def with_hidden_words(rows: pa.Table) -> pa.Table:
    """Texts with words masked; where none is left that tells, the label is drawn."""
    draw = random.Random(0)
    texts = [(hidden(row["text"], share, draw), row["label"]) for share in (0, 0.3, 0.7) for row in rows.to_pylist()]
    labels = [label if TELLING & {*text.split()} else draw.choice(TASK.labels) for text, label in texts]
    return pa.table({"id": [str(n) for n in range(len(texts))], "text": [text for text, _ in texts], "label": labels})


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A tiny model that has learnt that one word decides, and that a masked word says nothing."""
    source = toy_model(tmp_path_factory.mktemp("model"))
    tokenizer = load_tokenizer(source)
    rows = with_hidden_words(toy_texts(200))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = TASK.load_model(source).train()
        batch = TASK.collator(tokenizer)(TASK.encode(rows.to_pydict(), tokenizer))
        gold = batch.pop("labels")
        optimiser = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(60):
            TASK.measure(model(**batch), gold)["loss"].mean().backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
    return model, TASK, tokenizer


@pytest.mark.parametrize("method", METHODS)
def test_the_word_that_decides_has_the_largest_score(taught, method):
    rows = toy_texts(240, seed=1).slice(200)
    found = [attribute(*taught, rows.slice(position, 1), method=method) for position in range(rows.num_rows)]
    assert sum(one.strongest[0].text in TELLING for one in found) >= 0.8 * len(found)
    changes = np.array([(one.deletion.change, one.deletion.random_change) for one in found]).mean(0)
    assert changes[0] > 2 * changes[1]


def test_a_word_that_speaks_for_the_wrong_label_drives_the_loss_up(taught):
    row = {"id": "r", "text": "we saw the awful film today", "label": "pos"}
    wrong = attribute(*taught, pa.Table.from_pylist([row]))
    right = attribute(*taught, pa.Table.from_pylist([row | {"label": "neg"}]))
    assert wrong.strongest[0].text == right.strongest[0].text == "awful"
    assert wrong.strongest[0].score > 0 > right.strongest[0].score
    assert wrong.loss > wrong.deletion.loss


def test_the_scores_add_up_to_the_loss_that_the_text_makes(taught):
    row = toy_texts(2, seed=5).slice(1)
    coarse, fine = (attribute(*taught, row, steps=steps) for steps in (4, 200))
    assert fine.completeness_error < 0.01
    assert fine.completeness_error <= coarse.completeness_error
    total = sum(word.score for word in fine.words) + fine.rest
    assert total == pytest.approx(fine.loss - fine.baseline_loss, abs=0.02 * abs(fine.loss - fine.baseline_loss))
    assert fine.rest == pytest.approx(0, abs=1e-6)


def test_the_deletion_test_masks_the_strongest_words_whatever_their_sign(taught):
    text = "we saw the awful film today and it was quite good , a lovely one"
    found = attribute(*taught, pa.Table.from_pylist([{"id": "r", "text": text, "label": "pos"}]))
    strongest = found.strongest
    assert {word.score > 0 for word in strongest} == {True, False}
    for word in sorted(strongest, key=lambda word: -word.start):
        text = text[: word.start] + "[MASK]" + text[word.end :]
    without = attribute(*taught, pa.Table.from_pylist([{"id": "r", "text": text, "label": "pos"}]))
    assert found.deletion.masked == len(strongest)
    assert found.deletion.loss == pytest.approx(without.loss, rel=1e-4)


def test_as_many_steps_are_made_as_it_takes(taught, monkeypatch):
    from tunewright.observe import attribute as module

    made = []
    integrate = module.integrated_gradients
    monkeypatch.setattr(
        module, "integrated_gradients", lambda one, steps: [made.append(steps), integrate(one, steps=steps)][1]
    )
    assert attribute(*taught, toy_texts(1)).completeness_error < 0.05
    enough = made[-1]
    assert made == [steps for steps in (16, 32, 64) if steps <= enough]
    monkeypatch.setattr(module, "_COMPLETE", 0)
    attribute(*taught, toy_texts(1))
    attribute(*taught, toy_texts(1), steps=3)
    assert made[-4:] == [16, 32, 64, 3]


def test_words_are_pieces_of_the_text_in_order(taught):
    row = pa.Table.from_pylist([{"id": "r", "text": "The  GOOD film, unknownword: we saw it!", "label": "pos"}])
    found = attribute(*taught, row)
    assert [word.text for word in found.words] == [
        "The",
        "GOOD",
        "film",
        ",",
        "unknownword",
        ":",
        "we",
        "saw",
        "it",
        "!",
    ]
    assert all(found.texts["text"][word.start : word.end] == word.text for word in found.words)
    assert (found.window, found.windows, found.token, found.target, found.marks) == (0, 1, None, (), ())


def test_pairs_have_words_of_both_texts(tmp_path):
    task = Classification(text="premise", text_pair="hypothesis", labels=("different", "same"))
    source = toy_model(tmp_path)
    found = attribute(task.load_model(source), task, load_tokenizer(source), toy_pairs(1))
    assert {word.field for word in found.words} == {"premise", "hypothesis"}


@pytest.mark.parametrize("method", METHODS)
def test_it_leaves_no_trace_and_says_the_same_again(taught, method):
    model = taught[0]
    row, state = toy_texts(1), torch.get_rng_state()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = attribute(*taught, row, method=method, internal_batch=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.get_input_embeddings()._forward_hooks
    again = attribute(*taught, row, method=method, internal_batch=16)
    np.testing.assert_allclose([w.score for w in again.words], [w.score for w in first.words], atol=1e-5)
    assert attribute(*taught, row, method=method, internal_batch=16) == again


def test_another_seed_draws_other_words(taught):
    row = toy_texts(10).slice(7, 1)
    one, other = (attribute(*taught, row, seed=seed).deletion for seed in (0, 1))
    assert one.change == other.change
    assert one.random_change != other.random_change


def test_a_long_text_is_explained_as_far_as_the_model_reads(taught):
    row = pa.Table.from_pylist([{"id": "r", "text": "the good film " * 100, "label": "pos"}])
    found = attribute(*taught, row, steps=8)
    assert len(found.words) == 62
    assert len(found.strongest) == 12
    assert 1 <= found.deletion.masked <= 12


def test_what_cannot_be_explained_is_refused(taught):
    row = {"id": "r", "text": "the film", "label": None}
    table = pa.table({name: pa.array([value], pa.string()) for name, value in row.items()})
    with pytest.raises(DataError, match="'r' has no label"):
        attribute(*taught, table)
    with pytest.raises(DataError, match="no label"):
        attribute(*taught, table.drop_columns(["label"]))
    with pytest.raises(DataError, match="one row to explain, found 3"):
        attribute(*taught, toy_texts(3))
    with pytest.raises(DataError, match="no words"):
        attribute(*taught, pa.Table.from_pylist([{"id": "r", "text": " ", "label": "pos"}]))
    with pytest.raises(DataError, match="not written by the model"):
        attribute(*taught, toy_texts(1), token=0)
