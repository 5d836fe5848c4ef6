from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from tunewright.monitor.signals import evaluate, metric

LOGITS = np.array([[2.0, 1.0, -1.0], [0.0, 0.0, 0.0], [1000.0, -1000.0, 0.0]])
SHARES = softmax(LOGITS, axis=1)
EXPECTED = {
    metric.confidence: SHARES.max(axis=1),
    metric.entropy: entropy(SHARES, axis=1),
    metric.margin: np.sort(SHARES, axis=1)[:, -1] - np.sort(SHARES, axis=1)[:, -2],
}
NAMES = pytest.mark.parametrize("signal", EXPECTED, ids=lambda signal: signal.__name__)


@NAMES
@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.list_(pa.float64(), 3), pa.list_(pa.float16(), 3)], ids=str
)
def test_of_logits_in_lists_of_every_kind(signal, kind):
    rows = pa.table({"logits": pa.array([*LOGITS.astype(np.float16), None], kind)})
    found = evaluate({"it": signal()}, rows).values["it"].to_pylist()
    assert found[:3] == pytest.approx(EXPECTED[signal], abs=1e-6)
    assert found[3] is None


@NAMES
def test_of_probabilities(signal):
    rows = pa.table({"p": pa.array(list(SHARES), pa.list_(pa.float64()))})
    found = evaluate({"it": signal("p", scores="probabilities")}, rows).values["it"].to_pylist()
    assert found == pytest.approx(EXPECTED[signal])
    assert "-0.0" not in map(str, found)


@NAMES
def test_a_missing_number_makes_the_value_missing(signal):
    rows = pa.table({"logits": pa.array([[1.0, None], [np.nan, 1.0], [np.inf, 0.0]], pa.list_(pa.float32()))})
    found = evaluate({"it": signal()}, rows)
    assert (found.errors, found.values["it"].to_pylist()) == ({}, [None] * 3)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1.0, 2.0]), "one list of numbers per row"),
        (pa.array([["a"], ["b"]]), "expected numbers in the lists"),
        (pa.array([[1.0], [1.0, 2.0]]), "lists of one length, found lengths"),
        (pa.array([[], []], pa.list_(pa.float32())), "lists of one length"),
    ],
    ids=["numbers", "texts", "ragged", "empty"],
)
def test_what_are_no_scores(column, message):
    found = evaluate({"it": metric.margin()}, pa.table({"logits": column}))
    assert message in found.errors["it"]


def test_scores_are_logits_or_probabilities():
    with pytest.raises(ValueError, match="odds"):
        metric.entropy("p", scores="odds")
