import numpy as np
import pytest

from tunewright.errors import DataError
from tunewright.verbs.explore.measuring import measure


@pytest.fixture
def scored(trained):
    """A run in which the first 40 rows are right half of the time, and all others always."""
    return trained(
        correct=lambda rows: np.where(np.arange(rows.num_rows) < 40, np.arange(rows.num_rows) % 2 == 0, True)
    )


def test_a_selection_is_compared_with_the_rest_of_its_splits(planted, scored, shot):
    found = measure(planted, shot(scored), list(range(40)))
    assert (found.metric, found.rows, found.verdict) == ("accuracy", 40, "lower")
    assert found.selected.value == 0.5
    assert found.selected.low == pytest.approx(0.352, abs=2e-3)
    assert (found.rest.value, found.rest.n) == (1.0, 200)
    assert found.difference.high < 0
    assert found.sentence.startswith("accuracy 0.50 [0.35, 0.65] of 40 rows, against 1.00 [0.98, 1.00] of 200 others")


def test_rows_that_are_named_twice_count_once(planted, scored, shot):
    assert measure(planted, shot(scored), [1, 1, 2]).rows == 2


def test_one_row_says_nothing(planted, scored, shot):
    found = measure(planted, shot(scored), [3])
    assert (found.selected, found.rest, found.difference, found.verdict) == (None, None, None, "cannot tell")


def test_without_predictions_the_epochs_count(planted, trained, shot):
    assert measure(planted, shot(trained()), [1, 2, 3]).metric == "share of epochs right"


@pytest.mark.parametrize("row", [-1, 300])
def test_a_row_that_is_not_there_is_refused(planted, scored, shot, row):
    with pytest.raises(DataError, match="row numbers from 0 to 299"):
        measure(planted, shot(scored), [row])
