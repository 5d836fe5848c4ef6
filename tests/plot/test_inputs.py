from __future__ import annotations

import numpy as np
import pytest

from tunewright.errors import ColumnError, DataError
from tunewright.plot.inputs import map_points, ones_and_zeros, take


def test_columns_come_in_the_order_asked_for(columns):
    variability, ids = take(columns, "variability", "id")
    assert variability is columns["variability"]
    assert ids[0] == "row-0"


def test_a_missing_column_is_named_with_the_nearest_one(columns):
    with pytest.raises(ColumnError, match="did you mean 'confidence'"):
        take(columns, "confidense")


def test_columns_of_different_lengths_are_refused(columns):
    with pytest.raises(DataError, match=r"'confidence': \(7,\)"):
        map_points(columns | {"confidence": columns["confidence"][:7]})


def test_no_rows_is_an_error_and_not_an_empty_picture():
    empty = dict.fromkeys(("confidence", "variability", "correctness"), np.array([]))
    with pytest.raises(DataError, match="nothing to draw"):
        map_points(empty)


def test_rows_that_were_never_seen_are_left_out(columns):
    columns["confidence"][:3] = np.nan
    points = map_points(columns)
    assert points.confidence.size == 197
    assert points.seen.tolist() == [False] * 3 + [True] * 197


def test_a_map_of_rows_that_were_never_seen_is_refused(columns):
    with pytest.raises(DataError, match="none of the 200 examples was seen"):
        map_points(columns | {"confidence": np.full(200, np.nan)})


def test_correctness_as_a_count_is_refused_with_the_remedy(columns):
    with pytest.raises(DataError, match="found 0 to 5\n  fix: divide counts by the number of epochs"):
        map_points(columns | {"correctness": columns["correctness"] * 5})


def test_rounding_beyond_the_range_is_let_pass(columns):
    columns["confidence"][0] = 1 + 1e-7
    assert map_points(columns).confidence.max() > 1


def test_missing_flags_are_false():
    assert ones_and_zeros(np.array([True, None, float("nan"), 0, 1], dtype=object)).tolist() == [
        True, False, False, False, True,
    ]  # fmt: skip
