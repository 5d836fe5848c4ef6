"""Several runs of one version, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.across import GIVES, across, mean_and_error
from tunewright.columns import column

NAN = np.nan


def test_mean_and_standard_error_over_the_runs():
    mean, error = mean_and_error(np.array([[0.2, 1, NAN, NAN], [0.4, 1, 0.5, NAN], [0.6, 1, NAN, NAN]]))
    np.testing.assert_allclose(mean, [0.4, 1, 0.5, NAN])
    np.testing.assert_allclose(error, [0.2 / np.sqrt(3), 0, NAN, NAN])


def test_the_error_is_that_of_a_mean():
    draws = np.random.default_rng(0).normal(0, 1, (8, 4000))
    assert np.sqrt((mean_and_error(draws)[1] ** 2).mean()) == pytest.approx(1 / np.sqrt(8), rel=0.05)


def combined(suspect, confidence=None):
    suspect = np.array(suspect, dtype=bool)
    confidence = np.full(suspect.shape, 0.5) if confidence is None else np.array(confidence)
    others = dict.fromkeys(("variability", "aum", "correctness", "suspicion"), confidence)
    return across(confidence=confidence, suspect=suspect, **others)


def test_the_flag_is_the_majority_and_says_how_many_agree():
    found = combined([[True, True, False, True], [True, False, False, True], [True, True, True, False]])
    assert found["across_suspect"].tolist() == [True, True, False, True]
    np.testing.assert_allclose(found["agreement"], [1, 2 / 3, 2 / 3, 2 / 3])
    assert not combined([[True], [False]])["across_suspect"][0]


def test_a_run_that_did_not_see_a_row_has_no_say():
    found = combined([[True, True], [True, True]], [[0.5, NAN], [NAN, NAN]])
    assert found["runs_seen"].tolist() == [1, 0]
    assert found["across_suspect"].tolist() == [True, False]
    assert np.isnan(found["agreement"][1])


def test_all_columns_are_defined():
    assert set(combined([[True], [False]])) == set(GIVES)
    for name in GIVES:
        assert column(name).meaning
