"""What a monitor says when it is asked: counts, reports of the checks, and the selection of rows, of all writers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.monitor.collector import Candidate
from tunewright.monitor.folding import FAILURES
from tunewright.monitor.marking import with_marks
from tunewright.monitor.monitors import merged
from tunewright.monitor.progress import COLLECTOR
from tunewright.monitor.reading import labelled_rows, labels_of

if TYPE_CHECKING:
    from tunewright.monitor.collector import Collector
    from tunewright.monitor.monitors import Fold
    from tunewright.monitor.progress import Progress
    from tunewright.monitor.state import State
    from tunewright.monitor.store import Store

__all__ = ["counts", "report", "selection", "state_of"]


def counts(store: Store, progress: Progress) -> Counter[str]:
    """Counts since the first row, such as ``rows``, ``labels`` and ``marked:<check>@<fingerprint>``."""
    total: Counter[str] = Counter()
    for _, pane in store.catalogue.panes():
        total.update(pane.counts)
    for pending in progress.panes.values():
        total.update(pending)
    return total


def report(store: Store, progress: Progress) -> dict[str, Any]:
    """Rows, labels, what each check says, and the notes."""
    total = counts(store, progress)
    edges = {name: _of_edge(progress, name, total) for name in progress.checks.edges}
    folds = {
        name: {
            **_said(fold, state_of(store, progress, name)),
            "errors": total[f"error:{name}"],
            "since": progress.since[name],
        }
        for name, fold in progress.checks.folds.items()
    }
    return {
        "rows": total["rows"],
        "labels": total["labels"],
        "checks": {**edges, **folds},
        "notes": store.catalogue.notes(),
    }


def selection(store: Store, progress: Progress, collector: Collector) -> pa.Table:
    """The collected rows in the order in which they were drawn, with a column ``step``."""
    steps = store.catalogue.steps()
    candidates = [row for row in collector.candidates(_collected(store, progress, collector)) if row.id not in steps]
    by_hand = {reason for reasons in store.catalogue.marks().values() for reason in reasons}
    candidates.sort(key=lambda row: by_hand.isdisjoint(row.reasons))  # what somebody marked comes first
    rows = labelled_rows(store, progress, ids=[*steps, *(row.id for row in candidates)])
    there = set(rows["id"].to_pylist())
    taken = _taken(rows.slice(0, len(there & set(steps))))
    compared = rows.drop_columns(sorted(progress.checks.truth & set(rows.column_names)))
    drawn = collector.draw([row for row in candidates if row.id in there], rows=compared, taken=taken)
    ids = pa.array([row.id for row in (*taken, *drawn)], pa.string())
    chosen = rows.filter(pc.is_in(rows["id"], value_set=ids))
    return chosen.append_column("step", pa.array(_steps_of(store, progress, chosen, steps), pa.string()))


def _said(fold: Fold, state: State) -> Mapping[str, Any]:
    """What a fold reports; ``failed``, if that fails."""
    try:
        return fold.report(state)
    except FAILURES as error:
        return {"failed": f"{type(error).__name__}: {error}"}


def _of_edge(progress: Progress, name: str, total: Mapping[str, int]) -> dict[str, int]:
    key = f"{name}@{progress.checks.edges[name].fingerprint}"
    found = {what: total.get(f"{key_of}:{key}", 0) for what, key_of in _COUNTED.items()}
    return {**found, "since": progress.since[name]}


_COUNTED = {"marked": "marked", "nulls": "nulls", "errors": "error"}


def state_of(store: Store, progress: Progress, name: str) -> State:
    """Of a fold, merged with the states of the other writers."""
    others = [
        progress.opened(name, saved.state)
        for writer, saved in store.catalogue.saved()
        if writer != store.writer and progress.reads(name, saved)
    ]
    return merged(progress.checks.folds[name], [progress.states[name], *others])


def _collected(store: Store, progress: Progress, collector: Collector) -> State:
    state = progress.collected
    for writer, saved in store.catalogue.saved():
        if writer != store.writer and progress.reads(COLLECTOR, saved):
            state = collector.merge(state, progress.opened(COLLECTOR, saved.state))
    return with_marks(state, store, progress, collector)


def _taken(rows: pa.Table) -> list[Candidate]:
    """Rows that were drawn before, as those that come first."""
    days = [str(value)[:10] for value in rows["logged"].to_pylist()]
    return [
        Candidate(id, 0.0, day, tuple(reasons))
        for id, day, reasons in zip(rows["id"].to_pylist(), days, rows["reasons"].to_pylist(), strict=True)
    ]


def _steps_of(store: Store, progress: Progress, rows: pa.Table, steps: Mapping[str, tuple[str, str]]) -> list[str]:
    labels = labels_of(store, progress)
    labelled = set(labels["id"].to_pylist()) if labels is not None else set()
    found = [(id, steps.get(id, ("new", ""))[0]) for id in rows["id"].to_pylist()]
    return ["labelled" if id in labelled and step in {"new", "sent"} else step for id, step in found]
