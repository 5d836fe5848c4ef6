"""The latent space of a run: coordinates, neighbours and named clusters, each computed once and kept in the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.cluster_names import name_clusters
from tunewright.analyze.clusters import Clustering, Method, assign, cluster, stability
from tunewright.analyze.neighbours import neighbours, units
from tunewright.analyze.projection import pca, umap
from tunewright.verbs.described import metadata_names
from tunewright.verbs.models import rows_of, vectors
from tunewright.verbs.population import joined_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["NamedCluster", "clusters_of", "find_clusters", "measured_clusters", "place"]

_COLUMNS, _CLUSTERS = "columns/clusters", "clusters"
_TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCluster:
    """Rows that lie together.

    ``n`` counts the rows of all splits; ``stability`` is the mean overlap over bootstrap samples, in [0, 1] (below .6
    do not believe it); ``mean_loss`` (nats) and ``accuracy`` are those of its labelled rows in each split but test,
    which is for the last word; None where there are none.
    """

    number: int
    name: str
    n: int
    stability: float
    mean_loss: Mapping[str, float | None]
    accuracy: Mapping[str, float | None]


def place(run: Run, *, seed: int) -> int:
    """Principal components, UMAP coordinates and nearest training rows of the run's embeddings, as columns of the run.

    Returns:
        how many rows the UMAP was fitted on; 0 if so few differ that its coordinates are principal components.
    """
    run.compute(pca)
    fitted = pc.sum(run.compute(umap, seed=seed)["umap_fitted"]).as_py()
    if pc.sum(pc.equal(run.table("embeddings", ["split"])["split"], "train")).as_py() > 1:
        run.compute(neighbours)
    return int(fitted)


def find_clusters(
    project: Project, run: Run, *, method: Method, clusters: int | None, seed: int, force: bool = False
) -> pa.Table:
    """Cluster the run's embeddings, name the clusters and see how stable they are; kept until something changes.

    How they were found is kept in ``run.meta["clusters"]``: the method, the fewest rows that were taken for a cluster
    (``smallest``), and in how many rows they were looked for (``fitted``).

    Returns:
        the run's table ``clusters``: number, name, n, stability, centre and reach, the largest cluster first.
    """
    wanted = {"method": method, "clusters": clusters, "seed": seed, "embeddings": run.made_with("embeddings")}
    if force or run.made_with(_CLUSTERS) != wanted:
        stored = run.table("embeddings")
        vector = vectors(stored)
        found = cluster(vector, method=method, clusters=clusters, seed=seed)
        steady = stability(vector, found, seed=seed)
        names = _names(project, run, stored, found)
        with run.making(_CLUSTERS, wanted):
            run.write(_COLUMNS, _columns(stored["id"], vector, found, steady, names))
            run.write(_CLUSTERS, _table(found, steady, names))
            run.update(clusters={"method": found.method, "smallest": found.smallest, "fitted": found.fitted})
    return run.table(_CLUSTERS)


def clusters_of(run: Run, vector: NDArray[np.floating]) -> list[str | None]:
    """The clusters that rows belong to which the clusters were not found in: the nearest one, if they are in its reach.

    Args:
        run: one that `analyze` has found clusters in.
        vector: [m, dimensions] of other rows, embedded as the run's own are.

    Returns:
        [m] names; None for rows in no cluster, and for all if there are no clusters of the run's present embeddings.
    """
    made = run.made_with(_CLUSTERS)
    if made is None or made["embeddings"] != run.made_with("embeddings"):
        return [None] * len(vector)
    found = run.table(_CLUSTERS)
    code, _ = assign(vector, vectors(found, "centre"), reach=found["reach"].to_numpy())
    names = [*found["name"].to_pylist(), None]
    return [names[one] for one in code.tolist()]


def measured_clusters(clusters: pa.Table, rows: pa.Table) -> tuple[NamedCluster, ...]:
    """Clusters with the loss and accuracy of their rows.

    Args:
        clusters: as `find_clusters` gives them.
        rows: columns split, cluster, and where known loss and correct.
    """
    splits = [split for split in ("train", "validation", *pc.unique(rows["split"]).to_pylist()) if split != _TEST]
    parts = {split: rows.filter(pc.equal(rows["split"], split)) for split in splits}
    loss, correct = (
        {split: _means(part, name, clusters.num_rows) for split, part in parts.items()} for name in ("loss", "correct")
    )
    return tuple(
        NamedCluster(
            **row,
            mean_loss={split: means[row["number"]] for split, means in loss.items()},
            accuracy={split: means[row["number"]] for split, means in correct.items()},
        )
        for row in clusters.select(["number", "name", "n", "stability"]).to_pylist()
    )


def _means(rows: pa.Table, name: str, count: int) -> list[float | None]:
    """[count] mean of a column over the rows of each cluster that have it."""
    if name not in rows.column_names:
        return [None] * count
    values = pc.cast(rows[name], pa.float64()).to_numpy()
    code = rows["cluster"].to_numpy()
    known = np.isfinite(values) & (code >= 0)
    sums = np.bincount(code[known], weights=values[known], minlength=count)
    counts = np.bincount(code[known], minlength=count)
    return [float(total / n) if n else None for total, n in zip(sums, counts, strict=True)]


def _names(project: Project, run: Run, stored: pa.Table, found: Clustering) -> tuple[str, ...]:
    """Of all rows but those of the test split, whose labels and texts are nobody's business until the last word."""
    open_rows = pc.not_equal(stored["split"], _TEST)
    ids = stored["id"].filter(open_rows).combine_chunks()
    rows = rows_of(project, run)
    rows = rows.take(pc.index_in(ids, value_set=rows["id"].combine_chunks()))
    told: dict[str, Any] = {name: rows[name].to_pylist() for name in metadata_names(project, rows)}
    if run.labels and "label" in rows.column_names:
        told["label"] = rows["label"].to_pylist()
    # of a passage with a question, it is the question that says what the row is about
    fields = project.task.text_fields[: 1 if project.task.target_fields else None]
    named = name_clusters(found.code[open_rows.to_numpy()], joined_texts(rows, fields), told)
    return (*named, *(f"cluster {number}" for number in range(len(named), len(found.sizes))))


def _columns(
    ids: pa.ChunkedArray,
    vector: NDArray[np.floating],
    found: Clustering,
    steady: NDArray[np.float64],
    names: tuple[str, ...],
) -> pa.Table:
    named = [names[code] if code >= 0 else None for code in found.code.tolist()]
    return pa.table(
        {
            "id": ids,
            "cluster": found.code,
            "cluster_name": pa.array(named, pa.string()),
            "cluster_stability": pa.array(np.append(steady, np.nan)[found.code], from_pandas=True),
            "cluster_similarity": pa.array(_similarity(vector, found), from_pandas=True),
        }
    )


def _similarity(vector: NDArray[np.floating], found: Clustering) -> NDArray[np.float64]:
    """[n] cosine to the centre of the own cluster, NaN for rows in none."""
    similarity = np.full(len(vector), np.nan)
    for block, unit in units(vector):
        code = found.code[block]
        inside = code >= 0
        similarity[np.arange(len(vector))[block][inside]] = (unit[inside] * found.centres[code[inside]]).sum(axis=1)
    return similarity.clip(-1, 1)


def _table(found: Clustering, steady: NDArray[np.float64], names: tuple[str, ...]) -> pa.Table:
    columns = {"number": np.arange(len(names)), "name": pa.array(names, pa.string()), "n": found.sizes}
    centres = pa.FixedSizeListArray.from_arrays(pa.array(found.centres.reshape(-1)), found.centres.shape[1])
    return pa.table({**columns, "stability": steady, "centre": centres, "reach": found.reach})
