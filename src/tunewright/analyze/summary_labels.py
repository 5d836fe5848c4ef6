"""Summaries that look wrong: improbable beside their neighbours, about something else, or saying what no document says.

Direction: more of each score is worse. ``unsupported`` and ``mismatch`` need texts alone; ``improbable`` needs a model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.neighbours import Index
from tunewright.analyze.ranks import rank_scores, z_scores

__all__ = [
    "SUMMARY_VOTES",
    "claim_surprise",
    "claims",
    "copied",
    "improbable",
    "mean_log_probability",
    "mismatch",
    "novel",
    "suspect_summaries",
    "unsupported",
]

Floats = NDArray[np.floating]

SUMMARY_VOTES = ("vote_mismatch", "vote_unsupported", "vote_improbable", "vote_copied")
"""The detectors, each a flag of its own."""

COPIED = 0.95
"""Share of a summary's words, in one stretch of the document, from which it counts as copied."""
IMPROBABLE = 2.5
"""Standard deviations below what its neighbours make one expect, from which a summary is improbable."""
UNSUPPORTED = 0.3
"""Share of the names and numbers of a summary that its document lacks, from which it counts as unsupported."""
MISMATCHED = 0.02
"""Share of the other documents that fit a summary better than its own, from which it counts as mismatched."""
NEIGHBOURS = 15

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_NUMBER = re.compile(r"\d+")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_CONTINUES = ("##", "\u0120", "\u2581")
_TIE = 0.05  # weight of what orders rows that are equal in the worse of the two scores
_LEAST = 1e-9  # probability; less is as little
_BLOCK = 512  # rows whose similarities to all documents are in memory at once


def words(text: str) -> list[str]:
    """The words and numbers of a text in lower case."""
    return [match.group().lower() for match in _WORD.finditer(text)]


def claims(summary: str) -> list[tuple[int, str]]:
    """Names and numbers of a summary: where each stands, in characters, and what it is.

    A name is a capitalised word; at the start of a sentence too, because summaries begin with names.
    """
    return [
        (match.start(), match.group())
        for match in _WORD.finditer(summary)
        if match.group()[0].isupper() or match.group()[0].isdigit()
    ]


def unsupported(documents: Sequence[str], summaries: Sequence[str]) -> NDArray[np.float64]:
    """Share of the names and numbers of each summary that its document lacks.

    Words that stand in lower case more often than not, such as the first of a sentence, are no names.

    Returns:
        [n] in [0, 1]; 0 where a summary has no name and no number.
    """
    return _shares(*_told_and_missing(documents, summaries))


def copied(document: str, summary: str) -> float:
    """Share of a summary's words that stand in the document in one stretch, in [0, 1]."""
    source, said = words(document), words(summary)
    longest, before = 0, [0] * (len(source) + 1)
    for word in said:
        now = [0] * (len(source) + 1)
        for place, other in enumerate(source, 1):
            if word == other:
                now[place] = before[place - 1] + 1
                longest = max(longest, now[place])
        before = now
    return longest / len(said) if said else 0.0


def novel(document: str, summary: str, *, size: int = 2) -> float:
    """Share of a summary's n-grams that the document lacks (Narayan et al. 2018), in [0, 1]; 0 without n-grams."""
    source, said = _grams(words(document), size), _grams(words(summary), size)
    return len(said - source) / len(said) if said else 0.0


def mismatch(documents: Sequence[str], summaries: Sequence[str]) -> NDArray[np.float64]:
    """Share of the other documents that are as like a summary as its own, by TF-IDF of their words.

    Returns:
        [n] in [0, 1]: 0 where no other document fits better, 1/2 for a summary of something else.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    if len(documents) < 2 or not any(words(text) for text in documents):
        return np.zeros(len(documents))
    vectoriser = TfidfVectorizer(tokenizer=words, token_pattern=None, lowercase=False, sublinear_tf=True)
    sources = vectoriser.fit_transform(documents)
    said = vectoriser.transform(summaries)
    shares = np.zeros(len(documents))
    for start in range(0, len(documents), _BLOCK):
        likeness = (said[start : start + _BLOCK] @ sources.T).toarray()
        own = likeness[np.arange(len(likeness)), start + np.arange(len(likeness))]
        better = (likeness > own[:, None]).sum(axis=1)
        level = (likeness == own[:, None]).sum(axis=1) - 1
        shares[start : start + _BLOCK] = (better + level / 2) / (len(documents) - 1)
    return shares


def mean_log_probability(token_probability: Sequence[Sequence[float] | None]) -> NDArray[np.float64]:
    """[n] mean over the tokens of a gold summary of their log probability; NaN without tokens."""
    return np.array(
        [
            float(np.log(np.maximum(np.asarray(row, dtype=np.float64), _LEAST)).mean()) if row else np.nan
            for row in token_probability
        ]
    )


def improbable(log_probability: Floats, vectors: Floats, *, neighbours: int = NEIGHBOURS) -> NDArray[np.float64]:
    """How far a summary's log probability lies below what similar rows make one expect.

    Args:
        log_probability: [n] mean over tokens; NaN is unknown.
        vectors: [n, dimensions] embeddings of the documents.
        neighbours: how many others are averaged.

    Returns:
        [n] in standard deviations of the residual, more is less probable; NaN where unknown.
    """
    k = min(neighbours + 1, len(vectors))
    _, near = Index.build(vectors).search(vectors, k)
    own = near == np.arange(len(vectors))[:, None]
    around = np.where(own, np.nan, log_probability[near])
    known = ~np.isnan(around)
    expected = np.divide(
        np.where(known, around, 0).sum(axis=1),
        known.sum(axis=1),
        out=np.full(len(vectors), np.nan),
        where=known.any(axis=1),
    )
    return -z_scores(log_probability - expected)


def claim_surprise(summary: str, tokens: Sequence[str] | None, token_probability: Sequence[float] | None) -> float:
    """Minus the log probability of the least probable name or number of a summary, by the first of its tokens, in nats.

    NaN where there is none, or the tokens cannot be laid over the text.
    """
    if not tokens or not token_probability:
        return float("nan")
    begins = {start for start, _ in claims(summary)}
    places = _laid_over(summary, tokens)
    found = [
        -float(np.log(max(probability, _LEAST)))
        for place, probability in zip(places, token_probability, strict=True)
        if place in begins
    ]
    return max(found, default=float("nan"))


def suspect_summaries(
    *,
    documents: Sequence[str],
    summaries: Sequence[str],
    log_probability: Floats | None = None,
    vectors: Floats | None = None,
    surprising: Floats | None = None,
    said: Sequence[str | None] | None = None,
    said_probability: Floats | None = None,
) -> dict[str, NDArray[np.generic]]:
    """Rank rows by how little their summary fits their document.

    ``suspicion`` is the rank of the worse of `mismatch` (``MISMATCHED`` and more counts as 1) and `unsupported`; how
    novel and, where a model was asked, how `improbable` a summary and its names are orders rows that are equal in these. A row is
    flagged when it is mismatched, or when ``UNSUPPORTED`` or more of its names and numbers are not in its document.
    Copying is a habit of whoever wrote the summaries and no error: it has a vote, and flags no row.

    Args:
        documents: [n] texts.
        summaries: [n] gold summaries.
        log_probability: [n] of the gold summary under the model, mean over tokens.
        vectors: [n, dimensions] embeddings of the documents, for what is expected of similar rows.
        surprising: [n] `claim_surprise`.
        said: [n] the summary that the model writes, to suggest.
        said_probability: [n] in [0, 1].

    Returns:
        [n] ``suspicion`` in (0, 1); ``suspect``; ``suggested`` and ``suggested_probability``; ``votes``, how many of
        ``SUMMARY_VOTES``, each a flag; ``evidence`` in words, empty for none.
    """
    count = len(summaries)
    pairs = list(zip(documents, summaries, strict=True))
    told, missing = _told_and_missing(documents, summaries)
    lacking = _shares(told, missing)
    elsewhere = mismatch(documents, summaries)
    fresh = np.array([novel(*pair, size=1) for pair in pairs])
    surprise = np.zeros(count)
    if log_probability is not None and vectors is not None:
        surprise = np.nan_to_num(improbable(log_probability, vectors))
    names = np.zeros(count) if surprising is None else np.nan_to_num(z_scores(surprising))
    found = {
        "vote_mismatch": elsewhere >= MISMATCHED,
        "vote_unsupported": lacking >= UNSUPPORTED,
        "vote_improbable": surprise >= IMPROBABLE,
        "vote_copied": np.array([copied(*pair) for pair in pairs]) >= COPIED,
    }
    worst = np.maximum(np.minimum(1.0, elsewhere / MISMATCHED), lacking)
    return {
        "suspicion": rank_scores(worst + _TIE * (fresh + 1 / (1 + np.exp(-surprise - names)))),
        "suspect": found["vote_mismatch"] | found["vote_unsupported"],
        "suggested": np.array([*(said or [None] * count), None], dtype=object)[:-1],
        "suggested_probability": np.full(count, np.nan) if said_probability is None else said_probability,
        "votes": np.sum(list(found.values()), axis=0),
        **found,
        "evidence": np.array([*_evidence(missing, found), None], dtype=object)[:-1],
    }


def _evidence(missing: Sequence[Sequence[str]], found: Mapping[str, NDArray[np.bool_]]) -> list[str]:
    """What speaks against each row, in words; names that the document lacks are named whether or not they flag it."""
    told = {
        "vote_mismatch": "other documents fit the summary better",
        "vote_improbable": "improbable beside similar rows",
        "vote_copied": "copied from the document",
    }
    texts = []
    for row, names in enumerate(missing):
        lacks = [f"not in the document: {', '.join(dict.fromkeys(names))}"] if names else []
        texts.append("; ".join([*lacks, *(text for name, text in told.items() if found[name][row])]))
    return texts


def _shares(told: Sequence[Sequence[str]], missing: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    return np.array([len(lacks) / len(says) if says else 0.0 for says, lacks in zip(told, missing, strict=True)])


def _told_and_missing(documents: Sequence[str], summaries: Sequence[str]) -> tuple[list[list[str]], list[list[str]]]:
    """The names and numbers of each summary, and those of them that its document lacks."""
    common = _common([*documents, *summaries])
    told, missing = [], []
    for document, summary in zip(documents, summaries, strict=True):
        names = [name for _, name in claims(summary) if name.lower() not in common]
        held = _held(document)
        told.append(names)
        missing.append([name for name in names if not _variants(name) & held])
    return told, missing


def _common(texts: Sequence[str]) -> set[str]:
    """Words that stand in lower case as often as with a capital, or more often: no names."""
    balance: Counter[str] = Counter()
    for text in texts:
        for match in _WORD.finditer(text):
            word = match.group()
            balance[word.lower()] += 1 if word.islower() else -1 if word[0].isupper() else 0
    return {word for word, lower in balance.items() if lower >= 0 and not word[0].isdigit()}


def _held(document: str) -> set[str]:
    """The words of a document, and the numbers within them: 6 of 6pm."""
    return {variant for word in words(document) for variant in _variants(word)}


def _variants(word: str) -> set[str]:
    word = word.lower()
    number = _NUMBER.match(word)
    return {word, _POSSESSIVE.sub("", word)} | ({number.group()} if number else set())


def _grams(sequence: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return set(zip(*(sequence[start:] for start in range(size)), strict=False))


def _laid_over(text: str, tokens: Sequence[Any]) -> list[int]:
    """Where each token begins in the text; -1 for special tokens and those that are not found."""
    plain, place, places = text.lower(), 0, []
    for token in tokens:
        piece = str(token).lower()
        for mark in _CONTINUES:
            piece = piece.removeprefix(mark)
        start = plain.find(piece, place) if piece else -1
        near = start >= 0 and not plain[place:start].strip()
        places.append(start if near else -1)
        place = start + len(piece) if near else place
    return places
