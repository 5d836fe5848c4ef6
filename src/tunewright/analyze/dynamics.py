"""Training dynamics: what happened to each example over the epochs.

Every input is [n, epochs] with NaN where an example was not seen; a row that was never seen gets NaN (or 0, where
a column counts). ``first`` restricts a score to the first epochs, ``skip`` leaves the first epochs out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunewright.columns import analysis

__all__ = ["aum", "closeness", "data_map", "el2n", "forgetting", "row_mean"]

Floats = NDArray[np.floating]


@analysis(
    needs=("dynamics.gold_probability", "dynamics.correct"),
    gives=("confidence", "variability", "correctness", "epochs_seen"),
)
def data_map(
    *, gold_probability: Floats, correct: Floats, first: int | None = None, with_interval: bool = False
) -> dict[str, NDArray[np.generic]]:
    """Confidence, variability and correctness of a data map (Swayamdipta et al. 2020).

    Args:
        gold_probability: [n, epochs] in [0, 1].
        correct: [n, epochs] 1 where the largest logit was the gold target, 0 where not.
        first: use only this many first epochs (``burn_out`` of the published code).
        with_interval: widen variability to sqrt(var + var² / (epochs - 1)) (``include_ci`` of the published code).

    Returns:
        [n] mean, population standard deviation, fraction of epochs correct, and number of epochs seen.
    """
    probability = gold_probability[:, :first]
    count = _seen(probability).sum(axis=1)
    confidence = row_mean(probability)
    variance = row_mean((probability - confidence[:, None]) ** 2)
    if with_interval:
        variance = variance + variance**2 / np.where(count > 1, count - 1, np.nan)
    return {
        "confidence": confidence,
        "variability": np.sqrt(variance),
        "correctness": row_mean(correct[:, :first]),
        "epochs_seen": count,
    }


@analysis(needs=("dynamics.correct",), gives=("forgetting", "never_learnt"))
def forgetting(*, correct: Floats, first: int | None = None) -> dict[str, NDArray[np.generic]]:
    """Forgetting events: correct-to-wrong transitions between epochs seen (Toneva et al. 2019).

    Examples that were never correct have no events to count; ``never_learnt`` marks them instead of the large
    number that the published code writes.

    Args:
        correct: [n, epochs] 1, 0 or NaN.
        first: use only this many first epochs.

    Returns:
        [n] number of events, and [n] whether the example was seen and wrong each time.
    """
    correct = correct[:, :first]
    events = np.zeros(len(correct), dtype=np.int64)
    was_correct = np.zeros(len(correct), dtype=bool)
    for epoch in correct.T:
        events += was_correct & (epoch == 0)
        was_correct = np.where(np.isnan(epoch), was_correct, epoch == 1)
    seen = _seen(correct).any(axis=1)
    return {"forgetting": events, "never_learnt": seen & ~(correct == 1).any(axis=1)}


@analysis(needs=("dynamics.margin",), gives=("aum",))
def aum(*, margin: Floats, first: int | None = None, skip: int = 0) -> dict[str, NDArray[np.generic]]:
    """Area under the margin: mean of gold logit minus the largest other logit (Pleiss et al. 2020).

    Args:
        margin: [n, epochs].
        first: use only this many first epochs.
        skip: leave out this many first epochs.

    Returns:
        [n] mean margin; low means that the model argues against the label.
    """
    return {"aum": row_mean(margin[:, skip:first])}


@analysis(needs=("dynamics.gold_probability", "dynamics.sum_of_squares"), gives=("el2n",))
def el2n(*, gold_probability: Floats, sum_of_squares: Floats, first: int = 2) -> dict[str, NDArray[np.generic]]:
    """EL2N: L2 norm of probabilities minus the one-hot target, early in training (Paul et al. 2021).

    ‖p - onehot(y)‖² = Σ p² - 2 p(y) + 1, so the whole distribution need not be stored.

    Args:
        gold_probability: [n, epochs] p(y).
        sum_of_squares: [n, epochs] Σ p².
        first: number of first epochs to average over.

    Returns:
        [n] in [0, √2]; high means hard.
    """
    squared = sum_of_squares[:, :first] - 2 * gold_probability[:, :first] + 1
    return {"el2n": row_mean(np.sqrt(np.clip(squared, 0, 2)))}


@analysis(needs=("dynamics.gold_probability",), gives=("closeness",))
def closeness(*, gold_probability: Floats, first: int | None = None) -> dict[str, NDArray[np.generic]]:
    """Threshold closeness: c (1 - c) with c = confidence (Swayamdipta et al. 2020, after Chang et al. 2017).

    Args:
        gold_probability: [n, epochs] in [0, 1].
        first: use only this many first epochs.

    Returns:
        [n] in [0, 0.25].
    """
    confidence = row_mean(gold_probability[:, :first])
    return {"closeness": confidence * (1 - confidence)}


def row_mean(values: Floats) -> NDArray[np.float64]:
    """Mean over the epochs in which a row was seen.

    Args:
        values: [n, epochs], NaN where not seen.

    Returns:
        [n], NaN for rows that were never seen.
    """
    seen = _seen(values)
    count = seen.sum(axis=1)
    total = np.where(seen, values, 0.0).sum(axis=1, dtype=np.float64)
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def _seen(values: Floats) -> NDArray[np.bool_]:
    return ~np.isnan(values)
