from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tunewright.monitor.signals import Signal, col, evaluate, text, user

ROWS = pa.table(
    {
        "id": ["a", "b", "c"],
        "dialog": ["short", "a long dialogue", None],
        "score": [1, None, 3],
        "output": ["x", "y", "z"],
        "vector": pa.array([[1.0, 0.0]] * 3, pa.list_(pa.float32(), 2)),
    }
)


def values(signal: Signal, rows: pa.Table = ROWS) -> list:
    found = evaluate({"it": signal}, rows)
    assert found.errors == {}
    return found.values["it"].to_pylist()


def length_check(inputs, outputs, gts=None, extra_args={}):  # noqa: B006
    return np.array([len(value or "") for value in inputs["dialog"]]) > extra_args.get("most", 10)


def test_a_function_of_the_tutorial_is_taken_unchanged():
    assert values(user(length_check)) == [False, True, False]
    assert values(user(length_check) | (col("score") > 2)) == [False, True, True]
    assert values(user(length_check, extra_args={"most": 3})) == [True, True, False]


def test_what_such_a_function_is_called_with():
    seen = {}

    def look(inputs, outputs, gts=None, extra_args=None):
        seen.update(inputs=inputs, outputs=outputs, gts=gts, extra=extra_args)
        return [True] * len(outputs)

    values(user(look, "score", extra_args={"k": 1}))
    assert seen == {
        "inputs": {"score": [1, None, 3]},
        "outputs": ["x", "y", "z"],
        "gts": None,
        "extra": {"k": 1, "id": ["a", "b", "c"]},
    }
    values(user(look, outputs="dialog"))
    assert set(seen["inputs"]) == set(ROWS.column_names)
    assert seen["outputs"][0] == "short"


def test_ground_truth_is_waited_for():
    def right(inputs, outputs, gts, extra_args):
        assert None not in gts
        return [said == gold for said, gold in zip(outputs, gts, strict=True)]

    signal = user(right, "dialog", gts="gold")
    assert signal.needs_truth
    assert signal.needs == {"dialog", "gold"}
    assert values(signal) == [None, None, None]
    assert values(signal, ROWS.append_column("gold", pa.array([None, "y", "?"]))) == [None, True, False]
    assert values(signal, ROWS.append_column("gold", pa.nulls(3, pa.string()))) == [None, None, None]


def test_columns_are_arrays_of_numpy_called_by_the_names_of_the_parameters():
    def double(score, vector, factor=2):
        assert vector.shape == (3, 2)
        return score * factor

    assert user(double).needs == {"score", "vector"}
    assert values(user(double)) == [2.0, None, 6.0]


def test_columns_may_be_arrow():
    assert values(user(pc.is_null, "score", per="arrow", name="absent")) == [False, True, False]


def test_rows_without_a_value_are_not_asked_about():
    signal = user(lambda size, score: size > score, text.chars("dialog"), "score", per="row", name="longer")
    assert str(signal) == 'user("longer", text.chars("dialog"), "score", per="row")'
    assert values(signal) == [True, None, None]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda score: [True], "expected 3 values"),
        (lambda score: 1 / 0, "ZeroDivisionError"),
        (lambda nothing: nothing, "expected a column 'nothing'"),
        (lambda score: [object()] * 3, "ArrowInvalid"),
    ],
    ids=["length", "raises", "column", "values"],
)
def test_what_goes_wrong_in_a_function_stays_in_its_signal(function, message):
    found = evaluate({"bad": user(function, name="bad"), "good": col("score") > 1}, ROWS)
    assert message in found.errors["bad"]
    assert found.values["bad"].to_pylist() == [None] * 3
    assert found.values["good"].to_pylist() == [False, None, True]


def test_an_array_with_one_column_is_flat():
    assert values(user(lambda score: np.ones((3, 1)), name="ones")) == [1.0] * 3


def test_the_fingerprint_is_of_name_and_source():
    def other(inputs, outputs, gts=None, extra_args=None):
        return outputs

    one, two = user(length_check), user(other, name="length_check")
    assert one.fingerprint == user(length_check).fingerprint
    assert len({one.fingerprint, two.fingerprint, user(length_check, name="b").fingerprint}) == 3
    bound = [user(partial(length_check, extra_args=k), "dialog").fingerprint for k in ("a", "b")]
    assert len(set(bound)) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: user(lambda: 1), "name them"),
        (lambda: user(lambda x: x, text.chars("dialog")), "per='row'"),
        (lambda: user(length_check, extra_args={"model": object()}), "partial"),
    ],
)
def test_what_cannot_be_a_signal(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_a_function_whose_file_was_changed_since_has_a_fingerprint_all_the_same(tmp_path):
    path = tmp_path / "checks.py"
    path.write_text('text = """\n' * 3, encoding="utf-8")
    defined: dict = {}
    exec(compile("\n\ndef long(c):\n    return len(c) > 3\n", str(path), "exec"), defined)
    assert len(user(defined["long"], per="row").fingerprint) == 16
