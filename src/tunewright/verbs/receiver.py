"""A monitor that takes rows as they come, with the model that is asked about those without a prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError
from tunewright.monitor.exposition import Family, exposition
from tunewright.monitor.intake import RESERVED, table_of
from tunewright.monitor.sinks import prometheus
from tunewright.project import Project
from tunewright.table import left_join
from tunewright.truth import first_of_each
from tunewright.verbs.alerting import Alerted, alerted
from tunewright.verbs.collecting import Collected, chosen
from tunewright.verbs.monitored import MonitorReport, reported, unknown_labels
from tunewright.verbs.monitoring import fed
from tunewright.verbs.production import Model, as_production, truth_of
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.monitor.logged import Logged
    from tunewright.monitor.watch import Monitor
    from tunewright.run import Run
    from tunewright.verbs.models import Advance

__all__ = ["Labelled", "Received", "Receiver", "receiving"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Result):
    """What became of a batch: see `tunewright.monitor.logged.Logged`, which has the same fields."""

    ids: tuple[str, ...]
    acknowledged: int
    duplicates: int
    marked: Mapping[str, int]
    errors: Mapping[str, str]

    @classmethod
    def of(cls, logged: Logged, **more: Any) -> Self:
        """What a monitor says of a batch; ``more`` are the fields that it does not have."""
        return cls(**{name: getattr(logged, name) for name in Received.__dataclass_fields__}, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled(Received):
    """What became of labels; ``unknown`` are those that the task does not have, and how often."""

    unknown: Mapping[str, int]


class Receiver:
    """An open monitor of a project. It belongs to the thread that opened it."""

    def __init__(self, watch: Monitor, model: Model, *, predicts: bool = True) -> None:
        """Take rows for a monitor.

        Args:
            watch: open.
            model: asked about rows that come without predictions, or without vectors.
            predicts: whether it may be asked.
        """
        self._watch = watch
        self._model = model
        self._predicts = predicts
        self.name = watch.name
        self.model = model.run.id
        self.texts = model.project.task.text_fields
        self.truth = truth_of(model.project)
        self.acknowledged = 0

    def log(self, batch: Any) -> Received:
        """Take raw rows of the project; when this returns, they are on the disk.

        Args:
            batch: what `tunewright.Monitor.log` takes. What the project does not name is left out.

        Raises:
            DataError: if a text field is missing, or the batch does not fit the first one; then nothing is taken.
            MonitorError: if it could not be written; then nothing is taken.
            ProjectError: if a function of the project fails, or rows lack what a check reads.
        """
        if (table := table_of(batch)).num_rows == 0:
            return Received(ids=(), acknowledged=0, duplicates=0, marked={}, errors={})
        try:
            rows = as_production(self._model.project, table)
        except pa.ArrowException as error:
            raise DataError(f"the batch was not taken: a column has values of a wrong type ({error})") from error
        if self._predicts:
            rows = left_join(rows, self._said(rows))
        return Received.of(self._counted(self._watch.log(rows)))

    def attach(self, ids: Sequence[Any], truth: Any) -> Labelled:
        """Attach ground truth to rows that were logged. Labels that the task does not have are taken, and named.

        Args:
            ids: [n] of rows.
            truth: [n] labels, or columns of ground truth by name.

        Raises:
            DataError: if a row is unknown, or a column is no ground truth; then nothing is taken.
            MonitorError: if it could not be written; then nothing is taken.
        """
        columns = truth if isinstance(truth, Mapping) else {self.truth[0]: truth}
        taken = self._counted(self._watch.attach(ids, columns))
        return Labelled.of(taken, unknown=unknown_labels(self._model.project, columns))

    def report(self) -> MonitorReport:
        """What is known by now."""
        return reported(self._watch.run, self._watch.report())

    def collected(self, reason: str | None = None) -> Collected:
        """The rows worth a label.

        Raises:
            MonitorError: if no check is called like the reason.
        """
        return chosen(self._watch, reason)

    def alerts(self) -> Alerted:
        """Where every alert stands."""
        return alerted(self._watch)

    def metrics(self) -> str:
        """Rows, labels, marked rows and failures by check, and the alerts, in the text format of Prometheus."""
        found = self._watch.report()
        checks = {name: check for name, check in found["checks"].items() if "marked" in check}
        families = (
            Family("tunewright_rows_total", "counter", [({}, found["rows"])]),
            Family("tunewright_labels_total", "counter", [({}, found["labels"])]),
            Family("tunewright_duplicates_total", "counter", [({}, found["duplicates"])]),
            Family("tunewright_marked_total", "counter", [({"check": it}, checks[it]["marked"]) for it in checks]),
            Family("tunewright_errors_total", "counter", [({"check": it}, checks[it]["errors"]) for it in checks]),
        )
        return exposition(families) + prometheus(self._watch.alerts.standings)

    def _counted(self, logged: Logged) -> Logged:
        self.acknowledged += logged.acknowledged
        return logged

    def _said(self, rows: pa.Table) -> pa.Table:
        """What the model says of rows: of those that are new it is asked, of the others it is remembered."""
        there = self._watch.rows(ids=list(dict.fromkeys(rows["id"].to_pylist())))
        is_known = pc.is_in(rows["id"], value_set=there["id"].combine_chunks())
        known = there.drop_columns([name for name in self._not_said if name in there.column_names])
        if pc.all(is_known).as_py():
            return known
        fresh = self._model.says(first_of_each(rows.filter(pc.invert(is_known))))
        if known.num_rows == 0:
            return fresh
        told = [item for item in fresh.schema if item.name in known.column_names]
        same = pa.table({item.name: known[item.name].combine_chunks().cast(item.type) for item in told})
        return pa.concat_tables([fresh, same], promote_options="default")

    @property
    def _not_said(self) -> tuple[str, ...]:
        return (*RESERVED, *self.truth)


@contextmanager
def receiving(
    project: Project,
    *,
    run: Run | str | None = None,
    name: str = "production",
    window: int | None = None,
    budget: int | None = None,
    batch_size: int = 64,
    predicts: bool = True,
    advance: Advance | None = None,
) -> Iterator[Receiver]:
    """A monitor that is open for rows; the same one that `monitor` feeds with files.

    Args:
        project: names the checks.
        run: whose model; by default the one the monitor watches, at first the last training run.
        name: of the monitor.
        window: rows that are compared together; by default as before, at first 500.
        budget: rows to collect; by default as before, at first 2000.
        batch_size: inputs per forward pass.
        predicts: ask the model about rows that come without a prediction, and embed those without vectors.
        advance: told how far the making of a reference is.

    Raises:
        MonitorError: if the monitor watches another model, or another process writes to it.
        RunError: if there is no such run, or it has no model.
    """
    asked = {"window": window, "budget": budget}
    with fed(project, name, run=run, asked=asked, batch_size=batch_size, advance=advance) as (watch, model):
        if predicts:
            model.ready()
        yield Receiver(watch, model, predicts=predicts)
