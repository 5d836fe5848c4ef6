"""Evidence that adds up over windows and may be looked at any time, with few false alarms.

One p-value per window, compared with .05, gives a false alarm within 30 quiet windows in four streams of five. Here
every p-value becomes an e-value, whose mean is at most 1 if nothing drifted, and the evidence of a quarter is the sum
of e-values whose weights add up to 1 at most. Its mean is then at most 1 as well, however the windows depend on each
other, and as it only grows, it reaches 20 at any time in at most one quiet quarter of twenty (Markov).

Windows are looked at alone, and in runs of 2, 4, 8 ... that do not overlap: a small drift that lasts shows in the mean
of many windows, a large one at once.

Where the reference is worth many windows, e-values are multiplied rather than added: windows are then nearly
independent, and a product finds a drift in half the time. It is taken from the start of the quarter and from each later
window, as weighted mean, so that it finds a drift that begins late (the mixture form of the e-detector of Shin, Ramdas
& Rinaldo 2022). Windows that are all compared with the same small reference, by chance a little off, would too often
multiply to an alarm: there, and for long runs, the sum remains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunewright.errors import ComparisonError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["QUARTER", "e_bh", "e_value", "evidence", "false_alarm_threshold", "first_alarm", "run_lengths"]

QUARTER = 90
"""Windows in a quarter: one a day."""

_ENOUGH = 10.0  # windows that a reference must be worth for products
_SHORT = 8  # windows of the longest runs whose e-values are multiplied
_KAPPA = 0.3  # of κ p^(κ-1), the e-values that are multiplied
_FIRST = 0.5  # weight of the product from the start of the quarter
_MOST = 1e200
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
    length: NDArray[np.int64],
    last: NDArray[np.int64],
    p: NDArray[np.float64],
    *,
    quarter: int = QUARTER,
    reference: float = 0.0,
) -> NDArray[np.float64]:
    """Evidence of drift after each look, in the order of the looks.

    Args:
        length: [looks] windows that were looked at together, of `run_lengths`.
        last: [looks] number of the last of them, from 0, not decreasing.
        p: [looks] of them.
        quarter: windows after which the evidence begins anew.
        reference: windows that the reference is worth; of ten or more, e-values are multiplied, else added.

    Returns:
        [looks] of the quarter so far, in [0, inf).
    """
    number = np.asarray(last) // quarter
    if reference >= _ENOUGH:
        return _multiplied(np.asarray(length), number, np.asarray(p, dtype=np.float64), quarter)
    shares = len(run_lengths(quarter)) * -(-quarter // np.asarray(length))
    weighted = np.cumsum(np.minimum(e_value(p), _MOST) / shares)
    first = np.searchsorted(number, number)  # where the quarter of each look begins
    return np.asarray(weighted - np.concatenate([[0.0], weighted])[first])


@dataclass(slots=True)
class _Stake:
    """Weights of one length of run: not yet begun, being multiplied, and kept as they are."""

    looks: int
    waiting: float = 1.0
    running: float = 0.0
    kept: float = 0.0

    def play(self, p: float, *, multiply: bool) -> None:
        first = self.waiting == 1.0
        share = min(self.waiting, self._share(first=first and multiply, multiply=multiply))
        self.waiting -= share
        if multiply:
            self.running = min((self.running + share) * _KAPPA * max(p, _FROM) ** (_KAPPA - 1), _MOST)
        else:
            self.kept += share * min(float(e_value(p)), _MOST)

    def _share(self, *, first: bool, multiply: bool) -> float:
        if self.looks == 1 or not multiply:
            return 1 / self.looks
        return _FIRST if first else (1 - _FIRST) / (self.looks - 1)

    @property
    def worth(self) -> float:
        return self.waiting + self.running + self.kept


def _multiplied(
    length: NDArray[np.int64], number: NDArray[np.int64], p: NDArray[np.float64], quarter: int
) -> NDArray[np.float64]:
    """`evidence` with products: the mean over lengths of run of what their stakes are worth."""
    path, now = np.empty(len(p)), None
    stakes: dict[int, _Stake] = {}
    worth: dict[int, float] = {}
    for look in range(len(p)):
        if number[look] != now:
            now, stakes = number[look], {one: _Stake(-(-quarter // one)) for one in run_lengths(quarter)}
            worth = {one: stake.worth for one, stake in stakes.items()}
        run = int(length[look])
        stakes[run].play(float(p[look]), multiply=run <= _SHORT)
        worth[run] = stakes[run].worth
        path[look] = sum(worth.values()) / len(worth)
    return path


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
