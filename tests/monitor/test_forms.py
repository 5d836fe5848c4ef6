from __future__ import annotations

import json

import numpy as np
import pytest

from tunewright.errors import DataError
from tunewright.monitor.signals import NEGATIONS, Signal, col, emb, metric, text, truth, user


def judge(dialogue, output):
    return len(dialogue) > len(output)


def seed(inputs, outputs, gts=None, extra_args={}):  # noqa: B006
    return [len(value) > extra_args["most"] for value in inputs["dialogue"]]


BUILT_IN = [
    text.chars("dialogue") > 1700,
    (text.rouge_l("dialogue", "output") > 0.3) & text.has_any("dialogue", NEGATIONS),
    text.rouge_l("a", "b", variant="sets", measure="recall") - text.rouge_n("a", "b", n=2),
    text.has_any("dialogue", ["no", 'a "quoted" one', "it's", "back\\slash"], read="words"),
    text.copy_ratio("dialogue", "output").between(0.5, 1.0),
    text.empty("output") | text.truncated("output") | text.truncated("output", stop_reason="stop_reason"),
    text.regex("output", r'^\d+ "x"$', ignore_case=True) ^ (text.repeated_ngram("output", n=4) >= 0.5),
    text.words("a") / -2 <= -(1 - col("x")),
    metric.confidence() < 0.5,
    metric.entropy("probabilities", scores="probabilities") + metric.margin("logits"),
    emb.near("vector", [[1.0, 0.0], [0.0, 2.0]], 0.1, distance="l1", scale=[1.0, 2.0]),
    emb.near("vector", np.eye(4)),
    emb.cluster("vector", np.eye(3)) == 2,
    emb.cluster("vector", count=3).isin([0, 2]),
    emb.far_from_reference("vector", 0.95),
    emb.far_from_reference("embedding", vectors="vector"),
    col("predicted") != truth("label"),
    user(judge),
    user(judge, text.chars("dialogue"), "output", per="row") == True,  # noqa: E712
    user(seed, "dialogue", gts="label", extra_args={"most": 3, "names": ["a"]}, name="too_long"),
]


def round_trips(signal: Signal) -> None:
    again = Signal.parse(str(signal), named=signal.named)
    assert (str(again), again.fingerprint) == (str(signal), signal.fingerprint)
    stored = Signal.from_json(json.loads(json.dumps(signal.to_json())), named=signal.named)
    assert (str(stored), stored.fingerprint) == (str(signal), signal.fingerprint)


@pytest.mark.parametrize("signal", BUILT_IN, ids=str)
def test_built_in_signals_are_read_back(signal):
    round_trips(signal)


@pytest.mark.parametrize(
    ("signal", "formula"),
    [
        ((col("a") > 1) & ~col("b"), '(col("a") > 1) & ~col("b")'),
        (~(col("a") & col("b")) | col("c"), '~(col("a") & col("b")) | col("c")'),
        (1 - (col("a") - col("b")), '1 - (col("a") - col("b"))'),
        ((col("a") + col("b")) * -2, '(col("a") + col("b")) * -2'),
        ((col("a") > 1) == col("b"), '(col("a") > 1) == col("b")'),
        (1 + col("a"), '1 + col("a")'),
        ((-col("a")).between(1, 2), '(-col("a")).between(1, 2)'),
        (col("a").isin(["x", "y"]).is_null(), 'col("a").isin(["x", "y"]).is_null()'),
        (text.rouge_l("d", "o", variant="sets"), 'text.rouge_l("d", "o", variant="sets")'),
        (text.truncated("o", stop_reason="why"), 'text.truncated("o", stop_reason="why")'),
        (metric.margin("p", scores="probabilities"), 'metric.margin("p", scores="probabilities")'),
    ],
)
def test_formulas_read_like_python(signal, formula):
    assert str(signal) == formula


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "1",
        "1 + 1",
        "1 < 2",
        "col('a') and col('b')",
        "1 < col('a') < 2",
        "__import__('os').system('true')",
        "text.__loader__('a')",
        "text.chars.__globals__",
        "col('a').fingerprint",
        "[x for x in col('a')]",
        "nope('a')",
        "text.chars()",
        "user('f', 'a')",
        "(lambda: 1)()",
        "~" * 5000 + "col('a')",
    ],
)
def test_what_is_no_formula_is_refused(formula):
    with pytest.raises(DataError):
        Signal.parse(formula)


@pytest.mark.parametrize("document", [{}, {"op": "nope"}, {"op": "col", "options": 3}, {"op": ">", "inputs": [1, 2]}])
def test_what_is_no_signal_is_refused(document):
    with pytest.raises(DataError):
        Signal.from_json(document)


def test_a_function_must_be_given_and_be_the_same():
    document = user(judge, name="judge").to_json()
    assert "def judge" not in json.dumps(document)
    with pytest.raises(DataError, match="pass `named="):
        Signal.from_json(document)
    with pytest.raises(DataError, match="another one"):
        Signal.from_json(document, named={"judge": seed})
