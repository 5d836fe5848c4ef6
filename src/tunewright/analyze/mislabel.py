"""Suspected mislabels from training dynamics: the first list, before any second model.

Direction: more ``suspicion`` means more likely wrong. Variability is no error detector and is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tunewright.analyze.dynamics import row_mean
from tunewright.columns import analysis

__all__ = ["suspects"]

Floats = NDArray[np.floating]


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
        "suspicion": _rank_score(-(_z_scores(area) + _z_scores(confidence)) / 2),
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


def _z_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Zero mean and unit variance over the rows seen; NaN stays NaN, equal values become 0."""
    known = values[~np.isnan(values)]
    if not known.size:
        return values
    return (values - float(known.mean())) / (float(known.std()) or 1.0)


def _rank_score(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rank - 0.5) / n: uniform in (0, 1), equal values share their mean rank, NaN stays NaN."""
    count = int((~np.isnan(values)).sum())
    ranks: NDArray[np.float64] = rankdata(values, nan_policy="omit")
    return (ranks - 0.5) / max(count, 1)


def _names(codes: NDArray[np.int64], labels: Sequence[str]) -> NDArray[np.object_]:
    """Label names of codes, None for -1."""
    size = int(codes.max(initial=-1)) + 1
    names = list(labels) if labels else [str(code) for code in range(size)]
    return np.array([*names, None], dtype=object)[codes]
