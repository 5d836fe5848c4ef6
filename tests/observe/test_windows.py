from __future__ import annotations

import math

import numpy as np
import pytest

from tunewright.observe.windows import examples_of, merge


def test_windows_of_one_example_stand_together():
    assert examples_of(["a", "a", "b", "c", "c"]).tolist() == [0, 0, 1, 2, 2]
    assert examples_of([]).tolist() == []


def test_tasks_without_windows_stay_as_they_are():
    said = {"predicted": ["x", "y"], "probability": [0.5, 0.6]}
    merged = merge(["a", "b"], said, {"loss": np.array([1.0, 2.0])})
    assert merged["predicted"] == ["x", "y"]
    assert "windows" not in merged


def test_an_example_of_one_window_has_one():
    lists = [of_window({"x": 2.0, "y": 1.0}), of_window({"x": 0.0})]
    merged = merge(["a", "b"], said(lists), {"gold_probability": np.array([0.5, 0.6])})
    assert merged["windows"].tolist() == [1, 1]
    assert merged["probability"] == pytest.approx([one[0]["probability"] for one in lists])


def test_what_is_said_and_what_is_gold_may_come_from_different_windows():
    seen = {
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
    merged = merge(["a", "a", "b"], seen, measured)
    assert merged["predicted"] == ["right", "only"]
    assert merged["loss"].tolist() == [0.1, 1.6]
    assert merged["windows"].tolist() == [2, 1]
    assert [found["text"] for found in merged["n_best"][0]] == ["right", "left", "shared"]
    assert merged["n_best"][0][-1]["score"] == 0.5, "the better of the two views of one answer"


def test_probabilities_of_several_windows_are_those_of_one_softmax():
    windows = [{"a": 1.0, "b": 0.0}, {"c": 3.0, "d": 2.0}]
    assert merged_probabilities(windows) == pytest.approx(probabilities({"a": 1.0, "b": 0.0, "c": 3.0, "d": 2.0}))


def test_an_answer_in_the_overlap_of_windows_counts_once():
    assert merged_probabilities([{"a": 9.0, "b": 1.0}] * 3) == pytest.approx(probabilities({"a": 9.0, "b": 1.0}))
    windows = [{"a": 9.0, "b": 1.0}, {"a": 8.0, "c": 2.0}]
    assert merged_probabilities(windows) == pytest.approx(probabilities({"a": 9.0, "b": 1.0, "c": 2.0}))


def test_no_answer_counts_once_however_many_windows_say_it():
    windows = [{"": 0.0, "a": -6.0}, {"": 0.0, "b": -7.0}, {"": 0.0}]
    found = merged_probabilities(windows)
    assert found == pytest.approx(probabilities({"": 0.0, "a": -6.0, "b": -7.0}))
    assert found[""] > 0.99
    found = merged_probabilities([*windows, {"": 0.0, "film": 4.0}])
    assert found["film"] == pytest.approx(math.exp(4) / (1 + math.exp(4)), rel=1e-3)


def test_no_answer_must_be_said_by_every_window():
    lists = [of_window({"": 0.0}), of_window({"": 0.0}), of_window({"a": 1.0}), of_window({"a": 1.0})]
    measured = {
        "gold_probability": np.array([0.9, 0.2, 0.3, 0.8]),
        "gold_everywhere": np.array([True, True, False, False]),
    }
    assert merge(["a", "a", "b", "b"], said(lists), measured)["gold_probability"].tolist() == [0.2, 0.8]


def probabilities(scores):
    """Of a softmax."""
    mass = sum(map(math.exp, scores.values()))
    return {text: math.exp(score) / mass for text, score in scores.items()}


def of_window(scores):
    """What a window says: its answers, best first."""
    p = probabilities(scores)
    ranked = sorted(scores, key=lambda text: -scores[text])
    return [{"text": text, "start": 0, "probability": p[text], "score": scores[text]} for text in ranked]


def said(lists):
    return {
        "predicted": [answers[0]["text"] for answers in lists],
        "probability": [answers[0]["probability"] for answers in lists],
        "window_score": [answers[0]["score"] for answers in lists],
        "n_best": lists,
    }


def merged_probabilities(windows):
    """Of the answers of one example, best first."""
    lists = [of_window(scores) for scores in windows]
    merged = merge(["x"] * len(lists), said(lists), {"gold_probability": np.zeros(len(lists))})
    found = {answer["text"]: answer["probability"] for answer in merged["n_best"][0]}
    assert merged["probability"] == [max(found.values())] == [next(iter(found.values()))]
    return found


def answer(text, start, score):
    return {"text": text, "start": start, "probability": 0.1, "score": score}
