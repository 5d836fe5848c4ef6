from __future__ import annotations

import numpy as np
import pytest
import torch

from tunewright.observe.embed import embed
from tunewright.observe.predict import latency, predict
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer
from tunewright.toy import toy_model, toy_texts

TASK = Classification(labels=("neg", "pos"))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    source = toy_model(tmp_path_factory.mktemp("model"))
    torch.manual_seed(0)
    return TASK.load_model(source), load_tokenizer(source)


def test_predictions_are_in_the_order_of_the_rows_and_blind_to_batching(loaded):
    model, tokenizer = loaded
    rows = toy_texts(30)
    together = predict(model, TASK, tokenizer, rows, batch_size=7)
    assert together["id"].to_pylist() == rows["id"].to_pylist()
    for position in (0, 17, 29):
        alone = predict(model, TASK, tokenizer, rows.slice(position, 1))
        np.testing.assert_allclose(alone["logits"][0].as_py(), together["logits"][position].as_py(), atol=1e-5)
        assert alone["correct"][0] == together["correct"][position]


def test_unlabelled_rows_are_predicted_but_not_judged(loaded):
    rows = toy_texts(6).to_pylist()
    rows[2]["label"] = None
    predicted = predict(*_parts(loaded), _table(rows))
    assert predicted["correct"].null_count == predicted["loss"].null_count == 1
    assert predicted["correct"][2].as_py() is None
    assert predicted["predicted"].null_count == 0
    bare = predict(*_parts(loaded), toy_texts(6).select(["id", "text"]))
    assert bare.column_names == ["id", "predicted", "probability", "logits"]
    assert bare["predicted"].to_pylist() == predicted["predicted"].to_pylist()


def test_progress_counts_every_row(loaded):
    steps = []
    predict(*_parts(loaded), toy_texts(30), batch_size=8, advance=steps.append)
    assert sum(steps) == 30


def test_embeddings_are_the_mean_over_real_tokens(loaded):
    model, tokenizer = loaded
    rows = toy_texts(9)
    vectors = embed(model, TASK, tokenizer, rows, batch_size=4)
    assert vectors["id"].to_pylist() == rows["id"].to_pylist()
    text = rows["text"][4].as_py()
    with torch.no_grad():
        hidden = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states[-1]
    np.testing.assert_allclose(vectors["vector"][4].as_py(), hidden[0].mean(0).numpy(), atol=1e-5)
    half = embed(model, TASK, tokenizer, rows, layer=0, dtype="float16")
    assert str(half["vector"].type) == "fixed_size_list<item: halffloat>[16]"


def test_latency_is_ordered(loaded):
    timed = latency(*_parts(loaded), toy_texts(1), repeats=5)
    assert 0 < timed.tokenise_p50 <= timed.tokenise_p95
    assert 0 < timed.forward_p50 <= timed.forward_p95


def _parts(loaded):
    model, tokenizer = loaded
    return model, TASK, tokenizer


def _table(rows):
    import pyarrow as pa

    return pa.Table.from_pylist(rows)
