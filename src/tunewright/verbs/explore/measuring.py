"""How well the model does on a selection, against the other rows of the same splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.selection import Mean, Side, contrast
from tunewright.errors import DataError
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = ["Estimate", "Measured", "measure"]

_VERDICTS: dict[Side, str] = {"higher": "higher", "lower": "lower", "cannot tell": "cannot tell whether it differs"}
_NAMES = {"correct": "accuracy", "correctness": "share of epochs right"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure over n rows with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Result):
    """A selection against the rest of its splits; ``difference`` is the first minus the second.

    The three are None where fewer than two rows of either side have the metric. The interval does not know why these
    rows were selected: that of rows chosen for their loss is no news.
    """

    metric: str
    rows: int
    selected: Estimate | None
    rest: Estimate | None
    difference: Estimate | None
    verdict: Side
    sentence: str


def measure(project: Project, shot: Snapshot, rows: Sequence[int]) -> Measured:
    """Compare the main score of some rows with that of the others of the same splits.

    The score is the task's, what the model said last of training rows that it was not asked about, or the share of
    epochs in which a row was right. Rows about one passage are not taken for independent.

    Args:
        project: whose run it is.
        shot: its rows.
        rows: numbers, each once; others count once.

    Raises:
        DataError: if there is no such row.
    """
    selected = _mask(shot, rows)
    column = _column(project, shot, selected)
    name = _NAMES.get(column, column)
    count = int(selected.sum())
    if not column:
        return _unknown("score", count, "No selected row has a score: the model was not asked about them.")
    score = pc.cast(shot.rows[column], pa.float64()).to_numpy()
    found = contrast(score, selected, strata=_codes(shot, "split"), groups=_groups(project, shot))
    if found is None:
        return _unknown(name, count, f"Fewer than two rows inside or outside of the selection have {name}.")
    return Measured(
        metric=name,
        rows=count,
        selected=_estimate(found.selected),
        rest=_estimate(found.rest),
        difference=Estimate(value=found.difference, low=found.interval[0], high=found.interval[1], n=found.selected.n),
        verdict=found.word,
        sentence=f"{name} {_told(found.selected)} of {found.selected.n:,} rows, against {_told(found.rest)} of "
        f"{found.rest.n:,} others of the same splits: {_VERDICTS[found.word]} ({_signed(found.difference, found.interval)}).",
    )


def _unknown(metric: str, rows: int, sentence: str) -> Measured:
    nothing = {"selected": None, "rest": None, "difference": None}
    return Measured(metric=metric, rows=rows, verdict="cannot tell", sentence=sentence, **nothing)


def _mask(shot: Snapshot, rows: Sequence[int]) -> NDArray[np.bool_]:
    at = np.asarray(rows, dtype=np.int64)
    n = shot.rows.num_rows
    if len(at) and not (int(at.min()) >= 0 and int(at.max()) < n):
        raise DataError(f"expected row numbers from 0 to {n - 1}, found others", fix="read the run again")
    mask = np.zeros(n, dtype=bool)
    mask[at] = True
    return mask


def _column(project: Project, shot: Snapshot, selected: NDArray[np.bool_]) -> str:
    """The first score that most of the selected rows have; empty: none has any."""
    names = [name for name in (project.task.metric, "correct", "correctness") if name in shot.rows.column_names]
    known = [int((selected & pc.is_valid(shot.rows[name]).to_numpy()).sum()) for name in names]
    return names[int(np.argmax(known))] if any(known) else ""


def _groups(project: Project, shot: Snapshot) -> NDArray[np.int64] | None:
    """[n] equal for rows with the same last text, where a row has several."""
    fields = project.task.text_fields
    return _codes(shot, fields[-1]) if len(fields) > 1 and fields[-1] in shot.rows.column_names else None


def _codes(shot: Snapshot, name: str) -> NDArray[np.int64]:
    codes = pc.dictionary_encode(shot.rows[name].combine_chunks(), null_encoding="encode").indices
    return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)


def _estimate(mean: Mean) -> Estimate:
    return Estimate(value=mean.value, low=mean.interval[0], high=mean.interval[1], n=mean.n)


def _told(mean: Mean) -> str:
    return f"{mean.value:.2f} [{mean.interval[0]:.2f}, {mean.interval[1]:.2f}]"


def _signed(difference: float, interval: tuple[float, float]) -> str:
    return f"{difference:+.2f} [{interval[0]:+.2f}, {interval[1]:+.2f}]"
