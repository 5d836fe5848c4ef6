from __future__ import annotations

import numpy as np
import pytest

from tunewright.bindings import computed, grades, metadata, metric, rowwise, shown, visualiser
from tunewright.errors import DataError, ProjectError

COLUMNS = {"label": ["a", None, "b"], "predicted": ["a", "b", "a"]}


@metric(direction="higher")
def hits(columns):
    return [float(gold == said) for gold, said in zip(columns["label"], columns["predicted"], strict=True)]


@metric(direction="lower")
def rows(columns):
    return len(columns["label"])


def test_metrics_see_labelled_rows_and_give_a_value_per_row_or_one():
    by_row, scores = grades((hits, rows), COLUMNS)
    np.testing.assert_array_equal(by_row["hits"], [1, np.nan, 0])
    assert scores == {"hits": 0.5, "rows": 2.0}
    assert list(by_row) == ["hits"]


def test_nothing_is_said_without_labels():
    assert grades((hits, rows), {"label": [None], "predicted": ["a"]}) == ({}, {})


@pytest.mark.parametrize("found", [[1.0], [[1.0, 2.0], [3.0, 4.0]], "one", None, {"a": 1}])
def test_a_metric_that_gives_no_numbers_is_refused(found):
    @metric(direction="higher")
    def wrong(columns):
        return found

    with pytest.raises(DataError, match="metric 'wrong'"):
        grades((wrong,), COLUMNS)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([1.0, float("nan")], "found nan for row 'r3'"),
        ([float("-inf"), 1.0], "found -inf for row 'r1'"),
        (float("inf"), "found inf\n"),
    ],
)
def test_a_metric_that_gives_what_is_not_finite_is_refused(found, message):
    @metric(direction="higher")
    def wrong(columns):
        return found

    with pytest.raises(DataError, match=rf"metric 'wrong' .*{message}"):
        grades((wrong,), COLUMNS | {"id": ["r1", "r2", "r3"]})


def test_numbers_of_numpy_are_numbers():
    @metadata(rowwise=True)
    def mean(row):
        return np.mean(row["x"]) if row["x"] else 0

    found = computed(mean, {"x": [[1, 2], []]}, 2)
    assert found == {"mean": [1.5, 0]}
    assert type(found["mean"][0]) is float
    assert computed(metadata(lambda rows: [np.float32(1), 2.0]), {"x": [1, 2]}, 2) == {"<lambda>": [1.0, 2.0]}


def test_a_metric_that_raises_is_named_with_its_line():
    @metric(direction="higher")
    def broken(columns):
        return columns["score"]

    with pytest.raises(
        ProjectError, match=r"metric 'broken' raised KeyError: 'score'\n  at test_bindings.py, line \d+"
    ):
        grades((broken,), COLUMNS)


def test_a_direction_is_one_of_two():
    with pytest.raises(ProjectError, match="'higher' or 'lower'"):
        metric(direction="up")


def test_decorated_functions_are_called_as_they_were():
    @metadata(columns=("a",))
    def made(rows):
        return {"a": rows}

    assert made([1]) == {"a": [1]}
    assert made.makes == ("a",)
    assert metadata(len).makes == ("len",)


def test_visualisers_say_text():
    @visualiser
    def plain(row):
        return f"<b>{row['text']}</b>"

    assert shown((plain,), {"text": "x"}) == {"plain": "<b>x</b>"}
    with pytest.raises(DataError, match="gave int, expected text"):
        shown((visualiser(len),), {"text": "x"})


def test_a_function_of_a_row_becomes_one_of_columns():
    @rowwise
    def lower(row):
        return {"text": row["text"].lower()}

    assert lower({"text": ["A", "B"], "id": [1, 2]}) == {"text": ["a", "b"]}
    assert lower({"text": []}) == {}
