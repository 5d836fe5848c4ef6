"""Production rows as rows of a dataset: which are new to it, which judge, and which stand for chance.

What a row is kept for is decided by a hash of its texts, so that equal rows are on one side, today and later: whether
it judges must not depend on what was collected, labelled or trained before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.data.edits import Add, Evidence
from tunewright.data.intake import content_of
from tunewright.data.targets import first_value

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.data.fields import Fields

__all__ = ["HELD_OUT", "NewRow", "add_of", "as_new_rows", "drawn", "held_out", "origin_of", "thinned"]

HELD_OUT = 0.2
"""Share of the production rows that judge, and are never learnt from."""
_NEVER_COPIED = frozenset({"id", "content", "split", "weight", "label"})


@dataclass(frozen=True, slots=True)
class NewRow:
    """A production row that a dataset does not have.

    Args:
        values: columns of the dataset, with an id that no other row has; label and targets where they are known.
        origin: where it comes from: its id in production, and its reasons with their scores.
        content: hash of its texts.
    """

    values: Mapping[str, Any]
    origin: Mapping[str, Any]
    content: str

    @property
    def place(self) -> float:
        """A number in [0, 1) that only its texts decide; rows below the share that is held out judge."""
        digest = hashlib.blake2b(f"held out\n{self.content}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") / 2.0**64

    @property
    def production(self) -> str:
        """Its id in production."""
        return str(self.origin["production"])


def as_new_rows(
    production: pa.Table, *, monitor: str, before: pa.Table, fields: Fields
) -> tuple[tuple[NewRow, ...], frozenset[str]]:
    """The rows that a dataset does not have, each content once, in the order in which they come.

    A row whose texts the dataset has, or an earlier row, is there already. One whose id alone is taken gets another: that of the monitor
    in front, for ids of production and of a dataset may be equal by chance.

    Args:
        production: rows of a monitor: id, the text fields, reasons and scores, and truth where there is one.
        monitor: its name.
        before: the rows of the dataset: id, content and its other columns.
        fields: of the dataset.

    Returns:
        the new rows, and the production ids of those that are there already.
    """
    contents = content_of([production[name] for name in fields.text]).to_pylist()
    known, taken = set(before["content"].to_pylist()), set(before["id"].to_pylist())
    columns = [name for name in before.column_names if name in production.column_names and name not in _NEVER_COPIED]
    made, there = [], set()
    told = {"id", "label", "reasons", "scores", *fields.target, *columns}
    read = production.select([name for name in production.column_names if name in told])
    for row, content in zip(read.to_pylist(), contents, strict=True):
        if content in known:
            there.add(str(row["id"]))
            continue
        known.add(content)
        id = _free(str(row["id"]), monitor, taken)
        taken.add(id)
        values = {"id": id, **{name: row[name] for name in columns}, "label": _label(row, fields)}
        made.append(NewRow(values, origin_of(row), content))
    return tuple(made), frozenset(there)


def origin_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Where a production row comes from: its id there, and by reason the score that it had.

    >>> origin_of({"id": "7", "reasons": ["long"], "scores": [1801.0]})
    {'production': '7', 'reasons': {'long': 1801.0}}
    """
    reasons = row.get("reasons") or []
    scores = row.get("scores") or [None] * len(reasons)
    return {"production": str(row["id"]), "reasons": dict(zip(reasons, scores, strict=True))}


def held_out(rows: Iterable[NewRow], share: float = HELD_OUT) -> tuple[NewRow, ...]:
    """Those that judge: a share in [0, 1) of all there may be."""
    return tuple(row for row in rows if row.place < share)


def thinned(rows: Sequence[NewRow], collected: Callable[[NewRow], bool], *, share: float) -> tuple[NewRow, ...]:
    """As many collected rows among all as production has, for collected rows are labelled sooner than others.

    The rows that go are those whose place comes last; nothing is drawn anew when rows come.

    Args:
        rows: with a truth.
        collected: whether a row was collected.
        share: of the collected rows in production, in [0, 1].
    """
    ordered = sorted(rows, key=lambda row: row.place)
    inside = [row for row in ordered if collected(row)]
    outside = [row for row in ordered if not collected(row)]
    total = min(
        len(inside) / share if share > 0 else float("inf"), len(outside) / (1 - share) if share < 1 else float("inf")
    )
    most = int(total * share + 0.5), int(total * (1 - share) + 0.5)
    return (*inside[: most[0]], *outside[: most[1]])


def drawn(rows: Sequence[NewRow], count: int, *, seed: int) -> tuple[NewRow, ...]:
    """So many rows at random, without replacement; expects that there are so many."""
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return tuple(rows[place] for place in chosen.tolist())


def add_of(rows: Sequence[NewRow], *, split: str = "train", reason: str, evidence: Evidence) -> Add:
    """The rows as an edit of a split, with where each comes from as evidence."""
    origins = {row.values["id"]: dict(row.origin) for row in rows}
    values = tuple({**row.values, "split": split} for row in rows)
    return Add(rows=values, reason=reason, evidence=replace(evidence, rows=origins))


def _free(id: str, monitor: str, taken: set[str]) -> str:
    free, again = id, 1
    while free in taken:
        free = f"{monitor}:{id}" if again == 1 else f"{monitor}:{id}:{again}"
        again += 1
    return free


def _label(row: Mapping[str, Any], fields: Fields) -> Any:
    """Of a task whose target is a list, the label is the first of them, as in a dataset."""
    label = row.get("label")
    return first_value(row.get(fields.target[0])) if label is None and fields.target else label
