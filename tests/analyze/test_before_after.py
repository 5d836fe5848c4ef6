"""Kinds of rows before, with chance, and after."""

from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.before_after import before_after
from tunewright.errors import ComparisonError


def scores(chance, *, seed, n=400, seeds=3):
    return (np.random.default_rng(seed).random((seeds, n)) < chance).astype(float)


@pytest.fixture
def kinds():
    odd = np.arange(400) < 200
    return {"odd": odd, "others": ~odd, "few": np.arange(400) < 5}


def test_the_kind_that_got_better_is_told_from_the_rest(kinds):
    gain = np.where(kinds["odd"], 0.3, 0.0)
    before, control, after = scores(0.5, seed=0), scores(0.5, seed=1), scores(0.5 + gain, seed=2)
    odd, others = before_after(before, after, control, kinds)
    assert (odd.kind, odd.n, odd.word) == ("odd", 200, "better")
    assert (others.kind, others.word) == ("others", "cannot tell")
    assert odd.interval[0] < odd.difference < odd.interval[1]
    assert odd.after - odd.before == pytest.approx(odd.difference)
    assert odd.after - odd.control == pytest.approx(odd.over_control)
    assert odd.control_interval[0] < odd.over_control < odd.control_interval[1]


def test_without_a_control_there_is_none(kinds):
    (odd, _) = before_after(scores(0.5, seed=0), scores(0.5, seed=1), None, kinds)
    assert (odd.control, odd.over_control, odd.control_interval) == (None, None, None)


def test_arms_of_other_rows_are_refused(kinds):
    with pytest.raises(ComparisonError):
        before_after(scores(0.5, seed=0), scores(0.5, seed=1, n=300), None, kinds)
