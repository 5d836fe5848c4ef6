"""``monitor report`` and ``attach``: what is known of production, and labels that come later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.read import read_rows
from tunewright.errors import DataError
from tunewright.plot.figures import save
from tunewright.plot.monitor import Drift, Lengths, figure
from tunewright.project import Project
from tunewright.verbs.monitoring import copied, find_monitor, seen, watched
from tunewright.verbs.production import truth_of
from tunewright.verbs.report_page import write_monitor_page
from tunewright.verbs.report_space import draw_map
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tunewright.monitor.expressions import Signal
    from tunewright.run import Run

__all__ = ["Attached", "MonitorReport", "attach_labels", "monitor_report", "reported", "unknown_labels"]

_QUANTILES = (50.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReport(Result):
    """What a monitor knows: rows, labels, what each check says, and notes about checks that changed.

    Of an edge ``checks`` has ``marked``, ``nulls`` and ``errors``; of any other check its report. ``file``, ``map`` and
    ``page`` are what was drawn.
    """

    run: str
    model: str
    rows: int
    labels: int
    checks: Mapping[str, Mapping[str, Any]]
    notes: tuple[Any, ...]
    file: Path | None
    map: Path | None = None
    page: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached(Result):
    """How many labels were new to a monitor; ``unknown`` are those that the task does not have, and how often."""

    run: str
    labels: int
    unknown: Mapping[str, int]


def monitor_report(
    project: Project,
    name: str | None = None,
    *,
    path: str | Path | None = None,
    map: str | Path | None = None,
    html: str | Path | None = None,
    score: Signal | str | None = None,
) -> MonitorReport:
    """What a monitor knows by now.

    Args:
        project: whose monitor it is.
        name: of the monitor; None: the newest.
        path: draw it, too, as PNG, SVG or PDF.
        map: draw production in a UMAP of the reference, as PNG, SVG or PDF.
        html: write all of it as one page.
        score: that the page ranks clusters by, see `tunewright.verbs.low_scores.low_scores`.

    Raises:
        DataError: if the file is of another kind, or there is nothing to draw.
        MonitorError: if there is no such monitor.
    """
    run = find_monitor(project, name)
    keeps = html is not None or map is not None  # a map that was drawn is kept with the monitor
    with seen(project, run) if keeps else copied(project, run) as watch:
        found = watch.report()
        page = None if html is None else write_monitor_page(project, watch, found, html, score=score)
        placed = None if map is None else draw_map(project, watch, map, score=score)
    file = None if path is None else save(_drawn(run, found), path)
    return replace(reported(run, found, file=file), map=placed, page=page)


def reported(run: Run, found: Mapping[str, Any], *, file: Path | None = None) -> MonitorReport:
    """What the report of an open monitor says, as the commands and the service tell it."""
    return MonitorReport(
        run=run.id,
        model=str(run.meta["model"]),
        rows=found["rows"],
        labels=found["labels"],
        checks=found["checks"],
        notes=tuple(found["notes"]),
        file=file,
    )


def attach_labels(project: Project, path: str | Path, name: str | None = None) -> Attached:
    """Attach the labels of a file to production rows: columns ``id`` and ``label``, or the task's targets.

    Rows without a label are left out.

    Raises:
        DataError: if the file has no such columns, or names a row that was not logged.
        MonitorError: if there is no such monitor, or another process writes to it.
    """
    rows = read_rows(path)
    names = [column for column in truth_of(project) if column in rows.column_names]
    if "id" not in rows.column_names or not names:
        raise DataError(
            f"expected columns 'id' and 'label' in {Path(path).name}, found {', '.join(rows.column_names)}",
            fix="fill in the list that `tunewright monitor collected --csv FILE` writes",
        )
    told = [row for row in rows.select(["id", *names]).to_pylist() if all(row[column] for column in names)]
    run = find_monitor(project, name)
    with watched(project, run) as watch:
        labels = {column: [row[column] for row in told] for column in names}
        taken = watch.attach([row["id"] for row in told], labels).acknowledged
    return Attached(run=run.id, labels=taken, unknown=unknown_labels(project, labels))


def unknown_labels(project: Project, truth: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """Labels that a task with a list of labels does not have, and how often: slips of the pen, or a class that it lacks.

    Args:
        project: whose task it is.
        truth: columns of ground truth by name.
    """
    known = project.task.labels
    counts = Counter(str(label) for label in truth.get("label", ()) if label is not None) if known else Counter[str]()
    return {label: count for label, count in counts.most_common() if label not in known}


def _drawn(run: Run, found: Mapping[str, Any]) -> Figure:
    checks = found["checks"]
    folds = {name: check for name, check in checks.items() if "marked" not in check}
    return figure(
        coverage={name: _series(one["windows"], "coverage") for name, one in folds.items() if _has_coverage(one)},
        marked={name: check["marked"] for name, check in checks.items() if "marked" in check},
        drift={name: _drift(one) for name, one in folds.items() if _is_looked_at(one)},
        lengths={name: _lengths(one) for name, one in folds.items() if "bins" in one and one["bins"].num_rows},
        rows=found["rows"],
        title=f"Production: {run.id}",
        model=str(run.meta["model"]),
    )


def _has_coverage(report: Mapping[str, Any]) -> bool:
    windows = report.get("windows")
    return isinstance(windows, pa.Table) and "coverage" in windows.column_names


def _series(windows: pa.Table, name: str) -> Any:
    """[2, windows] rows until the end of each, and the number."""
    known = windows.filter(pc.is_valid(windows[name]))
    return known["end"].to_numpy(), known[name].to_numpy()


def _is_looked_at(report: Mapping[str, Any]) -> bool:
    return isinstance(report.get("looks"), pa.Table) and report["looks"].num_rows > 0


def _drift(report: Mapping[str, Any]) -> Drift:
    looks = report["looks"]
    alone = looks.filter(pc.equal(looks["length"], 1))
    return Drift(alone["p"].to_numpy(), alone["evidence"].to_numpy(), report["threshold"])


def _lengths(report: Mapping[str, Any]) -> Lengths:
    quantiles = {share: report[f"q{share:g}"] for share in _QUANTILES}
    return Lengths(report["bins"]["middle"].to_numpy(), report["bins"]["rows"].to_numpy(), report["cut"], quantiles)
