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
        "probability": [0.1, 0.1, 0.1],
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


def test_probabilities_of_several_windows_are_those_of_one_softmax():
    scores = np.array([1.0, 0.0, 3.0, 2.0])
    left, right = (np.exp(part) / np.exp(part).sum() for part in (scores[:2], scores[2:]))
    texts = ["a", "b", "c", "d"]
    lists = [
        [{"text": text, "start": 0, "probability": p, "score": score} for text, p, score in zip(*view, strict=True)]
        for view in ((texts[:2], left, scores[:2]), (texts[2:], right, scores[2:]))
    ]
    said = {"predicted": ["a", "c"], "probability": [left[0], right[0]], "window_score": [1.0, 3.0], "n_best": lists}
    merged = merge(["x", "x"], said, {"gold_probability": np.array([0.1, 0.2])})
    expected = np.sort(np.exp(scores) / np.exp(scores).sum())[::-1]
    np.testing.assert_allclose([answer["probability"] for answer in merged["n_best"][0]], expected)
    assert merged["probability"] == [merged["n_best"][0][0]["probability"]]


def answer(text, start, score):
    return {"text": text, "start": start, "probability": 0.1, "score": score}
