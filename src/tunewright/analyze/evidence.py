"""Evidence that adds up over windows and may be looked at any time, with few false alarms.

One p-value per window, compared with .05, gives a false alarm within 30 quiet windows in four streams of five. Here
every p-value becomes an e-value, whose mean is at most 1 if nothing drifted, and the evidence of a quarter is the sum
of e-values whose weights add up to 1 at most. Its mean is then at most 1 as well, however the windows depend on each
other, and as it only grows, it reaches 20 at any time in at most one quiet quarter of twenty (Markov).

Windows are looked at alone, and in runs of 2, 4, 8 ... that do not overlap: a small drift that lasts shows in the mean
of many windows, a large one at once. Unlike a product of e-values of windows (an e-process), this allows for windows
that are all compared with the same reference, by chance a little off, and finds a drift that begins late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tunewright.errors import ComparisonError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["QUARTER", "e_bh", "e_value", "evidence", "false_alarm_threshold", "first_alarm", "run_lengths"]

QUARTER = 90
"""Windows in a quarter: one a day."""

_FROM = 1e-280  # smaller p-values say no more
_NEAR_ONE = 1e-4  # 1 - p below which the formula loses its digits to cancellation


def e_value(p: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """(1 - p + p ln p) / (p ln² p), an e-value for every valid p-value (Vovk & Wang 2021): the mean of κ p^(κ-1).

    >>> [round(float(e_value(p)), 2) for p in (1.0, 0.05, 1e-6)]
    [0.5, 1.78, 5239.14]
    """
    inside = np.clip(np.asarray(p, dtype=np.float64), _FROM, 1 - _NEAR_ONE)
    log = np.log(inside)
    return np.asarray((1 - inside + inside * log) / (inside * log**2))


def run_lengths(quarter: int = QUARTER) -> tuple[int, ...]:
    """Numbers of windows that are looked at together: powers of two, up to a quarter.

    >>> run_lengths(90)
    (1, 2, 4, 8, 16, 32, 64)
    """
    return tuple(2**power for power in range(max(quarter, 1).bit_length()))


def evidence(
    length: NDArray[np.int64], last: NDArray[np.int64], p: NDArray[np.float64], *, quarter: int = QUARTER
) -> NDArray[np.float64]:
    """Evidence of drift after each look, in the order of the looks.

    Args:
        length: [looks] windows that were looked at together, of `run_lengths`.
        last: [looks] number of the last of them, from 0, not decreasing.
        p: [looks] of them.
        quarter: windows after which the evidence begins anew.

    Returns:
        [looks] sum of the quarter so far, in [0, inf).
    """
    shares = len(run_lengths(quarter)) * -(-quarter // np.asarray(length))
    weighted = np.cumsum(np.minimum(e_value(p), 1e200) / shares)
    number = np.asarray(last) // quarter
    first = np.searchsorted(number, number)  # where the quarter of each look begins
    return np.asarray(weighted - np.concatenate([[0.0], weighted])[first])


def false_alarm_threshold(false_alarms: float = 0.05, *, monitors: int = 1) -> float:
    """The evidence that raises an alarm, such that quiet monitors together raise at most so many per quarter.

    >>> false_alarm_threshold(0.05)
    20.0

    Raises:
        ComparisonError: if false_alarms is not in (0, 1], or there is no monitor.
    """
    if not 0 < false_alarms <= 1 or monitors < 1:
        raise ComparisonError(
            f"expected false alarms per quarter in (0, 1] and a monitor or more, found {false_alarms} and {monitors}",
            fix="0.05 is one false alarm in twenty quarters",
        )
    return monitors / false_alarms


def first_alarm(path: NDArray[np.float64], threshold: float) -> int | None:
    """Number of the first look, from 0, whose evidence reaches the threshold; None if none does."""
    reached = np.flatnonzero(path >= threshold)
    return int(reached[0]) if len(reached) else None


def e_bh(values: Sequence[float], *, level: float = 0.05) -> tuple[bool, ...]:
    """Which of several monitors drifted, at most a share of ``level`` of them wrongly (Wang & Ramdas 2022).

    The e-values, such as the evidence of each monitor, may depend on each other in any way.

    >>> e_bh([100.0, 30.0, 1.0])
    (True, True, False)
    """
    found = np.asarray(values, dtype=np.float64)
    order = np.argsort(-found, kind="stable")
    passed = np.flatnonzero(found[order] * np.arange(1, len(found) + 1) >= len(found) / level)
    kept = set(order[: passed[-1] + 1].tolist()) if len(passed) else set()
    return tuple(place in kept for place in range(len(found)))
