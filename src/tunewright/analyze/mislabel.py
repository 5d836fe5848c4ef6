"""Suspected mislabels of classes: what training, neighbours and linear models say about each label, in one score.

Direction: more ``suspicion`` means more likely wrong. Variability is no error detector and is not used. Weights are
fixed; learning them per data set needs labels that nobody has, and gained nothing where they were known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.confident import out_of_fold
from tunewright.analyze.dynamics import row_mean
from tunewright.analyze.label_votes import label_votes
from tunewright.analyze.opinions import Opinion, from_dynamics, from_likely
from tunewright.analyze.ranks import rank_scores, z_scores
from tunewright.columns import analysis

__all__ = ["CONSTANTS", "mislabelled", "suspects"]

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]

_WEIGHTS = {"training": 2.0, "passes": 3.0, "features": 1.0, "frozen": 1.0, "folds": 1.0}
_TRAINING_ALONE = 4.0  # its weight where there are no clean passes
_NEIGHBOURS = {"features": 50, "frozen": 100}
_CORRECTION = 0.5  # share of the log-odds of two classes' frequencies that a margin between them is corrected by
_THRESHOLD = -0.2  # of the combined margin: below it a row is flagged
_THRESHOLD_ALONE = -0.3  # the same where there are no clean passes, and dropout blurs the margins
_STEEPNESS = 3.0  # of suspicion, per unit of the combined margin
_LEAST_ROWS = 20  # below which a space says nothing

CONSTANTS: dict[str, object] = {
    "weights": _WEIGHTS,
    "training_alone": _TRAINING_ALONE,
    "neighbours": _NEIGHBOURS,
    "correction": _CORRECTION,
    "threshold": _THRESHOLD,
    "threshold_alone": _THRESHOLD_ALONE,
}
"""What was chosen once, on the first seed of `benchmarks/detectors.py`, and holds for all data."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """One detector: the vote it has a say in, its weight in the score, and what it says."""

    vote: str
    weight: float
    opinion: Opinion


def mislabelled(
    *,
    label: NDArray[np.integer],
    labels: Sequence[str],
    margin: Floats | None = None,
    gold_probability: Floats | None = None,
    other: Floats | None = None,
    passes_margin: Floats | None = None,
    passes_other: Floats | None = None,
    features: Floats | None = None,
    frozen: Floats | None = None,
) -> dict[str, NDArray[np.generic]]:
    """One score from all the evidence that a run has about its labels.

    Every detector gives a margin, positive where it supports the label. What is labelled in doubt gets a frequent
    label, and models repeat that: half of the log-odds of how frequent the label and the best other class are is taken
    off each margin (logit adjustment, Menon et al. 2021, by half). Margins are then divided by their spread over
    the rows, without moving zero, and averaged with fixed weights: training 2 and clean passes 3 (training alone 4),
    neighbours in either space 1, out-of-fold models in either space 1. A row that some detector did not see is
    judged by the others. A row is flagged where the mean lies below a fixed threshold.

    Flags count random and confusable errors (.8 to 1.25 flags per error where they were planted), not systematic ones
    that a model learns as if they were right: of people's errors on AG News a third is flagged. Vectors
    from before training disagree with 13 % of those labels and with 12 % of the true ones, so that no threshold taken
    from the data could tell the two apart. The order still finds them.

    Args:
        label: [n] codes of ``labels``; -1 for rows without a label or with a soft one, which are left out.
        labels: names of the codes.
        margin: [n, epochs] of the training forward; the first epoch is left out if there are three or more.
        gold_probability: [n, epochs] likewise; from the margin, as between two classes, if None.
        other: [n, epochs] code of the largest other class.
        passes_margin: [n, passes] with dropout off.
        passes_other: [n, passes] likewise.
        features: [n, dimensions] vectors from early in training.
        frozen: [n, dimensions] vectors of the model before training.

    Returns:
        ``suspicion`` [n] in (0, 1), more where more argues against the label, NaN for rows left out; ``suspect`` [n]
        bool, whether it is above 0.5; ``suggested`` [n] the likeliest other class, None where no detector names one;
        ``suggested_probability`` [n] in [0, 1], the mean over the detectors; ``vote_training``, ``vote_passes``,
        ``vote_features``, ``vote_frozen`` and ``vote_folds`` [n] bool, whether that detector prefers another class,
        and ``votes`` [n] how many do.
    """
    codes = np.asarray(label).astype(np.int64)
    alone = passes_margin is None or not passes_margin.shape[1]
    threshold = _THRESHOLD_ALONE if alone else _THRESHOLD
    evidence = [
        *_dynamics("training", codes, margin, other, gold_probability),
        *_dynamics("passes", codes, passes_margin, passes_other),
        *_space("features", codes, features, len(labels)),
        *_space("frozen", codes, frozen, len(labels)),
    ]
    if alone:
        evidence = [replace(item, weight=_TRAINING_ALONE) if item.vote == "training" else item for item in evidence]
    total = _combined(evidence, codes)
    suggested, probability = _suggestion(evidence, len(codes))
    votes = {f"vote_{name}": _vote([item for item in evidence if item.vote == name], len(codes)) for name in _WEIGHTS}
    return {
        "suspicion": 1 / (1 + np.exp(_STEEPNESS * (total - threshold))),
        "suspect": total < threshold,
        "suggested": _names(suggested, labels),
        "suggested_probability": probability,
        **votes,
        "votes": np.sum(list(votes.values()), axis=0),
    }


def _dynamics(
    vote: str, label: Codes, margin: Floats | None, other: Floats | None, probability: Floats | None = None
) -> list[_Evidence]:
    """Evidence of epochs, without the first where there are three or more; nothing where there are none."""
    if margin is None or not margin.shape[1]:
        return []
    start = 1 if margin.shape[1] >= 3 else 0
    rival = np.full(margin.shape, -1.0) if other is None else other
    chance = None if probability is None else probability[:, start:]
    opinion = from_dynamics(margin[:, start:], rival[:, start:], label >= 0, chance)
    return [_Evidence(vote, _WEIGHTS[vote], opinion)]


def _space(vote: str, label: Codes, vectors: Floats | None, classes: int) -> list[_Evidence]:
    """Neighbours and out-of-fold models of one space; nothing where it has too few rows or classes."""
    if vectors is None:
        return []
    seen = np.where(np.isfinite(vectors).all(axis=1), label, -1)
    if (seen >= 0).sum() < _LEAST_ROWS or classes < 2:
        return []
    full = np.nan_to_num(vectors.astype(np.float32))
    near, folds = label_votes(full, seen, k=_NEIGHBOURS[vote]), out_of_fold(full, seen, classes=classes)
    return [
        _Evidence(vote, _WEIGHTS[vote], from_likely(near)),
        _Evidence("folds", _WEIGHTS["folds"], from_likely(folds)),
    ]


def _combined(evidence: Sequence[_Evidence], label: Codes) -> NDArray[np.float64]:
    """[n] weighted mean of the margins in units of their spread; NaN where there is none."""
    margins = [_corrected(item.opinion, label) for item in evidence]
    scaled = [margin / (_spread(margin) or 1.0) for margin in margins]
    return np.where(label >= 0, _weighted_mean(evidence, scaled, len(label)), np.nan)


def _corrected(opinion: Opinion, label: Codes) -> NDArray[np.float64]:
    """[n] the margin, less what it owes to how frequent the label is beside the best other class."""
    rival = opinion.best()
    size = max(int(label.max(initial=0)), int(rival.max(initial=0))) + 1
    frequency = np.log(np.maximum(np.bincount(label[label >= 0], minlength=size), 1))
    odds = np.where((label >= 0) & (rival >= 0), frequency[label] - frequency[rival], 0.0)
    corrected: NDArray[np.float64] = opinion.margin - _CORRECTION * odds
    return corrected


def _spread(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.std()) if known.size else 0.0


def _suggestion(evidence: Sequence[_Evidence], rows: int) -> tuple[Codes, NDArray[np.float64]]:
    """[n] the class other than the label that the detectors together find likeliest, and how likely; -1 and NaN."""
    found, most = np.full(rows, -1, dtype=np.int64), np.full(rows, np.nan)
    for candidate in (item.opinion.best() for item in evidence):
        chance = _weighted_mean(evidence, [item.opinion.of(candidate) for item in evidence], rows)
        better = (candidate >= 0) & (np.isnan(most) | (chance > most) | ((chance == most) & (candidate < found)))
        found, most = np.where(better, candidate, found), np.where(better, chance, most)
    return found, np.clip(most, 0, 1)


def _vote(evidence: Sequence[_Evidence], rows: int) -> NDArray[np.bool_]:
    """[n] whether these detectors, on average, find another class likelier than the label."""
    own = _weighted_mean(evidence, [item.opinion.own for item in evidence], rows)
    _, most = _suggestion(evidence, rows)
    return most > own


def _weighted_mean(
    evidence: Sequence[_Evidence], values: Sequence[NDArray[np.float64]], rows: int
) -> NDArray[np.float64]:
    """[n] mean of one array per detector, over the detectors that have a view of the row; NaN where none has."""
    total, weight = np.zeros(rows), np.zeros(rows)
    for item, value in zip(evidence, values, strict=True):
        seen = ~np.isnan(item.opinion.own)
        total += np.where(seen, item.weight * value, 0.0)
        weight += item.weight * seen
    mean: NDArray[np.float64] = np.divide(total, weight, out=np.full(rows, np.nan), where=weight > 0)
    return mean


@analysis(
    needs=("dynamics.margin", "dynamics.gold_probability", "dynamics.other"),
    gives=("suspicion", "suspect", "suggested"),
)
def suspects(
    *, margin: Floats, gold_probability: Floats, other: Floats, labels: Sequence[str] = ()
) -> dict[str, NDArray[np.generic]]:
    """Rank rows by how much training argued against their label, and flag those where it won.

    The evidence is AUM (Pleiss et al. 2020) and confidence (Swayamdipta et al. 2020), both without the first epoch
    when there are three or more, each z-scored over all rows and averaged with equal weights; ``suspicion`` is the
    rank of that average. It is not standardised within the gold class: a class with many wrong labels would then
    hide them behind its own low mean.

    A row is flagged when its mean margin is negative and one and the same other class beat the label in at least
    half of the epochs; where the rival is not known, as for answers and summaries, when something beat it in every
    epoch. With two classes the first part is "argmax of the mean logits is not the label"; with more,
    a mean over changing rivals overstates them, which the second part corrects.

    Args:
        margin: [n, epochs] gold logit minus the largest other.
        gold_probability: [n, epochs].
        other: [n, epochs] code of the largest other class; -1 where targets are no classes.
        labels: names of the codes in ``other``; codes are written as numbers if empty.

    Returns:
        ``suspicion`` [n] in (0, 1), NaN for rows never seen; ``suspect`` [n] bool; ``suggested`` [n] the class that
        beat the label most often (ties: by the larger total margin, then the lower code), None if none ever did.
    """
    start = 1 if margin.shape[1] >= 3 else 0
    margin, other = margin[:, start:], other[:, start:]
    area, confidence = row_mean(margin), row_mean(gold_probability[:, start:])
    rival, wins = _rival(margin, other)
    seen = (~np.isnan(margin)).sum(axis=1)
    needed = np.where(rival < 0, seen, seen / 2)
    return {
        "suspicion": rank_scores(-(z_scores(area) + z_scores(confidence)) / 2),
        "suspect": (area < 0) & (wins >= needed),
        "suggested": _names(rival, labels),
    }


def _rival(margin: Floats, other: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The class that beats the label most often, -1 for none or unknown, and in how many epochs it does; both [n]."""
    wrong = margin < 0
    rival = np.full(len(margin), -1, dtype=np.int64)
    wins = np.zeros(len(margin), dtype=np.int64)
    force = np.zeros(len(margin))
    for epoch in range(margin.shape[1]):
        candidate = np.where(wrong[:, epoch], other[:, epoch], -1).astype(np.int64)
        same = wrong & (other == candidate[:, None])
        count = same.sum(axis=1)
        weight = np.where(same, -margin, 0).sum(axis=1)
        tied = (count == wins) & (count > 0)
        stronger = tied & ((weight > force) | ((weight == force) & (candidate < rival)))
        better = (count > wins) | stronger
        rival = np.where(better, candidate, rival)
        wins, force = np.where(better, count, wins), np.where(better, weight, force)
    return rival, wins


def _names(codes: NDArray[np.int64], labels: Sequence[str]) -> NDArray[np.object_]:
    """Label names of codes, None for -1."""
    size = int(codes.max(initial=-1)) + 1
    names = list(labels) if labels else [str(code) for code in range(size)]
    return np.array([*names, None], dtype=object)[codes]
