"""Two dimensions to look at embeddings in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tunewright.columns import analysis

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pca"]


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
    centred = vector.astype(np.float64) - vector.mean(axis=0, dtype=np.float64)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :2]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1, 1)
    points = centred @ axes
    return {"pc1": points[:, 0], "pc2": points[:, 1] if points.shape[1] > 1 else np.zeros(len(points))}
