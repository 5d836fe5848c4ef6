"""What people decided about rows: kept beside the edits, because a rejected suggestion changes no row.

One JSON object per line of ``reviews.jsonl``; lines that a crash has torn are skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.lines import appending, numbered
from tunewright.errors import EditError, did_you_mean

__all__ = ["DECISIONS", "Decision", "Review", "append_reviews", "read_reviews", "require_known"]

Decision = Literal["accept", "reject", "relabel", "drop", "keep"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)
"""What can be decided: take the suggested label, refuse it, give another one, drop the row, keep it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One decision about one row.

    ``version`` is the one in which the row had ``label``; ``run`` made the suggestion. ``new_label`` is that of
    ``relabel``. ``time`` is ISO 8601.
    """

    id: str
    version: str
    decision: Decision
    run: str = ""
    label: str | None = None
    suggested: str | None = None
    author: str = ""
    time: str = ""
    new_label: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.decision not in DECISIONS:
            raise EditError(
                f"{self.id}: {self.decision!r} is no decision", fix=did_you_mean(str(self.decision), DECISIONS)
            )


_COLUMNS = ("id", "version", "run", "label", "suggested", "decision", "author", "time", "new_label", "note")
_NAMED = 3  # ids in a message


def append_reviews(path: Path, reviews: Sequence[Review]) -> None:
    """Append decisions, all or none."""
    with appending(path) as lines:
        lines.extend(map(asdict, reviews))


def read_reviews(path: Path) -> pa.Table:
    """All decisions, oldest first: one column per field of `Review`, strings."""
    known = {field.name for field in fields(Review)}
    found = [line for _, line in numbered(path) if line is not None and {"id", "decision"} <= line.keys() <= known]
    return pa.table({name: pa.array([line.get(name) for line in found], pa.string()) for name in _COLUMNS})


def require_known(ids: Sequence[str], known: pa.Array) -> None:
    """Refuse rows that are not there.

    Raises:
        EditError: if an id is not among ``known``.
    """
    named = pa.array(ids, pa.string())
    missing = named.filter(pc.invert(pc.is_in(named, value_set=known))).to_pylist()
    if missing:
        first = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        raise EditError(f"{len(missing)} reviewed rows are not there: {first}", fix="review rows of this dataset")
