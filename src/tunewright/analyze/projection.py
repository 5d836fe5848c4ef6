"""Two dimensions to look at embeddings in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tunewright.columns import analysis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["pca"]


_BLOCK = 8192  # rows that are held in double precision at once


@analysis(needs=("embeddings.vector",), gives=("pc1", "pc2"))
def pca(*, vector: NDArray[np.floating]) -> dict[str, NDArray[np.generic]]:
    """The first two principal components (Pearson 1901), by eigenvectors of the covariance.

    An axis has no direction of its own: it is turned so that its largest loading (the first of equals) is positive,
    and the same vectors give the same picture.

    Args:
        vector: [n, dimensions]; with one dimension ``pc2`` is zero.

    Returns:
        ``pc1`` and ``pc2``, each [n], centred on zero.
    """
    mean = vector.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((vector.shape[1], vector.shape[1]))
    for centred in _centred(vector, mean):
        scatter += centred.T @ centred
    axes = np.linalg.eigh(scatter)[1][:, ::-1][:, :2]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1, 1)
    points = np.concatenate([centred @ axes for centred in _centred(vector, mean)])
    return {"pc1": points[:, 0], "pc2": points[:, 1] if points.shape[1] > 1 else np.zeros(len(points))}


def _centred(vector: NDArray[np.floating], mean: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, max(1, len(vector)), _BLOCK):  # no rows are one empty block
        yield vector[start : start + _BLOCK] - mean
