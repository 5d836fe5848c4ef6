from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tunewright.errors import DataError
from tunewright.monitor.signals import Edge, col, text, truth

LONG = text.chars("dialogue") > 1700


def not_a_truth_value(make) -> str:
    with pytest.raises(TypeError) as caught:
        make()
    return str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LONG and LONG,
        lambda: LONG or LONG,
        lambda: not LONG,
        lambda: 1 < col("x") < 3,
        lambda: bool(LONG),
        lambda: 1 if LONG else 2,
    ],
    ids=["and", "or", "not", "chained", "bool", "if"],
)
def test_python_keywords_are_refused_with_the_operators_to_use(make):
    message = not_a_truth_value(make)
    assert "fix: write `(a > 1) & (b < 2)`" in message
    assert ".between" in message


def test_membership_is_refused():
    assert ".isin" in not_a_truth_value(lambda: 1 in col("x"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: LONG & text.chars("dialogue"),
        lambda: ~text.words("dialogue"),
        lambda: col("x") & 1,
        lambda: "a" | LONG,
        lambda: text.chars("dialogue").edge("long"),
        lambda: Edge("long", text.chars("dialogue")),
    ],
)
def test_numbers_and_texts_are_no_conditions(make):
    assert "fix: compare it" in not_a_truth_value(make)


def test_texts_have_no_arithmetic():
    assert "needs numbers" in not_a_truth_value(lambda: col("x") + "a")


@pytest.mark.parametrize("value", [None, object(), [1]])
def test_other_constants_are_refused(value):
    assert "expected a signal" in not_a_truth_value(lambda: col("x") == value)


@pytest.mark.parametrize("value", [float("nan"), np.inf])
def test_a_constant_is_finite(value):
    with pytest.raises(DataError, match="is_null"):
        col("x").isin([value])


def test_numbers_of_numpy_are_constants():
    assert str(col("x") > np.float64(0.5)) == 'col("x") > 0.5'


def test_needs_are_the_columns_of_all_parts():
    signal = (text.rouge_l("dialogue", "output") > 0.3) & (col("label") == truth("gold"))
    assert signal.needs == {"dialogue", "output", "label", "gold"}
    assert signal.needs_truth
    assert not LONG.needs_truth


def test_an_edge_has_the_fingerprint_and_needs_of_its_signal():
    edge = LONG.edge("long_dialogue")
    assert (edge.name, edge.fingerprint, edge.needs) == ("long_dialogue", LONG.fingerprint, {"dialogue"})


def test_fingerprints_tell_expressions_apart_and_are_the_same_in_every_process():
    others = [LONG, ~LONG, col("a") - col("b"), col("b") - col("a"), col("a") == 1, col("a") == True, col("a") == "1"]  # noqa: E712
    assert len({signal.fingerprint for signal in others}) == len(others)
    code = "from tunewright.monitor.signals import text; print((text.chars('dialogue') > 1700).fingerprint)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == LONG.fingerprint


def test_a_signal_is_immutable_and_can_be_a_key():
    with pytest.raises(AttributeError):
        LONG.op = "<"
    assert {LONG: 1}[LONG] == 1
