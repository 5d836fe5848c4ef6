from __future__ import annotations

import numpy as np

from tunewright.observe.windows import examples_of, merge, speaking


def test_windows_of_one_example_stand_together():
    assert examples_of(["a", "a", "b", "c", "c"]).tolist() == [0, 0, 1, 2, 2]
    assert examples_of([]).tolist() == []


def test_the_window_with_the_largest_score_speaks_and_nan_is_the_smallest():
    example = examples_of(["a", "a", "a", "b", "c", "c"])
    score = np.array([1.0, 3.0, 3.0, np.nan, np.nan, -5.0])
    assert speaking(example, score).tolist() == [1, 3, 5]


def test_single_windows_stay_as_they_are():
    said = {"predicted": ["x", "y"], "probability": [0.5, 0.6]}
    assert merge(["a", "b"], said, {"loss": np.array([1.0, 2.0])})["predicted"] == ["x", "y"]


def test_what_is_said_and_what_is_gold_may_come_from_different_windows():
    said = {
        "predicted": ["left", "right", "only"],
        "window_score": [1.0, 2.0, 0.0],
        "n_best": [
            [answer("left", 0, 1.0), answer("shared", 9, 0.4)],
            [answer("right", 20, 2.0), answer("shared", 9, 0.5)],
            [answer("only", 0, 0.0)],
        ],
    }
    measured = {"gold_probability": np.array([0.9, np.nan, 0.2]), "loss": np.array([0.1, np.nan, 1.6])}
    merged = merge(["a", "a", "b"], said, measured)
    assert merged["predicted"] == ["right", "only"]
    assert merged["loss"].tolist() == [0.1, 1.6]
    assert merged["windows"].tolist() == [2, 1]
    assert [found["text"] for found in merged["n_best"][0]] == ["right", "left", "shared"]
    assert merged["n_best"][0][-1]["score"] == 0.5, "the better of the two views of one answer"


def answer(text, start, score):
    return {"text": text, "start": start, "probability": 0.1, "score": score}
