"""Production rows in the space of their embeddings: clusters of them, and a UMAP that was fitted on the reference.

Both are kept in the run of the monitor as ``columns/clusters`` and ``columns/map``, keyed by id as those of any run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import MonitorError, did_you_mean
from tunewright.monitor.embedding_drift import EmbeddingDrift, stacked
from tunewright.monitor.store import vector_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.analyze.clusters import Method
    from tunewright.monitor.watch import Monitor
    from tunewright.run import Run

__all__ = ["ProductionMap", "clustered", "kept_clusters", "mapped", "space_of"]

_CLUSTERS, _MAP, _REFERENCE = "columns/clusters", "columns/map", "reference/map"


@dataclass(frozen=True, slots=True, eq=False)
class ProductionMap:
    """Where rows lie in two dimensions.

    Attributes:
        reference: [m, 2] of rows that the UMAP was fitted on.
        ids, points: [n] and [n, 2] of production rows, which were only placed.
        vectors: the column of embeddings.
        method: "umap", or "pca" where fewer than ten rows of the reference differ.
        of: rows that there are of reference and production; what is drawn of more is a seeded sample.
    """

    reference: NDArray[np.float64]
    ids: tuple[str, ...]
    points: NDArray[np.float64]
    vectors: str
    method: str
    of: tuple[int, int]


def space_of(watch: Monitor, rows: pa.Table, wanted: str | None = None) -> str:
    """The column of embeddings to look at: the one that is named, else of the first drift check, else the first.

    Raises:
        MonitorError: if there is none.
    """
    known = vector_columns(rows.schema)
    drifting = [fold.column for fold in watch.checks.folds.values() if isinstance(fold, EmbeddingDrift)]
    found = [wanted] if wanted is not None else [name for name in drifting if name in known] or known
    if not found or found[0] not in known:
        raise MonitorError(
            "expected embeddings in the production rows, found none"
            if not known
            else f"no column of embeddings is called {wanted!r}",
            fix=did_you_mean(wanted or "", known) if known else "log a column of vectors",
        )
    return found[0]


def clustered(
    run: Run,
    rows: pa.Table,
    *,
    vectors: str,
    texts: list[str],
    method: Method = "hdbscan",
    clusters: int | None = None,
    seed: int = 0,
) -> pa.Table:
    """Clusters of production rows, found once until rows come or the settings change.

    Args:
        run: of the monitor.
        rows: all of production.
        vectors: column of embeddings; rows without one have no cluster.
        texts: [rows] that name the clusters.
        method, clusters, seed: as of `tunewright.analyze.clusters.cluster`.

    Returns:
        columns id, cluster (-1 for none) and cluster_name.
    """
    from tunewright.analyze.cluster_names import name_clusters
    from tunewright.analyze.clusters import cluster

    wanted = {"vectors": vectors, "method": method, "clusters": clusters, "seed": seed, "rows": rows.num_rows}
    if run.made_with(_CLUSTERS) != wanted:
        there = rows[vectors].is_valid().to_numpy()
        code = np.full(rows.num_rows, -1, dtype=np.int64)
        inside = stacked(rows[vectors].filter(pa.array(there)), vectors)
        code[there] = cluster(inside, method=method, clusters=clusters, seed=seed).code
        names = name_clusters(code, texts)
        named = [names[number] if number >= 0 else None for number in code.tolist()]
        with run.making(_CLUSTERS, wanted):
            run.write(
                _CLUSTERS, pa.table({"id": rows["id"], "cluster": code, "cluster_name": pa.array(named, pa.string())})
            )
    return _in_order(run.table(_CLUSTERS), rows)


def kept_clusters(run: Run, rows: pa.Table, *, vectors: str) -> pa.Table | None:
    """The clusters that were found last in these embeddings, whatever rows came since; None if there are none."""
    made: dict[str, Any] | None = run.made_with(_CLUSTERS)
    return _in_order(run.table(_CLUSTERS), rows) if made is not None and made["vectors"] == vectors else None


def mapped(watch: Monitor, rows: pa.Table, *, vectors: str, at_most: int = 5000, seed: int = 0) -> ProductionMap:
    """A UMAP fitted on the reference, and production rows placed in it; made once until rows come.

    Args:
        watch: the monitor.
        rows: all of production.
        vectors: column of embeddings; rows without one have no place.
        at_most: rows of the reference to fit on, and of production to place; of more a seeded sample is drawn.
        seed: of the samples and the layout.

    Raises:
        MonitorError: if the monitor has no reference, or the reference no such vectors.
    """
    if watch.reference is None:
        raise MonitorError("expected a reference to fit a map on, found none", fix="open it with reference=")
    run, known = watch.run, watch.reference.vectors(vectors)
    there = np.flatnonzero(rows[vectors].is_valid().to_numpy())
    wanted = {"vectors": vectors, "at_most": at_most, "seed": seed, "rows": rows.num_rows}
    wanted |= {"reference": watch.reference.version}
    if run.made_with(_MAP) != wanted:
        _make(
            run, wanted, known[_drawn(len(known), at_most, seed)], rows.take(there[_drawn(len(there), at_most, seed)])
        )
    placed, fitted = run.table(_MAP), run.table(_REFERENCE)
    return ProductionMap(
        reference=_points(fitted),
        ids=tuple(placed["id"].to_pylist()),
        points=_points(placed),
        vectors=vectors,
        method=fitted["method"][0].as_py(),
        of=(len(known), len(there)),
    )


def _make(run: Run, wanted: dict[str, Any], known: NDArray[np.float32], rows: pa.Table) -> None:
    from tunewright.analyze.projection import project

    found = project(known, stacked(rows[wanted["vectors"]], wanted["vectors"]), seed=wanted["seed"])
    with run.making(_MAP, wanted):
        run.write(_REFERENCE, pa.table({**_columns(found.points), "method": [found.method] * len(known)}))
        beside = {"umap_fitted": np.zeros(rows.num_rows, dtype=bool)}
        run.write(_MAP, pa.table({"id": rows["id"], **_columns(found.others), **beside}))


def _columns(points: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"umap1": points[:, 0], "umap2": points[:, 1]}


def _points(table: pa.Table) -> NDArray[np.float64]:
    return np.stack([table["umap1"].to_numpy(), table["umap2"].to_numpy()], axis=1)


def _drawn(rows: int, at_most: int, seed: int) -> NDArray[np.int64]:
    """Places of a sample, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:at_most])


def _in_order(found: pa.Table, rows: pa.Table) -> pa.Table:
    """What is known of rows, in their order; rows that came since have no cluster."""
    taken = found.take(pc.index_in(rows["id"].combine_chunks(), value_set=found["id"].combine_chunks()))
    taken = taken.set_column(taken.column_names.index("cluster"), "cluster", pc.fill_null(taken["cluster"], -1))
    return taken.set_column(0, "id", rows["id"])
