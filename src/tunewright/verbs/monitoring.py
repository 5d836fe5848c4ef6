"""``monitor run``: a model's predictions of production rows, checked and logged; an interrupted run goes on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import MonitorError
from tunewright.monitor.collector import Collector
from tunewright.monitor.copies import copy_to, is_written
from tunewright.monitor.defaults import default_checks, default_weights
from tunewright.monitor.entries import of_conflicts
from tunewright.monitor.opening import require_name
from tunewright.monitor.reference import Reference
from tunewright.monitor.watch import Monitor
from tunewright.project import Project, find_run
from tunewright.run import Run, runs
from tunewright.verbs.evaluations import trained
from tunewright.verbs.production import Model, production_rows, reference_of, truth_of, vector_columns
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.verbs.models import Advance

__all__ = ["Monitored", "copied", "fed", "find_monitor", "monitor", "seen", "watched"]

_BLOCK = 512
"""Rows that are predicted and then logged together: what an interruption loses at most."""

_USUAL = {"window": 500, "budget": 2000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored(Result):
    """What became of a file of production rows.

    Of its ``rows``, ``logged`` are new, and ``known`` were there; ``labelled`` are those of the known ones whose ground
    truth the file told. ``marked`` counts new rows by check, ``errors`` says what failed beside, by check.
    """

    run: str
    model: str
    rows: int
    logged: int
    known: int
    labelled: int
    marked: Mapping[str, int]
    errors: Mapping[str, str]
    seconds: float


@dataclass(slots=True)
class _Tally:
    """What has become of the rows so far."""

    logged: int = 0
    known: int = 0
    labelled: int = 0
    marked: Counter[str] = field(default_factory=Counter)
    errors: dict[str, str] = field(default_factory=dict)


def monitor(
    project: Project,
    source: str | Path,
    *,
    run: Run | str | None = None,
    name: str = "production",
    window: int | None = None,
    budget: int | None = None,
    batch_size: int = 64,
    advance: Advance | None = None,
) -> Monitored:
    """Predict the rows of a file with the model of a run, check them against its training rows, and log them.

    Rows that were logged before are left out, so an interrupted call goes on where it was, and a file to which rows
    were added is read from there on; a label that such a row has now is attached to it.

    Args:
        project: names the checks (``Project.monitors``); the usual ones where it names none.
        source: a file of rows, as `Project.source`; labels are taken as ground truth where it has them.
        run: whose model; by default the one the monitor watches, at first the last training run.
        name: of the monitor, a folder among the runs.
        window: rows that are compared together; by default those of the last call, at first 500.
        budget: rows to collect; by default that of the last call, at first 2000.
        batch_size: inputs per forward pass.
        advance: told how far it is.

    Raises:
        DataError: if the file cannot be read, or its rows are none of this project.
        MonitorError: if the monitor watches another model, or another process writes to it.
        RunError: if there is no such run, or it has no model.
    """
    began = time.monotonic()
    tally = _Tally()
    rows = production_rows(project, source)
    asked = {"window": window, "budget": budget}
    with fed(project, name, run=run, asked=asked, batch_size=batch_size, advance=advance) as (watch, model):
        for start in range(0, rows.num_rows, _BLOCK):
            part = rows.slice(start, _BLOCK)
            _log(watch, model, part, tally)
            if advance is not None:
                advance("monitoring", start + part.num_rows, rows.num_rows)
    told: dict[str, Any] = {name: getattr(tally, name) for name in ("logged", "known", "labelled", "errors")}
    seconds = time.monotonic() - began
    return Monitored(
        run=name, model=model.run.id, rows=rows.num_rows, marked=dict(tally.marked), seconds=seconds, **told
    )


@contextmanager
def fed(
    project: Project,
    name: str,
    *,
    run: Run | str | None,
    asked: Mapping[str, int | None],
    batch_size: int,
    advance: Advance | None = None,
) -> Iterator[tuple[Monitor, Model]]:
    """A monitor that is open for new rows, and the model that predicts them; made, if there is none of this name.

    Args:
        project: names the checks.
        name: of the monitor.
        run: whose model; by default the one the monitor watches, at first the last training run.
        asked: ``window`` and ``budget``; None: as before.
        batch_size: inputs per forward pass.
        advance: told how far the making of a reference is.

    Raises:
        MonitorError: if the monitor watches another model, or another process writes to it.
        RunError: if there is no such run, or it has no model.
    """
    require_name(name)
    folder = project.runs_folder / name
    known = Run.open(folder) if Run.is_run(folder) else None
    found = _watched_run(project, known, run, name)
    model = Model(project, found, batch_size)
    reference = _stored(folder) or reference_of(model, advance=advance)
    before = known.meta.get("watching", {}) if known is not None else {}
    settings = _USUAL | before | {key: value for key, value in asked.items() if value is not None}
    with _opened(project, folder, reference, settings, model=found.id) as watch:
        if _stored(folder) is None:
            reference.save(folder / "reference")
        watch.run.update(watching=settings)
        yield watch, model


def find_monitor(project: Project, name: str | None = None) -> Run:
    """A monitor of the project by its name; None: the newest.

    Raises:
        MonitorError: if there is none.
    """
    found = [run for run in runs(project.runs_folder) if run.kind == "production" and name in (None, run.meta["name"])]
    if not found:
        raise MonitorError(
            "expected a monitor, found none" if name is None else f"no monitor is called {name!r}",
            fix="make one: tunewright monitor run DATA --run RUN",
        )
    return found[-1]


@contextmanager
def watched(project: Project, run: Run) -> Iterator[Monitor]:
    """A monitor that `monitor` made, open.

    Raises:
        MonitorError: if another process writes to it, or it was made otherwise.
    """
    reference = _stored(run.folder)
    if reference is None:
        raise MonitorError(
            f"monitor {run.id} was not made by `tunewright monitor run`", fix="open it as it was made: Monitor(...)"
        )
    with _opened(project, run.folder, reference, _USUAL | run.meta.get("watching", {}), model=run.meta["model"]) as it:
        yield it


@contextmanager
def seen(project: Project, run: Run) -> Iterator[Monitor]:
    """A monitor that `monitor` made, to read from; `copied`, if another process writes to it."""
    with copied(project, run) if is_written(run.folder) else watched(project, run) as it:
        yield it


@contextmanager
def copied(project: Project, run: Run) -> Iterator[Monitor]:
    """A copy of a monitor as it is now: whatever is asked of it, nothing is written or sent."""
    with TemporaryDirectory() as folder:
        copy_to(run.folder, Path(folder) / run.id)
        with watched(replace(project, sinks=()), Run.open(Path(folder) / run.id)) as it:
            yield it


def _watched_run(project: Project, known: Run | None, run: Run | str | None, name: str) -> Run:
    if known is None:
        return trained(project, run)
    watched = str(known.meta["model"])
    found = find_run(project, watched) if run is None else trained(project, run)
    if found.id != watched:
        raise MonitorError(
            f"monitor {name!r} watches {watched}, asked for is {found.id}", fix="give this one a --name of its own"
        )
    return found


def _stored(folder: Path) -> Reference | None:
    """The reference of a monitor, which it keeps; None before there is one."""
    there = (folder / "reference" / "reference.json").is_file()
    return Reference.open(folder / "reference") if there else None


def _opened(
    project: Project, folder: Path, reference: Reference, settings: Mapping[str, int], *, model: str
) -> Monitor:
    checks = project.monitors or default_checks(
        reference,
        texts=project.task.text_fields,
        labels=bool(project.task.labels),
        window=settings["window"],
        vectors=vector_columns(project),
    )
    return Monitor(
        folder.name,
        reference=reference,
        checks=checks,
        collect=Collector(budget=settings["budget"], weights=default_weights(checks)),
        alerts=project.alerts,
        sinks=project.sinks,
        folder=folder,
        model=model,
        truth=truth_of(project),
    )


def _log(watch: Monitor, model: Model, rows: pa.Table, tally: _Tally) -> None:
    """Ask the model about the rows that are new, and attach the labels of those that are not."""
    there = watch.rows(ids=rows["id"].to_pylist())
    is_known = pc.is_in(rows["id"], value_set=there["id"].combine_chunks())
    fresh = rows.filter(pc.invert(is_known))
    tally.known += rows.num_rows - fresh.num_rows
    tally.errors.update(of_conflicts(_others(rows, there, model.project.task.text_fields)))
    tally.labelled += _attach(watch, rows, there, truth_of(model.project))
    if fresh.num_rows == 0:
        return
    logged = watch.log(model.says(fresh))
    tally.logged += logged.acknowledged
    tally.marked.update(logged.marked)
    tally.errors.update(logged.errors)


def _others(rows: pa.Table, there: pa.Table, texts: tuple[str, ...]) -> list[str]:
    """Ids of rows whose texts are others than those that were logged under these ids."""
    had = {row["id"]: row for row in there.select(["id", *texts]).to_pylist()} if there.num_rows else {}
    said = rows.select(["id", *texts]).to_pylist()
    return [row["id"] for row in said if row["id"] in had and row != had[row["id"]]]


def _attach(watch: Monitor, rows: pa.Table, there: pa.Table, truth: tuple[str, ...]) -> int:
    """Attach labels that known rows did not have, or had otherwise; how many."""
    names = [name for name in truth if name in rows.column_names]
    had = {row["id"]: {name: row.get(name) for name in names} for row in there.to_pylist()} if names else {}
    said = {row["id"]: {name: row[name] for name in names} for row in rows.select(["id", *names]).to_pylist()}
    new = {id: said[id] for id in had if said[id] != had[id] and all(said[id][name] is not None for name in names)}
    if not new:
        return 0
    return watch.attach([*new], {name: [row[name] for row in new.values()] for name in names}).acknowledged
