"""What reviewing a list is worth: how much of the accuracy that wrong labels cost comes back, on frozen embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from common.noisy import frozen_of, noisy
from tunewright.analyze.mislabel import mislabelled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from common.detecting import Found
    from common.evidence import Evidence, Truth

MORE_WRONG = 0.2  # of the rows
REVIEWED = 0.2  # of the rows, first in order
DRAWS = 3  # random orders
_FOLDS = 3
_ENDS = ("given", "clean")


def after_training(evidence: Evidence, truth: Truth, found: dict[str, Found]) -> dict[str, float]:
    """`recovered` with the errors that were planted for the training, in the orders that it gave."""
    code = {name: place for place, name in enumerate(evidence.labels)}
    right = np.array([code[name] for name in truth.right])
    return recovered(evidence.frozen, evidence.label, right, {name: one.score for name, one in found.items()})


def before_training(dataset: str, noise: str, seed: int, folder: Path) -> dict[str, float]:
    """`recovered` with a fifth of the same rows wrong, which nothing was trained on: the order is of frozen vectors."""
    made = noisy(dataset, noise, seed, rate=MORE_WRONG)
    code = {name: place for place, name in enumerate(made.labels)}
    given, right = (np.array([code[name] for name in made.table[column].to_pylist()]) for column in ("label", "truth"))
    vectors = frozen_of(folder, made.table["id"].to_pylist())
    score = mislabelled(label=given, labels=made.labels, frozen=vectors)["suspicion"].astype(np.float64)
    return recovered(vectors, given, right, {"combined, before training": score})


def recovered(
    vectors: NDArray[np.floating],
    given: NDArray[np.int64],
    right: NDArray[np.int64],
    scores: dict[str, NDArray[np.float64]],
) -> dict[str, float]:
    """Accuracy of a logistic regression on frozen embeddings, out of fold and against the true labels.

    It learns from the labels as ``given``, from the true ones (``clean``), and from those in which a reviewer has
    corrected the first fifth of the rows, by each of the scores (most suspicious first) and in ``random`` order.

    Args:
        vectors: [n, dimensions] of the model before training.
        given, right: [n] codes.
        scores: [n] each, by name; NaN last.
    """
    count = round(REVIEWED * len(right))
    learnt = {"given": [given], "clean": [right]}
    for name, score in scores.items():
        order = np.argsort(-np.nan_to_num(score, nan=-np.inf), kind="stable")
        learnt[name] = [_corrected(given, right, order[:count])]
    shuffled = (np.random.default_rng(draw).permutation(len(right)) for draw in range(DRAWS))
    learnt["random"] = [_corrected(given, right, order[:count]) for order in shuffled]
    return {
        name: float(np.mean([_accuracy(vectors, labels, right) for labels in made])) for name, made in learnt.items()
    }


def shares(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of the mean gap between given and clean labels, the share that each order recovers; none if there is no gap."""
    mean = {name: float(np.mean([one[name] for one in measured])) for name in (measured[0] if measured else ())}
    gap = mean["clean"] - mean["given"] if mean else 0.0
    if gap <= 0:
        return {}
    return {name: round((value - mean["given"]) / gap, 4) for name, value in mean.items() if name not in _ENDS}


def _corrected(given: NDArray[np.int64], right: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    made = given.copy()
    made[rows] = right[rows]
    return made


def _accuracy(vectors: NDArray[np.floating], label: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """Share of rows whose true label is predicted by a model that was fitted to the labels of the other folds."""
    from sklearn.linear_model import LogisticRegression

    fold = np.random.default_rng(0).permutation(len(right)) % _FOLDS
    hits = 0
    for held_out in range(_FOLDS):
        model = LogisticRegression(max_iter=400).fit(vectors[fold != held_out], label[fold != held_out])
        hits += int((model.predict(vectors[fold == held_out]) == right[fold == held_out]).sum())
    return hits / len(right)
