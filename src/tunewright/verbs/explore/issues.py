"""``issues``: one list of what is wrong with a run's rows, worst first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunewright.project import Project, find_run
from tunewright.verbs.explore.copy_issues import copies, leaks
from tunewright.verbs.explore.issue import MANY, Fix, Issue, Seen, level, seen
from tunewright.verbs.explore.label_issues import conflicts, suspects, unlearnt
from tunewright.verbs.explore.other_issues import cut_inputs, high_losses, lints
from tunewright.verbs.explore.snapshot import Snapshot, snapshot
from tunewright.verbs.linting import lint
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["Fix", "Issue", "Issues", "KeptIssues", "issues", "issues_of"]

_OF_VERSION = (leaks, lints)
_OF_RUN = (conflicts, copies, cut_inputs)
_OF_TRAINING = (suspects, unlearnt, high_losses)
_KEPT = 8  # lists in memory
_ORDER = ("high", "medium", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issues(Result):
    """Issues, worst first; ``notes`` say what was not looked at, and which command does."""

    run: str
    issues: tuple[Issue, ...]
    notes: tuple[str, ...]


def issues(project: Project, run: Run | str | None = None) -> Issues:
    """What is wrong with the rows of a run, from what is stored: nothing is trained, predicted or searched for.

    Suspected labels (after `suspects` or `map`), copies within and across splits, equal texts with different labels,
    slices with a high loss (after `slices`), cut inputs (after `analyze`), rows that were never learnt, and lints. Rows
    that people have decided about are no longer suspects. The severity follows the share of rows, or of the loss, that
    is concerned, at the cautious end of its interval.

    Args:
        project: whose run it is.
        run: by default the last training run.

    Raises:
        RunError: if there is no such run.
    """
    found = find_run(project, run)
    return issues_of(project, snapshot(project, found))


class KeptIssues:
    """Issues of runs, looked for again once something that they are made of has changed. Safe to use from threads."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[object, Issues]] = OrderedDict()

    def of(self, shot: Snapshot) -> Issues:
        """Those of a run."""
        stamp = (shot.etag, *(path.stat().st_mtime_ns for path in sorted(self.project.dataset_folder.glob("*"))))
        with self._lock:
            known = self._kept.get(shot.run.id)
            if known is None or known[0] != stamp:
                known = self._kept[shot.run.id] = (stamp, issues_of(self.project, shot))
            self._kept.move_to_end(shot.run.id)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return known[1]


def issues_of(project: Project, shot: Snapshot) -> Issues:
    """The same for a run whose rows were read already."""
    run = shot.run
    if run.kind == "production":
        return Issues(run=run.id, issues=tuple(_of_production(project, shot)), notes=())
    version = seen(project, shot)
    is_large = shot.own > MANY
    known = version.of_run()
    found = [] if is_large else [one for finder in _OF_VERSION for one in finder(version)]
    found += [one for finder in (*_OF_RUN, *(_OF_TRAINING if run.kind == "train" else ())) for one in finder(known)]
    ranked = sorted(found, key=lambda one: (_ORDER.index(one.severity), -one.effect))
    return Issues(run=run.id, issues=tuple(ranked), notes=tuple(_notes(known)))


def _of_production(project: Project, shot: Snapshot) -> Iterator[Issue]:
    found = lint(project, shot.run)
    for one in found.lints:
        share = one.count / max(1, found.rows)
        rows = shot.numbers(one.rows)
        yield Issue(
            id=f"lint-{one.name}",
            kind="lint",
            title=one.name.capitalize(),
            why=f"{one.message}: {one.what_to_do}.",
            severity=level(share, high=0.01, medium=0.0) if one.severity == "error" else "low",
            effect=share,
            count=one.count,
            rows=tuple(rows[rows >= 0].tolist()),
            fix=None,
            command=f"tunewright lint {shot.run.id}",
        )


def _notes(known: Seen) -> Iterator[str]:
    run, table = known.run.id, set(known.rows.column_names)
    if known.run.kind == "train" and not known.is_judged:
        yield f"No label has been judged yet: tunewright suspects {run}"
    if "duplicate_of" not in table:
        yield f"Near-copies have not been looked for: tunewright lint {run}"
    if known.run.kind == "train" and not known.run.has("slices"):
        yield f"Slices with a high loss have not been looked for: tunewright slices {run}"
    if known.rows.num_rows > MANY:
        yield f"So many rows are not compared with those of other splits here, nor linted: tunewright lint {run}"
    if "truncated" not in table:
        yield f"Whether inputs are cut is not known: tunewright analyze {run}"
