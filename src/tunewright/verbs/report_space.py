"""Production in the space of its embeddings, as sections of a monitor's page and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tunewright.errors import TunewrightError
from tunewright.plot import monitor_map
from tunewright.plot.report import Block, Chart, Command, Fold, Note, Rows, Section, Table
from tunewright.plot.report_charts import scatter
from tunewright.plot.report_text import spoken
from tunewright.verbs.low_scores import LowCluster, LowScores, scores_in
from tunewright.verbs.production_space import ProductionMap, mapped, space_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from tunewright.monitor.expressions import Signal
    from tunewright.monitor.watch import Monitor
    from tunewright.project import Project

__all__ = ["draw_map", "space_sections"]

_CLUSTERS, _NAMED = 12, 4


def space_sections(project: Project, watch: Monitor, rows: pa.Table, score: Signal | str | None) -> list[Section]:
    """The map, and clusters of production by their mean score.

    Args:
        project, watch, rows: the monitor, and all of its rows.
        score: see `tunewright.verbs.low_scores.low_scores`.

    Raises:
        DataError: if a score is named, and there is none.
    """
    low, why = _low(project, watch, rows, score)
    try:
        drawn = _map(mapped(watch, rows, vectors=space_of(watch, rows)), low, watch)
    except TunewrightError as error:
        drawn = [Note(f"There is no map: {error}")]
    return [Section("Map", drawn), Section("Low scores", _clusters(low) if low is not None else [Note(why)])]


def draw_map(project: Project, watch: Monitor, path: str | Path, *, score: Signal | str | None = None) -> Path:
    """Draw the map as PNG, SVG or PDF.

    Raises:
        DataError: if the file is of another kind, or a score is named, and there is none.
        MonitorError: if there are no embeddings.
    """
    rows = watch.rows()
    found = mapped(watch, rows, vectors=space_of(watch, rows))
    low, _ = _low(project, watch, rows, score)
    facts = [f"{_method(found)} of {found.vectors}, fitted on the reference", _counts(found)]
    sheet = monitor_map.figure(_groups(found, low, watch), title=f"Production: {watch.run.id}", facts=facts)
    return monitor_map.save(sheet, path)


def _low(project: Project, watch: Monitor, rows: pa.Table, score: Signal | str | None) -> tuple[LowScores | None, str]:
    """Clusters by score, or why there are none; a score that is named must be there."""
    try:
        return scores_in(project, watch, rows, score=score), ""
    except TunewrightError as error:
        if score is not None:
            raise
        return None, f"Clusters are not ranked: {error}"


def _map(found: ProductionMap, low: LowScores | None, watch: Monitor) -> list[Block]:
    groups = _groups(found, low, watch)
    legend = {f"g{number}": f"{name} ({len(points):,})" for number, (name, points) in enumerate(groups)}
    said = (
        f"{_method(found)} of {found.vectors}, fitted on the reference; production rows are placed in it and do not shape "
        f"it: {_counts(found)}. What is near is alike; distances between groups mean little."
    )
    return [Note(said), Chart("Reference and production", scatter("Map of reference and production", groups), legend)]


def _groups(found: ProductionMap, low: LowScores | None, watch: Monitor) -> list[tuple[str, NDArray[np.float64]]]:
    """The reference, production, and the clusters of it that are below the rest."""
    both = [("reference", found.reference), ("production", found.points)]
    return both if low is None else [*both, *_named_points(found, low, watch)]


def _named_points(found: ProductionMap, low: LowScores, watch: Monitor) -> list[tuple[str, NDArray[np.float64]]]:
    """The places of the rows of clusters that are below the rest."""
    kept = watch.run.table("columns/clusters", ["id", "cluster_name"])
    cluster = dict(zip(kept["id"].to_pylist(), kept["cluster_name"].to_pylist(), strict=True))
    own = np.array([cluster.get(id) or "" for id in found.ids], dtype=object)
    names = [one.name for one in low.clusters if one.below][:_NAMED]
    return [(f"low: {name}", found.points[own == name]) for name in names]


def _method(found: ProductionMap) -> str:
    return "UMAP" if found.method == "umap" else "Principal components"


def _counts(found: ProductionMap) -> str:
    known, production = found.of
    return f"{_of(len(found.reference), known)} rows of reference, {_of(len(found.ids), production)} of production"


def _of(some: int, every: int) -> str:
    return f"{some:,}" if some == every else f"a sample of {some:,} of {every:,}"


def _clusters(low: LowScores) -> list[Block]:
    below = [one for one in low.clusters if one.below]
    shown = low.clusters[: max(_CLUSTERS, len(below))]
    said = (
        f"Score: {low.score}, on average {spoken(low.mean)} of {low.scored:,} rows. {len(low.clusters)} clusters of "
        f"{low.vectors}, the lowest mean first; {len(below)} are surely below the rest (p under .05, corrected for "
        f"their number). {low.unclustered:,} rows lie in no cluster."
    )
    heads = ("cluster", "rows", "scored", "mean", "95% interval", "other rows", "p", "below the rest")
    rows = [(one.name, one.n, one.scored, one.mean, _interval(one), one.rest, one.p, one.below) for one in shown]
    left = f"; {len(shown)} of {len(low.clusters)}" if len(shown) < len(low.clusters) else ""
    return [
        Note(said),
        Table(f"Clusters by mean score{left}", heads, rows),
        *[_cluster(one, opened=one is shown[0]) for one in shown],
    ]


def _cluster(one: LowCluster, *, opened: bool) -> Fold:
    rows = [(f"{row['id']} · {spoken(row['score'])}", row["text"]) for row in one.examples]
    words = [Note(f"Words: {', '.join(one.words)}")] if one.words else []
    title = f"{one.name}: {one.n:,} rows, mean {spoken(one.mean)}"
    return Fold(
        title, [*words, Command("Collect its rows:", one.command), Rows("Rows of the lowest scores", rows)], opened
    )


def _interval(one: LowCluster) -> str:
    return "–" if one.interval is None else f"{spoken(one.interval[0])} to {spoken(one.interval[1])}"
