from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tunewright.analyze.text import evidence, negates, rare_share, vocabulary, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Isn't it?", True),
        ("it is n't", True),
        ("it isn’t", True),
        ("NO!", True),
        ("never again", True),
        ("knot noted nothingness", False),
        ("cannot", True),
        ("", False),
    ],
)
def test_negation(text, expected):
    assert negates(words(text)) is expected


def test_vocabulary_counts_texts_not_words():
    assert vocabulary(["a a a", "b", "b c"], at_least=2) == {"b"}


def test_evidence_by_hand():
    columns = evidence(["Not a gem", "", "gem gem zorp"], known={"a", "not", "gem"})
    assert columns["negation"].tolist() == [True, False, False]
    assert columns["rare_share"].tolist() == [0, 0, 0.5]
    assert columns["words"].tolist() == [3, 0, 3]


@given(st.lists(st.text(), max_size=5))
def test_texts_hold_no_word_outside_their_own_vocabulary(texts):
    known = vocabulary(texts)
    assert all(rare_share(words(text), known) == 0 for text in texts)
