from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from tunewright.errors import ProjectError
from tunewright.monitor.folding import Folding
from tunewright.monitor.state import to_bytes


class Summing:
    """A fold that changes its state in place, and raises half-way through a batch that has a negative number."""

    name, needs, fingerprint = "sums", frozenset({"x"}), "1"

    def start(self, reference):
        return {"rows": 0, "sum": np.zeros(1), "seen": []}

    def update(self, state, rows):
        for value in rows["x"].to_pylist():
            state["rows"] += 1
            state["seen"].append(value)
            if value < 0:
                raise ValueError("negative")
            state["sum"] += value
        return state

    def report(self, state):
        return {"rows": state["rows"]}


class Holding(Summing):
    """One whose state comes to hold what is not plain data."""

    def update(self, state, rows):
        state = super().update(state, rows)
        return {**state, "function": print} if state["rows"] > 3 else state


def rows(*values: int) -> pa.Table:
    return pa.table({"x": pa.array(values, pa.int64())})


def folding(fold=None) -> Folding:
    return Folding({"sums": fold or Summing()}, {"sums": "1"}, None)


def test_a_fold_that_raises_half_way_has_taken_nothing():
    states = folding()
    states.update("sums", rows(1, 2))
    before = to_bytes(states.states["sums"], "1")
    assert states.update("sums", rows(3, -1, 4)) == "ValueError: negative"
    assert to_bytes(states.states["sums"], "1") == before
    assert states.update("sums", rows(5)) == ""
    assert states.states["sums"]["seen"] == [1, 2, 5]


@given(st.lists(st.lists(st.integers(-1, 9), max_size=4), max_size=8), st.integers(0, 7))
def test_what_failed_leaves_no_trace(batches, saved):
    states, others = folding(), folding()
    for number, batch in enumerate(batches):
        failed = bool(states.update("sums", rows(*batch)))
        assert failed == (min(batch, default=0) < 0)
        if not failed:
            others.update("sums", rows(*batch))
        if number == saved:
            states.save("sums")
    assert to_bytes(states.states["sums"], "1") == to_bytes(others.states["sums"], "1")


def test_a_fold_that_does_not_do_the_same_twice_goes_back_to_what_was_saved():
    fold = Summing()
    states = folding(fold)
    states.update("sums", rows(1))
    states.save("sums")
    states.update("sums", rows(2, 2))
    fold.update = None
    wrong = states.update("sums", rows(3))
    assert "the last 2 rows do not count either" in wrong
    assert states.states["sums"]["seen"] == [1]


def test_a_state_that_cannot_be_saved_goes_back_to_the_last_that_could():
    states = folding(Holding())
    states.update("sums", rows(1, 2))
    assert states.save("sums")[1] == ""
    states.update("sums", rows(3, 4))
    data, wrong = states.save("sums")
    assert "found a builtin_function_or_method" in wrong
    assert "the last 2 rows do not count" in wrong
    assert states.states["sums"]["seen"] == [1, 2]
    assert json.loads(data.splitlines()[0])["state"]["rows"] == 2


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (lambda self, reference: {"model": object()}, "cannot be saved"),
        (lambda self, reference: 1 / 0, "does not start: ZeroDivisionError"),
    ],
)
def test_a_fold_that_cannot_start_is_refused_at_once(start, message):
    fold = type("Broken", (Summing,), {"start": start})()
    with pytest.raises(ProjectError, match=message):
        folding(fold)
