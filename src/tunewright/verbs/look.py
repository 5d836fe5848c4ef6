"""``runs`` and ``show``: what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunewright.errors import DataError
from tunewright.project import Project, find_run
from tunewright.run import Run, runs as runs_below
from tunewright.verbs.dynamics import coverage
from tunewright.verbs.evaluations import grades, scores
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.analyze.scores import Grade, Scores

__all__ = ["RunDetails", "RunSummary", "Runs", "runs", "show", "summary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One line about a run; ``metrics`` are in [0, 1], ``coverage`` too."""

    id: str
    kind: str
    status: str
    created: str
    version: str
    split: str
    parent: str
    coverage: float | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs(Result):
    """All runs of a project, oldest first."""

    runs: tuple[RunSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails(Result):
    """All about a run: run.json, rows of each table, coverage in [0, 1], scores with intervals, examples per second.

    ``scores`` are of the labelled rows it predicted: for a training run those of the validation split.
    """

    id: str
    folder: str
    coverage: float | None
    scores: Scores | None
    grades: tuple[Grade, ...]
    speed: float | None
    tables: Mapping[str, int]
    meta: Mapping[str, Any]


def runs(project: Project) -> Runs:
    """All runs of the project."""
    return Runs(runs=tuple(map(summary, runs_below(project.runs_folder))))


def show(project: Project, run: Run | str | None = None) -> RunDetails:
    """All about a run: configuration, seeds, library versions, coverage, scores, tables.

    Raises:
        RunError: if there is no such run.
    """
    run = find_run(project, run)
    return RunDetails(
        id=run.id,
        folder=str(run.folder),
        coverage=coverage(run),
        scores=_scores(run),
        grades=_grades(run),
        speed=_speed(run),
        tables={name: run.table(name).num_rows for name in run.tables()},
        meta=run.meta,
    )


def summary(run: Run) -> RunSummary:
    """One line about a run."""
    meta = run.meta
    return RunSummary(
        id=run.id,
        kind=run.kind,
        status=meta.get("status", ""),
        created=meta["created"],
        version=meta.get("version_name") or meta.get("version", ""),
        split=meta.get("split", ""),
        parent=meta.get("parent") or ", ".join(meta.get("members", ())),
        coverage=coverage(run),
        metrics=meta.get("metrics", {}),
    )


def _scores(run: Run) -> Scores | None:
    if not run.has("predictions") or not run.labels:
        return None
    try:
        return scores(run)
    except DataError:  # nothing it predicted has a label
        return None


def _grades(run: Run) -> tuple[Grade, ...]:
    return grades(run) if run.has("predictions") and "label" in run.table("predictions").column_names else ()


def _speed(run: Run) -> float | None:
    """Training examples per second, start and validation included."""
    seen = sum(epoch["seen"] for epoch in run.meta.get("coverage") or [])
    seconds = run.meta.get("seconds")
    return round(seen / seconds, 1) if seconds and seen else None
