"""What a row's nearest neighbours are labelled: agreement with the row's own label, and the class they prefer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.confident import RIVALS, Likely
from tunewright.analyze.neighbours import nearest

__all__ = ["label_votes"]

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]

_BLOCK = 16_384  # rows whose votes are counted at a time


def label_votes(vectors: Floats, label: Codes, *, k: int, smoothing: float = 1.0) -> Likely:
    """Shares of the labels among the k nearest other labelled rows, by cosine (kNN disagreement).

    Args:
        vectors: [n, dimensions].
        label: [n] codes, or -1 for rows that neither vote nor are judged.
        k: neighbours; all other labelled rows if there are fewer.
        smoothing: votes that are added in proportion to how frequent the classes are, so that no share is zero.

    Returns:
        probabilities whose ``rivals`` are the classes with most votes (ties: the lower code); -1 and 0 where the
        neighbours have no more. All NaN if fewer than two rows are labelled.
    """
    known = np.flatnonzero(label >= 0)
    others = min(RIVALS, k)
    own, probability = np.full(len(label), np.nan), np.full((len(label), others), np.nan)
    rivals = np.full((len(label), others), -1, dtype=np.int64)
    if len(known) < 2:
        return Likely(own, rivals, probability)
    k = min(k, len(known) - 1)
    found, _ = nearest(vectors[known], vectors[known], k=k, exclude=np.arange(len(known)))
    voters = label[known]
    frequency = np.bincount(voters) / len(voters)
    for start in range(0, len(known), _BLOCK):
        rows = slice(start, start + _BLOCK)
        mine, votes = voters[rows], voters[found[rows]]
        total = k + smoothing
        own[known[rows]] = ((votes == mine[:, None]).sum(axis=1) + smoothing * frequency[mine]) / total
        codes, counts = _most_frequent(np.where(votes == mine[:, None], -1, votes), others)
        rivals[known[rows]] = codes
        probability[known[rows]] = np.where(codes < 0, 0, (counts + smoothing * frequency[codes]) / total)
    return Likely(own, rivals, probability)


def _most_frequent(votes: Codes, count: int) -> tuple[Codes, Codes]:
    """The most frequent codes of each row, -1 for none, and how often they occur; both [n, count]."""
    ordered = np.sort(votes, axis=1)
    first = np.concatenate([np.ones((len(votes), 1), dtype=bool), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    place = np.arange(votes.shape[1])
    ends = np.concatenate([np.where(first, place, votes.shape[1])[:, 1:], np.full((len(votes), 1), votes.shape[1])], 1)
    length = np.where(first & (ordered >= 0), np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1] - place, 0)
    order = np.lexsort((ordered, -length))[:, :count]
    counts = np.take_along_axis(length, order, axis=1)
    codes = np.where(counts > 0, np.take_along_axis(ordered, order, axis=1), -1)
    missing = ((0, 0), (0, count - codes.shape[1]))
    return np.pad(codes, missing, constant_values=-1), np.pad(counts, missing)
