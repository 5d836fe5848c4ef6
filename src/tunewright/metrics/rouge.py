"""ROUGE-1, -2 and -L of many pairs of texts at once (Lin 2004, https://aclanthology.org/W04-1013).

The numbers are those of the ``rouge-score`` package, with and without stemming. Words become integers, and
`rapidfuzz` finds the longest common subsequence by comparing 64 of them at a time (Hyyrö 2004). What two sorted
sequences have as their longest common subsequence is what they share as multisets, so that common n-grams are counted
in the same way.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import LCSseq

if TYPE_CHECKING:
    from nltk.stem.porter import PorterStemmer
    from numpy.typing import NDArray

__all__ = ["KINDS", "Rouge", "rouge", "shared_words", "words"]

Span = tuple[int, int]

_WORD = re.compile("[A-Za-z0-9]+")
_KEPT = bytes(code if chr(code) in string.ascii_lowercase + string.digits else ord(" ") for code in range(256))
_SHORTEST_STEMMED = 4  # letters; rouge-score leaves shorter words alone
_MOST_WORDS = 1 << 30  # different ones, so that a pair of them is one exact integer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rouge:
    """One kind of ROUGE for n pairs: float64 [n] each, in [0, 1]; 0 where a text has no words to compare."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]


# What is compared of a text's numbered words: as it stands (the longest common subsequence), or sorted (a multiset).
_COMPARED: dict[str, Callable[[list[int]], list[int]]] = {
    "rouge1": sorted,
    "rouge2": lambda codes: sorted(_pairs(codes)),
    "rougeL": lambda codes: codes,
}
KINDS = tuple(_COMPARED)
"""Shared words, shared pairs of words, longest common subsequence of words."""


def rouge(
    gold: Sequence[str], predicted: Sequence[str], *, kinds: Sequence[str] = KINDS, stem: bool = False
) -> dict[str, Rouge]:
    """Scores of predicted texts against gold ones; a text that occurs again is read only once.

    Args:
        gold: [n] texts.
        predicted: [n] texts.
        kinds: of `KINDS`.
        stem: compare Porter stems, as the package does with ``use_stemmer=True``.

    >>> scores = rouge(["Ann meets Bob today"], ["ann met bob"])
    >>> {kind: round(score.f1.item(), 4) for kind, score in scores.items()}
    {'rouge1': 0.5714, 'rouge2': 0.0, 'rougeL': 0.5714}
    """
    read = _numbered({*gold, *predicted}, stem=stem)
    scores = {}
    for kind in kinds:
        compared = {text: _COMPARED[kind](codes) for text, codes in read.items()}
        scores[kind] = _score([compared[text] for text in gold], [compared[text] for text in predicted])
    return scores


def words(text: str, *, stem: bool = False) -> list[str]:
    """Lower-case runs of a to z and 0 to 9; all else parts words, letters with accents too, as in ``rouge-score``."""
    found = text.lower().encode("ascii", "replace").translate(_KEPT).decode().split()
    return [_stemmed(word) if len(word) >= _SHORTEST_STEMMED else word for word in found] if stem else found


def shared_words(gold: str, predicted: str, *, stem: bool = False) -> tuple[list[Span], list[Span]]:
    """Where the words of a longest common subsequence, which ROUGE-L counts, stand in both texts.

    Returns:
        (start, end) in characters, end exclusive, of each word in the gold and in the predicted text.

    >>> shared_words("The cat sat.", "A cat has sat")
    ([(4, 7), (8, 11)], [(2, 5), (10, 13)])
    """
    places = [[match.span() for match in _WORD.finditer(text)] for text in (gold, predicted)]
    read = [
        [word for start, end in spans for word in words(text[start:end], stem=stem)]
        for text, spans in zip((gold, predicted), places, strict=True)
    ]
    same = [block for block in LCSseq.opcodes(*read) if block.tag == "equal"]
    return (
        [span for block in same for span in places[0][block.src_start : block.src_end]],
        [span for block in same for span in places[1][block.dest_start : block.dest_end]],
    )


def _numbered(texts: set[str], *, stem: bool) -> dict[str, list[int]]:
    """The words of each text as numbers from 0, the same number for the same word."""
    codes: defaultdict[str, int] = defaultdict(count().__next__)
    return {text: list(map(codes.__getitem__, words(text, stem=stem))) for text in texts}


def _pairs(codes: list[int]) -> list[int]:
    """Neighbouring words, each pair as one number."""
    numbers = np.array(codes, dtype=np.int64)
    pairs: list[int] = (numbers[:-1] * _MOST_WORDS + numbers[1:]).tolist()
    return pairs


def _score(gold: list[list[int]], predicted: list[list[int]]) -> Rouge:
    shared = np.fromiter(map(LCSseq.similarity, gold, predicted), np.float64, len(gold))
    recall = shared / np.maximum([len(codes) for codes in gold], 1)
    precision = shared / np.maximum([len(codes) for codes in predicted], 1)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    return Rouge(precision=precision, recall=recall, f1=f1)


@lru_cache(maxsize=1 << 18)
def _stemmed(word: str) -> str:
    stem: str = _stemmer().stem(word)
    return stem


@cache
def _stemmer() -> PorterStemmer:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()
