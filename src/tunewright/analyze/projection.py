"""Two dimensions to look at embeddings in."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.columns import analysis
from tunewright.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["FITTED_AT_MOST", "Projection", "pca", "principal", "project", "umap"]

FITTED_AT_MOST = 100_000
"""Rows that a UMAP is fitted on; of more, a seeded sample, and the others are placed among them."""

_BLOCK = 8192  # rows that are held in double precision at once
_FEWEST = 10  # different rows from which there is a neighbourhood to preserve
_DIMENSIONS = 50  # principal components that UMAP looks at: the picture is truer and made in half the time


@dataclass(frozen=True, slots=True)
class Projection:
    """Rows in few dimensions, and what they were fitted on.

    Attributes:
        points: [n, dimensions] of the rows that a projection was asked for.
        others: [m, dimensions] of the rows that were only placed, such as those of production.
        fitted: [n] whether the projection was fitted on the row; the others were placed among those.
        method: "umap", or "pca" where fewer than ten rows differ.
    """

    points: NDArray[np.float64]
    others: NDArray[np.float64]
    fitted: NDArray[np.bool_]
    method: str


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
    points, _ = principal(vector, dimensions=2)
    return {"pc1": points[:, 0], "pc2": points[:, 1]}


@analysis(needs=("embeddings.vector",), gives=("umap1", "umap2", "umap_fitted"))
def umap(
    *, vector: NDArray[np.floating], neighbours: int = 15, min_dist: float = 0.1, seed: int = 0
) -> dict[str, NDArray[np.generic]]:
    """UMAP (McInnes, Healy & Melville 2018) by cosine, of the first 50 principal components.

    Near rows stay near; distances between groups, their sizes and their densities mean little. The same rows and seed
    give the same picture on one machine. Beyond ``FITTED_AT_MOST`` rows see ``project``.

    Args:
        vector: [n, dimensions].
        neighbours: how many count as near: few show detail, many show the whole.
        min_dist: how closely points may lie in the picture, in [0, 1].
        seed: of the layout.

    Returns:
        ``umap1``, ``umap2`` and ``umap_fitted``, each [n]; fewer than ten different rows get principal components, and
        no UMAP is fitted.
    """
    made = project(vector, neighbours=neighbours, min_dist=min_dist, seed=seed)
    fitted = made.fitted & (made.method == "umap")
    return {"umap1": made.points[:, 0], "umap2": made.points[:, 1], "umap_fitted": fitted}


def project(
    vector: NDArray[np.floating],
    others: NDArray[np.floating] | None = None,
    *,
    dimensions: int = 2,
    neighbours: int = 15,
    min_dist: float = 0.1,
    epochs: int | None = None,
    at_most: int = FITTED_AT_MOST,
    seed: int = 0,
) -> Projection:
    """Fit a UMAP on rows and place further ones in it.

    Args:
        vector: [n, d] rows of reference.
        others: [m, d] rows that must not shape the picture, such as those of production.
        dimensions: of the picture.
        neighbours: as of ``umap``; all other rows if there are fewer.
        min_dist: as of ``umap``.
        epochs: of the layout; by default 500 up to 10,000 rows, and 200 beyond.
        at_most: rows to fit on; of more a sample is drawn, and the rest is placed as ``others`` are.
        seed: of the sample and the layout.

    Raises:
        DataError: if there are no rows, a value is not finite, or the widths differ.
    """
    others = vector[:0] if others is None else others
    if len(vector) == 0:
        raise DataError("expected one row or more to project, found none")
    if vector.shape[1:] != others.shape[1:] or not (np.isfinite(vector).all() and np.isfinite(others).all()):
        raise DataError(
            f"expected finite vectors of one width, found shapes {vector.shape} and {others.shape}",
            fix="leave rows out whose vectors are not finite",
        )
    drawn = _drawn(len(vector), at_most, seed)
    fitted = np.isin(np.arange(len(vector)), drawn)
    wide, axes = principal(vector, dimensions=_DIMENSIONS, fitted=drawn)
    placed = axes.place(others)
    if len(np.unique(np.round(wide[drawn], 12), axis=0)) < _FEWEST:
        return Projection(wide[:, :dimensions], placed[:, :dimensions], fitted, "pca")
    settings = {
        "n_components": dimensions,
        "n_neighbors": min(neighbours, len(drawn) - 1),
        "min_dist": min_dist,
        "n_epochs": epochs,
    }
    points, beside = _umap(wide, placed, drawn=drawn, seed=seed, settings=settings)
    return Projection(points, beside, fitted, "umap")


@dataclass(frozen=True, slots=True)
class Axes:
    """Principal axes: ``mean`` [d] and ``loadings`` [d, dimensions]."""

    mean: NDArray[np.float64]
    loadings: NDArray[np.float64]

    def place(self, vector: NDArray[np.floating]) -> NDArray[np.float64]:
        """[n, d] rows -> [n, dimensions] on the axes."""
        return np.concatenate([centred @ self.loadings for centred in _centred(vector, self.mean)])


def principal(
    vector: NDArray[np.floating], *, dimensions: int, fitted: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float64], Axes]:
    """Principal components, and the axes to place further rows with.

    Args:
        vector: [n, d].
        dimensions: how many components; those beyond d are zero.
        fitted: rows that the axes are taken from; by default all.

    Returns:
        [n, dimensions] components, centred on zero (of the fitted rows), and the axes.
    """
    basis = vector if fitted is None or len(fitted) == len(vector) else vector[fitted]
    mean = basis.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((vector.shape[1], vector.shape[1]))
    for centred in _centred(basis, mean):
        scatter += centred.T @ centred
    loadings = np.linalg.eigh(scatter)[1][:, ::-1][:, :dimensions]
    largest = np.abs(loadings).argmax(axis=0)
    loadings = loadings * np.where(loadings[largest, np.arange(loadings.shape[1])] < 0, -1, 1)
    missing = dimensions - loadings.shape[1]
    axes = Axes(mean, np.pad(loadings, ((0, 0), (0, missing))))
    return axes.place(vector), axes


def _drawn(rows: int, at_most: int, seed: int) -> NDArray[np.int64]:
    """The rows to fit on, in their order."""
    if rows <= at_most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, at_most, replace=False))


def _umap(
    wide: NDArray[np.float64],
    others: NDArray[np.float64],
    *,
    drawn: NDArray[np.int64],
    seed: int,
    settings: Mapping[str, float | None],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of all rows and of the others, fitted on the drawn rows."""
    rest = np.setdiff1d(np.arange(len(wide)), drawn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numba, and of what umap falls back to for rows without a way between them
        import umap

        model: Any = umap.UMAP(
            **settings,
            metric="cosine",
            init="pca" if len(drawn) <= 4 * _FEWEST else "spectral",
            random_state=seed,
            transform_seed=seed,
            n_jobs=1,
        )
        points = np.empty((len(wide), model.n_components))
        points[drawn] = model.fit(wide[drawn]).embedding_
        unseen = np.concatenate([wide[rest], others])
        placed = model.transform(unseen) if len(unseen) else np.empty((0, model.n_components))
    points[rest] = placed[: len(rest)]
    return points, np.asarray(placed[len(rest) :], dtype=np.float64)


def _centred(vector: NDArray[np.floating], mean: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, max(1, len(vector)), _BLOCK):  # no rows are one empty block
        yield vector[start : start + _BLOCK] - mean
