from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.errors import DataError
from tunewright.monitor.state import copied, from_bytes, joined, split, to_bytes

KEYS = st.text(max_size=3) | st.sampled_from(["$", "items"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(state=st.dictionaries(KEYS, VALUES, max_size=4))
@settings(max_examples=60, deadline=None)
def test_what_goes_in_comes_back(state):
    data = to_bytes(state, "1")
    assert from_bytes(data, "1") == state
    assert to_bytes(from_bytes(data, "1"), "1") == data


def test_arrays_sets_and_counters_come_back():
    state = {
        "a": np.arange(6.0).reshape(2, 3),
        "s": {1, "b"},
        "c": Counter("aab"),
        "p": {(1, "x"): 2},
        "n": np.int64(3),
    }
    read = from_bytes(to_bytes(state, "1"), "1")
    assert np.array_equal(read.pop("a"), state.pop("a"))
    assert read == state
    assert isinstance(read["c"], Counter)


def test_what_is_no_data_is_refused_by_its_place():
    with pytest.raises(DataError, match=r"found a function at state\['a'\]\[0\]"):
        to_bytes({"a": [len.__call__ and (lambda: 0)]}, "1")
    with pytest.raises(DataError, match="objects"):
        to_bytes({"a": np.array([object()])}, "1")


def test_other_versions_and_other_bytes_are_refused():
    data = to_bytes({"a": np.arange(100)}, "1")
    with pytest.raises(DataError, match="version '2', found '1'"):
        from_bytes(data, "2")
    for wrong in (b"", b"{}", b"nonsense\n", data[:-10]):
        with pytest.raises(DataError, match="found something else"):
            from_bytes(wrong, "1")


def test_a_copy_shares_only_the_reference():
    state = {"reference": {"big": np.ones(2)}, "n": [np.zeros(1)]}
    copy = copied(state)
    copy["n"][0][0] = 5
    assert state["n"][0][0] == 0
    assert copy["reference"] is state["reference"]
    assert joined(*split(state)) == state
