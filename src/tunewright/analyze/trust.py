"""How much of a list of suspected labels is really wrong: said from the data itself, with an interval, or not at all.

Two sources. The scores: if wrong labels form a group apart from the rows that are merely hard, the hard ones can be
counted as the tail of the rest. And a person's reviews of the list so far. Neither reads a true label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.label_votes import label_votes

__all__ = ["Precision", "Probes", "Reviewed", "probe", "stated", "wilson"]

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WINDOWS = (0.12, 0.15, 0.18)  # shares of all rows, just below the threshold, that the tail is fitted to
_SAMPLES = 100  # bootstrap samples of each window
_FEWEST = 100  # rows to judge, below which no tail can be fitted
_FEWEST_REVIEWS = 10  # in the list, from which on a person's word counts for more than the tail's
_WIDEST = 0.5  # of an interval that says anything
_ALIKE = 0.3  # agreement beyond chance of labels with those of their neighbours, below which nobody can tell
_SHARE_OF_PROBES = 0.05  # of the labels that are changed on purpose
_NEAR = 100  # neighbours that judge the probes


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Share of the first ``k`` rows of a list whose label is wrong, in [0, 1]; None: cannot tell, for the ``reason``.

    ``source`` is what says so: scores, or reviews (of ``reviewed`` rows among the k).
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
    """How well neighbours find labels that were changed on purpose, before any training.

    ``uniform`` and ``confusable`` are AUROCs, 0.5 is chance: labels changed to any other class, and to the rival that
    the neighbours prefer. They are easier than the errors of people, so they are a ceiling and never a recall.
    ``agreement`` is how far labels agree with those of their neighbours beyond chance (Cohen's kappa, 1960).
    """

    uniform: float
    confusable: float
    agreement: float
    n: int


def stated(
    suspicion: Floats,
    *,
    ks: Sequence[int],
    probes: Probes | None = None,
    reviews: Reviewed | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Precision, ...]:
    """Precision at each k of the rows in the order of their suspicion.

    With enough reviews among the k it is theirs: strata of the list (its quarters) are weighted by their size, so that
    reviews of the top do not speak for the rest; Wilson's interval (1927) on the effective number. Without, the log-odds
    of the suspicion speak: of the rows just below even odds, hardly any of which are wrong, an exponential tail is
    fitted and continued above; what the list has more than the tail is wrong labels. The interval is of a bootstrap
    over rows and over how much of the data is taken for the tail.

    It cannot tell where neighbours hardly agree on labels even before training (``probes``: then the model that is
    asked who is right has learnt it from the labels alone), where the suspicious rows are no group apart from the hard
    ones, where the list goes on below even odds, or where there are too few rows.

    Args:
        suspicion: [n] in (0, 1), more than 0.5 where the evidence is against the label; NaN for rows not judged.
        ks: lengths of the list, each in 1..n.
        probes: of the same rows; None where there are no vectors from before training.
        reviews: of the same rows.
        level: of the intervals.
        seed: of the bootstrap.
    """
    order = np.argsort(-np.nan_to_num(suspicion, nan=-1.0), kind="stable")
    judged = suspicion[order][: int((~np.isnan(suspicion)).sum())].astype(np.float64)
    odds = np.log(judged) - np.log1p(-judged)
    scores = _rising([_by_scores(odds, k, probes, level, seed) for k in ks])
    persons = [None if reviews is None else _by_reviews(reviews, order[:k], level) for k in ks]
    return tuple(person or score for person, score in zip(persons, scores, strict=True))


def probe(vectors: Floats, label: Codes, *, classes: int, seed: int = 0) -> Probes:
    """Change a small known share of the labels, and see how well neighbours in the vectors find them.

    Args:
        vectors: [n, dimensions] of a model that has not seen the labels.
        label: [n] codes in 0..classes-1, or -1 for rows that are left out.
        classes: two or more.
        seed: of the choice of rows.
    """
    known = np.flatnonzero((label >= 0) & np.isfinite(vectors).all(axis=1))
    vectors, label = vectors[known], label[known]
    near = label_votes(vectors, label, k=_NEAR)
    random = np.random.default_rng(seed)
    chosen = random.choice(len(label), max(1, round(_SHARE_OF_PROBES * len(label))), replace=False)
    anything = (label[chosen] + random.integers(1, classes, len(chosen))) % classes
    rival = np.where(near.rivals[chosen, 0] >= 0, near.rivals[chosen, 0], anything)
    share = np.bincount(label, minlength=classes) / len(label)
    chance, agree = float((share**2).sum()), float((near.own >= near.probability[:, 0]).mean())
    return Probes(
        uniform=_recovered(vectors, label, chosen, anything),
        confusable=_recovered(vectors, label, chosen, rival),
        agreement=(agree - chance) / (1 - chance) if chance < 1 else 0.0,
        n=len(chosen),
    )


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of a proportion (Wilson 1927); (0, 1) for n = 0.

    >>> [round(limit, 3) for limit in wilson(8, 10)]
    [0.49, 0.943]
    """
    if n <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, spread = successes / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * float(np.sqrt(share * (1 - share) / n + spread / (4 * n)))
    return max(0.0, centre - half), min(1.0, centre + half)


def _recovered(vectors: Floats, label: Codes, chosen: Codes, changed: Codes) -> float:
    """AUROC of the changed rows by how much their neighbours prefer another label."""
    from sklearn.metrics import roc_auc_score

    given = label.copy()
    given[chosen] = changed
    near = label_votes(vectors, given, k=_NEAR)
    is_probe = np.zeros(len(label), dtype=bool)
    is_probe[chosen] = True
    return float(roc_auc_score(is_probe, near.probability[:, 0] - near.own))


def _rising(found: Sequence[Precision]) -> list[Precision]:
    """A shorter list is no less pure than a longer one, of which more may be known; the tail is thin at its end."""
    best: Precision | None = None
    risen = {}
    for one in sorted(found, key=lambda each: -each.k):
        if one.precision is not None and (best is None or one.precision > (best.precision or 0)):
            best = one
        risen[one.k] = one if best is None else replace(best, k=one.k)
    return [risen[one.k] for one in found]


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
    interval = (precision, precision) if reviewed == len(seen) else wilson(precision * effective, effective, level)
    return Precision(k=len(seen), precision=precision, interval=interval, source="reviews", reviewed=reviewed)


def _by_scores(odds: Floats, k: int, probes: Probes | None, level: float, seed: int) -> Precision:
    """From the tail of the rows that are not suspicious; ``odds`` in descending order."""
    reason = _unfit(odds, k, probes)
    if not reason:
        samples = _excess(odds, k, seed)
        low, middle, high = (float(value) for value in np.quantile(samples, [(1 - level) / 2, 0.5, (1 + level) / 2]))
        if low > 0 and high - low <= _WIDEST:
            return Precision(k=k, precision=middle, interval=(low, high), source="scores")
        reason = "the suspicious rows are no group apart from those that are merely hard: review some of them"
    return Precision(k=k, precision=None, interval=None, source="scores", reason=reason)


def _unfit(odds: Floats, k: int, probes: Probes | None) -> str:
    """Why the scores cannot tell anything; empty if they may."""
    if len(odds) < _FEWEST:
        return f"{len(odds)} rows are too few to tell wrong labels from hard rows"
    if probes is not None and probes.agreement < _ALIKE:
        return (
            "rows that are alike before training hardly agree on their labels "
            f"(agreement beyond chance {probes.agreement:.2f}, {_ALIKE} is needed): "
            "what the model believes, it may have learnt from wrong labels"
        )
    above = int((odds > 0).sum())
    return "" if k <= above else f"only the first {above} rows have the evidence against their label"


def _excess(odds: Floats, k: int, seed: int) -> NDArray[np.float64]:
    """Share of the first k rows beyond the tail, over bootstrap samples and windows."""
    random = np.random.default_rng(seed)
    above = int((odds > 0).sum())
    found = []
    for share in _WINDOWS:
        size = min(round(share * len(odds)), len(odds) - above)
        below = -odds[above : above + size]  # distances from even odds, ascending
        width = float(below[-1]) if size else 0.0
        if width <= 0:
            return np.zeros(1)
        for _ in range(_SAMPLES):
            drawn = width - below[random.integers(0, size, random.poisson(size))]
            expected = _beyond(drawn, width, float(odds[k - 1]))
            found.append(1 - expected / k)
    return np.clip(found, 0, 1)


def _beyond(drawn: Floats, width: float, odds: float) -> float:
    """Rows expected above some odds, of an exponential that is seen between -width and 0; ``drawn`` counts from there."""
    rate = _rate(float(drawn.mean()) / width if len(drawn) else 0.5) / width
    seen = -np.expm1(-rate * width)
    return float(len(drawn) / seen * np.exp(-rate * (width + odds)))


def _rate(mean: float) -> float:
    """Rate of an exponential that is cut at 1, from its mean in (0, 1/2), by maximum likelihood."""
    from scipy.optimize import brentq

    if mean >= 0.499:
        return 0.012
    found: float = brentq(lambda rate: 1 / rate - 1 / np.expm1(rate) - mean, 1e-3, 500.0)
    return found
