"""How strongly two categories go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cramers_v"]


def cramers_v(left: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """Cramér's V (1946) of two columns of codes [n] in [0, 1], with the correction of Bergsma (2013).

    Without it, columns of many values seem to go together whatever they are.
    """
    left, right = (np.unique(one, return_inverse=True)[1] for one in (left, right))
    rows, columns = int(left.max(initial=-1)) + 1, int(right.max(initial=-1)) + 1
    if min(rows, columns) < 2:
        return 0.0
    counts = np.bincount(left * columns + right, minlength=rows * columns).reshape(rows, columns).astype(np.float64)
    n = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    excess = max(0.0, float(((counts - expected) ** 2 / expected).sum()) / n - (rows - 1) * (columns - 1) / (n - 1))
    smaller = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return min(1.0, float(np.sqrt(excess / smaller))) if smaller > 0 else 0.0
