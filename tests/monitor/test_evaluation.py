"""Values against a row-by-row evaluator with None, which shares nothing and skips nothing."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.monitor.signals import Signal, col, evaluate, text, truth, user

NUMBERS, FLAGS = ("x", "y"), ("p", "q", "r")


def numbers(depth: int = 2) -> st.SearchStrategy[Signal]:
    leaf = st.sampled_from(NUMBERS).map(col)
    if not depth:
        return leaf
    inner, constant = numbers(depth - 1), st.integers(-3, 3)
    return st.one_of(
        leaf,
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, constant),
        st.builds(lambda a, b: b - a, inner, constant),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a, b: a / b, inner, inner),
        inner.map(lambda a: -a),
    )


def conditions(depth: int = 3) -> st.SearchStrategy[Signal]:
    constant = st.one_of(st.integers(-3, 3), st.just(0.5))
    leaf = st.one_of(
        st.sampled_from(FLAGS).map(col),
        st.builds(lambda a, b: a > b, numbers(), constant),
        st.builds(lambda a, b: a == b, numbers(1), numbers(1)),
        st.builds(lambda a, b: a.between(b, b + 2), numbers(1), constant),
        st.builds(lambda a, b: a.isin([b, 1]), numbers(1), constant),
        numbers(1).map(lambda a: a.is_null()),
    )
    if not depth:
        return leaf
    inner = conditions(depth - 1)
    return st.one_of(
        leaf,
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a, b: a ^ b, inner, inner),
        inner.map(lambda a: ~a),
    )


ROWS = st.lists(
    st.fixed_dictionaries(
        {name: st.one_of(st.none(), st.integers(-3, 3)) for name in NUMBERS}
        | {name: st.sampled_from([None, True, False]) for name in FLAGS}
    ),
    min_size=1,
    max_size=8,
)
SCHEMA = pa.schema([*((name, pa.int64()) for name in NUMBERS), *((name, pa.bool_()) for name in FLAGS)])
LOOK = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
    "^": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "==": lambda a, b: a == b,
    "~": lambda a: not a,
    "neg": lambda a: -a,
    "between": lambda a, low, high: low <= a <= high,
    "isin": lambda a, values: a in values,
}


def plainly(signal: Signal, row: dict) -> object:
    """One value of one row."""
    options = dict(signal.options)
    if signal.op in {"col", "value"}:
        return row[options["name"]] if signal.op == "col" else options["value"]
    values = [plainly(part, row) for part in signal.inputs]
    if signal.op in {"&", "|"}:
        decides = signal.op == "|"
        return decides if any(value is decides for value in values) else None if None in values else not decides
    if signal.op == "is_null":
        return values[0] is None
    return None if None in values else LOOK[signal.op](*values, **options)


def one(signal: Signal, rows: pa.Table) -> list:
    found = evaluate({"it": signal}, rows)
    assert found.errors == {}
    return found.values["it"].to_pylist()


@settings(max_examples=200, deadline=None)
@given(signals=st.lists(conditions(), min_size=1, max_size=3), rows=ROWS)
def test_sharing_and_laziness_change_no_value(signals, rows):
    found = evaluate({str(number): signal for number, signal in enumerate(signals)}, pa.Table.from_pylist(rows, SCHEMA))
    assert found.errors == {}
    for number, signal in enumerate(signals):
        assert found.values[str(number)].to_pylist() == [plainly(signal, row) for row in rows], str(signal)


@settings(max_examples=100, deadline=None)
@given(a=conditions(2), b=conditions(2), rows=ROWS)
def test_laws_of_three_valued_logic(a, b, rows):
    table = pa.Table.from_pylist(rows, SCHEMA)
    assert one(~(a & b), table) == one(~a | ~b, table)
    assert one(~(a | b), table) == one(~a & ~b, table)
    assert one(~~a, table) == one(a, table)
    assert one(a & b, table) == one(b & a, table)
    assert one(a | b, table) == one(b | a, table)
    assert one(a ^ b, table) == one(b ^ a, table)
    assert one(a ^ b, table) == one((a & ~b) | (~a & b), table)
    assert one(a | (a & b), table) == one(a, table)


@settings(max_examples=100, deadline=None)
@given(signal=st.one_of(conditions(), numbers()))
def test_every_expression_is_read_back_from_its_formula_and_its_json(signal):
    for again in (Signal.parse(str(signal)), Signal.from_json(json.loads(json.dumps(signal.to_json())))):
        assert (str(again), again.fingerprint) == (str(signal), signal.fingerprint)


def test_equal_parts_are_computed_once_and_dear_sides_only_where_they_matter():
    asked = []

    def dear(x):
        asked.append(x)
        return x > 0

    rows = pa.table({"x": [1, 2, None, -4], "p": [True, False, True, None]})
    judged = user(dear, "x", per="row")
    found = evaluate({"and": judged & col("p"), "or": col("p") | judged, "plain": judged}, rows)
    assert found.values["and"].to_pylist() == [True, False, None, False]
    assert found.values["or"].to_pylist() == [True, True, True, None]
    assert found.values["plain"].to_pylist() == [True, True, None, False]
    assert sorted(asked) == [-4, 1, 2]


def test_a_dear_side_that_no_row_needs_is_not_computed():
    def explodes(x):
        raise AssertionError

    rows = pa.table({"x": [1, 2], "p": [False, False]})
    assert one(user(explodes, "x", per="row") & col("p"), rows) == [False, False]


def test_an_error_stops_its_signal_and_no_other():
    rows = pa.table({"dialogue": ["one", "two words"], "score": [1, 2]})
    found = evaluate(
        {
            "good": text.words("dialogue") > 1,
            "missing": col("dialog") == "one",
            "text": text.chars("score") > 1,
            "mixed": (col("dialogue") > 1) & (col("score") > 1),
            "also good": col("score") + 1,
        },
        rows,
    )
    assert found.values["good"].to_pylist() == [False, True]
    assert found.values["also good"].to_pylist() == [2, 3]
    assert set(found.errors) == {"missing", "text", "mixed"}
    assert "did you mean 'dialogue'" in found.errors["missing"]
    assert "expected texts, found int64" in found.errors["text"]
    assert found.values["text"].to_pylist() == [None, None]
    assert found.values["text"].type == pa.bool_()


def test_ground_truth_that_has_not_come_is_null():
    right = col("predicted") == truth("label")
    assert right.needs_truth
    assert one(right, pa.table({"predicted": ["a", "b"]})) == [None, None]
    assert one(right, pa.table({"predicted": ["a", "b"], "label": ["a", None]})) == [True, None]


def test_no_number_is_missing():
    rows = pa.table({"x": [1.0, float("nan"), None], "zero": pa.array([0, 0, 0], pa.uint8())})
    assert one(col("x") > 0, rows) == [True, None, None]
    assert one(col("x") / col("zero"), rows) == [None, None, None]
    assert one(col("zero") - 1, rows) == [-1, -1, -1]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_texts_of_every_type(kind):
    rows = pa.table({"t": pa.array(["ab", None], pa.string()).cast(kind)})
    assert one(text.chars("t"), rows) == [2, None]
    assert one(col("t").isin(["ab"]), rows) == [True, None]


def test_an_empty_batch_has_typed_values():
    found = evaluate({"long": text.chars("dialogue") > 3}, pa.table({"dialogue": pa.array([], pa.string())}))
    assert (found.errors, found.values["long"].type, len(found.values["long"])) == ({}, pa.bool_(), 0)
