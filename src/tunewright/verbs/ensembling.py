"""``ensemble``: are two models better than one, how different are they, and what do they cost?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.compare import align
from tunewright.analyze.ensemble import Diversity, Of, choose_weights, combine, diversity
from tunewright.errors import ComparisonError
from tunewright.project import Project
from tunewright.verbs.dynamics import arrays
from tunewright.verbs.evaluations import evaluated, labelled, new_evaluation, scores, trained
from tunewright.verbs.judge import Compared, compare
from tunewright.verbs.original import on_one_test_set
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["Cost", "Ensembled", "combined", "ensemble", "ensemble_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an ensemble takes, beside one member: its models, their size on disk, and the time of one input.

    ``megabytes`` and ``milliseconds`` (tokenising once and all forward passes, median of warm calls) are sums over the
    members; ``times_one`` is the time over that of the best member.
    """

    models: int
    megabytes: float
    milliseconds: float
    times_one: float


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
    diversity: Diversity
    cost: Cost
    compared: Compared

    def __str__(self) -> str:
        return str(self.compared)


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
    evaluations = on_one_test_set(project, [evaluated(project, run, split=split) for run in members])
    made = ensemble_run(project, members, evaluations, given, of=of)
    return Ensembled(
        run=made.id,
        members=tuple(run.id for run in members),
        weights=given,
        chosen=weights is None,
        of=of,
        validation=accuracies,
        best=best.id,
        diversity=_diversity(evaluations),
        cost=_cost(project, members, evaluations[0], best),
        compared=compare(project, best, made, split=split),
    )


def ensemble_run(
    project: Project, members: Sequence[Run], evaluations: Sequence[Run], weights: tuple[float, ...], *, of: Of
) -> Run:
    """The ensemble as a run of kind ``eval``, from evaluations of its members on the same rows."""
    first = evaluations[0]
    predictions = combined(project.task.labels, [labelled(run) for run in evaluations], weights, of=of)
    rows = first.table("examples")
    order = pc.index_in(_ids(predictions), value_set=_ids(rows))
    made = new_evaluation(
        project,
        rows.take(order),
        predictions,
        split=first.meta["split"],
        version=first.meta["version"],
        version_name=first.meta["version_name"],
        fingerprint=first.meta["fingerprint"],
        name="ensemble",
        members=tuple(run.id for run in members),
        weights=weights,
    )
    made.update(of=of)
    return made


def combined(
    labels: tuple[str, ...],
    tables: Sequence[pa.Table],
    weights: Sequence[float] | None = None,
    *,
    of: Of = "probabilities",
) -> pa.Table:
    """Predictions of an ensemble, as a model's own: log probabilities are logits with the same softmax.

    Args:
        labels: names in the order of the logits.
        tables: predictions of the members about the same labelled rows.
        weights: one per member; equal if None.
        of: what is averaged.

    Raises:
        ComparisonError: if the members predicted different rows.
    """
    stack = _stack(tables)
    probabilities = combine(stack.logits, weights, of=of)
    gold = _codes(stack.label, labels)
    rows = np.arange(len(gold))
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    guess = probabilities.argmax(axis=1)
    others = logits.copy()
    others[rows, gold] = -np.inf
    split = tables[0]["split"].take(pc.index_in(pa.array(stack.id, pa.string()), value_set=_ids(tables[0])))
    return pa.table(
        {
            "id": pa.array(stack.id, pa.string()),
            "split": split,
            "label": pa.array(stack.label, pa.string()),
            "predicted": pa.array([labels[code] for code in guess], pa.string()),
            "probability": probabilities[rows, guess],
            "logits": pa.array(list(logits), pa.list_(pa.float64())),
            "gold_probability": probabilities[rows, gold],
            "loss": -logits[rows, gold],
            "margin": logits[rows, gold] - others.max(axis=1),
            "correct": guess == gold,
        }
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


def _ids(table: pa.Table) -> pa.Array:
    return table["id"].combine_chunks()


def _diversity(evaluations: Sequence[Run]) -> Diversity:
    tables = [labelled(run) for run in evaluations]
    ids = arrays(tables[0].select(["id"]))["id"]
    columns = [arrays(table.select(["id", "predicted", "correct"])) for table in tables]
    orders = [align(ids, own["id"]) for own in columns]
    said, right = (
        np.stack([own[name][order] for own, order in zip(columns, orders, strict=True)])
        for name in ("predicted", "correct")
    )
    return diversity(said, right.astype(bool))


def _cost(project: Project, members: Sequence[Run], evaluation: Run, best: Run) -> Cost:
    from tunewright.observe.predict import latency
    from tunewright.verbs.models import load

    row = evaluation.table("examples").slice(0, 1)
    tokenising, forward = [], {}
    for run in members:
        model, tokenizer = load(project, run)
        time = latency(model, project.task, tokenizer, row, repeats=10)
        tokenising.append(time.tokenise_p50)
        forward[run.id] = time.forward_p50
    # members of one family share the tokeniser's work
    total = max(tokenising) + sum(forward.values())
    size = sum(path.stat().st_size for run in members for path in run.model_folder.glob("*.safetensors"))
    return Cost(
        models=len(members),
        megabytes=size / 1e6,
        milliseconds=total,
        times_one=total / (max(tokenising) + forward[best.id]),
    )
