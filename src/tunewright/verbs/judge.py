"""``compare``: did it help?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunewright.analyze.compare import Comparison, align, compare as compare_rows
from tunewright.analyze.paired import ScoreChange, compare_scores
from tunewright.errors import ComparisonError
from tunewright.project import Project
from tunewright.verbs.dynamics import arrays
from tunewright.verbs.evaluations import evaluated, is_grade, labelled
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["Compared", "compare"]


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
