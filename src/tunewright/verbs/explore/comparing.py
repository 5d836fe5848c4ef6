"""Two runs side by side, from what is stored: is the second better, on which rows, and which slices got worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.compare import Verdict, align, holm, word
from tunewright.analyze.paired import compare_scores
from tunewright.analyze.scores import Interval, grade
from tunewright.errors import ComparisonError, DataError, RunError, did_you_mean
from tunewright.project import Project, find_run
from tunewright.verbs.evaluations import labelled, stored_evaluation
from tunewright.verbs.explore.measuring import Estimate
from tunewright.verbs.explore.slices_of import slices_of
from tunewright.verbs.judge import compare_predictions
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run
    from tunewright.verbs.judge import Compared

__all__ = ["Cell", "ComparedRuns", "ComparedSlice", "Confusion", "Confusions", "MetricChange", "cell", "compare_stored"]

_MOST_IDS = 10_000
_MOST_SLICES = 20
_RESAMPLES = 2_000
_ALPHA = 0.05
_ON_VALIDATION = " These are validation rows, by which a training may have chosen its best epoch."


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChange:
    """A score of both runs and their difference, B minus A, with 95 % intervals and the paired p-value."""

    name: str
    a: Estimate
    b: Estimate
    difference: Estimate
    p: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """``counts[gold][predicted]`` of the rows with a label."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusions:
    """Of both runs."""

    a: Confusion
    b: Confusion


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSlice:
    """The main score on the rows of a slice; ``p`` is paired, and corrected over all slices (Holm 1979)."""

    name: str
    n: int
    a: float
    b: float
    difference: Estimate
    p: float
    verdict: Verdict
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRuns(Result):
    """B against A. ``wins`` are ids that only B has right, ``losses`` those that only A has."""

    a: str
    b: str
    split: str
    metrics: tuple[MetricChange, ...]
    confusion: Confusions | None
    wins: tuple[str, ...]
    losses: tuple[str, ...]
    slices: tuple[ComparedSlice, ...]
    sentence: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(Result):
    """Ids of the rows of one cell of a confusion matrix."""

    ids: tuple[str, ...]


def compare_stored(project: Project, a: Run | str, b: Run | str, *, split: str | None = None) -> ComparedRuns:
    """Compare two runs by their stored predictions; no model is asked.

    Args:
        project: whose runs they are.
        a: a training run, or an evaluation.
        b: the one to be judged: positive differences mean that it is better.
        split: which rows; None: those of an evaluation that is named, the test rows if both were evaluated on them, or
            the validation rows that both trainings ended with.

    Raises:
        ComparisonError: if they were asked about different rows, or about the same with different labels.
        RunError: if there is no such run, or it was not evaluated.
    """
    first, second = _predicted(project, find_run(project, a), find_run(project, b), split)
    left, right = _aligned(first, second)
    judged = compare_predictions(project, first, second)
    scores = {name: (_numbers(left[name]), _numbers(right[name])) for name in _score_names(judged)}
    main = scores.get(project.task.metric, (_numbers(left["correct"]), _numbers(right["correct"])))
    slices = slices_of(project, first, left["id"].to_pylist())
    on_validation = first.kind == "train"
    return ComparedRuns(
        a=first.id,
        b=second.id,
        split=judged.split,
        metrics=tuple(_metrics(judged, scores)),
        confusion=Confusions(a=_confusion(first, left), b=_confusion(second, right)) if first.labels else None,
        wins=judged.comparison.won[:_MOST_IDS],
        losses=judged.comparison.lost[:_MOST_IDS],
        slices=_slices(slices, left["id"].to_pylist(), *main),
        sentence=judged.sentence + (_ON_VALIDATION if on_validation else ""),
        command=f"tunewright compare {first.id} {second.id} --split {judged.split}",
    )


def cell(project: Project, run: Run | str, *, split: str, gold: str, predicted: str) -> Cell:
    """The rows with one gold and one predicted label.

    Raises:
        DataError: if one of them is no label of the run.
        RunError: if there is no such run.
    """
    found = find_run(project, run)
    for name in (gold, predicted):
        if name not in found.labels:
            raise DataError(f"no label is called {name!r}", fix=did_you_mean(name, found.labels))
    rows = labelled(found, split)
    kept = rows.filter(pc.and_(pc.equal(rows["label"], gold), pc.equal(rows["predicted"], predicted)))
    return Cell(ids=tuple(kept["id"].to_pylist()[:_MOST_IDS]))


def _predicted(project: Project, a: Run, b: Run, split: str | None) -> tuple[Run, Run]:
    """The runs whose predictions are compared."""
    named = next((run.meta["split"] for run in (a, b) if run.kind == "eval"), None)
    wanted = split or named or "test"
    first, second = (_evaluation(project, run, wanted) for run in (a, b))
    if first is not None and second is not None:
        _require_same_rows(first, second, a=a, b=b)
        return first, second
    if (split or "validation") == "validation" and all(
        run.kind == "train" and run.has("predictions") for run in (a, b)
    ):
        return a, b
    missing = a if first is None else b
    raise RunError(
        f"run {missing.id} has not been evaluated on split {wanted!r}",
        fix=f"evaluate it: tunewright evaluate {missing.id} --split {wanted}",
    )


def _evaluation(project: Project, run: Run, split: str) -> Run | None:
    match run.kind:
        case "train":
            return stored_evaluation(project, run, split=split)
        case "eval" if run.meta.get("split") == split:
            return run
    return None


def _require_same_rows(first: Run, second: Run, *, a: Run, b: Run) -> None:
    if first.meta.get("fingerprint") != second.meta.get("fingerprint"):
        raise ComparisonError(
            f"{first.id} and {second.id} were evaluated on different rows, or on other labels of them",
            fix=f"evaluate both on one version, which this does: tunewright compare {a.id} {b.id}",
        )


def _aligned(first: Run, second: Run) -> tuple[pa.Table, pa.Table]:
    """What both say about the same rows, in one order."""
    left, right = labelled(first), labelled(second)
    order = align(np.array(left["id"].to_pylist(), object), np.array(right["id"].to_pylist(), object))
    right = right.take(pa.array(order))
    if left["label"].to_pylist() != right["label"].to_pylist():
        raise ComparisonError(
            f"{first.id} and {second.id} were trained with different labels of these rows",
            fix="evaluate both on one version: tunewright evaluate --version VERSION RUN",
        )
    return left, right


def _score_names(judged: Compared) -> list[str]:
    return [one.name for one in judged.scores]


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)


def _metrics(
    judged: Compared, scores: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
) -> Iterator[MetricChange]:
    one = judged.comparison
    if not scores:
        yield MetricChange(
            name="accuracy",
            a=_estimate(one.accuracy_a, one.interval_a, one.n),
            b=_estimate(one.accuracy_b, one.interval_b, one.n),
            difference=_estimate(one.difference, one.interval, one.n),
            p=one.p,
            verdict=one.verdict,
        )
    for change in judged.scores:
        first, second = (grade(values, name=change.name) for values in scores[change.name])
        yield MetricChange(
            name=change.name,
            a=_estimate(first.mean, first.interval, first.n),
            b=_estimate(second.mean, second.interval, second.n),
            difference=_estimate(change.difference, change.interval, change.n),
            p=change.p,
            verdict=change.verdict,
        )


def _estimate(value: float, interval: Interval | None, n: int) -> Estimate:
    low, high = interval or (value, value)
    return Estimate(value=value, low=low, high=high, n=n)


def _confusion(run: Run, rows: pa.Table) -> Confusion:
    codes = [pc.index_in(rows[name], value_set=pa.array(run.labels)) for name in ("label", "predicted")]
    gold, said = (pc.fill_null(column, -1).to_numpy() for column in codes)
    known, size = (gold >= 0) & (said >= 0), len(run.labels)
    counts = np.bincount(gold[known] * size + said[known], minlength=size * size).reshape(size, size)
    return Confusion(labels=run.labels, counts=tuple(map(tuple, counts.tolist())))


def _slices(
    slices: dict[str, NDArray[np.int64]], ids: list[str], a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[ComparedSlice, ...]:
    """Slices that got worse first, then by the size of the change."""
    how: dict[str, Any] = {"name": "score", "resamples": _RESAMPLES}
    changes = {name: compare_scores(a[rows], b[rows], **how) for name, rows in slices.items()}
    corrected = dict(zip(changes, holm([one.p for one in changes.values()]), strict=True))
    found = [
        ComparedSlice(
            name=name,
            n=one.n,
            a=one.mean_a,
            b=one.mean_b,
            difference=_estimate(one.difference, one.interval, one.n),
            p=corrected[name],
            verdict=word(one.interval, corrected[name], _ALPHA),
            ids=tuple(ids[row] for row in slices[name][:_MOST_IDS].tolist()),
        )
        for name, one in changes.items()
    ]
    order = ("worse", "better", "cannot tell")
    ranked = sorted(found, key=lambda one: (order.index(one.verdict), one.difference.value))
    return tuple(ranked[:_MOST_SLICES])
