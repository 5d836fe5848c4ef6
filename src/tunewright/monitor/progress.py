"""What a monitor knows after its last acknowledged batch: states, counts, and rows that wait for a segment.

It changes by one thing only, a journal entry, so that reading the journal again leads where the process was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from tunewright.monitor import state as states
from tunewright.monitor.catalogue import Pane, Saved
from tunewright.monitor.checks import Checks
from tunewright.monitor.collector import Collector, Marked
from tunewright.monitor.days import day
from tunewright.monitor.folding import Folding
from tunewright.monitor.journal import Entry
from tunewright.monitor.store import Commit

if TYPE_CHECKING:
    from tunewright.monitor.monitors import Fold
    from tunewright.monitor.reference import Reference
    from tunewright.monitor.state import State

__all__ = ["COLLECTOR", "MINUTE", "Progress"]

MINUTE = 60
COLLECTOR = "(collector)"
"""Name of the collector's state; no check has it."""


class Progress:
    """States of the checks of one writer, with the batches that no segment has yet."""

    def __init__(
        self, checks: Checks, *, reference: Reference | None, collector: Collector | None, time: str | None
    ) -> None:
        self.checks = checks
        self.collector = collector
        self.collected: State = collector.start() if collector else {}
        self.since = dict.fromkeys([*checks.edges, *checks.folds, COLLECTOR], 0)
        self.seen = 0
        self.made = 0
        self.unsaved: dict[str, str] = {}
        self._versions = {**checks.fingerprints, COLLECTOR: collector.fingerprint if collector else ""}
        if reference is not None:
            self._versions = {name: f"{version}-{reference.version}" for name, version in self._versions.items()}
        self._folding = Folding(checks.folds, self._versions, reference)
        self.time = time
        self._clear()

    @property
    def states(self) -> Mapping[str, State]:
        """Of the folds, by name."""
        return self._folding.states

    def restore(self, saved: Iterable[Saved], *, seen: int) -> list[str]:
        """Go on from saved states.

        Returns:
            a note for each check that does not go on: it is new, changed, or not given any more.
        """
        self.seen = seen
        known = {state.name: state for state in saved}
        notes = [_gone(name, seen) for name in known if name not in self.since]
        for name in self.since:
            state = known.get(name)
            if state is not None and state.fingerprint == self._versions[name]:
                self.since[name] = state.since
                self._take(name, state)
            elif seen and (name != COLLECTOR or self.collector):
                self.since[name] = seen
                notes.append(_begins(name, seen, changed=state is not None))
        return notes

    def reads(self, name: str, saved: Saved) -> bool:
        """Whether a saved state, perhaps of another writer, belongs to a check as it is now."""
        return saved.name == name and saved.fingerprint == self._versions[name]

    def opened(self, name: str, data: bytes) -> State:
        """The state of a fold or of the collector that was saved as bytes."""
        if name == COLLECTOR:
            return states.from_bytes(data, self._versions[name])
        return self._folding.opened(name, data)

    def apply(self, entry: Entry, joined: pa.Table | None = None) -> dict[str, str]:
        """Take an acknowledged entry.

        Args:
            entry: rows or labels, with reasons.
            joined: of labels, their rows with the labels in them.

        Returns:
            what went wrong in folds, by name; such a fold has taken nothing of the batch.
        """
        counts = self.panes.setdefault(int(entry.header["time"]) // MINUTE * MINUTE, Counter())
        counts.update(entry.header["counts"])
        rows = entry.table if joined is None else joined
        self.pending += entry.table.num_rows
        if entry.kind == "rows":
            self._keep_rows(entry)
        else:
            self.labels.append(entry.table)
            self.truths |= dict(zip(entry.table["id"].to_pylist(), entry.table["digest"].to_pylist(), strict=True))
        errors = self._fold(rows, labels=entry.kind == "labels")
        counts.update(f"error:{name}" for name in errors)
        if self.collector is not None:
            self.collected = self.collector.update(self.collected, self._marked(rows, entry.header["time"]))
        return errors

    def commit(self, *, newest: float) -> Commit:
        """What the next segment makes count; of folds whose state cannot be saved, ``unsaved`` says why."""
        self.unsaved = {}
        saved = [self._saved(name) for name in self.since]
        return Commit(
            rows=_together(self.rows),
            labels=_together(self.labels),
            contents=list(self.contents.items()),
            truths=list(self.truths.items()),
            states=saved,
            panes=[Pane(MINUTE, start, counts) for start, counts in sorted(self.panes.items())],
            made=self.made,
            newest=newest,
        )

    def committed(self) -> None:
        """Forget what a segment has now."""
        self._clear()

    def _clear(self) -> None:
        self.pending = 0  # rows and labels that wait for a segment
        self.rows: list[pa.Table] = []
        self.labels: list[pa.Table] = []
        self.contents: dict[str, int] = {}
        self.truths: dict[str, int] = {}
        self.panes: dict[int, Counter[str]] = {}

    def _keep_rows(self, entry: Entry) -> None:
        self.rows.append(entry.table)
        self.contents |= dict(zip(entry.table["id"].to_pylist(), entry.table["digest"].to_pylist(), strict=True))
        self.seen += entry.table.num_rows
        self.made = max(self.made, int(entry.header.get("made", 0)))

    def _fold(self, rows: pa.Table, *, labels: bool) -> dict[str, str]:
        errors = {}
        for name, fold in self.checks.folds.items():
            batch = self._batch(fold, rows, labels=labels)
            if batch is None or batch.num_rows == 0:
                continue
            if wrong := self._folding.update(name, batch):
                errors[name] = wrong
        return errors

    def _batch(self, fold: Fold, rows: pa.Table, *, labels: bool) -> pa.Table | None:
        """The rows that a fold sees now: with ground truth if it needs that, each row once."""
        late = sorted(fold.needs & self.checks.truth)
        if not late:
            return None if labels else rows
        if any(name not in rows.column_names for name in late):
            return None
        for name in late:
            rows = rows.filter(rows[name].is_valid())
        return rows

    def _marked(self, rows: pa.Table, logged: float) -> Iterable[Marked]:
        marked = rows.filter(pa.array([bool(reasons) for reasons in rows["reasons"].to_pylist()], pa.bool_()))
        if marked.num_rows == 0:
            return
        days = _days(marked, self.time, logged)
        keys = (marked["id"].to_pylist(), marked["digest"].to_pylist(), days, marked["reasons"].to_pylist())
        for id, content, at, reasons in zip(*keys, strict=True):
            yield Marked(id, content, at, tuple(reasons))

    def _take(self, name: str, saved: Saved) -> None:
        if name == COLLECTOR:
            self.collected = self.opened(name, saved.state) if self.collector else {}
        elif name in self.states:
            self._folding.restore(name, saved.state)

    def _saved(self, name: str) -> Saved:
        version = self._versions[name]
        if name in self.checks.folds:
            data, wrong = self._folding.save(name)
            if wrong:
                self.unsaved[name] = wrong
                self.panes[max(self.panes)][f"error:{name}"] += 1
        else:
            data = states.to_bytes(self._settled(name), version)
        return Saved(name, version, self.since[name], data)

    def _settled(self, name: str) -> State:
        """The state of the collector; edges have none."""
        return self.collector.settled(self.collected) if name == COLLECTOR and self.collector else {}


def _together(batches: Sequence[pa.Table]) -> pa.Table | None:
    """In one piece, as thousands of small ones are slow to write."""
    return pa.concat_tables(batches, promote_options="default").combine_chunks() if batches else None


def _days(rows: pa.Table, time: str | None, logged: float) -> Sequence[str]:
    """[n] the day (UTC) of each row: of its own time if it has one, else of the batch."""
    of_batch = datetime.fromtimestamp(logged, UTC).date().isoformat()
    if time is None:
        return [of_batch] * rows.num_rows
    return [day(value) if value is not None else of_batch for value in rows[time].to_pylist()]


def _begins(name: str, seen: int, *, changed: bool) -> str:
    what = "changed, or the reference did" if changed else "is new"
    return f"{name!r} {what}: it counts from row {seen} on, and says nothing about those before"


def _gone(name: str, seen: int) -> str:
    return f"{name!r} is not given any more: its state after row {seen} is dropped with the next segment"
