"""The collector: which of the marked rows are worth a label, drawn so that everybody draws the same.

Rows are drawn by priority sampling: each has a random number that is a hash of the seed and its content, divided by the
weight of its reason, and the smallest ones win (Cohen & Kaplan 2007, bottom-k; Duffield et al. 2007). Nothing depends on
the order of the rows or on how they are divided among processes, and equal rows are one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from tunewright.data.edits import Add, Evidence
from tunewright.errors import ColumnError, DataError, MonitorError, did_you_mean
from tunewright.monitor.retraining import origin_of
from tunewright.monitor.state import State

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STEPS", "Candidate", "Collector", "Marked", "Step", "to_edit"]

Step = Literal["new", "sent", "labelled", "used"]
STEPS: tuple[Step, ...] = get_args(Step)
"""How far a collected row came: chosen, sent to be labelled, labelled, used in a run."""

_SPARE = 2
"""Candidates kept for each row of a budget, so that near duplicates leave no gap."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A row that a check marked: its id, a hash of its content, the day (UTC, ISO 8601), and all its reasons."""

    id: str
    content: int
    day: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may be drawn: the smaller ``key``, the sooner."""

    id: str
    key: float
    day: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """How many rows to collect, and which.

    Attributes:
        budget: rows in all.
        per_reason: rows of each reason, or of those named; a row with several reasons counts for each, and is drawn
            while one of them has room.
        per_day: rows of each day (UTC).
        weights: how much likelier rows of a reason are drawn than others; 1 where nothing is said.
        near_duplicates: rows this similar or more are drawn once: Jaccard overlap of the texts' 5-grams, or the cosine
            of ``vectors``; in (0, 1], None for equal rows only.
        vectors: column of embeddings to compare; texts are compared without it.
        seed: of the draw.
    """

    budget: int = 2000
    per_reason: int | Mapping[str, int] | None = None
    per_day: int | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    near_duplicates: float | None = 0.8
    vectors: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        limits = self.per_reason.values() if isinstance(self.per_reason, Mapping) else [self.per_reason]
        if wrong := [limit for limit in (self.budget, self.per_day, *limits) if limit is not None and limit < 1]:
            raise DataError(f"expected budgets of one row or more, found {wrong[0]}")
        if wrong := [name for name, weight in self.weights.items() if not 0 < weight < float("inf")]:
            raise DataError(f"expected positive finite weights, found another for {wrong[0]!r}")
        if self.near_duplicates is not None and not 0 < self.near_duplicates <= 1:
            raise DataError(
                f"expected near_duplicates in (0, 1], found {self.near_duplicates}", fix="0.8 is the default"
            )

    @property
    def fingerprint(self) -> str:
        """Changes with what decides which candidates are kept."""
        told = repr((self.budget, _sorted(self.per_reason), self.per_day, _sorted(self.weights), self.seed))
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    def start(self) -> State:
        """No candidates."""
        return {"rows": {}}

    def update(self, state: State, marked: Iterable[Marked]) -> State:
        """The state after more marked rows; the one that is given is changed."""
        rows = state["rows"]
        for row in marked:
            _put(rows, str(row.content), [row.id, row.day, list(row.reasons)])
        if len(rows) > state.get("most", 2 * _SPARE * self.budget):
            state = self._cut(state)
            state["most"] = max(2 * len(state["rows"]), 2 * _SPARE * self.budget)
        return state

    def merge(self, one: State, other: State) -> State:
        """The state of both; neither is changed."""
        merged = {"rows": {key: list(row) for key, row in one["rows"].items()}}
        for content, row in other["rows"].items():
            _put(merged["rows"], content, row)
        return self._cut(merged)

    def settled(self, state: State) -> State:
        """The state in the one form that all ways to it lead to."""
        return self._cut(state)

    def candidates(self, state: State) -> list[Candidate]:
        """In the order in which they are drawn."""
        found = [
            Candidate(id, self._key(content, max(map(self._weight, reasons))), day, tuple(reasons))
            for content, (id, day, reasons) in self._cut(state)["rows"].items()
        ]
        return sorted(found, key=lambda row: (row.key, row.id))

    def draw(
        self,
        candidates: Sequence[Candidate],
        *,
        rows: pa.Table,
        taken: Sequence[Candidate] = (),
    ) -> list[Candidate]:
        """Draw rows until the budgets are used up, without near duplicates of rows that were drawn.

        Args:
            candidates: from `candidates`.
            rows: the rows of ``taken`` and ``candidates``, in that order.
            taken: rows drawn before, which stay and count.
        """
        apart = self._apart(rows)[len(taken) :]
        room = _Room(self)
        for row in taken:
            room.use(row)
        drawn = []
        for row in (row for row, alone in zip(candidates, apart, strict=True) if alone):
            if room.has(row):
                room.use(row)
                drawn.append(row)
        return drawn

    def limit(self, reason: str) -> int:
        """Rows of a reason that may be drawn."""
        match self.per_reason:
            case Mapping():
                return min(self.budget, self.per_reason.get(reason, self.budget))
            case None:
                return self.budget
            case limit:
                return min(self.budget, limit)

    def _weight(self, reason: str) -> float:
        return self.weights.get(reason, 1.0)

    def _key(self, content: str, weight: float) -> float:
        digest = hashlib.blake2b(f"{self.seed}\n{content}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "little") + 1) / 2.0**64 / weight

    def _cut(self, state: State) -> State:
        """The rows that are among the first of one of their groups; what is cut here no merge could bring back."""
        groups: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for content, (_, day, reasons) in state["rows"].items():
            for reason in reasons:
                group = (reason, day if self.per_day else "")
                groups.setdefault(group, []).append((self._key(content, self._weight(reason)), content))
        kept = {
            content
            for (reason, _), members in groups.items()
            for _, content in sorted(members)[: _SPARE * min(self.limit(reason), self.per_day or self.budget)]
        }
        return {"rows": {content: state["rows"][content] for content in sorted(kept)}}

    def _apart(self, rows: pa.Table) -> NDArray[np.bool_]:
        """[n] whether no earlier row is nearly the same."""
        if self.near_duplicates is None or rows.num_rows < 2:
            return np.ones(rows.num_rows, dtype=bool)
        if self.vectors is not None:
            return _apart_by_cosine(_vectors(rows, self.vectors), self.near_duplicates)
        from tunewright.analyze.duplicates import duplicates

        texts = {name: rows[name].to_pylist() for name in rows.column_names if _is_text(rows.schema.field(name))}
        if not texts:
            return np.ones(rows.num_rows, dtype=bool)
        ids = np.array(rows["id"].to_pylist(), dtype=object)
        found = duplicates(texts, id=ids, threshold=self.near_duplicates, seed=self.seed)
        return np.array([other is None for other in found["duplicate_of"]], dtype=bool)


class _Room:
    """How many rows each budget still has."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._left = collector.budget
        self._reasons: dict[str, int] = {}
        self._days: dict[str, int] = {}

    def has(self, row: Candidate) -> bool:
        per_day = self._collector.per_day
        today = per_day is None or self._days.get(row.day, 0) < per_day
        reasons = any(self._reasons.get(reason, 0) < self._collector.limit(reason) for reason in row.reasons)
        return self._left > 0 and today and reasons

    def use(self, row: Candidate) -> None:
        self._left -= 1
        self._days[row.day] = self._days.get(row.day, 0) + 1
        for reason in row.reasons:
            self._reasons[reason] = self._reasons.get(reason, 0) + 1


def to_edit(
    rows: pa.Table,
    *,
    fields: Mapping[str, str] | None = None,
    run: str = "",
    rule: str = "",
    time: str = "",
    provenance: Mapping[str, Any] | None = None,
) -> Add:
    """Collected rows as an edit that adds them to a dataset.

    Args:
        rows: from `Monitor.collected`, with the ground truth where there is one.
        fields: column of the dataset -> column of production; all columns but embeddings, under their own names, if
            nothing is said.
        run: the production run that they are from.
        rule: which reasons chose them.
        time: ISO 8601.
        provenance: what holds of all rows, such as versions of the model and of the reference.

    Returns:
        the edit; its evidence has the provenance as ``facts``, and of each row its reasons with their scores.

    Raises:
        ColumnError: if a column is not there.
        MonitorError: if there are no rows.
    """
    from tunewright.monitor.intake import RESERVED
    from tunewright.monitor.store import vector_columns

    if rows.num_rows == 0:
        raise MonitorError("expected collected rows to add, found none", fix="look at `collected()` and its reasons")
    left_out = {"id", *RESERVED, *vector_columns(rows.schema)}
    plain = [name for name in rows.column_names if name not in left_out]
    wanted = dict(fields) if fields is not None else {name: name for name in plain}
    for name in wanted.values():
        if name not in rows.column_names:
            raise ColumnError(f"no column of the production rows is called {name!r}", fix=did_you_mean(name, plain))
    told = {name: value for name, value in (provenance or {}).items() if value is not None}
    named = rows.to_pylist()
    added = tuple({"id": row["id"], **{name: row[column] for name, column in wanted.items()}} for row in named)
    origins = {row["id"]: origin_of(row) for row in named}
    evidence = Evidence(run=run, analysis="monitor", rule=rule, time=time, facts=told, rows=origins)
    return Add(rows=added, reason=f"{len(added)} production rows: {rule or 'all reasons'}", evidence=evidence)


def _put(rows: dict[str, list[Any]], content: str, row: list[Any]) -> None:
    """Equal rows are one: the one with the first day and id, with the reasons of all."""
    if content in rows:
        id, day, reasons = rows[content]
        first = min((day, id), (row[1], row[0]))
        row = [first[1], first[0], sorted({*reasons, *row[2]})]
    else:
        row = [row[0], row[1], sorted(row[2])]
    rows[content] = row


def _sorted(value: Any) -> Any:
    return sorted(value.items()) if isinstance(value, Mapping) else value


def _is_text(column: pa.Field) -> bool:
    return bool(pa.types.is_string(column.type)) and column.name not in {"id", "step"}


def _vectors(rows: pa.Table, name: str) -> NDArray[np.float32]:
    if name not in rows.column_names:
        raise ColumnError(f"no column of the rows is called {name!r}", fix=did_you_mean(name, rows.column_names))
    matrix = rows[name].combine_chunks().flatten().to_numpy().reshape(rows.num_rows, -1).astype(np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: NDArray[np.float32] = matrix / np.where(lengths > 0, lengths, 1)
    return unit


def _apart_by_cosine(unit: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    apart = np.ones(len(unit), dtype=bool)
    for start in range(0, len(unit), 1024):
        near = unit[start : start + 1024] @ unit[: start + 1024].T >= threshold
        apart[start : start + 1024] = ~np.tril(near, k=start - 1).any(axis=1)
    return apart
