"""From a production row to the edit that added it, the version that has it, and the runs that learnt from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.edits import Add
from tunewright.monitor.catalogue import Catalogue
from tunewright.project import Project, open_dataset
from tunewright.run import Run, runs

if TYPE_CHECKING:
    from tunewright.data.edits import Edit

__all__ = ["COLLECTED", "collected_edits", "learnt_by", "note_use", "production_ids"]

COLLECTED = "monitor"
"""The analysis that is named as evidence of an edit that adds collected rows; rows for comparison name another."""


def collected_edits(edits: Iterable[Edit]) -> list[Add]:
    """Those that add rows which a monitor collected."""
    return [edit for edit in edits if isinstance(edit, Add) and edit.evidence.analysis == COLLECTED]


def production_ids(edit: Add) -> list[str]:
    """Ids in production of the rows that an edit adds."""
    origins = edit.evidence.rows
    return [str(origins.get(str(row["id"]), {}).get("production", row["id"])) for row in edit.rows]


def note_use(project: Project, run: Run) -> None:
    """Say in their monitors that a run has learnt from the collected rows of its version.

    Raises:
        MonitorError: if the monitor's catalogue cannot be written.
    """
    dataset = open_dataset(project)
    for edit in collected_edits(entry.edit for entry in dataset.log(run.meta["version"])):
        path = project.runs_folder / edit.evidence.run / "catalogue.sqlite"
        if not path.is_file():  # the monitor was removed, or is elsewhere
            continue
        catalogue = Catalogue(path)
        try:
            catalogue.set_steps(production_ids(edit), "used", run.id)
        finally:
            catalogue.close()


def learnt_by(project: Project, row: str) -> tuple[str, ...]:
    """Runs, oldest first, whose version has a row among those to learn from."""
    dataset = open_dataset(project)
    done = [run for run in runs(project.runs_folder) if run.kind == "train" and run.meta.get("dataset") == project.name]
    versions = {run.meta["version"] for run in done if "version" in run.meta}
    having = {version for version in versions if _learns_from(dataset.table(version), row)}
    return tuple(run.id for run in done if run.meta.get("version") in having)


def _learns_from(table: pa.Table, row: str) -> bool:
    splits: list[str] = table.filter(pc.equal(table["id"], row))["split"].to_pylist()
    return splits == ["train"]
