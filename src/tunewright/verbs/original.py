"""The test set as it was imported: where a version has edited it, every score is shown on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from tunewright.data.allowed import GUARDED
from tunewright.errors import ComparisonError, EditError
from tunewright.project import find_run
from tunewright.run import runs
from tunewright.verbs.evaluations import evaluated, predict_split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunewright.data.dataset import Dataset
    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["on_one_test_set", "original"]

_MODEL = ("parent", "members", "weights", "of")
"""What says which model an evaluation is of."""


def original(project: Project, evaluation: Run) -> Run | None:
    """The same model's evaluation on the test rows as they were imported; predicted now, if it has not been.

    Returns:
        None where there is nothing else to show: another split, test rows nobody has edited, or none with a label.
    """
    dataset = _dataset(project)
    if dataset is None or not _is_edited(dataset, evaluation):
        return None
    base = dataset.table("base")
    if not pc.any(pc.and_(pc.equal(base["split"], GUARDED), base["label"].is_valid())).as_py():
        return None
    return _on(project, dataset, evaluation, "base")


def on_one_test_set(project: Project, evaluations: Sequence[Run]) -> list[Run]:
    """Evaluations as they are, or the same models on the last edited test set among them, where they differ in it.

    Raises:
        ComparisonError: if they are of different rows, and not because somebody edited the test set.
    """
    found = list(evaluations)
    dataset = _dataset(project)
    if dataset is not None and not _of_same_rows(found):
        edited = [run for run in found if _is_edited(dataset, run)]
        if edited:
            found = [_on(project, dataset, run, edited[-1].meta["version"]) for run in found]
    if not _of_same_rows(found):
        ids = " and ".join(run.id for run in found)
        versions = " and ".join(str(run.meta["version"]) for run in found)
        raise ComparisonError(
            f"{ids} were evaluated on different rows of split {found[0].meta['split']!r} (dataset versions {versions}): "
            "the rows, not the models, might differ",
            fix="evaluate them on one version: tunewright evaluate --version VERSION RUN",
        )
    return found


def _dataset(project: Project) -> Dataset | None:
    """The dataset as it lies there; None where only runs are left."""
    from tunewright.data.dataset import Dataset

    return Dataset.open(project.dataset_folder) if project.dataset_folder.exists() else None


def _of_same_rows(evaluations: Sequence[Run]) -> bool:
    return len({run.meta["fingerprint"] for run in evaluations}) <= 1


def _is_edited(dataset: Dataset, evaluation: Run) -> bool:
    """Whether the evaluated rows are those of an edited test split of this dataset."""
    meta = evaluation.meta
    try:
        dataset.resolve(meta["version"])
    except EditError:  # of a dataset that was imported anew since
        return False
    return bool(meta["split"] == GUARDED and meta["fingerprint"] != dataset.fingerprint(GUARDED, "base"))


def _on(project: Project, dataset: Dataset, evaluation: Run, version: str) -> Run:
    """The evaluation of the same model on the test split of a version: this one, a stored one, or one made now."""
    rows = dataset.fingerprint(GUARDED, version)
    if evaluation.meta["fingerprint"] == rows:
        return evaluation
    model = [evaluation.meta.get(name) for name in _MODEL]
    for run in reversed(runs(project.runs_folder)):
        meta = run.meta
        is_finished = run.kind == "eval" and meta.get("status") == "finished"
        if is_finished and meta.get("fingerprint") == rows and [meta.get(name) for name in _MODEL] == model:
            return run
    made = _made(project, dataset, evaluation, version)
    made.update(beside=evaluation.id)
    return made


def _made(project: Project, dataset: Dataset, evaluation: Run, version: str) -> Run:
    members = evaluation.meta.get("members")
    if not members:
        return predict_split(project, find_run(project, evaluation.meta["parent"]), split=GUARDED, version=version)
    from tunewright.verbs.ensembling import ensemble_run

    found = [find_run(project, name) for name in members]
    own = [_member(project, dataset, run, version) for run in found]
    weights = tuple(evaluation.meta["weights"])
    return ensemble_run(project, found, own, weights, of=evaluation.meta.get("of", "probabilities"))


def _member(project: Project, dataset: Dataset, run: Run, version: str) -> Run:
    return _on(project, dataset, evaluated(project, run, split=GUARDED), version)
