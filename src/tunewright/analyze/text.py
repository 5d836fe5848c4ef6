"""What can be said about a text by reading it: words, length, negation, rare words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Set as AbstractSet
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NEGATIONS", "evidence", "negates", "rare_share", "vocabulary", "words"]

NEGATIONS = frozenset(
    {"no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "cannot", "without", "hardly"}
    | {"barely", "scarcely"}
)
"""English words that negate; besides them, every word that ends in n't does."""

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_SPLIT_CONTRACTION = re.compile(r"(\w) (n['’]t)\b", re.IGNORECASE)
_CUT_CONTRACTIONS = frozenset({"n't", "n’t"})


def words(text: str) -> list[str]:
    """Lower-case words; an apostrophe inside a word belongs to it, a contraction cut by a tokeniser is mended.

    >>> words("It ISN'T good, is it? I do n't know.")
    ['it', "isn't", 'good', 'is', 'it', 'i', "don't", 'know']
    """
    return _WORD.findall(_SPLIT_CONTRACTION.sub(r"\1\2", text).lower())


def negates(found: Iterable[str]) -> bool:
    """Whether one of the words negates.

    >>> negates(words("NOT bad")), negates(words("I wouldn't")), negates(words("a knot"))
    (True, True, False)
    """
    return any(word in NEGATIONS or word[-3:] in _CUT_CONTRACTIONS for word in found)


def vocabulary(texts: Iterable[str], *, at_least: int = 1) -> frozenset[str]:
    """Words that occur in at least so many of the texts.

    >>> sorted(vocabulary(["a b a", "b c"], at_least=2))
    ['b']
    """
    counts = Counter(word for text in texts for word in set(words(text)))
    return frozenset(word for word, count in counts.items() if count >= at_least)


def rare_share(found: Iterable[str], known: AbstractSet[str]) -> float:
    """Share of the distinct words that are not in a vocabulary, in [0, 1]; 0 for no words.

    >>> rare_share(["a", "b", "b", "z"], {"a", "b"})
    0.3333333333333333
    """
    distinct = set(found)
    return len(distinct - known) / len(distinct) if distinct else 0.0


def evidence(texts: Iterable[str], *, known: AbstractSet[str]) -> dict[str, NDArray[np.generic]]:
    """Columns about texts that help to explain mistakes.

    Args:
        texts: n texts; of a pair, both joined with a blank.
        known: the vocabulary of the training texts.

    Returns:
        ``negation`` [n] bool, ``rare_share`` [n] in [0, 1] and ``words`` [n] the number of words.
    """
    found = [words(text) for text in texts]
    return {
        "negation": np.array([negates(one) for one in found], dtype=bool),
        "rare_share": np.array([rare_share(one, known) for one in found], dtype=np.float64),
        "words": np.array([len(one) for one in found], dtype=np.int64),
    }
