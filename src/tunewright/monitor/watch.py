"""The monitor: log production rows, learn what is odd about them, attach ground truth, collect what to label."""

from __future__ import annotations

import time as clock
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.edits import Add
from tunewright.errors import DataError, MonitorError, did_you_mean, listed
from tunewright.monitor import collector as collecting, marking
from tunewright.monitor.alerting import Alerting, Alerts
from tunewright.monitor.checks import Checks, marks
from tunewright.monitor.collector import STEPS, Collector, Step
from tunewright.monitor.entries import label_entry, news, of_conflicts, require_known, require_truth, row_entry, unseen
from tunewright.monitor.intake import table_of
from tunewright.monitor.journal import Entry
from tunewright.monitor.logged import Logged
from tunewright.monitor.opening import claim, require_monitor_or_nothing, require_name, wipe_out
from tunewright.monitor.progress import Progress
from tunewright.monitor.reading import labelled_rows, rows_of
from tunewright.monitor.retention import forget
from tunewright.monitor.schema import Kept
from tunewright.monitor.store import Precision, Store
from tunewright.monitor.summary import report, selection, state_of
from tunewright.run import Run
from tunewright.truth import with_truth

if TYPE_CHECKING:
    from tunewright.monitor.reference import Reference
    from tunewright.monitor.sinks import Sink
    from tunewright.monitor.state import State

__all__ = ["Monitor"]

_SEGMENT_BYTES = 64 << 20


class Monitor:
    """Rows of production against the training run, in a folder that is a run of kind ``production``.

    Opening a folder goes on where it was. One process writes under one ``writer`` name at a time; several may write
    to one folder under several names, if each row goes to one of them, and all read everything.
    """

    def __init__(
        self,
        name: str,
        *,
        reference: Reference | None = None,
        checks: Iterable[Any] = (),
        collect: Collector | None = None,
        alerts: Alerts = (),
        sinks: Iterable[Sink] = (),
        folder: str | Path | None = None,
        model: str | None = None,
        truth: Iterable[str] = ("gts",),
        time: str | None = None,
        writer: str = "main",
        segment: int = 4096,
        vectors: Precision = "float16",
        overwrite: bool = False,
    ) -> None:
        """Open a monitor, or make one.

        Args:
            name: of the monitor.
            reference: what production is compared with.
            checks: edges, folds, and objects with ``init`` and ``check``.
            collect: which of the marked rows to collect.
            alerts: when to say that something is wrong, or "default"; each writer looks at its own rows.
            sinks: to which alerts are sent.
            folder: where it lies; ``runs/<name>`` by default.
            model: name or version of the model whose rows these are.
            truth: columns of ground truth, which a batch need not have; those of ``truth("name")`` are found.
            time: column with the time of a row, for budgets by day; the time of logging otherwise.
            writer: name of this process among those that write to the folder; letters, digits and underscores.
            segment: rows that wait in the journal before they become a segment.
            vectors: precision in which embeddings are kept; checks see float32.
            overwrite: delete what is there, and begin anew.

        Raises:
            MonitorError: if another process writes under this name, the folder is something else, or the name none.
            ProjectError: if a check is none, two have one name, or an alert is about what no check reports.
        """
        if not writer.isidentifier():
            raise MonitorError(f"expected letters, digits and underscores as the name of a writer, found {writer!r}")
        if folder is None:
            require_name(name)
        self.name = name
        self.folder = Path(folder) if folder is not None else Path("runs") / name
        self.reference = reference
        self.checks = Checks.of(checks, truth=truth)
        self.collector = collect
        self.duplicates = 0
        self.conflicts = 0
        self._segment = segment
        self._time = time
        self._held = ExitStack()
        self._open = True
        require_monitor_or_nothing(self.folder)
        try:
            if overwrite:
                wipe_out(self.folder)
            claim(self._held, self.folder, writer)
            self._store = Store(self.folder, writer, vectors=vectors)
            self._held.callback(self._store.close)
            self._held.callback(setattr, self, "_open", False)
            self._kept = Kept(self._store.catalogue, self.checks.truth)
            self._progress = Progress(self.checks, reference=reference, collector=collect, time=time)
            self.alerts = Alerting(
                alerts,
                sinks=sinks,
                checks=self.checks,
                reference=reference,
                catalogue=self.folder / "catalogue.sqlite",
                writer=writer,
                segment=self._store.catalogue.offset(writer)[0],
            )
            self._held.callback(self.alerts.close)
            self._resume()
            self.run = self._open_run(model)
        except BaseException:
            self._held.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def log(self, batch: Any) -> Logged:
        """Take a batch of production rows; when this returns, they are on the disk.

        Rows whose id was logged before are left out, so a batch may be sent again after a crash.

        Args:
            batch: a dictionary of columns, a DataFrame, an Arrow table, a Dataset, or a list of dictionaries. Without a
                column ``id``, ids are made; such rows cannot be told from themselves when they are sent again.

        Raises:
            DataError: if the batch does not fit the first one; then none of its rows is taken.
            MonitorError: if it could not be written; then none of its rows is taken.
        """
        self._require_open()
        table = table_of(batch)
        if table.num_rows == 0:
            return Logged(ids=(), acknowledged=0)
        self.checks.require(table.column_names)
        made = "id" not in table.column_names
        table = self._kept.rows(self._with_ids(table))
        rows, others = unseen(self._store, self._progress, table)
        left_out = table.num_rows - rows.num_rows
        self.duplicates += left_out
        conflicts = of_conflicts(others)
        if others and not self.conflicts:
            self._store.catalogue.note(_now(), self._store.writer, conflicts.values())
        self.conflicts += len(others)
        ids = tuple(table["id"].to_pylist())
        if rows.num_rows == 0:
            return Logged(ids=ids, acknowledged=0, duplicates=left_out, errors=conflicts)
        found = marks(self.checks.ready(rows.column_names), rows, reference=self.reference)
        entry = row_entry(self._progress, rows, found, made=rows.num_rows if made else 0)
        self._store.journal.append(entry)
        errors = {**conflicts, **found.errors, **self._apply(entry), **self._seal_if_due()}
        counts = {name: int(mask.sum()) for name, mask in found.marked.items()}
        return Logged(ids=ids, acknowledged=rows.num_rows, duplicates=left_out, marked=counts, errors=errors)

    def attach(self, ids: Sequence[Any], gts: Any) -> Logged:
        """Attach ground truth to rows that were logged. What is attached again is left out; another truth replaces it.

        Folds count the first truth of a row.

        Args:
            ids: [n] of rows.
            gts: [n] values of the column ``gts``, or columns of ground truth by name.

        Raises:
            DataError: if a row is unknown, or a column is no ground truth of this monitor; then nothing is taken.
            MonitorError: if it could not be written; then nothing is taken.
        """
        self._require_open()
        labels = table_of({"id": [str(id) for id in ids], **(gts if isinstance(gts, Mapping) else {"gts": gts})})
        if labels.num_rows == 0:
            return Logged(ids=(), acknowledged=0)
        require_truth(self._store, self._progress, labels)
        labels = self._kept.truth(labels)
        named = tuple(labels["id"].to_pylist())
        labels = news(self._store, self._progress, labels)
        left_out = len(named) - labels.num_rows
        if labels.num_rows == 0:
            return Logged(ids=named, acknowledged=0, duplicates=left_out)
        found = marks(self.checks.late_edges, self._with_rows(labels), reference=self.reference)
        counts = {name: int(mask.sum()) for name, mask in found.marked.items()}
        entry = label_entry(self._progress, labels, found)
        self._store.journal.append(entry)
        errors = {**found.errors, **self._apply(entry), **self._seal_if_due()}
        return Logged(ids=named, acknowledged=labels.num_rows, duplicates=left_out, marked=counts, errors=errors)

    def flush(self) -> None:
        """Make a segment of what waits in the journal.

        Raises:
            MonitorError: if it could not be written; the journal keeps it.
        """
        if self._progress.pending:
            self.alerts.save()
            self._store.commit(self._progress.commit(newest=clock.time()))
            self.alerts.sealed()
            self._progress.committed()

    def forget(self, *, days: float) -> int:
        """Drop rows of this writer that are older than so many days, but those that are collected; counts stay.

        Returns:
            rows dropped.
        """
        keep = set(self.collected()["id"].to_pylist()) if self.collector is not None else set()
        return forget(self._store, days=days, keep={*keep, *self._store.catalogue.steps()}, now=clock.time())

    def close(self) -> None:
        """Flush, and give the folder to others. A monitor that is not closed loses nothing."""
        if not self._open:
            return
        try:
            self.flush()
            self.run.update(status="finished", rows=self._store.rows)
        finally:
            self._held.close()

    def rows(self, columns: Sequence[str] | None = None, *, ids: Sequence[str] | None = None) -> pa.Table:
        """Rows of all writers, with ground truth that came later; those of this writer also if no segment has them yet.

        Args:
            columns: those to read besides ``id``; all by default.
            ids: of the rows, which come in this order; unknown ones are left out.
        """
        found = labelled_rows(self._store, self._progress, ids=ids)
        return found if columns is None else found.select(["id", *(name for name in columns if name != "id")])

    def collected(self, reason: str | None = None, *, step: Step | None = None) -> pa.Table:
        """The collected rows, in the order in which they were drawn, with all their reasons and scores.

        Args:
            reason: only rows that this check marked.
            step: only rows that came so far: new, sent, labelled or used.

        Returns:
            the rows, and a column ``step``.

        Raises:
            MonitorError: if the monitor collects nothing, or no check has this name and no row this reason.
        """
        chosen = selection(self._store, self._progress, self._require_collector())
        known = {name for reasons in chosen["reasons"].to_pylist() for name in reasons} | {*self.checks.all}
        if reason is not None and reason not in known:
            raise MonitorError(
                f"no check is called {reason!r}, and no row has this reason", fix=did_you_mean(reason, known)
            )
        keep = [
            (reason is None or reason in reasons) and step in (None, at)
            for reasons, at in zip(chosen["reasons"].to_pylist(), chosen["step"].to_pylist(), strict=True)
        ]
        return chosen.filter(pa.array(keep, pa.bool_()))

    def advance(self, ids: Sequence[Any], step: Step, *, run: str = "") -> None:
        """Say how far collected rows came: ``sent`` to be labelled, ``used`` in a run. They stay collected for good.

        Raises:
            DataError: if a row is unknown or the step is none.
        """
        if step not in STEPS:
            raise DataError(f"expected one of {listed(STEPS)}, found {step!r}")
        wanted = [str(id) for id in ids]
        require_known(self._store, self._progress, wanted)
        self._store.catalogue.set_steps(wanted, step, run)

    def mark(self, ids: Sequence[Any], reason: str, *, scores: Sequence[float] | None = None) -> None:
        """Give rows one more reason, for which they may be collected; see `tunewright.monitor.marking.mark`."""
        marking.mark(self._store, self._progress, ids, reason=reason, scores=scores)

    def to_edit(self, reason: str | None = None, *, fields: Mapping[str, str] | None = None) -> Add:
        """The collected rows as an edit that adds them to a dataset.

        Args:
            reason: only rows that this check marked.
            fields: column of the dataset -> column of production; every column but embeddings by default.
        """
        provenance = {"model": self.run.meta["model"], "reference": self.run.meta["reference"]}
        return collecting.to_edit(
            self.collected(reason),
            fields=fields,
            run=self.run.id,
            rule=reason or "",
            time=_now(),
            provenance=provenance,
        )

    def state(self, check: str) -> State:
        """The state of a fold, merged with those of other writers."""
        return state_of(self._store, self._progress, check)

    def report(self) -> dict[str, Any]:
        """What is known by now, of all writers.

        Returns:
            ``rows`` and ``labels``; ``duplicates`` and ``conflicts`` since this process opened the folder; by check its
            counts (``marked``, ``nulls``, ``errors``) or what it reports, and ``since``, the row from which on it
            counts; ``notes`` about checks that changed.

        Raises:
            ProjectError: if a check that cannot merge has states of several writers.
        """
        found = report(self._store, self._progress)
        return {**found, "duplicates": self.duplicates, "conflicts": self.conflicts}

    def _resume(self) -> None:
        catalogue, writer = self._store.catalogue, self._store.writer
        seen = sum(segment.rows for segment in catalogue.segments() if segment.writer == writer)
        self._progress.made = self._store.made
        notes = self._progress.restore([saved for _, saved in catalogue.saved(writer)], seen=seen)
        if notes:
            catalogue.note(_now(), writer, notes)
        for entry in self._store.journal.entries():
            self._apply(entry)

    def _open_run(self, model: str | None) -> Run:
        run = Run.open(self.folder) if Run.is_run(self.folder) else Run(self.folder, _new_run(self.name))
        run.update(
            status="running",
            model=model or run.meta.get("model"),
            reference=self.reference.version if self.reference is not None else None,
            config={
                "checks": {name: str(getattr(check, "signal", name)) for name, check in self.checks.all.items()},
                "fingerprints": self.checks.fingerprints,
                "truth": sorted(self.checks.truth),
                "time": self._time,
            },
        )
        return run

    def _with_ids(self, table: pa.Table) -> pa.Table:
        if "id" in table.column_names:
            ids = table["id"]
            if ids.null_count or pc.any(pc.equal(ids, "")).as_py():
                raise DataError(
                    "expected an id for each row, found rows without", fix="leave the column out, and ids are made"
                )
            return table
        start = self._progress.made
        ids = [f"{self._store.writer}-{number:09d}" for number in range(start, start + table.num_rows)]
        return table.add_column(0, "id", pa.array(ids, pa.string()))

    def _apply(self, entry: Entry) -> dict[str, str]:
        joined = None
        if entry.kind == "labels":  # folds and the collector had the corrected ones
            joined = self._with_rows(entry.table.filter(pc.invert(entry.table["corrects"])))
        failed = self._progress.apply(entry, joined)
        return {**failed, **self.alerts.observe(entry, self._progress, failed)}

    def _seal_if_due(self) -> dict[str, str]:
        """Make a segment if enough waits; if that fails, the journal keeps the rows, and the next batch tries again."""
        if self._progress.pending < self._segment and self._store.journal.bytes < _SEGMENT_BYTES:
            return {}
        try:
            self.flush()
        except MonitorError as error:
            return {"segment": str(error)}
        return self._progress.unsaved

    def _with_rows(self, labels: pa.Table) -> pa.Table:
        """[labels] the rows that labels are of, with the truth and the reasons of both."""
        return with_truth(rows_of(self._store, self._progress, ids=labels["id"].to_pylist()), labels)

    def _require_open(self) -> None:
        if not self._open:
            raise MonitorError(f"monitor {self.name!r} was closed", fix="open it again: Monitor(...)")

    def _require_collector(self) -> Collector:
        if self.collector is None:
            raise MonitorError("this monitor collects nothing", fix="open it with collect=Collector(budget=...)")
        return self.collector


def _new_run(name: str) -> dict[str, Any]:
    return {"kind": "production", "name": name, "created": _now()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
