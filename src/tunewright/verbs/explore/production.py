"""What a page shows of production beside its rows: where the reference lies, and which rows were collected and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.monitor.reference import Reference
from tunewright.verbs.monitoring import copied
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["CollectedFor", "CollectedRows", "collected_rows", "reference_places", "reference_rows", "reference_vectors"]

_PLACES = "reference/map"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedFor:
    """Rows that were collected for one reason; ``labelled`` of them have their label."""

    reason: str
    rows: int
    labelled: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedRows(Result):
    """Rows worth a label, of at most ``budget``; a row with several reasons counts for each. The most frequent first."""

    run: str
    rows: int
    budget: int
    reasons: tuple[CollectedFor, ...]


def collected_rows(project: Project, run: Run) -> CollectedRows:
    """The rows that a monitor collected, by reason; none where it collects nothing.

    Raises:
        MonitorError: if the run is none of a monitor.
    """
    with copied(project, run) as watch:
        if watch.collector is None:
            return CollectedRows(run=run.id, rows=0, budget=0, reasons=())
        found, budget = watch.collected().select(["id", "reasons", "step"]).to_pylist(), watch.collector.budget
    return CollectedRows(run=run.id, rows=len(found), budget=budget, reasons=_by_reason(found))


def _by_reason(rows: list[dict[str, Any]]) -> tuple[CollectedFor, ...]:
    found = defaultdict(list)
    for row in rows:
        for reason in row["reasons"]:
            found[reason].append(row)
    ordered = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return tuple(
        CollectedFor(
            reason=reason,
            rows=len(those),
            labelled=sum(row["step"] in ("labelled", "used") for row in those),
            ids=tuple(row["id"] for row in those),
        )
        for reason, those in ordered
    )


def reference_rows(run: Run) -> int:
    """Rows of the reference that the map of a production run was fitted on; 0 where there is no such map."""
    return run.table(_PLACES, ["umap1"]).num_rows if run.has(_PLACES) else 0


def reference_places(run: Run) -> pa.Table:
    """Where these rows lie: ``x`` and ``y``, [rows] float32, on the map of the run; empty where there is none."""
    there = run.table(_PLACES, ["umap1", "umap2"]) if run.has(_PLACES) else None
    columns = {"x": "umap1", "y": "umap2"}
    empty = pa.array([], pa.float32())
    return pa.table(
        {
            at: empty if there is None else there[name].combine_chunks().cast(pa.float32())
            for at, name in columns.items()
        }
    )


def reference_vectors(run: Run, name: str) -> tuple[pa.Array, NDArray[np.float32]] | None:
    """Ids of the rows that production is compared with, and their embeddings of a name, [rows, dimensions].

    None where the run has no reference, or nobody knows which of its rows the embeddings are of.
    """
    folder = run.folder / "reference"
    if not (folder / "reference.json").is_file():
        return None
    reference = Reference.open(folder)
    found = reference.arrays.get(name)
    # rows that were only learnt from lend their texts; the others have predictions and vectors
    compared = pc.is_valid(reference.column("predicted")) if reference.has("predicted") else None
    rows = reference.rows if compared is None else reference.rows.filter(compared)
    if found is None or len(found) != rows.num_rows:
        return None
    return rows["id"].combine_chunks(), found
