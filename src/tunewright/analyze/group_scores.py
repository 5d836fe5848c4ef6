"""Groups of rows by their mean score, and which of them lie below the other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t, ttest_ind_from_stats

from tunewright.analyze.compare import holm
from tunewright.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GroupScore", "group_scores"]

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class GroupScore:
    """The scores of a group of rows.

    Attributes:
        number: of the group.
        n: rows with a score.
        mean: of them.
        interval: 95 % (Student 1908); None of fewer than two rows.
        rest: mean of all other rows with a score; NaN if there are none.
        p: one-sided, that the mean is not below that of the rest (Welch 1947), corrected over the groups (Holm 1979).
        below: p is under .05.
    """

    number: int
    n: int
    mean: float
    interval: tuple[float, float] | None
    rest: float
    p: float
    below: bool


def group_scores(code: NDArray[np.integer], score: NDArray[np.floating]) -> tuple[GroupScore, ...]:
    """Groups with their scores, the lowest mean first.

    The groups must have been found without the score: those that were found by it are below by construction.

    Args:
        code: [n] number of each row's group, -1 for none; such rows count to the rest.
        score: [n] NaN where it is unknown; such rows are left out, and so are groups of nothing else.

    Raises:
        DataError: if the lengths differ.
    """
    if len(code) != len(score):
        raise DataError(f"expected a score for each of {len(code)} rows, found {len(score)}")
    known = np.isfinite(score)
    code, score = code[known], score[known].astype(np.float64)
    numbers = np.unique(code[code >= 0]).tolist()
    parts = [(score[code == number], score[code != number]) for number in numbers]
    corrected = holm([_p_below(inside, outside) for inside, outside in parts])
    found = [_measured(number, *part, p) for number, part, p in zip(numbers, parts, corrected, strict=True)]
    return tuple(sorted(found, key=lambda group: (group.mean, group.number)))


def _measured(number: int, inside: NDArray[np.float64], outside: NDArray[np.float64], p: float) -> GroupScore:
    rest = float(outside.mean()) if len(outside) else float("nan")
    mean = float(inside.mean())
    return GroupScore(number, len(inside), mean, _interval(inside), rest, p, p < 1 - _LEVEL)


def _interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    half = float(t.ppf((1 + _LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half


def _p_below(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """1 where nothing varies, or there is too little to compare."""
    if min(len(inside), len(outside)) < 2 or inside.std() + outside.std() == 0:
        return 1.0
    told = [(part.mean(), part.std(ddof=1), len(part)) for part in (inside, outside)]
    return float(ttest_ind_from_stats(*told[0], *told[1], equal_var=False, alternative="less").pvalue)
