"""``lint``: what to rule out before the data, or the model, is blamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.lints import Lint, Rows, Severity, lint as lint_rows
from tunewright.bindings import grades
from tunewright.data.edits import Add
from tunewright.errors import EditError
from tunewright.project import Project, find_run, open_dataset
from tunewright.table import left_join
from tunewright.verbs.described import arrays_of, found_duplicates, objects
from tunewright.verbs.evaluations import trained
from tunewright.verbs.lengths import encoded
from tunewright.verbs.population import population
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from tunewright.data.fields import Fields
    from tunewright.run import Run
    from tunewright.tasks import Task

__all__ = ["Lint", "Linted", "Severity", "lint", "lints_of", "of_data", "with_outputs"]

_GIVEN = ("id", "split", "content", "label", "duplicate_of")
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

    The model is not asked anew: outputs are looked at as far as there are predictions: of a training run those of the
    validation rows, or after `analyze` of all; of an evaluation its own.

    Args:
        project: whose run it is.
        run: a training run, an evaluation of one, or a monitor; by default the last training run. Of a monitor it is
            how its rows were made that is looked at.

    Raises:
        RunError: if there is no such run.
    """
    named = find_run(project, run)
    if named.kind == "production":
        return _of_production(project, named)
    run = trained(project, named)
    found_duplicates(project, run)
    rows = population(project, run)
    if named.id != run.id:
        rows = with_outputs(rows, named.table("predictions"))
    predicted = rows["predicted"] if "predicted" in rows.column_names else None
    return Linted(
        run=named.id,
        rows=rows.num_rows,
        predicted=0 if predicted is None else rows.num_rows - predicted.null_count,
        lints=lints_of(project, run, rows, tokenizer=_tokenizer(project, run)),
    )


def lints_of(
    project: Project, run: Run, rows: pa.Table, *, tokenizer: PreTrainedTokenizerBase | None = None
) -> tuple[Lint, ...]:
    """Findings about rows that are known to a training run, errors first.

    Args:
        project: whose run it is.
        run: a training run.
        rows: of its version, with what is stored about them; see `tunewright.verbs.population.population`.
        tokenizer: of its model; None: of encoding, nothing is said but what the training noted.
    """
    columns = of_data(project.task, open_dataset(project).fields, rows, tokenizer)
    columns |= {"synthetic": _added(project, run, rows), "scores": _own_scores(project, rows)}
    columns |= _of_run(run, rows, graded=project.task.metric, is_encoded=tokenizer is not None)
    return tuple(lint_rows(Rows(**columns)))


def _of_production(project: Project, run: Run) -> Linted:
    """Artifacts of what a monitor logged."""
    from tunewright.monitor.lints import lints
    from tunewright.verbs.monitoring import copied

    with copied(project, run) as watch:
        rows = watch.report()["rows"]
        return Linted(run=run.id, rows=rows, predicted=rows, lints=tuple(lints(watch)))


def with_outputs(rows: pa.Table, predictions: pa.Table) -> pa.Table:
    """Rows with these predictions in place of those they have."""
    told = [name for name in predictions.column_names if name not in {"id", "split", "label"}]
    kept = rows.drop_columns([name for name in told if name in rows.column_names])
    return left_join(kept, predictions.select(["id", *told]))


def of_data(task: Task, fields: Fields, rows: pa.Table, tokenizer: PreTrainedTokenizerBase | None) -> dict[str, Any]:
    """What the lints are told of the rows of a dataset, with or without a run.

    Args:
        task: knows the text fields, and encodes.
        fields: of the dataset.
        rows: of the dataset, [n]; ``duplicate_of`` among their columns where near-duplicates have been looked for.
        tokenizer: of the model; None: nothing is told of encoding.

    Returns:
        arguments of `tunewright.analyze.lints.Rows`.
    """
    there = set(rows.column_names)
    columns: dict[str, Any] = {name: objects(rows[name]) for name in _GIVEN if name in there}
    columns |= {"content": columns.get("content", columns["id"]), "classes": bool(task.labels)}
    columns["texts"] = {name: objects(rows[name]) for name in task.text_fields}
    columns["metadata"] = arrays_of(rows, [name for name in fields.metadata if name in there])
    if fields.passage and len(fields.target) == _PAIR and there.issuperset(fields.target):
        given = zip(("context", "answers", "starts"), (fields.passage, *fields.target), strict=True)
        columns |= {name: objects(rows[column]) for name, column in given}
    return columns | ({} if tokenizer is None else _of_encoding(task, tokenizer, rows))


def _of_encoding(task: Task, tokenizer: PreTrainedTokenizerBase, rows: pa.Table) -> dict[str, Any]:
    """Lengths, targets that no window holds or that are cut, and whether padding is masked."""
    made = encoded(task, tokenizer, rows)
    batch = task.collator(tokenizer)(task.encode(rows.slice(0, _PAIR).to_pydict(), tokenizer))
    return {
        "lengths": made.lengths,
        "max_length": made.limit,
        "lost": made.lost,
        "cut_targets": made.cut_targets,
        "unmasked": "attention_mask" not in batch,
    }


def _added(project: Project, run: Run, rows: pa.Table) -> np.ndarray[Any, Any]:
    """[n] rows that were not imported but added by an edit."""
    try:
        log = open_dataset(project).log(run.meta.get("version", "main"))
    except EditError:  # the dataset was imported anew since
        log = []
    made = [row["id"] for entry in log if isinstance(entry.edit, Add) for row in entry.edit.rows]
    return np.isin(objects(rows["id"]).astype(str), np.array(made, dtype=str))


def _tokenizer(project: Project, run: Run) -> PreTrainedTokenizerBase | None:
    """That of the run's model, if it has one."""
    from tunewright.tasks.source import load_tokenizer

    if not run.model_folder.is_dir():
        return None
    return load_tokenizer(str(run.model_folder), trust_remote_code=project.train.trust_remote_code)


def _of_run(run: Run, rows: pa.Table, *, graded: str, is_encoded: bool) -> dict[str, Any]:
    columns: dict[str, Any] = {"trained": _trained_on(run)}
    if not is_encoded:  # what its training noted, then
        columns["lost"] = (run.meta.get("untaught") or {}).get("ids", ())
        if "target_truncated" in rows.column_names:
            columns["cut_targets"] = rows.filter(rows["target_truncated"])["id"].to_pylist()
    if "predicted" in rows.column_names:
        graded = graded if graded in rows.column_names else "correct"
        correct = rows[graded].to_pylist() if graded in rows.column_names else [None] * rows.num_rows
        columns["predicted"] = objects(rows["predicted"])
        columns["correct"] = np.array([np.nan if one is None else float(one) for one in correct])
    if "stop_reason" in rows.column_names:
        columns["stop_reason"] = objects(rows["stop_reason"])
    return columns


def _own_scores(project: Project, rows: pa.Table) -> dict[str, np.ndarray[Any, Any]]:
    """[n] what each of the project's metrics says of the rows with a prediction and a label, NaN of the others."""
    if "predicted" not in rows.column_names:
        return {}
    asked = pc.is_valid(rows["predicted"]).to_numpy()
    names = [name for name in ("id", "label", "predicted", *project.task.target_fields) if name in rows.column_names]
    found, _ = grades(project.metrics, rows.select(names).filter(pa.array(asked)).to_pydict())
    scores = {name: np.full(len(asked), np.nan) for name in found}
    for name, values in found.items():
        scores[name][asked] = values
    return scores


def _trained_on(run: Run) -> frozenset[str]:
    """Ids whose loss was learnt from: those that the recorder saw, or else the training rows of the run."""
    if run.has("dynamics"):
        return frozenset(pc.unique(run.table("dynamics", ["id"])["id"]).to_pylist())
    seen = run.table("examples", ["id", "split"])
    return frozenset(seen.filter(pc.equal(seen["split"], "train"))["id"].to_pylist())
