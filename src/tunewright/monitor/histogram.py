"""How values are spread, such as the lengths of inputs, and where a cut-off for the unusually large ones could lie."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ColumnError, DataError
from tunewright.monitor.monitors import Report, fingerprint
from tunewright.monitor.state import CONSTANT, State

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.reference import Reference

__all__ = ["Cut", "Histogram", "suggest_cut"]

_GROWTH = 1.02  # of one bin to the next: a quantile is right to one per cent (Masson et al. 2019)
_QUANTILES = (0.5, 0.9, 0.95, 0.98, 0.99)
_BARS = 64


@dataclass(frozen=True, slots=True)
class Cut:
    """Where to cut, and what lies beyond.

    Attributes:
        elbow: where the curve of the counts turns from its fall into its tail (Satopää et al. 2011).
        quantiles: by share of the values below.
        beyond: share of the values above the elbow, in [0, 1].
    """

    elbow: float
    quantiles: Mapping[float, float]
    beyond: float


def suggest_cut(values: NDArray[np.number[Any]], *, bars: int = _BARS) -> Cut:
    """A cut-off for values with a long tail on the right, such as lengths.

    The elbow is the point of the histogram, from its peak to its end, that is furthest below the straight line between
    the two, both axes scaled to 1. The tail is read as falling, so that a dip by chance beside the peak is none.

    Args:
        values: [n] numbers, two different ones or more.
        bars: of the histogram at most; those of whole numbers are as wide as whole numbers, so that each has as many.

    Raises:
        DataError: if all values are equal, or one is not finite.
    """
    if len(values) == 0 or not np.isfinite(values).all() or np.min(values) == np.max(values):
        raise DataError(f"expected two different finite values or more, found {len(np.unique(values))}")
    counts, edges = np.histogram(values, bins=_edges(values, bars))
    tail = _falling(counts[(peak := int(counts.argmax())) :])
    below = np.linspace(1, tail[-1] / tail[0], len(tail)) - tail / tail[0]
    elbow = float(edges[peak + int(below.argmax())])
    quantiles = {share: float(np.quantile(values, share)) for share in _QUANTILES}
    return Cut(elbow, quantiles, float((values > elbow).mean()))


def _edges(values: NDArray[np.number[Any]], bars: int) -> NDArray[np.float64]:
    lowest, highest = float(values.min()), float(values.max())
    if not np.array_equal(values, np.round(values)):
        return np.linspace(lowest, highest, bars + 1)
    width = math.ceil((highest - lowest + 1) / bars)
    return lowest + width * np.arange(math.ceil((highest - lowest + 1) / width) + 1, dtype=np.float64)


def _falling(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n] the closest counts, by least squares, of which none is above the one before.

    >>> _falling(np.array([9, 2, 4, 1])).tolist()
    [9.0, 3.0, 3.0, 1.0]
    """
    levels: list[tuple[float, int]] = []
    for count in counts.tolist():
        level, width = float(count), 1
        while levels and levels[-1][0] < level:
            before, wide = levels.pop()
            level, width = (level * width + before * wide) / (width + wide), width + wide
        levels.append((level, width))
    return np.repeat([level for level, _ in levels], [width for _, width in levels])


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """A fold: quantiles to one per cent, and the share beyond a cut-off.

    Attributes:
        column: of numbers, or of texts.
        of: what is counted of texts.
        cut: values above it are counted; None is the elbow of the reference, where it has the column.
    """

    column: str
    of: Literal["values", "characters", "words"] = "values"
    cut: float | None = None

    @property
    def name(self) -> str:
        return f"{self.of} of {self.column}"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.column})

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        return {CONSTANT: {"cut": self._cut(reference)}, "rows": 0, "missing": 0, "beyond": 0, "bins": {}, "ends": []}

    def update(self, state: State, rows: pa.Table) -> State:
        values = self._numbers(rows[self.column])
        values = values[np.isfinite(values)]
        bins, counts = np.unique(_bins(values), return_counts=True)
        for place, count in zip(bins.tolist(), counts.tolist(), strict=True):
            state["bins"][str(place)] = state["bins"].get(str(place), 0) + count
        cut = state[CONSTANT]["cut"]
        state["beyond"] += 0 if cut is None else int((values > cut).sum())
        state["rows"] += rows.num_rows
        state["missing"] += rows.num_rows - len(values)
        state["ends"] = _ends([*state["ends"], *values.tolist()])
        return state

    def merge(self, a: State, b: State) -> State:
        """Of two states with the same reference; neither is changed."""
        names = {*a["bins"], *b["bins"]}
        bins = {name: a["bins"].get(name, 0) + b["bins"].get(name, 0) for name in names}
        sums = {name: a[name] + b[name] for name in ("rows", "missing", "beyond")}
        return {CONSTANT: a[CONSTANT], **sums, "bins": bins, "ends": _ends([*a["ends"], *b["ends"]])}

    def report(self, state: State) -> Report:
        """``lowest``, ``highest``, quantiles, ``beyond`` the ``cut`` as a share, and ``bins``: middle, rows."""
        order = sorted(int(name) for name in state["bins"])
        counts = np.array([state["bins"][str(place)] for place in order], dtype=np.int64)
        middles = np.array([_middle(place) for place in order])
        total = int(counts.sum())
        lowest, highest = state["ends"] or (None, None)
        told = {f"q{100 * share:g}": _quantile(middles, counts, share) if total else None for share in _QUANTILES}
        beyond = state["beyond"] / total if total and state[CONSTANT]["cut"] is not None else None
        return {
            "rows": state["rows"],
            "missing": state["missing"],
            "lowest": lowest,
            "highest": highest,
            **told,
            "cut": state[CONSTANT]["cut"],
            "beyond": beyond,
            "bins": pa.table({"middle": middles, "rows": counts}),
        }

    def _cut(self, reference: Reference | None) -> float | None:
        if self.cut is not None or reference is None or not reference.has(self.column):
            return self.cut
        values = self._numbers(reference.column(self.column))
        values = values[np.isfinite(values)]
        return suggest_cut(values).elbow if len(np.unique(values)) > 1 else None

    def _numbers(self, column: pa.ChunkedArray) -> NDArray[np.float64]:
        """[n] NaN where a value is missing."""
        if self.of != "values":
            words = self.of == "words"
            column = pc.count_substring_regex(column, r"\S+") if words else pc.utf8_length(column)
        elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            raise ColumnError(
                f"expected numbers in column {self.column!r}, found {column.type}",
                fix="of texts, count of='characters' or of='words'",
            )
        numbers: NDArray[np.float64] = pc.cast(column, pa.float64()).to_numpy()
        return numbers


def _bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """[n] 0 of zero, positive of positive and negative of negative values, larger in size with the value."""
    size = np.abs(values)
    place = np.ceil(np.log(np.maximum(size, 1e-9)) / math.log(_GROWTH)).astype(np.int64) + 1100
    return np.where(size < 1e-9, 0, np.sign(values).astype(np.int64) * place)


def _middle(place: int) -> float:
    if place == 0:
        return 0.0
    return math.copysign(2 * _GROWTH ** (abs(place) - 1100) / (_GROWTH + 1), place)


def _quantile(middles: NDArray[np.float64], counts: NDArray[np.int64], share: float) -> float:
    return float(middles[np.searchsorted(np.cumsum(counts), share * counts.sum())])


def _ends(values: list[float]) -> list[float]:
    return [min(values), max(values)] if values else []
