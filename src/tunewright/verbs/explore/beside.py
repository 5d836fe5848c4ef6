"""What a page shows of a run beside what lies in its folder: rows of other splits, and places in the space of its model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from tunewright import table as tables
from tunewright.data.dataset import Dataset
from tunewright.errors import TunewrightError
from tunewright.run import Run

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.project import Project

__all__ = ["files_beside", "other_rows", "places_beside"]

_KNOWING = "embeddings"  # of all rows of a version, once it was analysed
_PLACES = ("columns/pca-", "columns/umap-", "columns/clusters")


def other_rows(project: Project, run: Run) -> pa.Table | None:
    """Rows of the version of a training that its analysis knows, and that it was not trained or validated on.

    Returns:
        in the order of the version, with its columns; None where there are none, or the dataset has no such version now.
    """
    if not _is_of(project, run) or not run.has(_KNOWING):
        return None
    own, known = (run.table(name, ["id"])["id"].combine_chunks() for name in ("examples", _KNOWING))
    others = known.filter(pc.invert(pc.is_in(known, value_set=own)))
    if not len(others):
        return None
    try:
        rows = Dataset.open(project.dataset_folder).table(run.meta["version"])
    except TunewrightError:  # it was imported anew since, or removed
        return None
    found = rows.filter(pc.is_in(rows["id"], value_set=others))
    return found if found.num_rows else None


def places_beside(run: Run) -> list[tuple[Run, str]]:
    """Tables with the places and clusters of an evaluation's rows in the space of the model that it is of."""
    model = _model(run)
    return [] if model is None else [(model, name) for name in model.tables() if name.startswith(_PLACES)]


def files_beside(project: Project, run: Run) -> list[Path]:
    """Files outside of a run's folder that its page is made of."""
    found = [path for other, name in places_beside(run) for path in other.parts(name)]
    is_known = _is_of(project, run) and run.has(_KNOWING)
    return found + (tables.parts(project.dataset_folder) if is_known else [])


def _is_of(project: Project, run: Run) -> bool:
    return run.kind == "train" and run.meta.get("dataset") == project.name and bool(run.meta.get("version"))


def _model(run: Run) -> Run | None:
    """The training that an evaluation is of, if that knows the same rows: those of another version may have other texts."""
    folder = run.folder.parent / Path(run.meta.get("parent") or "").name
    if run.kind != "eval" or not Run.is_run(folder):
        return None
    model = Run.open(folder)
    shared = all(model.meta.get(name) == run.meta.get(name) for name in ("dataset", "version"))
    return model if shared else None
