"""What the recorder saw of every row of a snapshot, epoch by epoch, read once and kept small."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ColumnError
from tunewright.table import one_window, pivot, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = ["Seen", "dynamics"]

_HALF = 0.5
_NAMES = ("gold_probability", "loss", "margin", "correct")
_KEYS = ("id", "epoch", "window", "gold_probability", "gold_everywhere")


class Seen:
    """Columns of the dynamics as float32 [rows, epochs], NaN where a row was not seen; each is read when asked for."""

    def __init__(self, shot: Snapshot) -> None:
        self._shot = shot
        self._lock = Lock()
        self._columns: dict[str, NDArray[np.float32]] = {}

    @property
    def epochs(self) -> int:
        """Whose dynamics were recorded."""
        return self._shot.epochs

    def read(self) -> None:
        """Read all that is told of a row."""
        for name in _NAMES:
            self.of(name)

    def row(self, row: int) -> dict[str, NDArray[np.float32]]:
        """What was recorded of one row, [epochs] each: from memory if `read` is done, else from the files alone."""
        columns = dict(self._columns)
        if all(name in columns for name in _NAMES):
            return {name: columns[name][row] for name in _NAMES}
        return self._read_row(str(self._shot.rows["id"][row].as_py()))

    def of(self, name: str) -> NDArray[np.float32]:
        """One column, [rows, epochs]; NaN throughout if it was not recorded, as in an import."""
        with self._lock:
            if name not in self._columns:
                self._columns[name] = self._read(name)
            return self._columns[name]

    def _read_row(self, id: str) -> dict[str, NDArray[np.float32]]:
        ids = pa.array([id])
        recorded = rows_of(self._shot.run.parts("dynamics"), ids, (*_KEYS, *_NAMES))
        if pc.max(recorded["window"]).as_py():
            recorded = one_window(recorded)
        columns = {name: np.full(self.epochs, np.nan, np.float32) for name in _NAMES}
        for name in columns.keys() & {*recorded.column_names}:
            values = pivot(recorded, name, ids=ids)[0]
            columns[name][: len(values)] = values
        return columns

    def _read(self, name: str) -> NDArray[np.float32]:
        column = np.full((self._shot.rows.num_rows, self.epochs), np.nan, np.float32)
        try:
            ids, known = self._shot.run.inputs([f"dynamics.{name}"])
        except ColumnError:
            return column
        at = self._shot.places(ids)
        there = at >= 0
        column[at[there], : known[name].shape[1]] = known[name][there]
        return column


def dynamics(seen: Seen) -> pa.Table:
    """What the recorder saw of each row: ``p<epoch>`` gold probability (float32, NaN where it was not seen), ``c<epoch>``
    whether it was right (uint8, 255). Epochs count from 1.
    """
    probability, correct = seen.of("gold_probability"), seen.of("correct")
    columns: dict[str, NDArray[np.generic]] = {}
    for epoch in range(seen.epochs):
        columns[f"p{epoch + 1}"] = np.ascontiguousarray(probability[:, epoch])
        columns[f"c{epoch + 1}"] = _right(correct[:, epoch])
    return pa.table({name: pa.array(column) for name, column in columns.items()})


def _right(correct: NDArray[np.float32]) -> NDArray[np.uint8]:
    """1 where a row was right by at least half (answers are right in part), 0 where not, 255 where it was not seen."""
    return np.where(np.isnan(correct), 255, correct >= _HALF).astype(np.uint8)
