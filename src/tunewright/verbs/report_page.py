"""The page of a monitor: everything that it found, with the commands that act on it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunewright.plot.report import Block, Command, Fold, Note, Rows, Section, Table, write_report
from tunewright.plot.report_text import spoken
from tunewright.verbs.low_scores import text_of
from tunewright.verbs.report_checks import check_sections
from tunewright.verbs.report_space import space_sections

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.monitor.expressions import Signal
    from tunewright.monitor.watch import Monitor
    from tunewright.project import Project

__all__ = ["write_monitor_page"]

_COLLECTED, _EVENTS = 20, 20


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
    sections = [
        *check_sections(watch, found, rows, texts),
        *space_sections(project, watch, rows, score),
        Section("Collected rows", _collected(watch, texts)),
        Section("Alerts", _alerts(watch)),
        Section("Notes", [Note(note) for note in found["notes"]]),
    ]
    seen = [block for one in sections for block in one.blocks if isinstance(block, Note) and block.kind == "alarm"]
    first = Section("Alarms", seen or [Note("No check and no alert has raised an alarm.")])
    facts = _facts(watch, found, rows)
    return write_report(path, title=f"Production: {watch.run.id}", facts=facts, sections=[first, *sections])


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
