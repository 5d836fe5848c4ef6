"""Kinds of rows before a change, with chance's change, and after it: which of them got better?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunewright.analyze.compare import Verdict, holm, word
from tunewright.analyze.crossed import spread
from tunewright.analyze.scores import Interval
from tunewright.analyze.verdict import checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BeforeAfter", "before_after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """Mean scores on the rows of one kind, of which a row may have several.

    ``difference`` is after minus before, ``p_corrected`` its p-value corrected over all kinds (Holm 1979), and ``word``
    what it says. ``control`` is the mean of the control, and ``over_control`` after minus it; None without a control.
    Intervals count the luck of seeds and rows.
    """

    kind: str
    n: int
    before: float
    control: float | None
    after: float
    difference: float
    interval: Interval
    p_corrected: float
    word: Verdict
    over_control: float | None
    control_interval: Interval | None


def before_after(
    before: NDArray[Any],
    after: NDArray[Any],
    control: NDArray[Any] | None,
    kinds: Mapping[str, NDArray[np.bool_]],
    *,
    level: float = 0.95,
    smallest: int = 10,
) -> tuple[BeforeAfter, ...]:
    """Each kind of rows in all arms, in the order of ``kinds``.

    Args:
        before: [seeds, n] scores in [0, 1] without the change.
        after: [seeds, n] with it, of the same seeds and rows.
        control: [seeds, n] with a random change of the same size; None where there is none.
        kinds: by name, [n] whether a row is of the kind.
        level: of the intervals, and 1 - level that of the words.
        smallest: kinds of fewer rows are left out.

    Raises:
        ComparisonError: if the arms are not of the same seeds and rows, or scores are outside of [0, 1].
    """
    first, second = checked(before, after)
    chance = None if control is None else checked(control, after)[0]
    kept = {name: np.flatnonzero(where) for name, where in kinds.items() if int(where.sum()) >= smallest}
    moved = [spread(first[:, where], second[:, where]) for where in kept.values()]
    over = [None if chance is None else spread(chance[:, where], second[:, where]) for where in kept.values()]
    corrected = holm([one.p() for one in moved])
    rows = zip(kept.items(), moved, over, corrected, strict=True)
    return tuple(
        BeforeAfter(
            kind=name,
            n=len(where),
            before=float(first[:, where].mean()),
            control=None if chance is None else float(chance[:, where].mean()),
            after=float(second[:, where].mean()),
            difference=change.difference,
            interval=change.interval(level),
            p_corrected=p,
            word=word(change.interval(level), p, 1 - level),
            over_control=None if against is None else against.difference,
            control_interval=None if against is None else against.interval(level),
        )
        for (name, where), change, against, p in rows
    )
