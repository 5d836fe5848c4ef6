"""Drift of one column, of numbers or of categories, as a fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.evidence import QUARTER, false_alarm_threshold
from tunewright.analyze.sketches import QuantileSketch, g_test, ks_test
from tunewright.errors import ColumnError, DataError
from tunewright.monitor import looks
from tunewright.monitor.looks import Compared, Pane
from tunewright.monitor.monitors import Report, fingerprint, require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.reference import Reference
    from tunewright.monitor.state import State

__all__ = ["ColumnDrift", "Kind"]

Kind = Literal["auto", "numbers", "categories"]

_FEW = 20  # different whole numbers that are names rather than amounts
_MOST = 1000  # categories that are told apart; production's new ones, and rarer ones, are one more
_OTHER = "(other)"
_TOLD = 10  # categories in a report
_SKETCH = ("count", "turns", "size", "variance", "low", "high")


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """Whether a column has the values that it has in the reference.

    Numbers are compared by Kolmogorov and Smirnov's test of quantile sketches, categories by a G-test; whole numbers
    of at most twenty kinds are categories unless ``kind`` says otherwise.

    Attributes:
        column: of production, and of the reference.
        window: rows with a value that are compared together.
        kind: of the column.
        false_alarms: per quarter, that are accepted, in (0, 1].
        quarter: windows in a quarter.
    """

    column: str
    window: int = 500
    kind: Kind = "auto"
    false_alarms: float = 0.05
    quarter: int = QUARTER

    def __post_init__(self) -> None:
        false_alarm_threshold(self.false_alarms)
        if self.window < 10 or self.quarter < 1 or self.kind not in {"auto", "numbers", "categories"}:
            raise DataError(
                "expected windows of 10 rows or more, a quarter of a window or more, and a kind of auto, numbers or "
                f"categories, found {self.window}, {self.quarter} and {self.kind!r}"
            )

    @property
    def name(self) -> str:
        return f"drift({self.column})"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.column})

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        """Learn the values of the reference.

        Raises:
            DataError: if there is no reference, or no value in its column.
            ColumnError: if it lacks the column.
        """
        if reference is None:
            raise DataError(
                f"expected a reference for {self.name}, found none", fix="give the monitor reference=Reference.from_run"
            )
        values = reference.column(self.column).drop_null()
        if len(values) == 0:
            raise DataError(f"expected values of {self.column!r} in the reference, found none")
        numbers = self.kind == "numbers" or (self.kind == "auto" and _amounts(values))
        known = _known_numbers(values, self.column) if numbers else _known_categories(values)
        known["version"] = reference.version
        return {**looks.started(_statistic(known), known, quarter=self.quarter), "rows": 0, "missing": 0}

    def update(self, state: State, rows: pa.Table) -> State:
        """Rows without a value, and numbers that are not finite, are counted and left out.

        Raises:
            ColumnError: if the column is missing, or of another type than the reference's.
        """
        if rows.num_rows == 0:
            return state
        require(self, rows)
        statistic = _statistic(state["reference"])
        block = statistic.block(rows[self.column].drop_null(), self.column)
        state = looks.fed(state, block, statistic, window=self.window)
        state["rows"] += rows.num_rows
        state["missing"] += rows.num_rows - len(block)
        return state

    def merge(self, a: State, b: State) -> State:
        counts = {name: a[name] + b[name] for name in ("rows", "missing")}
        return {**looks.merged_looks(a, b, _statistic(a["reference"])), **counts}

    def report(self, state: State) -> Report:
        """Of the last window p and effect, what changed in it; evidence of the quarter and its threshold; all looks."""
        statistic = _statistic(state["reference"])
        columns = looks.looks(state, statistic, window=self.window, quarter=self.quarter)
        said = looks.summary(columns, threshold=false_alarm_threshold(self.false_alarms))
        changed = statistic.change(state["recent"]["pane"] if state["recent"] else statistic.empty())
        return {"rows": state["rows"], "missing": state["missing"], **said, "change": changed}


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Values as they are in a window, sketches of runs of windows."""

    reference: QuantileSketch

    def block(self, values: pa.ChunkedArray, name: str) -> NDArray[np.float64]:
        found = _numbers(values, name)
        return found[np.isfinite(found)]

    def empty(self) -> Pane:
        return {"rows": 0, "values": np.zeros(0)}

    def add(self, pane: Pane, block: NDArray[np.float64]) -> Pane:
        return {"rows": pane["rows"] + len(block), "values": np.concatenate([pane["values"], block])}

    def close(self, pane: Pane) -> Pane:
        return {"rows": pane["rows"], "sketch": _packed(QuantileSketch.of(pane["values"]))}

    def join(self, a: Pane, b: Pane) -> Pane:
        rows = a["rows"] + b["rows"]
        if "values" in a:
            return {"rows": rows, "values": np.concatenate([a["values"], b["values"]])}
        return {"rows": rows, "sketch": _packed(_sketch(a).merge(_sketch(b)))}

    def compare(self, closed: Pane) -> Compared:
        found = ks_test(_sketch(closed), self.reference)
        return Compared(found.p, found.effect)

    def mark(self, closed: Pane) -> bytes:
        return b"".join(np.asarray(part).tobytes() for part in _sketch(closed).weighted())

    def change(self, pane: Pane) -> pa.Table:
        """Quantiles of the reference and of a window."""
        shares = [0.05, 0.25, 0.5, 0.75, 0.95]
        now = _sketch(pane) if "sketch" in pane else None
        return pa.table(
            {
                "quantile": shares,
                "reference": [self.reference.quantile(share) for share in shares],
                "window": pa.array([now.quantile(share) if now else None for share in shares], pa.float64()),
            }
        )


@dataclass(frozen=True, slots=True)
class _Categories:
    """Counts of the categories of the reference, the last of which is all others."""

    names: list[str]
    counts: NDArray[np.int64]

    def block(self, values: pa.ChunkedArray, name: str) -> NDArray[np.int64]:
        place = pc.index_in(_texts(values), value_set=pa.array(self.names[:-1], pa.string()))
        return np.asarray(pc.fill_null(place, len(self.names) - 1).to_numpy(), dtype=np.int64)

    def empty(self) -> Pane:
        return {"rows": 0, "counts": np.zeros(len(self.names), dtype=np.int64)}

    def add(self, pane: Pane, block: NDArray[np.int64]) -> Pane:
        return {
            "rows": pane["rows"] + len(block),
            "counts": pane["counts"] + np.bincount(block, minlength=len(self.names)),
        }

    def close(self, pane: Pane) -> Pane:
        return pane

    def join(self, a: Pane, b: Pane) -> Pane:
        return {"rows": a["rows"] + b["rows"], "counts": a["counts"] + b["counts"]}

    def compare(self, closed: Pane) -> Compared:
        found = g_test(closed["counts"], self.counts)
        return Compared(found.p, found.effect)

    def mark(self, closed: Pane) -> bytes:
        return bytes(closed["counts"].tobytes())

    def change(self, pane: Pane) -> pa.Table:
        """Shares of the categories in the reference and in a window, those that changed most first."""
        before, now = (counts / max(counts.sum(), 1) for counts in (self.counts, pane["counts"]))
        order = np.argsort(-np.abs(now - before), kind="stable")[:_TOLD]
        names = [self.names[place] for place in order.tolist()]
        return pa.table({"category": names, "reference": before[order], "window": now[order]})


def _statistic(known: State) -> _Numbers | _Categories:
    if known["kind"] == "numbers":
        return _Numbers(_sketch(known))
    return _Categories(known["names"], known["counts"])


def _amounts(values: pa.ChunkedArray) -> bool:
    kind = values.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return True
    return bool(pa.types.is_integer(kind) and pc.count_distinct(values).as_py() > _FEW)


def _known_numbers(values: pa.ChunkedArray, name: str) -> State:
    sketch = QuantileSketch.of(_numbers(values, name), size=4096)
    if sketch.count == 0:
        raise DataError(f"expected finite numbers of {name!r} in the reference, found none")
    return {"kind": "numbers", "sketch": _packed(sketch)}


def _known_categories(values: pa.ChunkedArray) -> State:
    found = pc.value_counts(_texts(values).combine_chunks())
    names, counts = found.field("values").to_pylist(), found.field("counts").to_numpy()
    order = sorted(range(len(names)), key=lambda place: (-counts[place], names[place]))
    kept = order[:_MOST]
    others = int(counts.sum()) - int(counts[kept].sum())
    return {
        "kind": "categories",
        "names": [*(names[place] for place in kept), _OTHER],
        "counts": np.append(counts[kept], others).astype(np.int64),
    }


def _numbers(values: pa.ChunkedArray, name: str) -> NDArray[np.float64]:
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise ColumnError(
            f"expected numbers in column {name!r}, as in the reference, found {kind}",
            fix="log numbers, or say kind='categories'",
        )
    return np.asarray(values.cast(pa.float64()).to_numpy())


def _texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(pa.string())


def _packed(sketch: QuantileSketch) -> State:
    return {"levels": list(sketch.levels), **{name: _plain(getattr(sketch, name)) for name in _SKETCH}}


def _plain(value: Any) -> Any:
    """A float that is no number is None, as JSON has none."""
    return None if isinstance(value, float) and np.isnan(value) else value


def _sketch(pane: Pane) -> QuantileSketch:
    packed = pane["sketch"]
    scalars: dict[str, Any] = {name: np.nan if packed[name] is None else packed[name] for name in _SKETCH}
    return QuantileSketch(tuple(packed["levels"]), **scalars)
