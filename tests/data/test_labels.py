from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.data.labels import codes_of, name_labels, sort_names
from tunewright.errors import DataError

NAMES = ("neg", "pos")


def named(values, names=None, **options):
    found, flaws = name_labels(pa.chunked_array([values]), names, **options)
    return found.to_pylist(), flaws.to_pylist()


@pytest.mark.parametrize(
    ("values", "names", "expected"),
    [
        ([0, 1, None], None, ["0", "1", None]),
        ([0, 1, -1, None], NAMES, ["neg", "pos", None, None]),
        ([-1, 0, 1], None, ["-1", "0", "1"]),
        ([0.0, 1.0, None], None, ["0", "1", None]),
        ([0.0, 1.0, -1.0], NAMES, ["neg", "pos", None]),
        ([0.5, 1.0], None, ["0.5", "1"]),
        (["neg", " pos ", "", "  ", None], NAMES, ["neg", "pos", None, None, None]),
        (["0", "1", "-1"], NAMES, ["neg", "pos", None]),
        (["spam", "ham"], None, ["spam", "ham"]),
        ([False, True], NAMES, ["neg", "pos"]),
        ([False, True], None, ["false", "true"]),
        ([1, 3, 5], ("1", "2", "3", "4", "5"), ["1", "3", "5"]),
        ([0, 4], ("1", "2", "3", "4", "5"), ["1", "5"]),
        ([-1, 0, 1], ("-1", "0", "1"), ["-1", "0", "1"]),
        ([-1, 0, 2], ("0", "1", "2"), [None, "0", "2"]),
        ([0, 4], {0: "neg", 4: "pos"}, ["neg", "pos"]),
        (["P", "neg"], {"P": "pos", "N": "neg"}, ["pos", "neg"]),
        ([None, None], None, [None, None]),
    ],
)
def test_values_have_names(values, names, expected):
    assert named(values, names) == (expected, [None] * len(values))


def test_codes_are_codes_even_where_they_are_names_too():
    assert named([1, 2], ("1", "2", "3"))[0] == ["1", "2"]
    assert named([1, 2], ("1", "2", "3"), codes=True)[0] == ["2", "3"]


@pytest.mark.parametrize(
    ("values", "names", "flaw"),
    [
        ([0.0, float("nan")], None, "NaN label"),
        ([0.0, float("nan")], NAMES, "NaN label"),
        (["a", "NaN"], None, "NaN label"),
        (["neg", "pso"], NAMES, "unknown label"),
        ([0, 2], NAMES, "unknown label"),
        ([0, 1.5], NAMES, "unknown label"),
    ],
)
def test_what_has_no_name_is_a_flaw(values, names, flaw):
    found, flaws = named(values, names)
    assert found[0] is not None
    assert (found[1], flaws) == (None, [None, flaw])


def test_a_measurement_is_no_label():
    with pytest.raises(DataError, match="150 different numbers"):
        named([value + 0.5 for value in range(150)])
    with pytest.raises(DataError, match="one label per row"):
        named([["a"], ["b", "c"]])


def test_names_are_sorted_by_value_or_letter():
    assert sort_names(["10", "2", "-1"]) == ("-1", "2", "10")
    assert sort_names(["b", "10", "a"]) == ("10", "a", "b")


def test_codes_are_positions():
    assert codes_of(pa.chunked_array([["pos", None, "neg", "?"]]), NAMES).tolist() == [1, -1, 0, -1]
