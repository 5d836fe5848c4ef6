"""Whether the rows are what they were: missing values, ranges, distance from the reference, and types of columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ColumnError
from tunewright.monitor.monitors import Report, fingerprint
from tunewright.monitor.state import CONSTANT, State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.reference import Reference

__all__ = ["Integrity"]

_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """A fold: how many rows break which rule.

    Attributes:
        non_null: columns that must have a value in every row.
        ranges: of numeric columns, lowest and highest, both allowed; None is no limit.
        z: of numeric columns that the reference has, how many standard deviations of the reference a value may be from
            its mean.
        schema: of columns, the Arrow type that they must have, such as ``"string"``; a column that is missing, or of
            another type, is counted once for each of the rows.
    """

    non_null: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    z: Mapping[str, float] = field(default_factory=dict)
    schema: Mapping[str, str] = field(default_factory=dict)
    called: str = "integrity"

    @property
    def name(self) -> str:
        return self.called

    @property
    def needs(self) -> frozenset[str]:
        """None: a column that is missing is what this fold tells."""
        return frozenset()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        moments = {name: _moments(reference, name) for name in self.z}
        rules = {rule: {"rows": 0, "ids": []} for rule in self._rules()}
        return {CONSTANT: moments, "rows": 0, "broken": 0, "rules": rules}

    def update(self, state: State, rows: pa.Table) -> State:
        broken = np.zeros(rows.num_rows, dtype=np.bool_)
        ids = _ids(rows)
        for rule, (kind, column) in self._rules().items():
            wrong = self._wrong(kind, column, rows, state[CONSTANT])
            known = state["rules"][rule]
            known["rows"] += int(wrong.sum())
            known["ids"] = _smallest([*known["ids"], *(ids[place] for place in np.flatnonzero(wrong).tolist())])
            broken |= wrong
        state["rows"] += rows.num_rows
        state["broken"] += int(broken.sum())
        return state

    def merge(self, a: State, b: State) -> State:
        """Of two states with the same reference; neither is changed."""
        rules = {
            rule: {
                "rows": a["rules"][rule]["rows"] + b["rules"][rule]["rows"],
                "ids": _smallest([*a["rules"][rule]["ids"], *b["rules"][rule]["ids"]]),
            }
            for rule in a["rules"]
        }
        sums = {name: a[name] + b[name] for name in ("rows", "broken")}
        return {CONSTANT: a[CONSTANT], **sums, "rules": rules}

    def report(self, state: State) -> Report:
        """``broken``, the share of rows that break a rule, in [0, 1], and ``rules``: rule, rows, ids of some."""
        told = [{"rule": rule, **known} for rule, known in state["rules"].items()]
        schema = pa.schema([("rule", pa.string()), ("rows", pa.int64()), ("ids", pa.list_(pa.string()))])
        share = state["broken"] / state["rows"] if state["rows"] else None
        return {"rows": state["rows"], "broken": share, "rules": pa.Table.from_pylist(told, schema=schema)}

    def _rules(self) -> dict[str, tuple[str, str]]:
        """Each rule in words, and its kind and column."""
        told = {f"{name} is there": ("non_null", name) for name in self.non_null}
        told |= {f"{_limits(name, *self.ranges[name])}": ("ranges", name) for name in self.ranges}
        told |= {f"{name} within {self.z[name]:g} standard deviations": ("z", name) for name in self.z}
        return told | {f"{name} is {kind}": ("schema", name) for name, kind in self.schema.items()}

    def _wrong(self, kind: str, name: str, rows: pa.Table, moments: Mapping[str, Any]) -> NDArray[np.bool_]:
        """[n] whether a row breaks the rule; a value that is missing breaks only the rule that it is there."""
        present = name in rows.column_names
        match kind:
            case "non_null":
                return np.asarray(pc.is_null(rows[name], nan_is_null=True), dtype=np.bool_) if present else _all(rows)
            case "schema":
                fits = present and str(rows.schema.field(name).type) == self.schema[name]
                return ~_all(rows) if fits else _all(rows)
        if not present:
            return ~_all(rows)
        values = _numbers(rows, name)
        if kind == "ranges":
            low, high = self.ranges[name]
            return (values < (-np.inf if low is None else low)) | (values > (np.inf if high is None else high))
        mean, deviation = moments[name]
        far: NDArray[np.bool_] = np.abs(values - mean) > self.z[name] * deviation
        return far


def _all(rows: pa.Table) -> NDArray[np.bool_]:
    return np.ones(rows.num_rows, dtype=np.bool_)


def _limits(name: str, low: float | None, high: float | None) -> str:
    return " ".join(
        [*([f"{low:g} <="] if low is not None else []), name, *([f"<= {high:g}"] if high is not None else [])]
    )


def _ids(rows: pa.Table) -> list[str]:
    return rows["id"].to_pylist() if "id" in rows.column_names else [""] * rows.num_rows


def _smallest(ids: list[str]) -> list[str]:
    return sorted(filter(None, ids))[:_EXAMPLES]


def _numbers(rows: pa.Table, name: str) -> NDArray[np.float64]:
    """[n] a numeric column, NaN where a value is missing; all NaN if it is no numeric column, which `schema` tells."""
    kind = rows.schema.field(name).type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        return np.full(rows.num_rows, np.nan)
    values: NDArray[np.float64] = pc.cast(rows[name], pa.float64()).to_numpy()
    return values


def _moments(reference: Reference | None, name: str) -> list[float]:
    if reference is None:
        raise ColumnError(
            f"the distance of {name!r} is one from the reference, and there is none",
            fix="give the monitor `reference=Reference.from_run(run)`",
        )
    reference.column(name)
    values = _numbers(reference.rows, name)
    values = values[np.isfinite(values)]
    if len(values) < 2 or values.std() == 0:
        raise ColumnError(f"expected two different numbers or more in column {name!r} of the reference, found fewer")
    return [float(values.mean()), float(values.std(ddof=1))]
