"""Groups of rows that lie together in the embedding space, how far to trust them, and where new rows belong.

What a cluster looks for is chosen by measurement, on 3,000 TREC questions and the mean-pooled vectors of a MiniLM, as
published and after two epochs of training on other questions. HDBSCAN in 384 or 50 dimensions leaves 73-90 % of the
rows of the published model without a cluster, and of the trained one it finds the classes and nothing within them. In
five UMAP dimensions it leaves 18-23 % and 1-3 %. What UMAP makes of noise looks like clusters, too, so that stability
does the projection again: .05-.3 for clusters of Gaussian noise, against .15-.9 for those of the questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from tunewright.analyze.neighbours import units
from tunewright.analyze.projection import principal, project
from tunewright.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FITTED_AT_MOST", "Clustering", "Method", "assign", "check", "cluster", "stability"]

Method = Literal["hdbscan", "kmeans"]

FITTED_AT_MOST = 20_000
"""Rows that clusters are looked for in; of more, a seeded sample, and the others are assigned."""

_RESAMPLED_AT_MOST = 2_000
_EPOCHS = 200  # of the layout: 500, as for a picture, take twice as long and agree no better with labels
_SILHOUETTE_ROWS = 2_000
_COUNTS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_REFUSED = 0.05  # share of its own members that lie beyond a cluster's reach


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Clusters, the largest first.

    Attributes:
        code: [n] number of the cluster of each row, from 0; -1 is none.
        centres: [k, dimensions] mean of the members' vectors of length 1, itself of length 1.
        sizes: [k] rows.
        reach: [k] cosine similarity to the centre that 95 % of the members have at least.
        method: what found them.
        smallest: the fewest rows that were taken for a cluster.
        fitted: how many rows they were looked for in; the others were assigned.
    """

    code: NDArray[np.int64]
    centres: NDArray[np.float64]
    sizes: NDArray[np.int64]
    reach: NDArray[np.float64]
    method: Method
    smallest: int
    fitted: int


def check(method: str, clusters: int | None) -> None:
    """Refuse what `cluster` cannot find, before anything is computed for it.

    Raises:
        DataError: if there is no such method, or it does not take a number of clusters.
    """
    if method not in get_args(Method):
        raise DataError(f"no method of clustering is called {method!r}", fix=did_you_mean(method, get_args(Method)))
    if clusters is not None and (method != "kmeans" or clusters < 1):
        raise DataError(
            f"expected a number of clusters from 1, with kmeans; found {clusters} with {method}",
            fix="hdbscan finds the number itself",
        )


def cluster(
    vector: NDArray[np.floating],
    *,
    method: Method = "hdbscan",
    clusters: int | None = None,
    smallest: int | None = None,
    seed: int = 0,
) -> Clustering:
    """Find clusters by cosine.

    "hdbscan" (Campello, Moulavi & Sander 2013) finds dense groups of any shape in five UMAP dimensions and leaves rows
    between them without one. "kmeans" cuts the first 50 principal components into compact parts and leaves none over.

    Args:
        vector: [n, dimensions]; a row of zeros, or with a value that is not finite, has no cluster.
        method: "hdbscan" or "kmeans".
        clusters: how many, of "kmeans"; by default the one of 2, 3, 4, 6, 8, 12, 16, 24, 32, 48 with the largest mean
            silhouette (Rousseeuw 1987) on 2,000 rows.
        smallest: the fewest rows of a cluster, by default a hundredth of the rows and at least 5; of "kmeans" it only
            bounds their number.
        seed: of the samples and the method.

    Raises:
        DataError: if ``method``, ``clusters`` or ``smallest`` is impossible.
    """
    check(method, clusters)
    if smallest is not None and smallest < 2:
        raise DataError(f"expected clusters of 2 rows or more, found smallest={smallest}")
    unit = _unit(vector)
    usable = np.flatnonzero(unit.any(axis=1))
    drawn = np.sort(np.random.default_rng(seed).permutation(usable)[:FITTED_AT_MOST])
    smallest = smallest or max(5, round(len(drawn) / 100))
    code = np.full(len(unit), -1, dtype=np.int64)
    code[drawn] = _find(unit[drawn], method=method, clusters=clusters, smallest=smallest, seed=seed)
    made = _described(unit, code, method=method, smallest=smallest, fitted=len(drawn))
    rest = np.setdiff1d(usable, drawn)
    if len(rest) == 0:
        return made
    code = made.code.copy()
    code[rest] = assign(vector[rest], made.centres, reach=made.reach)[0]
    return _described(unit, code, method=method, smallest=smallest, fitted=len(drawn))


def assign(
    vector: NDArray[np.floating], centres: NDArray[np.floating], *, reach: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where new rows belong.

    Args:
        vector: [m, dimensions].
        centres: [k, dimensions] of a `Clustering` of other rows.
        reach: [k] of its clusters.

    Returns:
        [m] number of the nearest cluster, -1 if the row lies beyond its reach; and [m] cosine similarity to the nearest
        centre, NaN if there is none.
    """
    if len(centres) == 0:
        return np.full(len(vector), -1, dtype=np.int64), np.full(len(vector), np.nan)
    similarities = np.clip(_unit(vector) @ centres.T, -1, 1)
    code, similarity = similarities.argmax(axis=1), similarities.max(axis=1)
    return np.where(similarity >= reach[code], code, -1), similarity


def stability(
    vector: NDArray[np.floating], clustering: Clustering, *, resamples: int = 10, seed: int = 0
) -> NDArray[np.float64]:
    """How well each cluster is found again when the rows are drawn again (Hennig 2007).

    Everything is done again, the projection too: on bootstrap samples, in which a row drawn twice counts once. Of each
    cluster's rows that were drawn, the largest Jaccard overlap with a cluster of the sample counts. From .75 a cluster
    may be believed; below .6 it should not.

    Args:
        vector: [n, dimensions], as the clusters were found in.
        clustering: of these rows.
        resamples: how many samples; each of at most 2,000 rows.
        seed: of the samples.

    Returns:
        [k] mean overlap, in [0, 1]; NaN without samples.
    """
    unit = _unit(vector)
    usable = np.flatnonzero(unit.any(axis=1))
    random = np.random.default_rng(seed)
    overlaps = np.full((resamples, len(clustering.sizes)), np.nan)
    if len(clustering.sizes) == 0:
        return np.empty(0)
    for number in range(resamples):
        rows = random.permutation(np.unique(random.choice(usable, len(usable))))[:_RESAMPLED_AT_MOST]
        again = _find(
            unit[rows],
            method=clustering.method,
            clusters=len(clustering.sizes) if clustering.method == "kmeans" else None,
            smallest=max(2, round(clustering.smallest * len(rows) / clustering.fitted)),
            seed=seed + number,
        )
        overlaps[number] = _overlaps(clustering.code[rows], again, len(clustering.sizes))
    return _mean_of_known(overlaps)


def _find(
    unit: NDArray[np.float32], *, method: Method, clusters: int | None, smallest: int, seed: int
) -> NDArray[np.int64]:
    """[n] some number per row, -1 for none."""
    if len(unit) < max(2, smallest):
        return np.full(len(unit), -1 if method == "hdbscan" else 0, dtype=np.int64)
    match method:
        case "hdbscan":
            return _dense(unit, smallest, seed)
        case "kmeans":
            return _compact(unit, clusters, smallest=smallest, seed=seed)


def _dense(unit: NDArray[np.float32], smallest: int, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import HDBSCAN

    points = project(unit, dimensions=5, min_dist=0.0, epochs=_EPOCHS, seed=seed).points
    model = HDBSCAN(min_cluster_size=smallest, min_samples=min(5, smallest), copy=True)
    return np.asarray(model.fit_predict(points), dtype=np.int64)


def _compact(unit: NDArray[np.float32], count: int | None, *, smallest: int, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    points, _ = principal(unit, dimensions=50)
    most = len(np.unique(points.round(12), axis=0))

    def cut(parts: int) -> NDArray[np.int64]:
        return np.asarray(KMeans(min(parts, most), n_init=4, random_state=seed).fit_predict(points), dtype=np.int64)

    if count is not None or most < 3:
        return cut(count or most)
    sample = np.random.default_rng(seed).permutation(len(points))[:_SILHOUETTE_ROWS]
    best, chosen = -np.inf, cut(1)
    for parts in (parts for parts in _COUNTS if parts < most and parts * smallest <= len(points)):
        code = cut(parts)
        if 1 < len(np.unique(code[sample])) < len(sample):
            score = silhouette_score(points[sample], code[sample])
            best, chosen = (score, code) if score > best else (best, chosen)
    return chosen


def _described(
    unit: NDArray[np.float32], code: NDArray[np.int64], *, method: Method, smallest: int, fitted: int
) -> Clustering:
    """Number clusters by size, and measure them."""
    names, sizes = np.unique(code[code >= 0], return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    renamed = np.full(len(code), -1, dtype=np.int64)
    centres, reach = np.zeros((len(names), unit.shape[1])), np.zeros(len(names))
    for number, name in enumerate(names[order]):
        members = code == name
        renamed[members] = number
        mean = unit[members].mean(axis=0, dtype=np.float64)
        centres[number] = mean / (np.linalg.norm(mean) or 1)
        reach[number] = np.quantile(unit[members] @ centres[number], _REFUSED)
    return Clustering(renamed, centres, sizes[order], reach, method, smallest, fitted)


def _overlaps(code: NDArray[np.int64], again: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """[count] largest Jaccard overlap of each cluster with a new one; NaN where none of its rows was drawn."""
    table = np.zeros((count + 1, max(0, int(again.max(initial=-1))) + 2))
    np.add.at(table, (code, again), 1)  # -1 is the last row or column
    both = table[:count, :-1]
    old, new = table[:count].sum(axis=1, keepdims=True), table[:, :-1].sum(axis=0)
    jaccard = (both / np.maximum(old + new - both, 1)).max(axis=1)
    return np.where(old[:, 0] > 0, jaccard, np.nan)


def _mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    mean: NDArray[np.float64] = np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return mean


def _unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.concatenate([np.zeros((0, vector.shape[1]), np.float32), *(block for _, block in units(vector))])
