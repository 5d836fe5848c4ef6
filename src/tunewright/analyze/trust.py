"""How much of a list of suspected labels is really wrong: said from the data itself, with an interval, or not at all.

Two sources, neither of which reads a true label: what a model that has seen neither the row's label nor any training
thinks of it, and a person's reviews of the list so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.confident import out_of_fold
from tunewright.analyze.label_votes import label_votes
from tunewright.analyze.scores import wilson

__all__ = ["Honest", "Precision", "Probes", "Reviewed", "honest", "learnt_little", "probe", "stated"]

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Chosen on seed 0 of rotten_tomatoes and trec with planted errors, noisy_agnews and noisy_topics_hausa.
_RIGHT, _RIGHT_PER_CONFIDENCE = 0.02, 1.15  # right labels in a list: a share of it, and more by its self-confidence
_SPREAD = 2.0  # of them there may be so many times as many or as few
_SKILL = 0.6  # of the model from before training, below which hard rows look to it like wrong ones
_LEARNT = 0.6  # of the trained model on its own training rows, below which its flags cannot be counted
_CONTRADICTED = 0.95  # label's share near suspects over its frequency, from which nobody can tell
_LOOKED_AT, _SHARE_LOOKED_AT = 100, 0.05  # suspects whose neighbours are asked that: so many, of all rows at most
_FEWEST = 100  # rows to judge, below which nothing is said
_FEWEST_REVIEWS = 10  # in the list, from which on a person's word counts for more
_SHARE_OF_PROBES = 0.05  # of the labels that are changed on purpose
_PROBED = 4_000  # rows among which labels are changed; more would only take longer
_NEAR = 100  # neighbours that are asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Share of the first ``k`` rows of a list whose label is wrong, in [0, 1]; None: cannot tell, for the ``reason``.

    ``source`` is what says so: confidence, or reviews (of ``reviewed`` rows among the k).
    """

    k: int
    precision: float | None
    interval: tuple[float, float] | None
    source: str
    reviewed: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A person's decisions, each [n]: whether the row was reviewed, and whether its label was found wrong."""

    seen: Mask
    wrong: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """How well neighbours find ``n`` labels that were changed on purpose, before any training.

    ``uniform`` and ``confusable`` are AUROCs, 0.5 is chance: labels changed to any other class, and to the rival that
    the neighbours prefer. They are easier than the errors of people, so they are a ceiling and never a recall.
    """

    uniform: float
    confusable: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Honest:
    """What is thought of labels without having seen them, in vectors from before training; each [n], NaN if unjudged.

    ``own`` is the out-of-fold probability of the label (self-confidence, Northcutt et al. 2021), ``rival`` that of the
    likeliest other class, ``near`` the label's share among the nearest other rows, ``frequency`` its share among all.
    """

    own: NDArray[np.float64]
    rival: NDArray[np.float64]
    near: NDArray[np.float64]
    frequency: NDArray[np.float64]

    def skill(self) -> float:
        """How far the model gets from always naming the most frequent label (0) to always the given one (1)."""
        judged = ~np.isnan(self.own)
        often = float(np.nanmax(self.frequency))
        return _skill(float((self.own[judged] > self.rival[judged]).mean()), often)


def stated(
    suspicion: Floats,
    *,
    ks: Sequence[int],
    evidence: Honest | None = None,
    reviews: Reviewed | None = None,
    level: float = 0.95,
) -> tuple[Precision, ...]:
    """Precision at each k of the rows in the order of their suspicion.

    With enough reviews among the k it is theirs: strata of the list (its quarters) are weighted by their size, so that
    reviews of the top do not speak for the rest; Wilson's interval (1927) on the effective number.

    Without, the self-confidence speaks. A label that a calibrated model gives with probability p to rows like this one
    is not right more often than about p; but the list was chosen for training arguing against the label, too, and the
    model is held back by its penalty, so that the right ones are .02 + 1.15 p, or between half and twice as many.

    It cannot tell where the model is weak: a wrong label and a right one of a hard row are then alike to it, and how
    many of each there are depends on how people err. Nor where the evidence contradicts itself: if even among the first
    suspects the neighbours carry the label as often as rows in general do, the detectors that are against it have learnt
    something that the rows themselves do not show, which may be the errors. Nor where there are too few rows.

    Args:
        suspicion: [n] more is more likely wrong; NaN for rows not judged.
        ks: lengths of the list, each in 1..n.
        evidence: of the same rows; None where there are no vectors from before training.
        reviews: of the same rows.
        level: of the intervals.
    """
    order = np.argsort(-np.nan_to_num(suspicion, nan=-1.0), kind="stable")
    reason = _cannot_tell(evidence, order)
    found = []
    for k in ks:
        first = order[:k]
        person = None if reviews is None else _by_reviews(reviews, first, level)
        found.append(person or _by_confidence(evidence, first, reason, level))
    return tuple(found)


def honest(vectors: Floats, label: Codes, *, classes: int) -> Honest:
    """Judge labels out of fold and by their neighbours.

    Args:
        vectors: [n, dimensions] of a model that has not seen the labels.
        label: [n] codes in 0..classes-1, or -1 for rows that are left out.
        classes: two or more.

    Raises:
        DataError: if there are hardly any rows.
    """
    label = np.where(np.isfinite(vectors).all(axis=1), label, -1)
    vectors, known = np.nan_to_num(vectors), label >= 0
    share = np.bincount(label[known], minlength=classes) / max(known.sum(), 1)
    likely = out_of_fold(vectors, label, classes=classes)
    return Honest(
        own=likely.own,
        rival=likely.probability[:, 0],
        near=label_votes(vectors, label, k=_NEAR).own,
        frequency=np.where(known, share[label], np.nan),
    )


def probe(vectors: Floats, label: Codes, *, classes: int, seed: int = 0) -> Probes:
    """Change a small known share of the labels, and see how well neighbours in the vectors find them.

    Args:
        vectors: [n, dimensions] of a model that has not seen the labels.
        label: [n] codes in 0..classes-1, or -1 for rows that are left out.
        classes: two or more.
        seed: of the choice of rows.
    """
    random = np.random.default_rng(seed)
    known = np.flatnonzero((label >= 0) & np.isfinite(vectors).all(axis=1))
    known = np.sort(random.permutation(known)[:_PROBED])
    vectors, label = vectors[known], label[known]
    near = label_votes(vectors, label, k=_NEAR)
    chosen = random.choice(len(label), max(1, round(_SHARE_OF_PROBES * len(label))), replace=False)
    anything = (label[chosen] + random.integers(1, classes, len(chosen))) % classes
    rival = np.where(near.rivals[chosen, 0] >= 0, near.rivals[chosen, 0], anything)
    return Probes(
        uniform=_recovered(vectors, label, chosen, anything),
        confusable=_recovered(vectors, label, chosen, rival),
        n=len(chosen),
    )


def learnt_little(right: Floats, label: Codes) -> str:
    """Why the number of flags says little, where the trained model is weak on its own training rows; empty if it is not.

    Args:
        right: [n] whether the trained model named the label, 1 or 0; NaN for rows it was not asked about.
        label: [n] codes, or -1 for rows that are left out.
    """
    judged = (label >= 0) & ~np.isnan(right)
    if not judged.any():
        return ""
    often = float(np.bincount(label[judged]).max() / judged.sum())
    hits = float(right[judged].mean())
    if often == 1 or _skill(hits, often) >= _LEARNT:
        return ""
    return (
        f"The trained model is weak, or very many labels are wrong: it was right about {hits:.2f} of its own training rows "
        f"in the last epoch, and always naming the most frequent label is right about {often:.2f} "
        f"({max(0.0, _skill(hits, often)):.2f} of the way from there to every label, {_LEARNT:.2f} is needed). "
        "Do not rely on the number of flags: train longer first, or read from the top."
    )


def _skill(hits: float, often: float) -> float:
    """How far an accuracy gets from the share of the most frequent label (0) to 1 (1)."""
    return (hits - often) / (1 - often) if often < 1 else 0.0


def _recovered(vectors: Floats, label: Codes, chosen: Codes, changed: Codes) -> float:
    """AUROC of the changed rows by how much their neighbours prefer another label."""
    from sklearn.metrics import roc_auc_score

    given = label.copy()
    given[chosen] = changed
    near = label_votes(vectors, given, k=_NEAR)
    is_probe = np.zeros(len(label), dtype=bool)
    is_probe[chosen] = True
    return float(roc_auc_score(is_probe, near.probability[:, 0] - near.own))


def _by_reviews(reviews: Reviewed, first: Codes, level: float) -> Precision | None:
    """From a person's decisions in the first k; None if there are too few, or none in some part of the list."""
    seen, wrong = reviews.seen[first], reviews.wrong[first]
    reviewed = int(seen.sum())
    if reviewed < min(_FEWEST_REVIEWS, len(seen)):
        return None
    parts = [part for part in np.array_split(np.arange(len(seen)), 4) if len(part)]
    if any(not seen[part].any() for part in parts):
        return None
    shares = np.array([wrong[part][seen[part]].mean() for part in parts])
    sizes = np.array([len(part) / len(seen) for part in parts])
    counts = np.array([seen[part].sum() for part in parts])
    precision, effective = float(shares @ sizes), float(1 / (sizes**2 / counts).sum())
    interval = (
        (precision, precision) if reviewed == len(seen) else wilson(precision * effective, effective, level=level)
    )
    return Precision(k=len(seen), precision=precision, interval=interval, source="reviews", reviewed=reviewed)


def _by_confidence(evidence: Honest | None, first: Codes, reason: str, level: float) -> Precision:
    """From the self-confidence of the first rows, or the reason why it says nothing."""
    k, source = len(first), "confidence"
    if evidence is None or reason:
        return Precision(k=k, precision=None, interval=None, source=source, reason=reason)
    confidence = float(np.nan_to_num(evidence.own[first], nan=0.5).mean())
    right = min(1.0, _RIGHT + _RIGHT_PER_CONFIDENCE * confidence)
    low, high = max(0.0, 1 - _SPREAD * right), 1 - right / _SPREAD
    interval = wilson(low * k, k, level=level)[0], wilson(high * k, k, level=level)[1]
    return Precision(k=k, precision=1 - right, interval=interval, source=source)


def _cannot_tell(evidence: Honest | None, order: Codes) -> str:
    """Why nothing can be said of a list; empty if it can."""
    if evidence is None:
        return "the rows could not be judged by a model from before training: review some of them"
    judged = int((~np.isnan(evidence.own)).sum())
    if judged < _FEWEST:
        return f"{judged} rows are too few to tell wrong labels from hard rows"
    if evidence.skill() < _SKILL:
        return (
            "the model from before training tells the classes apart too badly "
            f"({max(0.0, evidence.skill()):.2f} of the way from the most frequent label to every label, "
            f"{_SKILL:.2f} is needed), so that hard rows and wrong labels look alike: review some of them"
        )
    first = order[: min(_LOOKED_AT, round(_SHARE_LOOKED_AT * judged))]
    lift = float(np.nanmean(evidence.near[first]) / np.nanmean(evidence.frequency[first]))
    if lift < _CONTRADICTED:
        return ""
    return (
        "the evidence contradicts itself: the neighbours of the first suspects carry the same label "
        f"{lift:.2f} times as often as rows in general; what the model believes, it may have learnt from wrong labels"
    )
