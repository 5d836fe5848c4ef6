"""Scores made comparable: z-scores to add up, ranks to say how far up a row is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["rank_scores", "z_scores"]


def z_scores(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """[n] Zero mean and unit variance over the rows that have a value; NaN stays NaN, equal values become 0."""
    known = values[~np.isnan(values)].astype(np.float64)
    if not known.size:
        return values.astype(np.float64)
    return np.asarray((values - float(known.mean())) / (float(known.std()) or 1.0), dtype=np.float64)


def rank_scores(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """[n] (rank - 0.5) / n: uniform in (0, 1), equal values share their mean rank, NaN stays NaN."""
    count = int((~np.isnan(values)).sum())
    ranks: NDArray[np.float64] = rankdata(values, nan_policy="omit")
    return (ranks - 0.5) / max(count, 1)
