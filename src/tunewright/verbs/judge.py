"""``compare`` and ``ensemble``: did it help, and are two better than one?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.compare import Comparison, align, compare as compare_rows
from tunewright.analyze.ensemble import Of, choose_weights, combine
from tunewright.analyze.paired import ScoreChange, compare_scores
from tunewright.errors import ComparisonError
from tunewright.project import Project
from tunewright.verbs.dynamics import arrays
from tunewright.verbs.evaluations import evaluated, is_grade, labelled, new_evaluation, scores, trained
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["Compared", "Ensembled", "compare", "ensemble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Result):
    """B against A on the rows of one split, and the verdict in words.

    Where targets are classes the verdict is about accuracy, else about the task's main score among ``scores``.
    """

    a: str
    b: str
    split: str
    verdict: str
    sentence: str
    comparison: Comparison
    scores: tuple[ScoreChange, ...]

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensembled(Result):
    """An ensemble as a run, against the member that was best on the validation rows (A; the ensemble is B)."""

    run: str
    members: tuple[str, ...]
    weights: tuple[float, ...]
    chosen: bool
    of: Of
    validation: tuple[float, ...]
    best: str
    compared: Compared

    def __str__(self) -> str:
        return str(self.compared)


def compare(project: Project, a: Run | str, b: Run | str, *, split: str = "test") -> Compared:
    """Compare two models on the same rows, matched by id.

    The newest evaluation of each is used, and made where there is none.

    Args:
        project: whose runs they are.
        a: a training run, or an evaluation.
        b: the one to be judged: positive differences mean that it is better.
        split: which rows.

    Raises:
        ComparisonError: if the two were evaluated on different rows.
        RunError: if there is no such run.
    """
    first, second = (evaluated(project, run, split=split) for run in (a, b))
    if first.meta["fingerprint"] != second.meta["fingerprint"]:
        raise ComparisonError(
            f"{first.id} and {second.id} were evaluated on different rows of split {split!r} (dataset versions "
            f"{first.meta['version']} and {second.meta['version']}): the rows, not the models, might differ",
            fix="evaluate both on one version: tunewright evaluate --version VERSION RUN",
        )
    graded = [name for name in labelled(first).column_names if is_grade(name)]
    left, right = (arrays(labelled(run).select(["id", "label", "correct", *graded])) for run in (first, second))
    order = align(left["id"], right["id"])
    comparison = compare_rows(
        left["correct"].astype(bool),
        right["correct"][order].astype(bool),
        label=left["label"] if first.labels else None,
        id=left["id"],
    )
    changes = {name: compare_scores(left[name], right[name][order], name=name) for name in graded}
    main = changes.get(project.task.metric, comparison)
    same = f"A and B are the same evaluation, {first.id}: there is nothing to compare."
    return Compared(
        a=first.id,
        b=second.id,
        split=split,
        verdict=main.verdict,
        sentence=same if first.id == second.id else main.sentence(),
        comparison=comparison,
        scores=tuple(changes.values()),
    )


def ensemble(
    project: Project,
    *runs: Run | str,
    weights: Sequence[float] | None = None,
    of: Of = "probabilities",
    split: str = "test",
) -> Ensembled:
    """Combine the predictions of two or more runs, and compare them with the best of the members.

    Weights, where none are given, and the best member are chosen on validation rows, never on the rows it is judged by.

    Args:
        project: whose runs they are.
        runs: training runs with the same labels.
        weights: one per run, not negative; None chooses them.
        of: what is averaged: probabilities or logits.
        split: the rows it is judged by.

    Raises:
        ComparisonError: if there is only one run, their labels differ, they did not predict the same validation rows,
            or ``split`` is the one the weights are chosen on.
        DataError: if the weights do not fit.
    """
    members = [trained(project, run) for run in runs]
    if len({run.id for run in members}) < 2:
        raise ComparisonError("expected two or more different runs, found one", fix="name a second run")
    if split == "validation":
        raise ComparisonError(
            "expected other rows to judge by than those the weights are chosen on, found 'validation'",
            fix="judge by --split test",
        )
    _require_same_labels(members)
    validation = _stack([labelled(run, "validation") for run in members])
    gold = _codes(validation.label, members[0].labels)
    given = tuple(weights) if weights is not None else choose_weights(validation.logits, gold, of=of)
    accuracies = tuple(scores(run, "validation").accuracy for run in members)
    best = members[int(np.argmax(accuracies))]
    made = _as_run(project, members, given, of=of, split=split)
    return Ensembled(
        run=made.id,
        members=tuple(run.id for run in members),
        weights=given,
        chosen=weights is None,
        of=of,
        validation=accuracies,
        best=best.id,
        compared=compare(project, best, made, split=split),
    )


def _require_same_labels(members: Sequence[Run]) -> None:
    first = members[0]
    if not first.labels:
        raise ComparisonError(
            "expected runs whose probabilities can be averaged, found a task without labels",
            fix="ensembles are for classification; compare the runs instead",
        )
    for run in members[1:]:
        if run.labels != first.labels:
            raise ComparisonError(
                f"expected runs with the same labels in the same order, found {first.labels} in {first.id} and "
                f"{run.labels} in {run.id}",
                fix="combine runs that were trained with one list of labels",
            )


@dataclass(frozen=True, slots=True)
class _Stack:
    """Predictions of several models about the same rows: ids and labels [n], logits [models, n, labels]."""

    id: NDArray[np.generic]
    label: NDArray[np.generic]
    logits: NDArray[np.float64]


def _stack(tables: Sequence[pa.Table]) -> _Stack:
    if not all(table.num_rows for table in tables):
        raise ComparisonError(
            "expected predictions of validation rows from every run, found none from some",
            fix="give the dataset a validation split, and train again",
        )
    first = arrays(tables[0].select(["id", "label"]))
    logits = []
    for table in tables:
        own = arrays(table.select(["id", "label"]))
        order = align(first["id"], own["id"])
        if not np.array_equal(own["label"][order], first["label"]):
            raise ComparisonError("the runs were given different labels for the same rows", fix="train both again")
        flat = table["logits"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        logits.append(flat.reshape(table.num_rows, -1)[order].astype(np.float64))
    return _Stack(first["id"], first["label"], np.stack(logits))


def _codes(label: NDArray[np.generic], labels: tuple[str, ...]) -> NDArray[np.int64]:
    code = {name: position for position, name in enumerate(labels)}
    return np.array([code[str(name)] for name in label], dtype=np.int64)


def _as_run(project: Project, members: Sequence[Run], weights: tuple[float, ...], *, of: Of, split: str) -> Run:
    evaluations = [evaluated(project, run, split=split) for run in members]
    if len({run.meta["fingerprint"] for run in evaluations}) > 1:
        raise ComparisonError(
            f"the runs were evaluated on different rows of split {split!r}", fix="evaluate them on one --version"
        )
    stack = _stack([labelled(run) for run in evaluations])
    probabilities = combine(stack.logits, weights, of=of)
    first = evaluations[0]
    rows = first.table("examples")
    order = pc.index_in(pa.array(stack.id, pa.string()), value_set=rows["id"].combine_chunks())
    return new_evaluation(
        project,
        rows.take(order),
        _predictions(project, stack, probabilities, split),
        split=split,
        version=first.meta["version"],
        version_name=first.meta["version_name"],
        fingerprint=first.meta["fingerprint"],
        name="ensemble",
        members=tuple(run.id for run in members),
        weights=weights,
    )


def _predictions(project: Project, stack: _Stack, probabilities: NDArray[np.float64], split: str) -> pa.Table:
    """As a model's own: log probabilities are logits with the same softmax."""
    gold = _codes(stack.label, project.task.labels)
    rows = np.arange(len(gold))
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    guess = probabilities.argmax(axis=1)
    others = logits.copy()
    others[rows, gold] = -np.inf
    return pa.table(
        {
            "id": pa.array(stack.id, pa.string()),
            "split": pa.array([split] * len(gold), pa.string()),
            "label": pa.array(stack.label, pa.string()),
            "predicted": pa.array([project.task.labels[code] for code in guess], pa.string()),
            "probability": probabilities[rows, guess],
            "logits": pa.array(list(logits), pa.list_(pa.float64())),
            "gold_probability": probabilities[rows, gold],
            "loss": -logits[rows, gold],
            "margin": logits[rows, gold] - others.max(axis=1),
            "correct": guess == gold,
        }
    )
