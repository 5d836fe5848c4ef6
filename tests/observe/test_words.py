from __future__ import annotations

import numpy as np
import pytest

from tunewright.observe.words import places, shares, spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\n", []),
        ("a,b 3. x-", ["a", ",", "b", "3", ".", "x", "-"]),
        ("It’s the 1990s: 1,000.5 €!", ["It’s", "the", "1990s", ":", "1,000.5", "€!"]),
        ("हिन्दी e\u0301t\u00e9", ["हिन्दी", "e\u0301t\u00e9"]),
        ("中文 ok", ["中", "文", "ok"]),
        ("snake_case", ["snake", "_", "case"]),
        ("👩\u200d👧", ["👩\u200d👧"]),
    ],
)
def test_words_are_what_a_person_would_point_at(text, words):
    assert [text[start:end] for start, end in spans(text)] == words


@pytest.mark.parametrize("text", ["It's “1,000” 中文 हिन्दी — ok…", "a\u200b b\u00a0c\r\nd", "\ufffd\x00 x"])
def test_every_character_but_white_space_is_in_one_word(text):
    covered = [position for start, end in spans(text) for position in range(start, end)]
    assert covered == [position for position, letter in enumerate(text) if not letter.isspace()]


def test_tokens_are_shared_out_and_nothing_is_lost():
    words = places({"text": "unwise  moves", "other": "end"})
    offsets = [(0, 0), (0, 2), (2, 6), (6, 8), (7, 10), (5, 11), (0, 0), (0, 3), (3, 3)]
    fields = [None, "text", "text", "text", "text", "text", None, "other", "other"]
    table = shares(words, offsets, fields)
    assert [word[1:] for word in words] == [(0, 6), (8, 13), (0, 3)]
    np.testing.assert_allclose(table.sum(0), [0, 1, 1, 1, 1, 1, 0, 1, 1])
    np.testing.assert_allclose(table[0], [0, 1, 1, 0, 0, 0.25, 0, 0, 0])
    np.testing.assert_allclose(table[1], [0, 0, 0, 1, 1, 0.75, 0, 0, 0])


def test_no_words_take_no_tokens():
    assert shares(places({"text": "  "}), [(0, 2)], ["text"]).shape == (0, 1)
