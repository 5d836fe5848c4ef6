"""``compare``: did it help?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tunewright.analyze.compare import Comparison, align, compare as compare_rows
from tunewright.analyze.paired import ScoreChange, compare_scores
from tunewright.project import Project
from tunewright.verbs.dynamics import arrays
from tunewright.verbs.evaluations import evaluated, is_grade, labelled
from tunewright.verbs.original import on_one_test_set, original
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["Compared", "compare", "compare_predictions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Result):
    """B against A on the rows of one split, and the verdict in words.

    Where targets are classes the verdict is about accuracy, else about the task's main score among ``scores``. Where the
    test rows were edited, ``original`` is the same on the rows as they were imported.
    """

    a: str
    b: str
    split: str
    verdict: str
    sentence: str
    comparison: Comparison
    scores: tuple[ScoreChange, ...]
    original: Compared | None = None

    def __str__(self) -> str:
        return self.sentence


def compare(project: Project, a: Run | str, b: Run | str, *, split: str = "test") -> Compared:
    """Compare two models on the same rows, matched by id.

    The newest evaluation of each is used, and made where there is none. Where the test set of one was edited, both are
    compared on it, and on the one that was imported.

    Args:
        project: whose runs they are.
        a: a training run, or an evaluation.
        b: the one to be judged: positive differences mean that it is better.
        split: which rows.

    Raises:
        ComparisonError: if the two were evaluated on different rows, and not because the test set was edited.
        RunError: if there is no such run.
    """
    found = on_one_test_set(project, [evaluated(project, run, split=split) for run in (a, b)])
    first, second = (original(project, run) for run in found)
    compared = compare_predictions(project, *found)
    if first is None or second is None:
        return compared
    return replace(compared, original=compare_predictions(project, first, second))


def compare_predictions(project: Project, first: Run, second: Run) -> Compared:
    """Compare what two runs said about the same rows: evaluations, or trainings with their validation rows.

    Raises:
        ComparisonError: if they are different rows.
    """
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
        split=first.meta.get("split") or "validation",
        verdict=main.verdict,
        sentence=same if first.id == second.id else main.sentence(),
        comparison=comparison,
        scores=tuple(changes.values()),
    )
