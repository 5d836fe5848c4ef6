"""``monitor report``, ``collected`` and ``attach``: what is known of production, and which rows are worth a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.read import read_rows
from tunewright.errors import DataError, MonitorError, did_you_mean
from tunewright.files import write_text
from tunewright.plot.figures import save
from tunewright.plot.monitor import Drift, Lengths, figure
from tunewright.project import Project, open_dataset
from tunewright.verbs.exchange import to_csv
from tunewright.verbs.monitoring import find_monitor, watched
from tunewright.verbs.production import truth_of
from tunewright.verbs.results import Result
from tunewright.verbs.signing import signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tunewright.data.dataset import Dataset
    from tunewright.data.edits import Add
    from tunewright.run import Run

__all__ = ["Attached", "Collected", "MonitorReport", "attach_labels", "collected", "monitor_report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReport(Result):
    """What a monitor knows: rows, labels, what each check says, and notes about checks that changed.

    Of an edge ``checks`` has ``marked``, ``nulls`` and ``errors``; of any other check its report.
    """

    run: str
    model: str
    rows: int
    labels: int
    checks: Mapping[str, Mapping[str, Any]]
    notes: tuple[Any, ...]
    file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached(Result):
    """How many labels were new to a monitor."""

    run: str
    labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected(Result):
    """Collected rows with all their reasons; where they were written, and the version that has them.

    ``added`` counts the rows that came into ``version``; ``unlabelled`` those that have no label yet, and ``there``
    those that the version had before.
    """

    run: str
    reason: str | None
    rows: pa.Table
    file: Path | None = None
    version: str | None = None
    name: str | None = None
    added: int = 0
    unlabelled: int = 0
    there: int = 0


def monitor_report(project: Project, name: str | None = None, *, path: str | Path | None = None) -> MonitorReport:
    """What a monitor knows by now.

    Args:
        project: whose monitor it is.
        name: of the monitor; None: the newest.
        path: draw it, too, as PNG, SVG or PDF.

    Raises:
        DataError: if the file is of another kind, or there is nothing to draw.
        MonitorError: if there is no such monitor, or another process writes to it.
    """
    run = find_monitor(project, name)
    with watched(project, run) as watch:
        found = watch.report()
    file = None if path is None else save(_drawn(run, found), path)
    return MonitorReport(
        run=run.id,
        model=str(run.meta["model"]),
        rows=found["rows"],
        labels=found["labels"],
        checks=found["checks"],
        notes=tuple(found["notes"]),
        file=file,
    )


def collected(
    project: Project,
    name: str | None = None,
    *,
    reason: str | None = None,
    path: str | Path | None = None,
    add: str | None = None,
    on: str = "main",
) -> Collected:
    """The rows worth a label, with all their reasons; as a list for labelling, and as a version to try.

    Args:
        project: whose monitor it is.
        name: of the monitor; None: the newest.
        reason: only rows that this check marked.
        path: write them as CSV; filled in, it is what `attach_labels` reads.
        add: name of a new version that has those with a label as training rows.
        on: version that they are added to.

    Raises:
        EditError: if a label is unknown, or the name is taken.
        MonitorError: if there is no such monitor, nothing that a check of this name marked, or no label to add.
    """
    run = find_monitor(project, name)
    with watched(project, run) as watch:
        known = watch.checks.all
        if reason is not None and reason not in known:
            raise MonitorError(f"no check is called {reason!r}", fix=did_you_mean(reason, known))
        rows = watch.collected(reason)
        edit = watch.to_edit(reason) if add is not None and rows.num_rows else None
    rows = rows.drop_columns([item.name for item in rows.schema if pa.types.is_fixed_size_list(item.type)])
    found = Collected(run=run.id, reason=reason, rows=rows)
    if path is not None:
        found = replace(found, file=_written(Path(path), rows, project))
    return found if add is None else _added(project, found, edit, name=add, on=on)


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
        return Attached(run=run.id, labels=watch.attach([row["id"] for row in told], labels).acknowledged)


def _written(path: Path, rows: pa.Table, project: Project) -> Path:
    """The list for labelling, with a column for each label that is still to come."""
    reasons = pa.array([", ".join(names) for names in rows["reasons"].to_pylist()], pa.string())
    rows = rows.drop_columns([name for name in ("logits", "scores", "digest") if name in rows.column_names])
    rows = rows.set_column(rows.column_names.index("reasons"), "reasons", reasons)
    for name in project.task.target_fields or ("label",):
        rows = rows if name in rows.column_names else rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
    write_text(path, to_csv(rows))
    return path


def _added(project: Project, found: Collected, edit: Add | None, *, name: str, on: str) -> Collected:
    dataset = open_dataset(project)
    rows = edit.rows if edit is not None else ()
    labelled = [row for row in rows if all(row.get(field) for field in project.task.target_fields or ("label",))]
    before = set(dataset.table(on)["id"].to_pylist())
    new = [row for row in labelled if row["id"] not in before]
    if edit is None or not new:
        raise MonitorError(
            f"expected collected rows with a label to add, found {len(rows)} rows, {len(labelled)} of them labelled, "
            f"{len(labelled) - len(new)} of these in {on} already",
            fix="label the list of `tunewright monitor collected --csv FILE`, and attach it: tunewright monitor attach FILE",
        )
    version = dataset.apply([_edit(dataset, edit, new)], on=on, name=name)
    unlabelled, there = len(rows) - len(labelled), len(labelled) - len(new)
    return replace(found, version=version, name=name, added=len(new), unlabelled=unlabelled, there=there)


def _edit(dataset: Dataset, edit: Add, rows: list[Mapping[str, Any]]) -> Add:
    """The edit with the columns that the dataset has; the reasons of each row stay with the monitor."""
    columns = set(dataset.table("main").column_names) - {"split", "weight", "content"}
    kept = tuple({name: value for name, value in row.items() if name in columns} for row in rows)
    why = signed(run=edit.evidence.run, analysis="monitor", rule=edit.evidence.rule)
    return replace(edit, rows=kept, reason=f"{len(kept)} production rows: {why.rule or 'all reasons'}", evidence=why)


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
    return Lengths(report["bins"]["middle"].to_numpy(), report["bins"]["rows"].to_numpy(), report["cut"])
