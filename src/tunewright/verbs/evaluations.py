"""Runs of kind ``eval``: what one model says about one split, kept so that nothing is predicted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.scores import Grade, Scores, grade, score
from tunewright.columns import COLUMNS
from tunewright.errors import DataError, RunError, did_you_mean
from tunewright.project import find_run, open_dataset
from tunewright.run import Run, runs
from tunewright.table import left_join

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project

__all__ = [
    "Grade",
    "Scores",
    "evaluated",
    "grades",
    "is_grade",
    "labelled",
    "new_evaluation",
    "predict_split",
    "scores",
    "stored_evaluation",
    "trained",
]

_OWN = "columns/own-metrics"

_MEMBERS = "name one of its members"


def trained(project: Project, run: Run | str | None) -> Run:
    """A training run; that of an evaluation is the run it evaluates.

    Raises:
        RunError: if there is none.
    """
    found = find_run(project, run)
    parent = found.meta.get("parent")
    if found.kind == "train":
        return found
    if not parent:
        watched = found.meta.get("model")
        fix = f"it watches {watched}: name that, or see `tunewright monitor report`" if watched else _MEMBERS
        raise RunError(f"run {found.id} is of kind {found.kind!r}, expected a training run", fix=fix)
    return find_run(project, parent)


def evaluated(project: Project, run: Run | str | None, *, split: str) -> Run:
    """The newest evaluation of a run on a split; made now if there is none.

    Args:
        project: whose run it is.
        run: a training run, or an evaluation (also of an ensemble), which is taken as it is.
        split: which rows.

    Raises:
        RunError: if an evaluation is named that is of another split.
    """
    found = find_run(project, run)
    if found.kind == "train":
        return stored_evaluation(project, found, split=split) or predict_split(project, found, split=split)
    if found.kind == "production":
        raise RunError(
            f"run {found.id} is of production, expected one that was trained, or evaluates one",
            fix="see `tunewright monitor report`, which says how production does",
        )
    if found.meta.get("split") != split:
        raise RunError(
            f"run {found.id} evaluates split {found.meta.get('split')!r}, asked for is {split!r}",
            fix=f"ask for --split {found.meta.get('split')}, or name a training run",
        )
    return found


def stored_evaluation(project: Project, run: Run, *, split: str) -> Run | None:
    """The newest finished evaluation of a training run on a split, if there is one."""
    found = [other for other in runs(project.runs_folder) if _evaluates(other, run, split)]
    return found[-1] if found else None


def predict_split(project: Project, run: Run, *, split: str, version: str | None = None) -> Run:
    """Predict a split with the model of a training run, as a new run of kind ``eval``.

    Args:
        project: whose run it is.
        run: a finished training run.
        split: which rows.
        version: of the dataset; by default the one the run was trained on.

    Raises:
        DataError: if the split has no rows, or no labelled ones.
        RunError: if the run has no model.
    """
    from tunewright.observe.predict import predict
    from tunewright.verbs.models import load

    dataset = open_dataset(project)
    resolved = dataset.resolve(version or run.meta.get("version", "main"))
    table = dataset.table(resolved)
    rows = table.filter(pc.equal(table["split"], split))
    if rows.num_rows == 0:
        known = pc.unique(table["split"]).to_pylist()
        raise DataError(f"expected rows in split {split!r}, found none", fix=did_you_mean(split, known))
    if rows["label"].null_count == rows.num_rows:
        raise DataError(
            f"none of the {rows.num_rows} rows of split {split!r} has a label, so nothing can be scored",
            fix="evaluate another split, such as --split validation",
        )
    model, tokenizer = load(project, run)
    predictions = predict(model, project.task, tokenizer, rows)
    fingerprint = dataset.fingerprint(split, resolved)
    return new_evaluation(
        project,
        rows,
        predictions,
        split=split,
        version=resolved,
        version_name=version or run.meta.get("version_name", ""),
        fingerprint=fingerprint,
        name=run.meta["name"],
        parent=run.id,
    )


def new_evaluation(
    project: Project,
    rows: pa.Table,
    predictions: pa.Table,
    *,
    split: str,
    version: str,
    version_name: str,
    fingerprint: str,
    name: str,
    parent: str | None = None,
    members: tuple[str, ...] = (),
    weights: tuple[float, ...] = (),
) -> Run:
    """Write rows and their predictions as a finished run of kind ``eval``, with its scores.

    Of the project's own metrics, one that gives what is no score is left out; ``failed_metrics`` of the run says why.
    """
    by_row, own, failed = _own_metrics(project, rows, predictions)
    run = Run.create(
        project.runs_folder,
        kind="eval",
        name=f"{name}-{split}",
        config={"task": repr(project.task)},
        examples=rows,
        dataset=project.name,
        version=version,
        version_name=version_name,
        split=split,
        fingerprint=fingerprint,
        labels=list(project.task.labels),
        parent=parent,
        members=list(members),
        weights=list(weights),
    )
    run.write("predictions", predictions)
    lower = [made.name for made in project.metrics if made.direction == "lower"]
    if by_row is not None:
        run.write(_OWN, by_row)
    run.update(
        status="finished", metrics=_metrics(run) | own, own_metrics=own, failed_metrics=failed, lower_is_better=lower
    )
    return run


def _own_metrics(
    project: Project, rows: pa.Table, predictions: pa.Table
) -> tuple[pa.Table | None, dict[str, float], dict[str, str]]:
    """What the project's own metrics say of each row, as columns if any does; their scores; errors of the others."""
    from tunewright.bindings import grades as grade_rows

    targets = [name for name in project.task.target_fields if name in rows.column_names]
    columns = left_join(predictions.select(["id", "label", "predicted"]), rows.select(["id", *targets]))
    by_row: dict[str, NDArray[np.float64]] = {}
    found: dict[str, float] = {}
    failed: dict[str, str] = {}
    for made in project.metrics:
        try:
            values, scored = grade_rows((made,), columns.to_pydict())
        except DataError as error:
            failed[made.name] = error.message
        else:
            by_row |= values
            found |= scored
    return pa.table({"id": columns["id"], **by_row}) if by_row else None, found, failed


def labelled(run: Run, split: str | None = None) -> pa.Table:
    """The predictions of rows that have a label, of one split.

    A training run may have been asked about all of its rows, most of which it learnt from: there, no split is the
    validation split.

    Raises:
        RunError: if the predictions do not say which labels, or of which split.
    """
    table = run.table("predictions")
    if lacking := {"label", "split"}.difference(table.column_names):
        raise RunError(
            f"the predictions of run {run.id} have no column {min(lacking)!r}",
            fix=f"run `tunewright evaluate {run.id}`",
        )
    kept = table.filter(pc.is_valid(table["label"]))
    split = split or ("validation" if run.kind == "train" else None)
    return kept if split is None else kept.filter(pc.equal(kept["split"], split))


def scores(run: Run, split: str | None = None) -> Scores:
    """Scores of a run's predictions, with intervals.

    Raises:
        DataError: if none of them has a label.
    """
    table = labelled(run, split)
    label, predicted = (np.array(table[name].to_pylist(), dtype=object) for name in ("label", "predicted"))
    return score(label, predicted, labels=run.labels)


def grades(run: Run, split: str | None = None) -> tuple[Grade, ...]:
    """Means of the scores that each prediction has besides being right or wrong, and the project's own metrics."""
    table = labelled(run, split)
    found = [(name, table[name]) for name in table.column_names if is_grade(name)]
    if run.has(_OWN):
        own = left_join(table.select(["id"]), run.table(_OWN))
        found += [(name, own[name]) for name in own.column_names if name != "id"]
    lower = run.meta.get("lower_is_better", ())
    means = [
        grade(values.to_numpy(), name=name, direction="lower" if name in lower else "higher") for name, values in found
    ]
    names = {one.name for one in means}
    single = [(name, value) for name, value in run.meta.get("own_metrics", {}).items() if name not in names]
    return *means, *(_single(name, value, n=table.num_rows, lower=name in lower) for name, value in single)


def _single(name: str, value: float, *, n: int, lower: bool) -> Grade:
    return Grade(name=name, mean=value, interval=None, n=n, direction="lower" if lower else "higher")


def is_grade(name: str) -> bool:
    """Whether a column of predictions is a score of its task: a share of which more is better."""
    found = COLUMNS.get(name)
    shares = found is not None and (found.low, found.high, found.direction) == (0, 1, "good")
    return shares and name not in {"correct", "gold_probability"}


def _metrics(run: Run) -> dict[str, float]:
    if run.labels:
        found = scores(run)
        return {"accuracy": found.accuracy, "macro_f1": found.macro_f1, "n": found.n}
    return {one.name: one.mean for one in grades(run)} | {"n": labelled(run).num_rows}


def _evaluates(run: Run, parent: Run, split: str) -> bool:
    meta = run.meta
    is_finished = meta["kind"] == "eval" and meta.get("status") == "finished"
    is_its_own = "beside" not in meta  # not made to stand beside one on other test rows
    return is_finished and is_its_own and meta.get("parent") == parent.id and meta.get("split") == split
