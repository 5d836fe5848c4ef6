"""What the recorder saw of every row of a snapshot, epoch by epoch, read once and kept small."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ColumnError
from tunewright.table import column_names, one_window, pivot, read, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def read(self, *names: str) -> None:
        """Read columns, by default all that is told of a row: together in a third of the time that they take apart."""
        with self._lock:
            if wanted := [name for name in names or _NAMES if name not in self._columns]:
                self._columns |= self._read(wanted)

    def of(self, name: str) -> NDArray[np.float32]:
        """One column, [rows, epochs]; NaN throughout if it was not recorded, as in an import."""
        self.read(name)
        return self._columns[name]

    def row(self, row: int) -> dict[str, NDArray[np.float32]]:
        """What was recorded of one row, [epochs] each: from memory if `read` is done, else from the files alone."""
        columns = self._columns
        if all(name in columns for name in _NAMES):
            return {name: columns[name][row] for name in _NAMES}
        return self._read_row(str(self._shot.rows["id"][row].as_py()))

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

    def _read(self, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """One file after the other, which takes little memory; the first of several records of a row counts."""
        columns = self._empty(names)
        for file in reversed(self._shot.run.parts("dynamics")):
            there = [name for name in names if name in column_names(file)]
            part = read(file, ["id", "epoch", "window", *there])
            if pc.max(part["window"]).as_py():  # windows of one row may be in several files
                return self._read_windows(names)
            places = self._shot.places(part["id"].combine_chunks())
            known = np.flatnonzero(places >= 0)[::-1]
            at = places[known], part["epoch"].to_numpy()[known]
            for name in there:
                columns[name][at] = pc.cast(part[name], pa.float32()).to_numpy()[known]
        return columns

    def _read_windows(self, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        columns = self._empty(names)
        for name, column in columns.items():
            with suppress(ColumnError):
                ids, known = self._shot.run.inputs([f"dynamics.{name}"])
                at = self._shot.places(ids)
                there = at >= 0
                column[at[there], : known[name].shape[1]] = known[name][there]
        return columns

    def _empty(self, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        shape = self._shot.rows.num_rows, self.epochs
        return {name: np.full(shape, np.nan, np.float32) for name in names}


def dynamics(seen: Seen) -> pa.Table:
    """What the recorder saw of each row: ``p<epoch>`` gold probability (float32, NaN where it was not seen), ``c<epoch>``
    whether it was right (uint8, 255). Epochs count from 1.
    """
    seen.read("gold_probability", "correct")
    probability, correct = seen.of("gold_probability"), seen.of("correct")
    columns: dict[str, NDArray[np.generic]] = {}
    for epoch in range(seen.epochs):
        columns[f"p{epoch + 1}"] = np.ascontiguousarray(probability[:, epoch])
        columns[f"c{epoch + 1}"] = _right(correct[:, epoch])
    return pa.table({name: pa.array(column) for name, column in columns.items()})


def _right(correct: NDArray[np.float32]) -> NDArray[np.uint8]:
    """1 where a row was right by at least half (answers are right in part), 0 where not, 255 where it was not seen."""
    return np.where(np.isnan(correct), 255, correct >= _HALF).astype(np.uint8)
