"""``lint``: what to rule out before the data, or the model, is blamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from tunewright.analyze.lints import Lint, Rows, lint as lint_rows
from tunewright.data.edits import Add
from tunewright.errors import EditError
from tunewright.project import Project, open_dataset
from tunewright.verbs.described import arrays_of, found_duplicates, metadata_names, objects
from tunewright.verbs.evaluations import trained
from tunewright.verbs.lengths import encoded
from tunewright.verbs.models import rows_of
from tunewright.verbs.population import population
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.run import Run

__all__ = ["Linted", "lint"]

_ALWAYS = ("id", "split", "content", "label")
_PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted(Result):
    """Findings, errors first; ``rows`` were looked at, of ``predicted`` of them the outputs, too."""

    run: str
    rows: int
    predicted: int
    lints: tuple[Lint, ...]

    @property
    def passed(self) -> bool:
        """Whether there is no error among them."""
        return not any(one.severity == "error" for one in self.lints)


def lint(project: Project, run: Run | str | None = None) -> Linted:
    """Look for artifacts in the data a run was trained on, in what encoding did to it, and in what the model said.

    The model is not asked anew: outputs are looked at as far as there are predictions (after `evaluate` those of the
    validation rows, after `analyze` all).

    Args:
        project: whose run it is.
        run: by default the last training run.

    Raises:
        RunError: if there is no such run.
    """
    run = trained(project, run)
    found_duplicates(project, run)
    rows = population(project, run)
    known = {name: objects(rows[name]) for name in _ALWAYS if name in rows.column_names}
    known |= {"content": known["id"]} if "content" not in known else {}
    columns = known | _of_data(project, run, rows) | _of_encoding(project, run) | _of_run(project, run, rows)
    predicted = rows["predicted"] if "predicted" in rows.column_names else None
    return Linted(
        run=run.id,
        rows=rows.num_rows,
        predicted=0 if predicted is None else rows.num_rows - predicted.null_count,
        lints=tuple(lint_rows(Rows(**columns))),
    )


def _of_data(project: Project, run: Run, rows: pa.Table) -> dict[str, Any]:
    task = project.task
    columns: dict[str, Any] = {
        "classes": bool(task.labels),
        "metadata": arrays_of(rows, metadata_names(project, rows)),
        "texts": {name: objects(rows[name]) for name in task.text_fields},
        "duplicate_of": objects(rows["duplicate_of"]),
        "synthetic": _added(project, run, rows),
    }
    if len(task.target_fields) == _PAIR and set(task.target_fields) <= set(rows.column_names):
        given = zip(("context", "answers", "starts"), (task.text_fields[-1], *task.target_fields), strict=True)
        columns |= {name: objects(rows[column]) for name, column in given}
    return columns


def _added(project: Project, run: Run, rows: pa.Table) -> np.ndarray[Any, Any]:
    """[n] rows that were not imported but added by an edit."""
    try:
        log = open_dataset(project).log(run.meta.get("version", "main"))
    except EditError:  # the dataset was imported anew since
        log = []
    made = [row["id"] for entry in log if isinstance(entry.edit, Add) for row in entry.edit.rows]
    return np.isin(objects(rows["id"]).astype(str), np.array(made, dtype=str))


def _of_encoding(project: Project, run: Run) -> dict[str, Any]:
    """Lengths, and targets that no input holds; of a run without a model, those that its training noted."""
    from tunewright.tasks.source import load_tokenizer

    if not run.model_folder.is_dir():
        return {"lost": (run.meta.get("untaught") or {}).get("ids", ())}
    trusted = project.train.trust_remote_code
    tokenizer, rows = load_tokenizer(str(run.model_folder), trust_remote_code=trusted), rows_of(project, run)
    made = encoded(project.task, tokenizer, rows)
    batch = project.task.collator(tokenizer)(project.task.encode(rows.slice(0, _PAIR).to_pydict(), tokenizer))
    return {
        "lengths": made.lengths,
        "max_length": made.limit,
        "lost": made.lost,
        "unmasked": "attention_mask" not in batch,
    }


def _of_run(project: Project, run: Run, rows: pa.Table) -> dict[str, Any]:
    columns: dict[str, Any] = {"trained": _trained_on(run)}
    if "predicted" in rows.column_names:
        graded = project.task.metric if project.task.metric in rows.column_names else "correct"
        correct = rows[graded].to_pylist() if graded in rows.column_names else [None] * rows.num_rows
        columns["predicted"] = objects(rows["predicted"])
        columns["correct"] = np.array([np.nan if one is None else float(one) for one in correct])
    if "stop_reason" in rows.column_names:
        columns["stop_reason"] = objects(rows["stop_reason"])
    return columns


def _trained_on(run: Run) -> frozenset[str]:
    """Ids whose loss was learnt from: those that the recorder saw, or else the training rows of the run."""
    if run.has("dynamics"):
        return frozenset(pc.unique(run.table("dynamics", ["id"])["id"]).to_pylist())
    seen = run.table("examples", ["id", "split"])
    return frozenset(seen.filter(pc.equal(seen["split"], "train"))["id"].to_pylist())
