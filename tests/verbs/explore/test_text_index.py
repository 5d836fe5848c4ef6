"""What a search finds: words by an index, signs in the texts themselves."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

from tunewright.errors import DataError
from tunewright.verbs.explore.text_index import TextIndex

TEXTS = [
    "a good film 😀",
    'he said "no" * twice',
    "\u202eright to left",
    None,
    "café, 100 % good",
    "nul\0and 👨‍👩‍👧",
    "good",
]
ROWS = pa.table({"text": TEXTS, "pair": [None, "😀", None, "alone 😀", None, None, "a film"]})


@pytest.fixture(scope="module")
def index():
    return TextIndex(ROWS, ["text", "pair"])


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("good", [0, 4, 6]),
        ("goo*", [0, 4, 6]),
        ("good film", [0, 6]),
        ('"good film"', [0]),
        ("CAFE", [4]),
        ("😀", [0, 1, 3]),
        ("good 😀", [0]),
        ("good😀", [0, 4, 6]),
        ("👩", [5]),
        ('"', [1]),
        ("*", [1]),
        ('"*"', [1]),
        ('good "', [0, 4, 6]),
        ("good *", [0, 4, 6]),
        ("%", [4]),
        ("% 😀", []),
        ("\u202e", [2]),
        ("\ud83d", []),
        ("\0", []),
        (" \t", []),
        ("", []),
        ("NOT", []),
        ("-", []),
    ],
)
def test_every_term_must_be_there(index, query, rows):
    found = index.search(query)
    assert (list(found.rows), found.total) == (rows, len(rows))


def test_of_many_the_first_are_told(index):
    for query in ("good", "😀"):
        found = index.search(query, most=2)
        assert (len(found.rows), found.total) == (2, 3)


def test_a_query_has_an_end(index):
    assert index.search("😀" * 500).total == 0
    with pytest.raises(DataError, match="at most 500 characters, found 501") as raised:
        index.search("a" * 501)
    assert raised.value.fix


def test_texts_in_several_pieces_are_one():
    pieces = pa.table({"text": pa.chunked_array([["a ☃", "b"], [], ["c ☃"]], pa.string())})
    assert TextIndex(pieces, ["text"]).search("☃").rows == (0, 2)
    assert TextIndex(pieces, []).search("☃").rows == ()


def test_signs_are_found_while_somebody_types():
    rows = pa.table({"text": [f"an example of some words, number {number}" for number in range(200_000)] + ["☃"]})
    index = TextIndex(rows, ["text"])
    began = time.perf_counter()
    assert index.search("☃").rows == (200_000,)
    assert time.perf_counter() - began < 1
