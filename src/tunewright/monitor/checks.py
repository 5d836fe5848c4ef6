"""What a monitor checks, sorted into edges that mark rows and folds that keep a state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError, ProjectError, did_you_mean
from tunewright.monitor.evaluation import evaluate
from tunewright.monitor.expressions import Edge, Signal
from tunewright.monitor.monitors import Fold, as_fold

__all__ = ["Checks", "Marks", "marks", "with_reasons"]

_COMPARISONS = frozenset({">", ">=", "<", "<="})


@dataclass(frozen=True, slots=True)
class Marks:
    """What the edges say about n rows.

    Attributes:
        marked: [n] by edge, True where it marks the row.
        scores: [n] by edge, float32: the compared number where the row is marked; 1 where the edge compares none.
        nulls: rows by edge that it says nothing about, as a value is missing.
        errors: what went wrong, by edge.
    """

    marked: Mapping[str, np.ndarray[Any, np.dtype[np.bool_]]]
    scores: Mapping[str, np.ndarray[Any, np.dtype[np.float32]]]
    nulls: Mapping[str, int]
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of a monitor by name, and the columns that hold ground truth."""

    edges: Mapping[str, Edge] = field(default_factory=dict)
    folds: Mapping[str, Fold] = field(default_factory=dict)
    truth: frozenset[str] = frozenset()

    @classmethod
    def of(cls, checks: Iterable[Any], *, truth: Iterable[str] = ()) -> Checks:
        """Sort what a user gives: edges, folds, and objects with ``init`` and ``check``.

        Raises:
            ProjectError: if one is something else, or two have one name.
        """
        edges: dict[str, Edge] = {}
        folds: dict[str, Fold] = {}
        for check in checks:
            sorted_out = _sorted_out(check)
            if sorted_out.name in edges or sorted_out.name in folds:
                raise ProjectError(
                    f"two checks are called {sorted_out.name!r}", fix='name each: `.edge("name")`, or `name=`'
                )
            if isinstance(sorted_out, Edge):
                edges[sorted_out.name] = sorted_out
            else:
                folds[sorted_out.name] = sorted_out
        named = {name for edge in edges.values() for name in _truths(edge.signal)}
        return cls(edges, folds, frozenset({*truth, *named}))

    @property
    def all(self) -> dict[str, Edge | Fold]:
        """Every check by name."""
        return {**self.edges, **self.folds}

    @property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprint by name."""
        return {name: check.fingerprint for name, check in self.all.items()}

    @property
    def late_edges(self) -> dict[str, Edge]:
        """Edges that wait for ground truth."""
        return {name: edge for name, edge in self.edges.items() if edge.signal.needs_truth or edge.needs & self.truth}

    def ready(self, columns: Iterable[str]) -> dict[str, Edge]:
        """Edges that can be evaluated on rows with these columns; `truth` is null where there is no such column."""
        have = set(columns)
        return {name: edge for name, edge in self.edges.items() if edge.signal.needs_truth or edge.needs <= have}

    def require(self, columns: Iterable[str]) -> None:
        """Raises DataError if rows with these columns lack one that a check needs and that is no ground truth."""
        have = {*columns, *self.truth}
        for name, check in self.all.items():
            if lacking := sorted(check.needs - have):
                raise DataError(
                    f"check {name!r} needs column {lacking[0]!r}, which the batch lacks",
                    fix=f"{did_you_mean(lacking[0], have)}; if labels bring it, say Monitor(truth=[{lacking[0]!r}])",
                )


def marks(edges: Mapping[str, Edge], rows: pa.Table, *, reference: Any = None) -> Marks:
    """Which rows the edges mark. A signal that fails marks nothing, and stops no other one."""
    found = evaluate({name: edge.signal for name, edge in edges.items()}, rows, reference=reference)
    errors = {**_no_conditions(edges, found.values), **found.errors}
    nothing = pa.nulls(rows.num_rows)
    marked = {name: _true(nothing if name in errors else found.values[name], rows.num_rows) for name in edges}
    scores = {name: _scores(edges[name].signal, rows, marked[name], reference) for name in edges}
    nulls = {name: found.values[name].null_count for name in edges if name not in errors}
    return Marks(marked, scores, {name: count for name, count in nulls.items() if count}, errors)


def with_reasons(rows: pa.Table, found: Marks) -> pa.Table:
    """Rows with columns ``reasons``, the names of all edges that mark a row, and ``scores``, one for each."""
    reasons: list[list[str]] = [[] for _ in range(rows.num_rows)]
    scores: list[list[float]] = [[] for _ in range(rows.num_rows)]
    for name, mask in found.marked.items():
        values = found.scores[name]
        for row in np.flatnonzero(mask).tolist():
            reasons[row].append(name)
            scores[row].append(float(values[row]))
    rows = rows.append_column("reasons", pa.array(reasons, pa.list_(pa.string())))
    return rows.append_column("scores", pa.array(scores, pa.list_(pa.float32())))


def _sorted_out(check: Any) -> Edge | Fold:
    if isinstance(check, Edge):
        return check
    if isinstance(check, Signal):
        raise ProjectError(
            f"`{check}` is a signal, which marks nothing", fix='name what it finds: `(...).edge("name")`'
        )
    return as_fold(check)


def _parts(signal: Signal) -> Iterator[Signal]:
    yield signal
    for part in signal.inputs:
        yield from _parts(part)


def _truths(signal: Signal) -> set[str]:
    return {str(part.option("name")) for part in _parts(signal) if part.op == "truth"}


def _no_conditions(edges: Mapping[str, Edge], values: Mapping[str, pa.Array]) -> dict[str, str]:
    """What a function of the user gave instead of truth values, by edge."""
    kinds = {name: values[name].type for name in edges}
    return {
        name: f"expected true or false from `{edges[name].signal}`, found {kind}"
        for name, kind in kinds.items()
        if not (
            pa.types.is_boolean(kind)
            or pa.types.is_null(kind)
            or pa.types.is_integer(kind)
            or pa.types.is_floating(kind)
        )
    }


def _true(values: pa.Array, count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if pa.types.is_null(values.type):
        return np.zeros(count, dtype=bool)
    mask: np.ndarray[Any, np.dtype[np.bool_]] = pc.fill_null(values.cast(pa.bool_()), False).to_numpy(False)
    return mask


def _scores(
    signal: Signal, rows: pa.Table, mask: np.ndarray[Any, np.dtype[np.bool_]], reference: Any
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The number that the first comparison of a signal compares, for marked rows only: it may be dear."""
    scores = np.where(mask, np.float32(1), np.float32(0))
    compared = next((part.inputs[0] for part in _parts(signal) if part.op in _COMPARISONS), None)
    if compared is None or not mask.any():
        return scores
    found = evaluate({"score": compared}, rows.filter(pa.array(mask)), reference=reference)
    if not found.errors and not pa.types.is_null(found.values["score"].type):
        scores[mask] = pc.fill_null(found.values["score"].cast(pa.float32(), safe=False), 1).to_numpy(False)
    return scores
