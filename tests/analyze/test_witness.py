from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.witness import log_odds, witnesses
from tunewright.errors import DataError


def test_rows_words_and_slices_of_foreign_rows():
    score = np.r_[np.full(30, 5.0), np.zeros(170)] + np.random.default_rng(0).normal(0, 0.1, 200)
    texts = ["refund my ticket"] * 30 + ["play a song"] * 170
    found = witnesses(
        score,
        np.random.default_rng(1).normal(0, 0.1, 1000),
        texts=texts,
        reference_texts=["play a song"] * 500,
        metadata={"channel": ["mail"] * 30 + ["app"] * 170},
        most=5,
    )
    assert len(found.rows) == 5
    assert max(found.rows) < 30
    assert found.share == pytest.approx(0.15, abs=0.03)
    assert [word.word for word in found.words] == ["my", "refund", "ticket"]
    assert found.words[0].first > found.words[0].second == 0
    assert {one.value for one in found.slices} == {None, "mail", "app"}


def test_without_texts_there_are_rows():
    found = witnesses(np.arange(5.0), np.arange(100.0))
    assert found.rows == (4, 3, 2, 1, 0)
    assert (found.words, found.slices, found.share) == ((), (), 0.0)


def test_equal_texts_have_no_words():
    random = np.random.default_rng(2)
    texts = [" ".join(random.choice(list("abcdefghij"), 4)) for _ in range(1500)]
    assert len(log_odds(texts[:500], texts[500:])) <= 2
    assert log_odds([], texts) == ()


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(DataError, match="a text for each row"):
        witnesses(np.zeros(3), np.zeros(3), texts=["a"])
