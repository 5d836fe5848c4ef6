"""Embedding drift as a fold: windows of vectors against those of the reference (see `tunewright.analyze.mmd`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.evidence import QUARTER, false_alarm_threshold
from tunewright.analyze.mmd import SCALES, Baseline, Features, Sample, drift, fit_baseline, witness
from tunewright.analyze.repeats import counted, effective_rows, text_keys, vector_keys
from tunewright.analyze.weighing import Weighing
from tunewright.errors import ColumnError, DataError
from tunewright.monitor import looks
from tunewright.monitor.looks import Compared, Pane
from tunewright.monitor.monitors import Report, fingerprint, require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.reference import Reference
    from tunewright.monitor.state import State

__all__ = ["EmbeddingDrift", "stacked"]


@dataclass(frozen=True, slots=True)
class EmbeddingDrift:
    """Whether the vectors of production are those of the reference.

    Attributes:
        column: vectors of production, and of the reference.
        window: rows that are compared together. The reference needs twice as many.
        bandwidths: of the kernels, as multiples of the median distance in the reference.
        features: random features, an even number.
        seed: of them.
        unit: column whose equal values, such as a user's, make rows count as one.
        false_alarms: per quarter, that are accepted, in (0, 1].
        quarter: windows in a quarter.
    """

    column: str
    window: int = 500
    bandwidths: tuple[float, ...] = SCALES
    features: int = 1024
    seed: int = 0
    unit: str | None = None
    false_alarms: float = 0.05
    quarter: int = QUARTER

    def __post_init__(self) -> None:
        false_alarm_threshold(self.false_alarms)
        if self.window < 10 or self.features < 2 or self.features % 2 or self.quarter < 1:
            raise DataError(
                "expected windows of 10 rows or more, an even number of features and a quarter of a window or more, "
                f"found {self.window}, {self.features} and {self.quarter}"
            )

    @property
    def name(self) -> str:
        return f"drift({self.column})"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.column, self.unit} - {None})  # type: ignore[arg-type]

    @property
    def fingerprint(self) -> str:
        return fingerprint(self, version=2)

    def start(self, reference: Reference | None) -> State:
        """Learn what the test needs of the reference, which takes seconds.

        Raises:
            DataError: if there is no reference, or it has fewer rows than two windows.
            ColumnError: if it lacks the vectors, or the unit.
        """
        if reference is None:
            raise DataError(
                f"expected a reference for {self.name}, found none", fix="give the monitor reference=Reference.from_run"
            )
        vectors = reference.vectors(self.column)
        baseline = fit_baseline(
            vectors,
            self.window,
            keys=self._reference_keys(reference, len(vectors)),
            scales=self.bandwidths,
            features=self.features,
            seed=self.seed,
        )
        known = _to_state(baseline, reference.version)
        return {**looks.started(_Vectors(baseline), known, quarter=self.quarter), "rows": 0, "missing": 0}

    def update(self, state: State, rows: pa.Table) -> State:
        """Rows without a vector are counted and left out.

        Raises:
            ColumnError: if a column is missing or holds no vectors.
            DataError: if a vector is not finite or has other dimensions than those of the reference.
        """
        if rows.num_rows == 0:
            return state
        require(self, rows)
        baseline = _from_state(state["reference"], self)
        there = rows.filter(rows[self.column].is_valid())
        vectors = stacked(there[self.column], self.column)
        if len(vectors):
            keys = vector_keys(vectors) if self.unit is None else text_keys(there[self.unit].to_pylist())
            block = _Block(baseline.features.map(vectors), keys)
            state = looks.fed(state, block, self._statistic(baseline), window=self.window)
        state["rows"] += rows.num_rows
        state["missing"] += rows.num_rows - len(vectors)
        return state

    def merge(self, a: State, b: State) -> State:
        baseline = _from_state(a["reference"], self)
        counts = {name: a[name] + b[name] for name in ("rows", "missing")}
        return {**looks.merged_looks(a, b, self._statistic(baseline)), **counts}

    def report(self, state: State) -> Report:
        """Of the last window p and effect; evidence of the quarter, its threshold, whether it is reached; all looks."""
        statistic = self._statistic(_from_state(state["reference"], self))
        worth = state["reference"]["effective"] / self.window
        columns = looks.looks(state, statistic, window=self.window, quarter=self.quarter, reference=worth)
        said = looks.summary(columns, threshold=false_alarm_threshold(self.false_alarms))
        return {"rows": state["rows"], "missing": state["missing"], **said}

    def witness(self, state: State, vectors: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """[n] how much each vector is like the last window that was closed and unlike the reference; 0 is like both.

        Raises:
            DataError: if no window was closed yet, or vectors are not finite or of other dimensions.
        """
        recent = state["recent"]
        if recent is None:
            raise DataError(
                f"expected {self.window} rows for a window of {self.name}, found {state['open']['rows']}",
                fix="log more rows",
            )
        baseline = _from_state(state["reference"], self)
        return witness(vectors, self._statistic(baseline).sample(recent["pane"]), baseline)

    def _statistic(self, baseline: Baseline) -> _Vectors:
        return _Vectors(baseline, units=self.unit is not None)

    def _reference_keys(self, reference: Reference, rows: int) -> NDArray[np.uint64] | None:
        if self.unit is None:
            return None
        values = reference.column(self.unit)
        if len(values) != rows:
            raise ColumnError(
                f"expected a vector for each of {len(values)} rows of the reference, as rows of equal {self.unit!r} "
                f"count once; found {rows}",
                fix="leave rows without a vector out of the reference",
            )
        return text_keys(values.to_pylist())


@dataclass(frozen=True, slots=True)
class _Block:
    """Features and keys of a batch."""

    mapped: NDArray[np.float32]
    keys: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, rows: slice) -> _Block:
        return _Block(self.mapped[rows], self.keys[rows])


@dataclass(frozen=True, slots=True)
class _Vectors:
    """Sums of features. Of rows that belong to units the units are kept, as they come again in later windows."""

    baseline: Baseline
    units: bool = False
    none: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    def empty(self) -> Pane:
        return {"rows": 0, "total": np.zeros(self.baseline.features.count), "keys": self.none}

    def add(self, pane: Pane, block: _Block) -> Pane:
        return {
            "rows": pane["rows"] + len(block),
            "total": pane["total"] + block.mapped.sum(axis=0, dtype=np.float64),
            "keys": np.concatenate([pane["keys"], block.keys]),
        }

    def close(self, pane: Pane) -> Pane:
        keys, counts = counted(pane["keys"])
        worth = effective_rows(counts, expected=self.baseline.repeated)
        closed = {"rows": pane["rows"], "total": pane["total"], "effective": worth}
        return {**closed, "keys": keys, "counts": counts} if self.units else closed

    def join(self, a: Pane, b: Pane) -> Pane:
        joined = {"rows": a["rows"] + b["rows"], "total": a["total"] + b["total"]}
        if "effective" not in a:
            return {**joined, "keys": np.concatenate([a["keys"], b["keys"]])}
        if not self.units:
            return {**joined, "effective": a["effective"] + b["effective"]}
        keys, counts = counted(*(np.concatenate([a[name], b[name]]) for name in ("keys", "counts")))
        return {**joined, "effective": effective_rows(counts), "keys": keys, "counts": counts}

    def compare(self, closed: Pane) -> Compared:
        found = drift(self.sample(closed), self.baseline)
        return Compared(found.p, found.effect)

    def mark(self, closed: Pane) -> bytes:
        return np.round(closed["total"], 6).tobytes()

    def sample(self, closed: Pane) -> Sample:
        return Sample(closed["rows"], closed["effective"], closed["total"])


def stacked(column: pa.ChunkedArray, name: str) -> NDArray[np.float32]:
    """[n, dimensions] of a column of lists, none of them null.

    Raises:
        ColumnError: if it is no column of lists.
        DataError: if their lengths differ.
    """
    kind = column.type
    if not (pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        raise ColumnError(f"expected vectors in column {name!r}, found {kind}", fix="log lists of numbers")
    lengths = np.unique(pc.list_value_length(column).to_numpy())
    if len(lengths) > 1:
        raise DataError(f"expected vectors of one length in column {name!r}, found {lengths[:5].tolist()}")
    flat = pc.list_flatten(column).to_numpy().astype(np.float32, copy=False)
    return np.asarray(flat.reshape(len(column), -1) if len(column) else np.zeros((0, 1), dtype=np.float32))


def _to_state(baseline: Baseline, version: str) -> State:
    sample, features = baseline.sample, baseline.features
    return {
        "version": version,
        "dimensions": features.dimensions,
        "bandwidth": features.bandwidth,
        "rows": sample.rows,
        "effective": sample.effective,
        "total": sample.total,
        "axes": baseline.weighing.axes,
        "scales": baseline.weighing.scales,
        "rest": baseline.weighing.rest,
        "plain": list(baseline.plain),
        "weighed": list(baseline.weighed),
        "repeated": baseline.repeated,
        "null": baseline.null,
    }


def _from_state(known: State, fold: EmbeddingDrift) -> Baseline:
    features = Features(known["dimensions"], known["bandwidth"], tuple(fold.bandwidths), fold.features, fold.seed)
    sample = Sample(known["rows"], known["effective"], known["total"])
    weighing = Weighing(known["axes"], known["scales"], known["rest"])
    plain, weighed = (tuple(known[name]) for name in ("plain", "weighed"))
    return Baseline(features, sample, weighing, plain, weighed, known["repeated"], known["null"])
