"""``export`` and ``import_dynamics``: to and from the formats of others."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright import table as tables
from tunewright.analyze.mistakes import csv_safe
from tunewright.data.cartography import from_statistics, read_dynamics, statistics, write_dynamics
from tunewright.errors import DataError, RunError, did_you_mean
from tunewright.files import write_text
from tunewright.project import Project, find_run, open_dataset
from tunewright.run import Run
from tunewright.verbs.dynamics import learnt
from tunewright.verbs.results import Result, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Exported", "Format", "export", "import_dynamics", "to_csv"]

Format = Literal["cartography", "csv", "jsonl", "parquet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported(Result):
    """Where something was written, and how many rows."""

    run: str
    format: Format
    path: Path
    rows: int


def export(
    project: Project, run: Run | str | None = None, *, format: Format = "csv", path: str | Path | None = None
) -> Exported:
    """Write a run for other tools.

    ``cartography`` writes the dynamics as AllenAI's code does, one ``dynamics_epoch_N.jsonl`` per epoch; the others
    write the wide table: every row with every column there is.

    Args:
        project: whose run it is.
        run: by default the last training run.
        format: cartography, csv, jsonl or parquet; text cells of CSV are guarded against formulas.
        path: file, or folder for cartography; by default ``exports`` in the run's folder.

    Raises:
        DataError: if the format is unknown.
        RunError: if there is no such run, or it lacks what is exported.
    """
    if format not in get_args(Format):
        raise DataError(f"no format is called {format!r}", fix=did_you_mean(format, get_args(Format)))
    run = find_run(project, run)
    if format == "cartography":
        target = Path(path or run.folder / "exports" / "training_dynamics")
        table = _logits(run)
        write_dynamics(table, target)
        return Exported(run=run.id, format=format, path=target, rows=table.num_rows)
    if run.has("dynamics"):
        learnt(run)  # so that the wide table has what the dynamics say
    table = run.examples()
    target = Path(path or run.folder / "exports" / f"examples.{format}")
    match format:
        case "csv":
            write_text(target, to_csv(table))
        case "jsonl":
            lines = (json.dumps(row, ensure_ascii=False) for row in encode(table))
            write_text(target, "".join(f"{line}\n" for line in lines))
        case "parquet":
            tables.write(target, table)
    return Exported(run=run.id, format=format, path=target, rows=table.num_rows)


def import_dynamics(project: Project, folder: str | Path, *, name: str = "imported") -> Run:
    """Make a run of training dynamics in AllenAI's format (``dynamics_epoch_N.jsonl``), whoever recorded them.

    Rows that the project's dataset knows by id come with their texts; of others only id and label are known.

    Raises:
        DataError: if the folder holds no such files.
    """
    dynamics = read_dynamics(folder)
    recorded = statistics(dynamics)
    ids = pc.unique(dynamics["id"])
    first = dynamics.take(pc.index_in(ids, value_set=dynamics["id"].combine_chunks()))
    size = len(dynamics["logits"][0])
    labels = project.task.labels if len(project.task.labels) == size else tuple(map(str, range(size)))
    per_epoch = dynamics.group_by("epoch").aggregate([("id", "count_distinct")]).sort_by("epoch").to_pylist()
    run = Run.create(
        project.runs_folder,
        kind="train",
        name=name,
        config={},
        examples=_examples(project, first, labels),
        labels=list(labels),
        dataset=project.name,
        source=str(folder),
        coverage=[{"epoch": row["epoch"], "seen": row["id_count_distinct"], "expected": len(ids)} for row in per_epoch],
    )
    run.append("dynamics", "part-imported", recorded)
    run.update(status="imported")
    return run


def _examples(project: Project, dynamics: pa.Table, labels: tuple[str, ...]) -> pa.Table:
    names = [labels[code] for code in dynamics["gold"].to_pylist()]
    base = pa.table({"id": dynamics["id"], "split": ["train"] * len(names), "label": names})
    known = open_dataset(project).table("base")
    places = pc.index_in(base["id"].combine_chunks(), value_set=known["id"].combine_chunks())
    if places.null_count == len(places):
        return base
    others = [name for name in known.column_names if name not in base.column_names]
    for name in others:
        base = base.append_column(name, known[name].combine_chunks().take(places))
    return base


def _logits(run: Run) -> pa.Table:
    if not run.labels:
        raise RunError(f"run {run.id} does not say which labels its logits stand for", fix="export it as parquet")
    examples = run.table("examples", ["id", "label"])
    code = {name: position for position, name in enumerate(run.labels)}
    gold = pa.array([code.get(name) for name in examples["label"].to_pylist()], pa.int64())
    known = pa.table({"id": examples["id"], "gold": gold}).filter(pc.is_valid(gold))
    return from_statistics(run.table("dynamics"), gold=known, labels=len(run.labels))


def to_csv(table: pa.Table) -> str:
    """Rows as CSV; lists and structs as JSON, and no cell that a spreadsheet would run."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([csv_safe(name) for name in table.column_names])
    writer.writerows([_cell(value) for value in row.values()] for row in _rows(table))
    return out.getvalue()


def _rows(table: pa.Table) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = table.to_pylist()
    return rows


def _cell(value: Any) -> Any:
    match value:
        case str():
            return csv_safe(value)
        case list() | dict():
            return csv_safe(json.dumps(encode(value), ensure_ascii=False))
        case float() if np.isnan(value):
            return None
        case _:
            return value
