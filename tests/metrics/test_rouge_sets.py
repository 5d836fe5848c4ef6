"""The reference is a plain table of lengths, walked back as the `rouge` package 1.0.1 walks it; its own figures below."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.metrics.rouge_sets import rouge_l_sets

TEXTS = st.lists(st.sampled_from(["a", "b", "C", "c", "d", ".", " .", "..", "", "\n"]), max_size=14).map(" ".join)


def lengths(one: list[str], other: list[str]) -> dict[tuple[int, int], int]:
    table = {}
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            if not i or not j:
                table[i, j] = 0
            elif one[i - 1] == other[j - 1]:
                table[i, j] = table[i - 1, j - 1] + 1
            else:
                table[i, j] = max(table[i - 1, j], table[i, j - 1])
    return table


def walked(one: list[str], other: list[str]) -> set[str]:
    table, found = lengths(one, other), set()
    i, j = len(one), len(other)
    while i and j:
        if one[i - 1] == other[j - 1]:
            i, j = i - 1, j - 1
            found.add(one[i])
        elif table[i - 1, j] > table[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return found


def plainly(gold: str, predicted: str) -> tuple[float, float, float]:
    sides = [
        [" ".join(part.split()).split(" ") for part in text.lower().split(".") if part] for text in (gold, predicted)
    ]
    if not all(sides):
        return math.nan, math.nan, math.nan
    shared = set().union(*(walked(one, other) for one in sides[0] for other in sides[1]))
    recall, precision = (len(shared) / len(set().union(*sentences)) for sentences in sides)
    return precision, recall, 2.0 * ((precision * recall) / (precision + recall + 1e-8))


@settings(max_examples=500, deadline=None)
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_every_number_is_that_of_the_table_walked_back(pairs):
    found = rouge_l_sets([gold for gold, _ in pairs], [said for _, said in pairs])
    expected = np.array([plainly(*pair) for pair in pairs])
    np.testing.assert_array_equal(np.stack([found.precision, found.recall, found.f1], axis=1), expected)


@pytest.mark.parametrize(
    ("gold", "predicted", "precision", "recall", "f1"),
    [  # as the package gives them
        ("Ann met Bob. He left.", "bob left", 1.0, 0.4, 0.5714285673469389),
        ("the cat. sat on the mat", "The mat sat. on the cat", 0.8, 0.8, 0.7999999950000002),
        ("a b c", "d e", 0.0, 0.0, 0.0),
        ("hello. ", "hello", 1.0, 0.5, 0.6666666622222223),
    ],
)
def test_figures_of_the_package(gold, predicted, precision, recall, f1):
    found = rouge_l_sets([gold], [predicted])
    assert (found.precision[0], found.recall[0], found.f1[0]) == (precision, recall, f1)


@pytest.mark.parametrize("dots", ["", ".", "..."])
def test_where_the_package_raises_there_is_no_number(dots):
    for gold, predicted in ((dots, "a"), ("a", dots)):
        assert np.isnan(rouge_l_sets([gold], [predicted]).f1).all()


def test_long_sentences_need_no_recursion():
    text = " ".join(map(str, range(3000)))
    assert rouge_l_sets([text], [text]).f1[0] == pytest.approx(1)
