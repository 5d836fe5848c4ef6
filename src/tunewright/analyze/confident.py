"""Out-of-fold probabilities of a linear model on embeddings, and confident learning on top of them.

Probabilities of a row come from a model that was fitted without it, so that they cannot repeat its label. Memory
grows with rows times ``RIVALS``, never with rows times classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunewright.errors import DataError

__all__ = ["RIVALS", "Issues", "Likely", "confident_issues", "fold_of", "out_of_fold"]

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]

RIVALS = 10
"""Classes other than the label that are kept of each row, likeliest first."""

_INVERSE_STRENGTH = 0.01  # C of the penalty: embeddings need far more than the usual 1 (average precision + .06-.11)
_FOLDS = 5
_CELLS = 4_000_000  # probabilities that are in memory at a time
_STEPS = 100  # of the optimiser; a dozen or two are enough
_FLAT = 1e-6  # a dimension that varies by less than this share of the largest is rounding noise


@dataclass(frozen=True, slots=True)
class Likely:
    """What a model that has not seen a row's label thinks of its classes.

    Attributes:
        own: [n] probability of the label; NaN where the row has none.
        rivals: [n, m] codes of the other classes, likeliest first; m is ``RIVALS``, or all others if fewer.
        probability: [n, m] theirs, NaN where the row has no label.
    """

    own: NDArray[np.float64]
    rivals: Codes
    probability: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Issues:
    """Flags of confident learning (Northcutt et al. 2021), each [n] bool; rows without a label have none.

    Attributes:
        confident: another class passes its own threshold with more probability than any class that does.
        noise_rate: among the rows of a label, those that another class beats by most, as many as the joint says.
        by_class: the rows of a label with the least self-confidence, as many as the joint says, if another class wins.
        both: ``noise_rate`` and ``by_class``.
        errors: how many label errors the estimated joint expects.
    """

    confident: NDArray[np.bool_]
    noise_rate: NDArray[np.bool_]
    by_class: NDArray[np.bool_]
    both: NDArray[np.bool_]
    errors: float


def out_of_fold(vectors: Floats, label: Codes, *, classes: int, folds: int = _FOLDS, seed: int = 0) -> Likely:
    """Probabilities of a penalised softmax regression on standardised vectors, each row judged by a model without it.

    The folds depend on the vectors and not on the order of the rows or of the classes.

    Args:
        vectors: [n, dimensions], finite.
        label: [n] codes in 0..classes-1, or -1 for rows that neither teach nor are judged.
        classes: how many codes there are, two or more.
        folds: 2 or more.

    Raises:
        DataError: if there are fewer than two classes, or fewer labelled rows than folds.
    """
    known = np.flatnonzero(label >= 0)
    if classes < 2 or len(known) < folds:
        raise DataError(f"expected two classes and {folds} labelled rows or more, found {classes} and {len(known)}")
    others = min(RIVALS, classes - 1)
    own, probability = np.full(len(label), np.nan), np.full((len(label), others), np.nan)
    rivals = np.full((len(label), others), -1, dtype=np.int64)
    fold = fold_of(vectors[known], label[known], folds=folds, seed=seed)
    for held_out in range(folds):
        taught, judged = known[fold != held_out], known[fold == held_out]
        model = _Softmax.fit(vectors[taught], label[taught], classes)
        for rows in _blocks(judged, classes):
            own[rows], rivals[rows], probability[rows] = _top(model.probabilities(vectors[rows]), label[rows], others)
    return Likely(own, rivals, probability)


def fold_of(vectors: Floats, label: Codes, *, folds: int, seed: int = 0) -> Codes:
    """The fold of each row, [n] in 0..folds-1: even within each class, whatever the order of rows and classes."""
    by_content = np.lexsort(vectors[:, :4].T)
    order = by_content[np.random.default_rng(seed).permutation(len(label))]
    _, first, member = np.unique(label[order], return_index=True, return_inverse=True)
    sorted_by_class = np.argsort(member, kind="stable")
    starts = np.r_[0, np.cumsum(np.bincount(member))[:-1]]
    place = np.empty(len(label), dtype=np.int64)
    place[sorted_by_class] = np.arange(len(label)) - starts[member[sorted_by_class]]
    fold = np.empty(len(label), dtype=np.int64)
    fold[order] = (place + first[member]) % folds
    return fold


def confident_issues(likely: Likely, label: Codes, *, classes: int) -> Issues:
    """Label errors by confident learning (Northcutt et al. 2021).

    A class's threshold is the mean self-confidence of the rows that carry it; a row counts as of the class that is
    likeliest among those whose threshold it passes. These counts, scaled to the number of rows per label, estimate
    how many rows of each label belong to each other class. As in the authors' code, a row whose label is the
    likeliest class is no issue by any count.

    Args:
        label: [n] codes in 0..classes-1, or -1.
    """
    known = label >= 0
    rows = np.flatnonzero(known)
    size = np.bincount(label[rows], minlength=classes)
    total = np.bincount(label[rows], weights=likely.own[rows], minlength=classes)
    threshold = np.divide(total, size, out=np.full(classes, np.inf), where=size > 0)
    counted = _counted(likely, label, threshold)
    joint = _joint(label, counted, size)
    beaten = known & (likely.probability[:, 0] > likely.own)
    noise_rate = _most_beaten(likely, label, joint) & beaten
    by_class = _least_sure(likely.own, label, joint, classes) & beaten
    errors = float(sum(joint.values()))
    return Issues(known & (counted >= 0) & (counted != label), noise_rate, by_class, noise_rate & by_class, errors)


def _counted(likely: Likely, label: Codes, threshold: NDArray[np.float64]) -> Codes:
    """[n] the likeliest class whose threshold the row passes; -1 for none."""
    passes = (likely.probability >= threshold[likely.rivals]) & (label >= 0)[:, None]
    best = np.where(passes, likely.probability, -1.0)
    place = np.argmax(best, axis=1)
    rival_probability = best[np.arange(len(label)), place]
    own = np.where((label >= 0) & (likely.own >= threshold[label]), likely.own, -1.0)
    rival = likely.rivals[np.arange(len(label)), place]
    counted: Codes = np.where(own >= rival_probability, np.where(own >= 0, label, -1), rival)
    return counted


def _joint(label: Codes, counted: Codes, size: NDArray[np.int64]) -> dict[tuple[int, int], float]:
    """Expected rows of each label that belong to each other class; only pairs that occur."""
    clear = counted >= 0
    pairs, count = np.unique(np.stack([label[clear], counted[clear]], axis=1), axis=0, return_counts=True)
    total = np.bincount(label[clear], minlength=len(size))
    return {
        (int(given), int(true)): float(number * size[given] / total[given])
        for (given, true), number in zip(pairs, count, strict=True)
        if given != true
    }


def _most_beaten(likely: Likely, label: Codes, joint: dict[tuple[int, int], float]) -> NDArray[np.bool_]:
    """Of each pair of classes as many rows as the joint says, by how much the other class beats the label."""
    flagged = np.zeros(len(label), dtype=bool)
    lead = likely.probability - likely.own[:, None]
    row, place = np.nonzero((lead > 0) & (label >= 0)[:, None])
    pair = label[row] * (int(label.max(initial=0)) + int(likely.rivals.max(initial=0)) + 1) + likely.rivals[row, place]
    order = np.lexsort((-lead[row, place], pair))
    ends = np.flatnonzero(np.diff(pair[order])) + 1
    for group in np.split(order, ends) if len(order) else ():
        key = int(label[row[group[0]]]), int(likely.rivals[row[group[0]], place[group[0]]])
        flagged[row[group[: round(joint.get(key, 0.0))]]] = True
    return flagged


def _least_sure(
    own: NDArray[np.float64], label: Codes, joint: dict[tuple[int, int], float], classes: int
) -> NDArray[np.bool_]:
    """Of each label as many rows as the joint says, by least self-confidence."""
    expected = np.zeros(classes)
    for (given, _), number in joint.items():
        expected[given] += number
    order = np.lexsort((own, label))
    order = order[label[order] >= 0]
    sizes = np.bincount(label[order], minlength=classes)
    place = np.arange(len(order)) - np.repeat(np.r_[0, np.cumsum(sizes)[:-1]], sizes)
    flagged = np.zeros(len(label), dtype=bool)
    flagged[order] = place < np.round(expected)[label[order]]
    return flagged


def _top(probabilities: Floats, label: Codes, count: int) -> tuple[Floats, Codes, Floats]:
    """Probability of the label, and the likeliest other classes with theirs; ties go by the lower code."""
    rows = np.arange(len(label))
    own = probabilities[rows, label].copy()
    probabilities[rows, label] = -1
    rivals = np.argpartition(-probabilities, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(probabilities, rivals, axis=1)
    order = np.lexsort((rivals, -found))
    return own, np.take_along_axis(rivals, order, axis=1), np.take_along_axis(found, order, axis=1)


@dataclass(frozen=True, slots=True)
class _Softmax:
    """Multinomial logistic regression on standardised vectors, L2-penalised but for the intercept."""

    mean: Floats
    scale: Floats
    weights: Floats  # [dimensions + 1, classes], the intercept last

    @classmethod
    def fit(cls, vectors: Floats, label: Codes, classes: int) -> _Softmax:
        mean, scale = vectors.mean(axis=0, dtype=np.float64), vectors.std(axis=0, dtype=np.float64)
        scale[scale <= _FLAT * max(scale.max(), np.abs(mean).max())] = 1
        made = cls(mean, scale, np.zeros((vectors.shape[1] + 1, classes)))
        return cls(mean, scale, _minimum(made._inputs(vectors), label, classes))

    def probabilities(self, vectors: Floats) -> Floats:
        """[n, classes]"""
        return _softmax(self._inputs(vectors) @ self.weights)[0]

    def _inputs(self, vectors: Floats) -> NDArray[np.float32]:
        """[n, dimensions + 1] standardised, and a one for the intercept."""
        standard = (vectors - self.mean) / self.scale
        return np.concatenate([standard, np.ones((len(vectors), 1))], axis=1).astype(np.float32)


def _minimum(inputs: NDArray[np.float32], label: Codes, classes: int) -> NDArray[np.float64]:
    """Weights of least cross-entropy and penalty, by L-BFGS over blocks of rows."""
    from scipy.optimize import minimize

    shape = (inputs.shape[1], classes)
    blocks = _blocks(np.arange(len(label)), classes)
    penalty = 1 / (_INVERSE_STRENGTH * len(label))

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape)
        slope = penalty * weights
        slope[-1] = 0
        value = penalty / 2 * float((weights[:-1] ** 2).sum())
        narrow = weights.astype(np.float32)
        for rows in blocks:
            error, log_probability = _softmax(inputs[rows] @ narrow, label[rows])
            value -= float(log_probability.sum(dtype=np.float64)) / len(label)
            error[np.arange(len(rows)), label[rows]] -= 1
            slope += inputs[rows].T @ error / len(label)
        return value, slope.ravel()

    start = np.zeros(shape).ravel()
    found: NDArray[np.float64] = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "gtol": 1e-4}
    ).x
    return found.reshape(shape)


def _softmax(logits: Floats, label: Codes | None = None) -> tuple[Floats, Floats]:
    """Probabilities [n, classes], and log-probabilities [n] of the labels (of class 0 where none are given)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    total = weights.sum(axis=1)
    chosen = np.zeros(len(logits), dtype=np.int64) if label is None else label
    return weights / total[:, None], shifted[np.arange(len(logits)), chosen] - np.log(total)


def _blocks(rows: Codes, classes: int) -> list[Codes]:
    return np.array_split(rows, max(1, -(-len(rows) * classes // _CELLS)))
