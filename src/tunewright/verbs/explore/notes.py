"""What a reader of a run should know before believing it, and what can be asked of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import RunError
from tunewright.verbs.dynamics import coverage
from tunewright.verbs.evaluations import trained

if TYPE_CHECKING:
    from tunewright.project import Project
    from tunewright.run import Run
    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = ["METHODS", "methods", "notes"]

METHODS = ("integrated_gradients", "gradient_x_input")
"""Those of `tunewright.observe.attribute`, which brings torch with it."""

_RECORDED = {
    "train": "Dynamics were recorded in the training pass, with dropout on.",
    "both": "Dynamics were recorded in the training pass, with dropout on.",
    "epoch_end": "Dynamics were recorded in a pass after each epoch, with dropout off.",
    "held_out": "Dynamics were recorded by models that did not learn from the row, with dropout off.",
}


def methods(project: Project, run: Run) -> tuple[str, ...]:
    """Ways to explain a row of a run; none where no model is kept."""
    try:
        model = trained(project, run)
    except RunError:
        return ()
    return METHODS if model.model_folder.is_dir() else ()


def notes(shot: Snapshot) -> tuple[str, ...]:
    """Sentences, the gravest first."""
    run, rows = shot.run, shot.rows.slice(0, shot.own)
    recorded = _RECORDED.get(str(run.meta.get("recorded")), "") if shot.epochs else ""
    grave = (_status(run), _coverage(run), _truncated(rows), _unanalysed(shot, rows))
    return tuple(filter(None, (*grave, recorded, _several(run), _others(shot))))


def _status(run: Run) -> str:
    status = run.meta.get("status")
    return "" if status in {"finished", "imported", None} else f"This run is not finished: its status is {status!r}."


def _coverage(run: Run) -> str:
    """Less than all records there should be."""
    share = coverage(run)
    if share is None or share >= 1:
        return ""
    return f"Only {100 * share:.2f} % of the records that there should be were made: some rows lack epochs."


def _truncated(rows: pa.Table) -> str:
    """Rows that were longer than the model reads."""
    if "truncated" not in rows.column_names:
        return ""
    count = int(pc.sum(rows["truncated"]).as_py() or 0)
    return f"The model did not read {count:,} of {rows.num_rows:,} rows to their end." if count else ""


def _several(run: Run) -> str:
    """Whose means there are beside the numbers of the run itself."""
    made = run.made_with("columns/across")
    return f"The map of several runs has the means of {', '.join(made['runs'])}." if made else ""


def _others(shot: Snapshot) -> str:
    """Rows beside those of the training."""
    if shot.own == shot.rows.num_rows:
        return ""
    others = shot.rows["split"].slice(shot.own)
    names = " and ".join(sorted({str(name) for name in others.unique().to_pylist()}))
    return f"{len(others):,} rows of {names}, which the training did not see, are shown as well: they have no dynamics."


def _unanalysed(shot: Snapshot, rows: pa.Table) -> str:
    """What an analysis of the run would make; its command ends the sentence."""
    lacks = [f"{one}." for one in (_unasked(shot.run, rows), _unplaced(shot)) if one]
    return " ".join([*lacks, f"An analysis makes what is missing: tunewright analyze {shot.run.id}"]) if lacks else ""


def _unasked(run: Run, rows: pa.Table) -> str:
    """Rows about which the final model was not asked: only the last epoch says what the model thinks, or nothing does."""
    asked = run.table("predictions", ["id"])["id"] if run.has("predictions") else pa.chunked_array([], pa.string())
    if not run.has("dynamics") or pc.all(pc.is_in(rows["id"], value_set=asked.combine_chunks())).as_py():
        return ""
    unsaid = rows["predicted"].null_count if "predicted" in rows.column_names else rows.num_rows
    if unsaid:  # while it learns from a text, a model says nothing that could be kept
        return f"The model was not asked about {unsaid:,} of {rows.num_rows:,} rows, which have no prediction"
    return "Predictions of training rows are what the model said when it saw them last, not what the final model says"


def _unplaced(shot: Snapshot) -> str:
    """Whether a model that could embed the rows has not."""
    run, known = shot.run, set(shot.rows.column_names)
    is_able = run.kind == "train" and run.model_folder.is_dir() and not _status(run)
    if not is_able or known & {"umap1", "pc1"}:
        return ""
    return "Its embeddings have no map yet (UMAP or PCA), no clusters and no neighbours"
