"""The latent space of a run: coordinates, neighbours and named clusters, each computed once and kept in the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.cluster_names import name_clusters
from tunewright.analyze.clusters import Clustering, cluster, stability
from tunewright.analyze.neighbours import neighbours, units
from tunewright.analyze.projection import FITTED_AT_MOST, pca, umap
from tunewright.verbs.described import metadata_names
from tunewright.verbs.models import rows_of, vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["FITTED_AT_MOST", "Method", "NamedCluster", "find_clusters", "measured_clusters", "place"]

Method = Literal["hdbscan", "kmeans"]

_COLUMNS, _CLUSTERS = "columns/clusters", "clusters"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCluster:
    """Rows that lie together.

    ``n`` counts the rows of all splits; ``stability`` is the mean overlap over bootstrap samples, in [0, 1] (below .6
    do not believe it); ``mean_loss`` (nats) and ``accuracy`` are of its labelled rows but those of the test split,
    None where there are none.
    """

    number: int
    name: str
    n: int
    stability: float
    mean_loss: float | None
    accuracy: float | None


def place(run: Run, *, seed: int) -> None:
    """Principal components, UMAP coordinates and nearest training rows of the run's embeddings, as columns of the run."""
    run.compute(pca)
    run.compute(umap, seed=seed)
    if pc.sum(pc.equal(run.table("embeddings", ["split"])["split"], "train")).as_py() > 1:
        run.compute(neighbours)


def find_clusters(
    project: Project, run: Run, *, method: Method, clusters: int | None, seed: int, force: bool = False
) -> pa.Table:
    """Cluster the run's embeddings, name the clusters and see how stable they are; kept until something changes.

    Returns:
        the run's table ``clusters``: number, name, n and stability, the largest cluster first.
    """
    wanted = {"method": method, "clusters": clusters, "seed": seed, "embedding": run.meta.get("embedding")}
    if force or not run.has(_CLUSTERS) or run.meta.get(_CLUSTERS) != wanted:
        stored = run.table("embeddings")
        vector = vectors(stored)
        found = cluster(vector, method=method, clusters=clusters, seed=seed)
        steady = stability(vector, found, seed=seed)
        names = _names(project, run, stored["id"], found)
        run.update(clusters=None)  # until both tables are there
        run.write(_COLUMNS, _columns(stored["id"], vector, found, steady, names))
        run.write(_CLUSTERS, _table(found, steady, names))
        run.update(clusters=wanted)
    return run.table(_CLUSTERS)


def measured_clusters(clusters: pa.Table, rows: pa.Table) -> tuple[NamedCluster, ...]:
    """Clusters with the loss and accuracy of their rows.

    Args:
        clusters: as `find_clusters` gives them.
        rows: columns split, cluster, and where known loss and correct.
    """
    judged = rows.filter(pc.not_equal(rows["split"], "test"))
    code = judged["cluster"].to_numpy()
    means = {name: _means(judged, name, code, clusters.num_rows) for name in ("loss", "correct")}
    return tuple(
        NamedCluster(**row, mean_loss=means["loss"][row["number"]], accuracy=means["correct"][row["number"]])
        for row in clusters.to_pylist()
    )


def _means(rows: pa.Table, name: str, code: NDArray[np.int64], count: int) -> list[float | None]:
    """[count] mean of a column over the rows of each cluster that have it."""
    if name not in rows.column_names:
        return [None] * count
    values = pc.cast(rows[name], pa.float64()).to_numpy()
    known = np.isfinite(values) & (code >= 0)
    sums = np.bincount(code[known], weights=values[known], minlength=count)
    counts = np.bincount(code[known], minlength=count)
    return [float(total / n) if n else None for total, n in zip(sums, counts, strict=True)]


def _names(project: Project, run: Run, ids: pa.ChunkedArray, found: Clustering) -> tuple[str, ...]:
    rows = rows_of(project, run)
    rows = rows.take(pc.index_in(ids.combine_chunks(), value_set=rows["id"].combine_chunks()))
    told: dict[str, Any] = {name: rows[name].to_pylist() for name in metadata_names(project, rows)}
    if run.labels and "label" in rows.column_names:
        told["label"] = rows["label"].to_pylist()
    # of a passage with a question, it is the question that says what the row is about
    first = rows[project.task.text_fields[0]].to_pylist()
    texts = first if project.task.target_fields else _joined(rows, project.task.text_fields)
    return name_clusters(found.code, texts, told)


def _joined(rows: pa.Table, fields: tuple[str, ...]) -> list[str]:
    return [" ".join(texts) for texts in zip(*(rows[field].to_pylist() for field in fields), strict=True)]


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
    return pa.table({**columns, "stability": steady})
