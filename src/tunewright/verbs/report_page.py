"""The page of a monitor: everything that it found, with the commands that act on it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.errors import TunewrightError
from tunewright.plot.report import Block, Chart, Command, Fold, Note, Rows, Section, Table, write_report
from tunewright.plot.report_charts import scatter
from tunewright.plot.report_text import spoken
from tunewright.verbs.low_scores import LowCluster, LowScores, scores_in, text_of
from tunewright.verbs.production_space import ProductionMap, mapped, space_of
from tunewright.verbs.report_checks import check_sections

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from tunewright.monitor.expressions import Signal
    from tunewright.monitor.watch import Monitor
    from tunewright.project import Project

__all__ = ["write_monitor_page"]

_COLLECTED, _EVENTS, _CLUSTERS, _NAMED = 20, 20, 12, 5


def write_monitor_page(
    project: Project, watch: Monitor, found: Mapping[str, Any], path: str | Path, *, score: Signal | str | None = None
) -> Path:
    """Write the page of an open monitor.

    Args:
        project: whose monitor it is.
        watch: the monitor.
        found: its report.
        path: the HTML file.
        score: that clusters are ranked by, see `tunewright.verbs.low_scores.low_scores`.

    Raises:
        DataError: if a score is named, and there is none.
    """
    rows = watch.rows()
    texts = dict(zip(rows["id"].to_pylist(), text_of(project, rows), strict=True))
    low, why = _low(project, watch, rows, score)
    placed, where = _placed(watch, rows)
    sections = [
        Section("Alerts", _alerts(watch)),
        *check_sections(watch, found, rows, texts),
        Section("Map", _map(placed, low, watch) if placed is not None else [Note(where)]),
        Section("Low scores", _clusters(low) if low is not None else [Note(why)]),
        Section("Collected rows", _collected(watch, texts)),
        Section("Notes", [Note(note) for note in found["notes"]]),
    ]
    return write_report(path, title=f"Production: {watch.run.id}", facts=_facts(watch, found, rows), sections=sections)


def _facts(watch: Monitor, found: Mapping[str, Any], rows: pa.Table) -> list[tuple[str, str]]:
    days = [str(day)[:16] for day in rows["logged"].to_pylist()]
    return [
        ("Model", str(watch.run.meta.get("model") or "")),
        ("Reference", _reference(watch)),
        ("Production rows", spoken(found["rows"])),
        ("Rows with a label", spoken(found["labels"])),
        ("Logged (UTC)", " to ".join(dict.fromkeys([min(days), max(days)])) if days else ""),
        ("Page made (UTC)", f"{datetime.now(UTC):%Y-%m-%d %H:%M}"),
    ]


def _reference(watch: Monitor) -> str:
    if watch.reference is None:
        return ""
    origin = watch.reference.origin
    named = " ".join(str(origin[name]) for name in ("run", "dataset", "version", "split") if origin.get(name))
    return f"{named} ({watch.reference.version})" if named else watch.reference.version


def _alerts(watch: Monitor) -> list[Block]:
    standings = watch.alerts.standings
    if not standings:
        return [Note("No alert is switched on.")]
    firing = [name for name, (_, standing) in standings.items() if standing.state == "firing"]
    rows = [
        (name, alert.severity, standing.state, alert.metric, standing.value, standing.n, _time(standing.since))
        for name, (alert, standing) in standings.items()
    ]
    heads = ("alert", "severity", "state", "metric", "value", "rows", "since (UTC)")
    events = [(_time(event.time), event.message) for event in reversed(watch.alerts.events)][:_EVENTS]
    return [
        *([Note(f"Firing: {', '.join(firing)}", kind="alarm")] if firing else []),
        Table("Where the alerts stand", heads, rows),
        *([Fold("Events", [Table("The newest first", ("time (UTC)", "what"), events)])] if events else []),
    ]


def _low(project: Project, watch: Monitor, rows: pa.Table, score: Signal | str | None) -> tuple[LowScores | None, str]:
    """Clusters by score, or why there are none; a score that is named must be there."""
    try:
        return scores_in(project, watch, rows, score=score), ""
    except TunewrightError as error:
        if score is not None:
            raise
        return None, f"Clusters are not ranked: {error}"


def _placed(watch: Monitor, rows: pa.Table) -> tuple[ProductionMap | None, str]:
    try:
        return mapped(watch, rows, vectors=space_of(watch, rows)), ""
    except TunewrightError as error:
        return None, f"There is no map: {error}"


def _map(found: ProductionMap, low: LowScores | None, watch: Monitor) -> list[Block]:
    groups = [("reference", found.reference), ("production", found.points)]
    groups += _named_points(found, low, watch) if low is not None else []
    legend = {f"g{number}": f"{name} ({len(points):,})" for number, (name, points) in enumerate(groups)}
    method = "UMAP" if found.method == "umap" else "Principal components"
    known, production = found.of
    said = (
        f"{method} of {found.vectors}, fitted on {_of(len(found.reference), known)} rows of the reference; "
        f"{_of(len(found.ids), production)} production rows are placed in it and do not shape it. "
        "What is near is alike; distances between groups mean little."
    )
    return [Note(said), Chart("Reference and production", scatter("Map of reference and production", groups), legend)]


def _named_points(found: ProductionMap, low: LowScores, watch: Monitor) -> list[tuple[str, NDArray[np.float64]]]:
    """The places of the rows of clusters that are below the rest."""
    kept = watch.run.table("columns/clusters", ["id", "cluster_name"])
    cluster = dict(zip(kept["id"].to_pylist(), kept["cluster_name"].to_pylist(), strict=True))
    own = np.array([cluster.get(id) or "" for id in found.ids], dtype=object)
    names = [one.name for one in low.clusters if one.below][:_NAMED]
    return [(f"low: {name}", found.points[own == name]) for name in names]


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
    return [Note(said), Table(f"Clusters by mean score{left}", heads, rows), *map(_cluster, shown)]


def _cluster(one: LowCluster) -> Fold:
    rows = [(f"{row['id']} · {spoken(row['score'])}", row["text"]) for row in one.examples]
    words = [Note(f"Words: {', '.join(one.words)}")] if one.words else []
    title = f"{one.name}: {one.n:,} rows, mean {spoken(one.mean)}"
    return Fold(title, [*words, Command("Collect its rows:", one.command), Rows("Rows of the lowest scores", rows)])


def _interval(one: LowCluster) -> str:
    return "–" if one.interval is None else f"{spoken(one.interval[0])} to {spoken(one.interval[1])}"


def _collected(watch: Monitor, texts: Mapping[str, str]) -> list[Block]:
    if watch.collector is None:
        return [Note("This monitor collects nothing.")]
    rows = watch.collected().select(["id", "reasons", "step"]).to_pylist()
    if not rows:
        return [Note("No row has been collected yet.")]
    counts = Counter(reason for row in rows for reason in row["reasons"])
    steps = Counter(row["step"] for row in rows)
    said = f"{len(rows):,} rows of a budget of {watch.collector.budget:,}: " + ", ".join(
        f"{count:,} {step}" for step, count in steps.most_common()
    )
    first = [(f"{row['id']} · {row['step']} · {', '.join(row['reasons'])}", texts.get(row["id"], "")) for row in rows]
    name = shlex.quote(watch.run.id)
    return [
        Note(f"{said}."),
        Table("Collected rows by reason; a row may have several", ("reason", "rows"), counts.most_common()),
        Command("Write the list for labelling:", f"tunewright monitor collected --name {name} --csv label.csv"),
        Fold(
            f"The first {min(len(rows), _COLLECTED)} rows, with their reasons", [Rows("As drawn", first[:_COLLECTED])]
        ),
    ]


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
