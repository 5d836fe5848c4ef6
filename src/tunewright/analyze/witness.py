"""What drifted: the rows that make the difference, their words, and the slices they lie in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.analyze.shift import Explanation, explain_shift
from tunewright.analyze.text import words
from tunewright.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Witnesses", "Word", "log_odds", "witnesses"]

_FOREIGN = 0.99  # quantile of the reference above which a row is foreign to it
_AT_LEAST = 10  # rows that are looked at, however few are foreign
_SURE = 1.96  # standard errors that a word's log-odds are away from 0


@dataclass(frozen=True, slots=True)
class Word:
    """A word that is more frequent in one set of texts.

    Attributes:
        word: lower-case.
        z: log-odds ratio in standard errors.
        first, second: share of the texts that have it, in the set and in the other one.
    """

    word: str
    z: float
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The rows of a window that are least like the reference, and what they have in common.

    Attributes:
        rows: their places in the window, the most foreign first.
        share: rows of the window that are more foreign than 99 % of the reference, in [0, 1]; .01 if nothing drifted.
        words: of their texts, against those of the reference.
        slices: values of the metadata that they have more, or less, often than other rows of the window.
    """

    rows: tuple[int, ...]
    share: float
    words: tuple[Word, ...]
    slices: tuple[Explanation, ...]


def witnesses(
    score: NDArray[np.floating],
    reference_score: NDArray[np.floating],
    *,
    texts: Sequence[str] = (),
    reference_texts: Sequence[str] = (),
    metadata: Mapping[str, Sequence[Any]] | None = None,
    most: int = 20,
) -> Witnesses:
    """Explain a window by the witness function.

    Args:
        score: [n] of the rows of the window (see `tunewright.analyze.mmd.witness`).
        reference_score: [N] of rows of the reference.
        texts: n texts of the window; none for no words.
        reference_texts: of the reference, as many as there are.
        metadata: columns of n values.
        most: rows and words that are named.

    Raises:
        DataError: if a set is empty, or columns do not have n values.
    """
    if not len(score) or not len(reference_score) or (len(texts) and len(texts) != len(score)):
        raise DataError(
            f"expected scores of rows on both sides and a text for each row, found {len(score)}, "
            f"{len(reference_score)} and {len(texts)} texts"
        )
    order = np.argsort(-score, kind="stable")
    foreign = score > np.quantile(reference_score, _FOREIGN)
    inside = foreign.copy()
    inside[order[:_AT_LEAST]] = True
    chosen = [texts[row] for row in np.flatnonzero(inside).tolist()] if len(texts) else []
    named = log_odds(chosen, reference_texts, most=most) if chosen and len(reference_texts) else ()
    mixed = bool(metadata) and not inside.all()
    slices = explain_shift(inside, metadata or {}) if mixed else ()
    return Witnesses(tuple(order[:most].tolist()), float(foreign.mean()), named, slices)


def log_odds(first: Sequence[str], second: Sequence[str], *, most: int = 20) -> tuple[Word, ...]:
    """Words that more texts of the first set have, the surest first (Monroe, Colaresi & Quinn 2008).

    A word counts once in a text, so that a text that repeats itself is one. The prior is that of both sets together,
    as strong as the first set. Words of one text only are left out.

    >>> [word.word for word in log_odds(["cheap flights", "flights now", "late flights"] * 5, ["good food"] * 15)]
    ['flights']
    """
    inside, outside = (_documents(texts) for texts in (first, second))
    vocabulary = sorted(word for word, count in inside.items() if count > 1)
    if not vocabulary:
        return ()
    here, there = (np.array([counts[word] for word in vocabulary], dtype=np.float64) for counts in (inside, outside))
    sizes = float(len(first)), float(len(second))
    strength = sizes[0]
    prior = strength * (here + there) / sum(sizes)
    odds = [
        np.log(count + prior) - np.log(size + strength - count - prior + 0.5)
        for count, size in zip((here, there), sizes, strict=True)
    ]
    z = (odds[0] - odds[1]) / np.sqrt(1 / (here + prior) + 1 / (there + prior))
    best = [place for place in np.argsort(-z, kind="stable")[:most].tolist() if z[place] > _SURE]
    return tuple(
        Word(vocabulary[place], float(z[place]), float(here[place] / sizes[0]), float(there[place] / max(sizes[1], 1)))
        for place in best
    )


def _documents(texts: Sequence[str]) -> Counter[str]:
    return Counter(word for text in texts for word in set(words(text)))
