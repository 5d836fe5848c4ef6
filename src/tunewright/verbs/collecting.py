"""``monitor collected``: the rows worth a label, those to compare them with, and versions that learn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import MonitorError, did_you_mean
from tunewright.files import write_text
from tunewright.monitor.retraining import HELD_OUT, NewRow, add_of, as_new_rows
from tunewright.project import Project, open_dataset
from tunewright.verbs.exchange import to_csv
from tunewright.verbs.lineage import COLLECTED
from tunewright.verbs.monitoring import find_monitor, seen, watched
from tunewright.verbs.results import Result
from tunewright.verbs.signing import signed

if TYPE_CHECKING:
    from tunewright.monitor.watch import Monitor

__all__ = ["Collected", "chosen", "collected", "has_truth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected(Result):
    """Collected rows with all their reasons, or random ones to compare them with; where they were written, and the
    version that has them.

    ``added`` counts the rows that came into ``version``; of the others ``unlabelled`` have no label yet, ``held_out``
    are kept to judge by, and ``there`` are in the version already.
    """

    run: str
    reason: str | None
    control: bool = False
    rows: pa.Table
    file: Path | None = None
    version: str | None = None
    name: str | None = None
    added: int = 0
    unlabelled: int = 0
    held_out: int = 0
    there: int = 0


def collected(
    project: Project,
    name: str | None = None,
    *,
    reason: str | None = None,
    control: bool = False,
    path: str | Path | None = None,
    add: str | None = None,
    on: str = "main",
    hold_out: float = HELD_OUT,
) -> Collected:
    """The rows worth a label, with all their reasons; as a list for labelling, and as a version to try.

    Args:
        project: whose monitor it is.
        name: of the monitor; None: the newest.
        reason: only rows that this check marked.
        control: instead, random rows that were not collected and have no label yet: with those that have one, as many
            as were collected. A trial compares the collected rows with such ones.
        path: write them as CSV; filled in, it is what `attach_labels` reads. Collected rows count as sent then.
        add: name of a new version that has those with a label as training rows.
        on: version that they are added to.
        hold_out: share in [0, 1) of the production rows that is never added, for it judges whether adding helped. Which
            rows these are is decided by their texts.

    Raises:
        EditError: if a label is unknown, or the name is taken.
        MonitorError: if there is no such monitor, nothing that a check of this name marked, or no label to add.
    """
    if not 0 <= hold_out < 1:
        raise MonitorError(f"expected a share of 0 or more and less than 1 to hold out, found {hold_out:g}")
    if control and add is not None:
        raise MonitorError("random rows are added by the trial itself", fix="leave --add out, and label their list")
    run = find_monitor(project, name)
    sends = path is not None and not control
    with (watched if sends else seen)(project, run) as watch:
        rows = _known(watch, reason)
        facts = _facts(project, watch)
        shown = _to_compare(project, watch, rows, on=on, share=hold_out) if control else rows
        if sends:
            watch.advance(
                [row["id"] for row in rows.select(["id", "step"]).to_pylist() if row["step"] == "new"], "sent"
            )
    found = Collected(run=run.id, reason=reason, control=control, rows=_plain(shown))
    if path is not None:
        found = replace(found, file=_written(Path(path), found.rows, project))
    return found if add is None else _added(project, found, facts, name=add, on=on, share=hold_out)


def chosen(watch: Monitor, reason: str | None = None) -> Collected:
    """The collected rows of an open monitor, without their vectors.

    Raises:
        MonitorError: if no check is called like the reason.
    """
    return Collected(run=watch.run.id, reason=reason, rows=_plain(_known(watch, reason)))


def has_truth(project: Project, row: NewRow) -> bool:
    """Whether a row says what a model should."""
    return all(row.values.get(field) for field in project.task.target_fields or ("label",))


def _known(watch: Monitor, reason: str | None) -> pa.Table:
    known, rows = watch.checks.all, watch.collected(reason)
    if reason is not None and reason not in known and rows.num_rows == 0:  # rows are marked by hand, too
        raise MonitorError(f"no check is called {reason!r}", fix=did_you_mean(reason, known))
    return rows


def _facts(project: Project, watch: Monitor) -> dict[str, Any]:
    """What holds of all rows that a monitor collected: whose they are, and how the outputs were made."""
    meta = watch.run.meta
    return {"model": meta["model"], "reference": meta["reference"], "task": repr(project.task)}


def _to_compare(project: Project, watch: Monitor, chosen: pa.Table, *, on: str, share: float) -> pa.Table:
    """Rows to label so that a random control can be as large as what was collected, and judges come from both."""
    dataset = open_dataset(project)
    everything = watch.rows()
    how: dict[str, Any] = {"monitor": watch.run.id, "before": dataset.table(on), "fields": dataset.fields}
    fresh, _ = as_new_rows(chosen, **how)
    others, _ = as_new_rows(_without(everything, chosen["id"]), **how)
    needed = sum(row.place >= share for row in fresh)
    missing = needed - sum(row.place >= share and has_truth(project, row) for row in others)
    return _with_ids(everything, _random(project, others, missing, share))


def _random(project: Project, rows: Sequence[NewRow], missing: int, share: float) -> list[str]:
    """Ids of rows without a label, until so many of them are there to learn from; their texts' hash says which."""
    # another part of the hash than the one that holds out, so that both choices are independent
    ordered = sorted(rows, key=lambda row: (row.place * 2**20) % 1)
    named: list[str] = []
    for row in ordered:
        if missing <= 0:
            break
        if not has_truth(project, row):
            named.append(row.production)
            missing -= row.place >= share
    return named


def _without(rows: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows["id"], value_set=ids.combine_chunks())))


def _with_ids(rows: pa.Table, ids: Sequence[str]) -> pa.Table:
    return rows.take(pc.index_in(pa.array(ids, pa.string()), value_set=rows["id"].combine_chunks()))


def _plain(rows: pa.Table) -> pa.Table:
    """Without embeddings."""
    return rows.drop_columns([item.name for item in rows.schema if pa.types.is_fixed_size_list(item.type)])


def _written(path: Path, rows: pa.Table, project: Project) -> Path:
    """The list for labelling, with a column for each label that is still to come."""
    reasons = pa.array([", ".join(names) for names in rows["reasons"].to_pylist()], pa.string())
    rows = rows.drop_columns([name for name in ("logits", "scores", "digest") if name in rows.column_names])
    rows = rows.set_column(rows.column_names.index("reasons"), "reasons", reasons)
    for name in project.task.target_fields or ("label",):
        rows = rows if name in rows.column_names else rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
    write_text(path, to_csv(rows))
    return path


def _added(project: Project, found: Collected, facts: dict[str, Any], *, name: str, on: str, share: float) -> Collected:
    dataset = open_dataset(project)
    fresh, there = as_new_rows(found.rows, monitor=found.run, before=dataset.table(on), fields=dataset.fields)
    labelled = [row for row in fresh if has_truth(project, row)]
    learnt = [row for row in labelled if row.place >= share]
    if not learnt:
        raise MonitorError(
            f"expected collected rows with a label to add, found {found.rows.num_rows} rows: {len(there)} in {on} "
            f"already, {len(fresh) - len(labelled)} without a label, {len(labelled)} held out to judge by",
            fix="label the list of `tunewright monitor collected --csv FILE`, and attach it: tunewright monitor attach FILE",
        )
    rule = found.reason or ""
    evidence = replace(
        signed(run=found.run, analysis=COLLECTED, rule=rule), facts={**facts, "held_out": share, "on": on}
    )
    edit = add_of(learnt, reason=f"{len(learnt)} production rows: {rule or 'all reasons'}", evidence=evidence)
    return replace(
        found,
        version=dataset.apply([edit], on=on, name=name),
        name=name,
        added=len(learnt),
        unlabelled=len(fresh) - len(labelled),
        held_out=len(labelled) - len(learnt),
        there=len(there),
    )
