"""What an issue is, how bad it is, and what those who look for issues look at."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import RunError
from tunewright.verbs.evaluations import trained
from tunewright.verbs.linting import with_outputs
from tunewright.verbs.population import population
from tunewright.verbs.suspicion import COLUMNS_OF

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run
    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = [
    "MANY",
    "MOST",
    "Action",
    "Fix",
    "Issue",
    "Kind",
    "Level",
    "Seen",
    "counted",
    "first_of",
    "level",
    "numbers",
    "percent",
    "seen",
]

Action = Literal["relabel", "drop", "tag"]
Kind = Literal["suspect", "duplicate", "leak", "conflict", "slice", "truncated", "unlearnt", "lint"]
Level = Literal["high", "medium", "low"]

MOST = 10_000
"""Rows that one issue names."""

MANY = 200_000
"""Rows of a run from which on only what needs little memory is looked at."""

_NAMED = 20  # ids that a command can hold and still be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What can be done to the rows of an issue at once; ``value`` is the tag to give.

    Relabelling gives each row the label that is suggested for it.
    """

    action: Action
    title: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something that is wrong, or looks so, with some rows.

    Attributes:
        why: one sentence with the figures.
        effect: share of the rows, or of the loss, that it concerns, in [0, 1].
        count: rows that it concerns.
        rows: numbers of those that can be shown and that the fix is for, in the order in which to read them; at most
            10,000. None: it is about a whole column, or about rows that the run does not show.
        command: the same, typed in a shell.
    """

    id: str
    kind: Kind
    title: str
    why: str
    severity: Level
    effect: float
    count: int
    rows: tuple[int, ...]
    fix: Fix | None
    command: str


@dataclass(frozen=True)
class Seen:
    """What is known of a run when its issues are looked for.

    Attributes:
        rows: of the version, all splits, with everything that is stored about them; of an evaluation with what it says.
        place: [n] row numbers of these in the snapshot, -1 where they are not of the run itself.
    """

    project: Project
    shot: Snapshot
    rows: pa.Table
    place: NDArray[np.int64]

    @property
    def run(self) -> Run:
        """The run."""
        return self.shot.run

    @property
    def trained(self) -> str:
        """Id of the training run that an evaluation is of, which commands are about; of others their own."""
        return self.run.meta.get("parent") or self.run.id

    @property
    def is_judged(self) -> bool:
        """Whether it is known which labels are suspected; where targets are no list, the dynamics alone do not say it."""
        return self.has("suspicion", "suspect", "label") and bool(self.run.labels or self.run.has(COLUMNS_OF))

    @property
    def has_dataset(self) -> bool:
        """Whether the dataset was imported, which only reading does not do; of some projects, only runs are left."""
        return self.project.dataset_folder.exists()

    def of_run(self) -> Seen:
        """The rows of the run itself."""
        if self.run.kind == "train":
            return _of_snapshot(self.project, self.shot)
        there = self.place >= 0
        return Seen(self.project, self.shot, self.rows.filter(pa.array(there)), self.place[there])

    @cached_property
    def split(self) -> NDArray[np.object_]:
        """[n] names of splits."""
        return np.array(self.rows["split"].to_pylist(), dtype=object)

    def has(self, *names: str) -> bool:
        """Whether columns are there."""
        return set(names) <= set(self.rows.column_names)

    def shown(self, at: NDArray[np.integer]) -> tuple[int, ...]:
        """Numbers, in the snapshot, of rows in this order; those that it does not show are left out."""
        places = self.place[at]
        return tuple(places[places >= 0][:MOST].tolist())

    def dropping(self, at: NDArray[np.integer], otherwise: str) -> str:
        """The command that drops rows, if they are few enough to be named."""
        if len(at) > _NAMED:
            return otherwise
        ids = ", ".join("'" + str(id).replace("'", "''") + "'" for id in self.rows["id"].take(pa.array(at)).to_pylist())
        return f"tunewright edit apply --action drop --rule {shlex.quote(f'id IN ({ids})')} --run {self.trained}"


def seen(project: Project, shot: Snapshot) -> Seen:
    """What is stored about the rows of a run, and of the other splits of its version; nothing is computed."""
    if shot.own > MANY:
        return _of_snapshot(project, shot)
    rows = _rows(project, shot)
    place = shot.numbers(rows["id"].to_pylist())
    return Seen(project, shot, rows, np.where(place < shot.own, place, -1))


def numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """[n] a numeric column, NaN where it is missing."""
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)


def level(effect: float, *, high: float = 2.0, medium: float = 0.05) -> Level:
    """How bad an effect is, from the shares from which on it is high and medium."""
    return "high" if effect >= high else "medium" if effect >= medium else "low"


def counted(number: int, one: str, more: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(2300, "row")
    ('1 row', '2,300 rows')
    """
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def percent(share: float) -> str:
    """A share in percent, with two digits where it is small.

    >>> percent(0.1041), percent(0.0012), percent(0.0)
    ('10.4 %', '0.12 %', '0 %')
    """
    digits = 0 if share == 0 else 1 if share >= 0.01 else 2
    return f"{100 * share:.{digits}f} %"


def first_of(values: Sequence[str], *, most: int = 3) -> str:
    """The first of some names, and how many more there are.

    >>> first_of(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = len(values) - most
    return ", ".join(values[:most]) + (f" and {more} more" if more > 0 else "")


def _of_snapshot(project: Project, shot: Snapshot) -> Seen:
    return Seen(project, shot, shot.rows.slice(0, shot.own), np.arange(shot.own))


def _rows(project: Project, shot: Snapshot) -> pa.Table:
    try:
        parent = trained(project, shot.run)
    except RunError:  # an ensemble has no training of its own
        return shot.rows
    rows = population(project, parent)
    return rows if parent.id == shot.run.id else with_outputs(rows, shot.run.table("predictions"))
