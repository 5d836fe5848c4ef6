"""Exact match and F1 of answers, as SQuAD's evaluation script computes them (Rajpurkar et al. 2016, 2018).

The scripts differ in one case, and this is version 2's: where the answer or the gold answer has no words left after
normalisation, F1 is 1 if both have none, else 0 (version 1.1 says 0). No gold answer of version 1.1 is like that.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

__all__ = ["exact_match", "f1", "normalise"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NO_ANSWER = ("",)


def normalise(text: str) -> str:
    """Lower case, without ASCII punctuation and the articles a, an and the, words one blank apart.

    >>> normalise("The  U.S. Army!")
    'us army'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1 if the normalised answer is one of the normalised gold answers, else 0.

    Args:
        answer: what the model says; empty if it says that there is no answer.
        golds: the gold answers; none at all means that the question has no answer.

    >>> exact_match("the Broncos", ["Denver", "Broncos."])
    1.0
    """
    said = normalise(answer)
    return float(any(said == normalise(gold) for gold in golds or _NO_ANSWER))


def f1(answer: str, golds: Sequence[str]) -> float:
    """Harmonic mean of precision and recall of the answer's words, for the best of the gold answers, in [0, 1].

    Args:
        answer: what the model says; empty if it says that there is no answer.
        golds: the gold answers; none at all means that the question has no answer.

    >>> f1("Denver Broncos", ["the Broncos", "Carolina"])
    0.6666666666666666
    """
    said = normalise(answer).split()
    return max(_overlap(said, normalise(gold).split()) for gold in golds or _NO_ANSWER)


def _overlap(said: list[str], gold: list[str]) -> float:
    if not said or not gold:
        return float(said == gold)
    shared = sum((Counter(said) & Counter(gold)).values())
    return 2 * shared / (len(said) + len(gold))
