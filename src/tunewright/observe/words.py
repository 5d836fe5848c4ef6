"""From tokens to the words of the original text, by characters, so that no tokenizer's own marks matter."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Place", "places", "shares", "spans"]

Place = tuple[str, int, int]
"""Text field, first character, character after the last."""

_SIGNS = dict.fromkeys("'’-\u200c\u200d", "j") | dict.fromkeys(".,", "n")  # zero-width joiners are inside words, too
_KINDS = {"N": "d", "M": "m"}
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_WORD = re.compile(r"um*|[wdm]+(?:j[wdm]+|(?<=d)n(?=d)[wdm]+)*|[pjn]+")


def spans(text: str) -> list[tuple[int, int]]:
    """Words of a text as (start, end): letters and digits together, runs of other signs, no white space.

    Apostrophes and hyphens inside a word and commas and points inside a number belong to it; where a script writes no
    blanks between words, each letter is a word.

    >>> [text[start:end] for text in ["It's 1,000.5 well-made..."] for start, end in spans(text)]
    ["It's", '1,000.5', 'well-made', '...']
    """
    return [match.span() for match in _WORD.finditer("".join(map(_kind, text)))]


def places(texts: Mapping[str, str]) -> list[Place]:
    """The words of several text fields, in order."""
    return [(field, start, end) for field, text in texts.items() for start, end in spans(text)]


def shares(
    words: Sequence[Place], offsets: Sequence[tuple[int, int]], fields: Sequence[str | None]
) -> NDArray[np.float64]:
    """[words, tokens]: which share of each token lies in each word; the shares of a token add up to one.

    A token over several words is shared by characters; one of white space only belongs to the word after it, or else
    before it. Columns of special tokens, whose field is None, are zero.

    Args:
        words: as `places` gives them.
        offsets: [tokens] (start, end) characters in the token's own field.
        fields: [tokens] the text field of each token.
    """
    table = np.zeros((len(words), len(fields)))
    for field in dict.fromkeys(name for name in fields if name is not None):
        rows = np.array([row for row, word in enumerate(words) if word[0] == field], dtype=np.intp)
        columns = np.array([column for column, name in enumerate(fields) if name == field], dtype=np.intp)
        if len(rows):
            edges = np.array([words[row][1:] for row in rows])
            table[np.ix_(rows, columns)] = _overlaps(edges, np.array([offsets[column] for column in columns]))
    return table


def _overlaps(words: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """[words, tokens] shares of tokens in words, from their [words, 2] and [tokens, 2] edges."""
    first = np.maximum(words[:, None, 0], tokens[None, :, 0])
    last = np.minimum(words[:, None, 1], tokens[None, :, 1])
    common: NDArray[np.float64] = np.maximum(last - first, 0).astype(np.float64)
    for token in np.flatnonzero(common.sum(0) == 0):
        after = np.searchsorted(words[:, 1], tokens[token, 0], side="right")
        common[min(int(after), len(words) - 1), token] = 1.0
    common /= common.sum(0)
    return common


def _kind(letter: str) -> str:
    """What a character is: w(ord), d(igit), m(ark), u(nspaced script), j(oiner), n(umber's sign), p(unctuation)."""
    if letter.isspace():
        return " "
    if letter.isalpha():
        return "u" if unicodedata.name(letter, "").startswith(_UNSPACED) else "w"
    return _SIGNS.get(letter) or _KINDS.get(unicodedata.category(letter)[0], "p")
