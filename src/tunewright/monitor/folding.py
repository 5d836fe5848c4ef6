"""States of folds, each of which takes a batch as a whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunewright.errors import DataError, ProjectError, TunewrightError
from tunewright.monitor import state as states

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.monitor.monitors import Fold
    from tunewright.monitor.reference import Reference
    from tunewright.monitor.state import State

__all__ = ["FAILURES", "Folding"]

FAILURES = (Exception, SystemExit)
"""What code of a user may raise without stopping the monitor."""


@dataclass(slots=True)
class _Kept:
    """A state as bytes, and the batches that were taken since."""

    data: bytes
    since: list[pa.Table] = field(default_factory=list)


class Folding:
    """The states of folds by name.

    A fold that fails may have changed a part of the state that it was given. To copy each state before each batch would
    cost more than most folds do, so what is kept are its bytes, anew with each segment, and the batches since: after a
    failure they lead again to where it was.
    """

    def __init__(self, folds: Mapping[str, Fold], versions: Mapping[str, str], reference: Reference | None) -> None:
        """Start every fold.

        Raises:
            ProjectError: if one does not start, or its state is not plain data.
        """
        self._folds, self._versions = folds, versions
        self.states = {name: _started(fold, reference) for name, fold in folds.items()}
        self._kept = {name: _Kept(self._first(name)) for name in folds}

    def opened(self, name: str, data: bytes) -> State:
        """A state of a fold, perhaps of another writer, of its bytes."""
        constant, _ = states.split(self.states[name])
        return states.joined(constant, states.from_bytes(data, self._versions[name]))

    def restore(self, name: str, data: bytes) -> None:
        """Go on from a state that was saved."""
        self.states[name] = self.opened(name, data)
        self._kept[name] = _Kept(data)

    def update(self, name: str, rows: pa.Table) -> str:
        """Give a fold a batch.

        Returns:
            what went wrong, in which case the state is that before the batch; empty if nothing did.
        """
        try:
            self.states[name] = self._updated(name, self.states[name], rows)
        except FAILURES as error:
            return f"{type(error).__name__}: {error}{self._undo(name)}"
        self._kept[name].since.append(rows)
        return ""

    def save(self, name: str) -> tuple[bytes, str]:
        """The state as bytes, from which a failure goes back from now on; and what went wrong.

        A state that came to hold what is not plain data is given up for the last one that did not.
        """
        try:
            self._keep(name)
        except DataError as error:
            lost = sum(rows.num_rows for rows in self._kept[name].since)
            self.restore(name, self._kept[name].data)
            return self._kept[name].data, f"{error}; the last {lost} rows do not count"
        return self._kept[name].data, ""

    def _updated(self, name: str, state: State, rows: pa.Table) -> State:
        found: object = self._folds[name].update(state, rows)
        if not isinstance(found, dict):
            raise DataError(f"expected the state, a dictionary, found {type(found).__name__}", fix="return the state")
        return found

    def _first(self, name: str) -> bytes:
        try:
            return self._bytes(name)
        except DataError as error:
            raise ProjectError(f"{name!r} cannot be saved: {error}", fix=error.fix) from error

    def _bytes(self, name: str) -> bytes:
        return states.to_bytes(states.split(self.states[name])[1], self._versions[name])

    def _keep(self, name: str) -> None:
        self._kept[name] = _Kept(self._bytes(name))

    def _undo(self, name: str) -> str:
        """Bring a state to where it was; a text if that was not possible, as the fold does not do the same twice."""
        kept = self._kept[name]
        state = self.opened(name, kept.data)
        try:
            for rows in kept.since:
                state = self._updated(name, state, rows)
        except FAILURES:
            lost = sum(rows.num_rows for rows in kept.since)
            self.restore(name, kept.data)
            return f"; it failed at rows that it had taken before, so the last {lost} rows do not count either"
        self.states[name] = state
        self.save(name)  # so that failures that follow one another do not repeat the batches each time
        return ""


def _started(fold: Fold, reference: Reference | None) -> State:
    try:
        return fold.start(reference)
    except TunewrightError:
        raise
    except FAILURES as error:
        raise ProjectError(f"{fold.name!r} does not start: {type(error).__name__}: {error}") from error
