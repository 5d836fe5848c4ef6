"""Names of clusters: the words and the metadata that set each of them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.analyze.text import words
from tunewright.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["name_clusters", "terms"]

_WORDS = 4  # in a name, at most
_ASKING = frozenset({"how", "what", "when", "where", "which", "who", "why"})  # a question is known by them
_READ_AT_MOST = 20_000  # texts; more change no name
_SIGNIFICANT = 3.0  # standard errors by which a term or a value is more frequent inside
_LIFT = 1.5  # times more frequent inside than outside, at least
_TERM_SHARE = 0.03  # of a cluster's texts, at least, that must hold a term
_VALUE_SHARE = 0.5  # of a cluster's rows, at least, that a metadata value must describe
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{2,}")


def name_clusters(
    code: NDArray[np.integer], texts: Sequence[str], metadata: Mapping[str, Sequence[Any]] | None = None
) -> tuple[str, ...]:
    """A short name for each cluster, no two the same.

    Terms are words and pairs of words, ranked by class-based TF-IDF (Grootendorst 2022) times the logarithm of how
    many times more of the cluster's texts hold them than of the others: this puts words that are frequent everywhere
    last, in any language. Only terms that are significantly more frequent inside count, and such as say something: not
    those made of English function words alone, words that ask aside. Where there is none, the strongest word stands.

    Args:
        code: [n] number of each row's cluster, -1 for none.
        texts: n texts.
        metadata: columns of n values; the value that sets a cluster apart most, if it describes half of it or more,
            is added in brackets.

    Returns:
        one name per cluster from 0 to the largest: at most four words, and metadata. "cluster 3" if nothing sets it
        apart.

    Raises:
        DataError: if the lengths differ.
    """
    metadata = metadata or {}
    if {len(texts), *map(len, metadata.values())} - {len(code)}:
        raise DataError(f"expected {len(code)} texts and metadata values, one for each row, found {len(texts)} texts")
    count = int(code.max(initial=-1)) + 1
    ranked = terms(code, texts)
    values = _values(code, metadata, count)
    names: list[str] = []
    for number in range(count):
        names.append(_unique(number, ranked[number], values[number], names))
    return tuple(names)


def terms(code: NDArray[np.integer], texts: Sequence[str], *, most: int = 12) -> list[list[str]]:
    """The terms that set each cluster apart, best first; a single word where none does so significantly.

    Args:
        code: [n] number of each row's cluster, -1 for none.
        texts: n texts.
        most: terms per cluster.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    count = int(code.max(initial=-1)) + 1
    step = -(-len(texts) // _READ_AT_MOST) or 1
    code, texts = code[::step], texts[::step]
    try:
        vectorizer = CountVectorizer(analyzer=_words_and_pairs, min_df=min(2, max(1, len(texts))))
        held = vectorizer.fit_transform(texts)
    except ValueError:  # no term occurs twice
        return [[] for _ in range(count)]
    vocabulary = vectorizer.get_feature_names_out()
    classes = np.where(code < 0, count, code)
    counts = np.stack([np.asarray(held[classes == one].sum(axis=0))[0] for one in range(count + 1)])
    inside = np.stack([np.asarray((held[classes == one] > 0).sum(axis=0))[0] for one in range(count + 1)])
    sizes = np.bincount(classes, minlength=count + 1)
    lift, error = _lift(inside[:count], sizes[:count, None], inside.sum(axis=0), len(texts))
    score = _class_tf_idf(counts)[:count] * np.log(np.maximum(lift, 1))
    rare = inside[:count] < np.maximum(2, _TERM_SHARE * sizes[:count, None])
    score *= [_says_something(term) for term in vocabulary]
    fallback = np.where([" " in term for term in vocabulary], 0, score).argmax(axis=1)
    strongest = np.take_along_axis(score, fallback[:, None], axis=1)
    score[(lift < _LIFT) | (error < _SIGNIFICANT) | rare] = 0
    none = ~score.any(axis=1)
    score[none, fallback[none]] = strongest[none, 0]
    best = np.argsort(-score, axis=1, kind="stable")[:, :most]
    return [[str(vocabulary[term]) for term in row if score[one, term] > 0] for one, row in enumerate(best)]


def _class_tf_idf(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """[classes, terms] share of the term in the class x log(1 + terms per class / occurrences of the term)."""
    total = counts.sum(axis=1, keepdims=True)
    share = counts / np.maximum(total, 1)
    rarity: NDArray[np.float64] = share * np.log1p(total.mean() / np.maximum(counts.sum(axis=0), 1))
    return rarity


def _lift(inside: Any, size: Any, everywhere: Any, rows: int) -> tuple[Any, Any]:
    """How many times more frequent inside than outside, half a row added; and the difference in standard errors."""
    outside, others = everywhere - inside, np.maximum(rows - size, 0)
    share, beside = (inside + 0.5) / (size + 1), (outside + 0.5) / (others + 1)
    pooled = (everywhere + 1) / (rows + 2)
    error = np.sqrt(pooled * (1 - pooled) * (1 / (size + 1) + 1 / (others + 1)))
    return share / beside, (share - beside) / np.maximum(error, 1e-12)


def _words_and_pairs(text: str) -> list[str]:
    found = [piece for word in words(text) for piece in _pieces(word)]
    return [*found, *(f"{one} {other}" for one, other in pairwise(found))]


def _says_something(term: str) -> bool:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return any(len(word) > 1 and (word in _ASKING or word not in ENGLISH_STOP_WORDS) for word in term.split())


def _pieces(word: str) -> Iterable[str]:
    """The word; of a script that puts no blanks between words, its pairs of characters."""
    if not _UNSPACED.fullmatch(word):
        return (word,)
    return (word[place : place + 2] for place in range(len(word) - 1))


def _values(code: NDArray[np.integer], metadata: Mapping[str, Sequence[Any]], count: int) -> list[str]:
    """For each cluster, the "column=value" that sets it apart most, or nothing."""
    best = [(0.0, "")] * count
    sizes = np.bincount(code[code >= 0], minlength=count)
    for name, column in metadata.items():
        texts = np.array(["" if value is None else str(value) for value in column], dtype=object)
        kinds, which = np.unique(texts, return_inverse=True)
        if len(kinds) > max(2, len(code) // 5):  # a name of rows, not of groups
            continue
        table = np.zeros((count + 1, len(kinds)), dtype=np.int64)
        np.add.at(table, (code, which), 1)
        lift, error = _lift(table[:count], sizes[:, None], table.sum(axis=0), len(code))
        share = table[:count] / np.maximum(sizes, 1)[:, None]
        score = share * np.log(np.maximum(lift, 1))
        score[(share < _VALUE_SHARE) | (lift < _LIFT) | (error < _SIGNIFICANT) | (kinds == "")] = 0
        for number, value in enumerate(score.argmax(axis=1)):
            best[number] = max(best[number], (float(score[number, value]), f"{name}={kinds[value]}"))
    return [text if score > 0 else "" for score, text in best]


def _unique(number: int, ranked: Sequence[str], value: str, taken: Sequence[str]) -> str:
    """A name of the best terms that repeat no word; the next terms are tried if it is taken."""
    bracket = f" ({value})" if value else ""
    for first in range(max(1, len(ranked) - 2) if ranked else 0):
        name = ", ".join(_chosen([*ranked[:1], *ranked[1 + first :]])) + bracket
        if name not in taken:
            return name
    return f"cluster {number}{bracket}"


def _chosen(ranked: Sequence[str]) -> list[str]:
    chosen: list[str] = []
    for term in ranked:
        used = [word for one in chosen for word in one.split()]
        new = term.split()
        if len(chosen) < 3 and len(used) + len(new) <= _WORDS and not any(_alike(a, b) for a in used for b in new):
            chosen.append(term)
    return chosen


def _alike(one: str, other: str) -> bool:
    """The same word, or one that begins with the other, as "animals" with "animal"."""
    return one == other or (min(len(one), len(other)) > 3 and (one.startswith(other) or other.startswith(one)))
