"""Metrics in windows: what the entries of a window say about an edge, a fold, or what failed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from tunewright.errors import ProjectError, did_you_mean
from tunewright.monitor.conditions import Observation
from tunewright.monitor.windows import seconds

if TYPE_CHECKING:
    from tunewright.monitor.checks import Checks
    from tunewright.monitor.journal import Entry
    from tunewright.monitor.progress import Progress

__all__ = ["ERRORS", "Count", "Gauge", "Reports"]

ERRORS = "errors"
"""The metric that counts how often a check failed."""

Count: TypeAlias = dict[str, Any]
"""Of the open window: ``rows`` seen, ``marked`` ones or failures, and the time of its first entry."""


class Reports:
    """Reports of folds after an entry, each made once and only if it is asked for."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._known: dict[str, Mapping[str, Any]] = {}

    def of(self, name: str) -> Mapping[str, Any]:
        """The report of a fold."""
        if name not in self._known:
            self._known[name] = self._progress.checks.folds[name].report(self._progress.states[name])
        return self._known[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A metric, and the windows in which it is looked at.

    Attributes:
        check: the edge or fold; empty for `ERRORS`.
        number: of its report; ``rate`` of an edge.
        version: fingerprint of the check.
        late: columns of ground truth that the check waits for.
        edge: it is one.
        window: rows, or a span of time.
    """

    check: str
    number: str
    version: str
    late: frozenset[str]
    edge: bool
    window: int | str

    @classmethod
    def of(cls, metric: str, window: int | str, checks: Checks) -> Gauge:
        """Of a metric by name.

        Raises:
            ProjectError: if there is no such check, or an edge is asked for anything but its rate.
        """
        if metric == ERRORS:
            return cls(check="", number=ERRORS, version="", late=frozenset(), edge=False, window=window)
        check, _, number = metric.rpartition(".")
        edge = check in checks.edges
        if check not in checks.all or (edge and number != "rate"):
            known = [ERRORS, *(f"{name}.rate" for name in checks.edges), *(f"{name}.<number>" for name in checks.folds)]
            raise ProjectError(f"an alert is about {metric!r}, which no check reports", fix=did_you_mean(metric, known))
        late = checks.all[check].needs & checks.truth
        version = checks.fingerprints[check]
        return cls(check=check, number=number, version=version, late=late, edge=edge, window=window)

    @property
    def key(self) -> str:
        """Name under which its windows are kept."""
        return f"{self.check}@{self.version}.{self.number}/{self.window}"

    def start(self) -> Count:
        """An empty window."""
        return {"rows": 0, "marked": 0, "since": None}

    def add(self, count: Count, entry: Entry, failed: Mapping[str, str]) -> Count:
        """The open window with an entry, and the folds that failed with it."""
        rows, marked = self._of_edge(entry) if self.edge else (self._of_rest(entry), 0)
        if self.number == ERRORS and not self.check:
            marked = sum(number for name, number in _counts(entry).items() if name.startswith("error:")) + len(failed)
        since = entry.header["time"] if count["since"] is None else count["since"]
        return {"rows": count["rows"] + rows, "marked": count["marked"] + marked, "since": since}

    def full(self, count: Count, now: float) -> bool:
        """Whether the window ends."""
        if isinstance(self.window, int):
            return bool(count["rows"] >= self.window)
        return count["since"] is not None and now >= count["since"] + seconds(self.window)

    def look(self, count: Count, reports: Reports, *, now: float) -> Observation | None:
        """What the window says; None if there is no such number.

        Raises:
            ProjectError: if the fold does not report it.
        """
        if self.edge:
            return Observation(now, count["marked"] / count["rows"], count["rows"]) if count["rows"] else None
        if not self.check:
            return Observation(now, float(count["marked"]), count["rows"])
        return self.read(reports.of(self.check), now=now)

    def read(self, report: Mapping[str, Any], *, now: float) -> Observation | None:
        """The number of a report of the fold; None if it says nothing.

        Raises:
            ProjectError: if the fold does not report it.
        """
        if self.number not in report:
            raise ProjectError(
                f"{self.check!r} reports no {self.number!r}", fix=did_you_mean(self.number, map(str, report))
            )
        value = report[self.number]
        if not isinstance(value, bool | int | float) or not math.isfinite(value):
            return None
        return Observation(now, float(value), int(report.get("labelled", report.get("rows", 0))), self._whole(report))

    def _of_edge(self, entry: Entry) -> tuple[int, int]:
        """Rows that the edge says something about, and those that it marks."""
        counts, key = _counts(entry), f"{self.check}@{self.version}"
        if f"marked:{key}" not in counts or f"error:{key}" in counts:
            return 0, 0
        rows = counts.get("rows", 0) + counts.get("labels", 0) - counts.get(f"nulls:{key}", 0)
        return max(rows, counts[f"marked:{key}"]), counts[f"marked:{key}"]

    def _of_rest(self, entry: Entry) -> int:
        late = bool(self.late)
        if entry.kind == "labels":
            return _counts(entry).get("labels", 0) if late else 0
        return entry.table.num_rows if not late or self.late <= set(entry.table.column_names) else 0

    def _whole(self, report: Mapping[str, Any]) -> bool:
        """Folds report on all of their rows, but those that have windows, on the last one."""
        return "windows" not in report or self.number in {"evidence", "alarm", "first_alarm"}


def _counts(entry: Entry) -> Mapping[str, int]:
    counts: Mapping[str, int] = entry.header["counts"]
    return counts
