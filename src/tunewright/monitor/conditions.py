"""When an observation is beyond what is expected: limits, evidence that adds up, and k of the last n.

A condition is pure: it takes its memory, which is JSON, and an observation, and gives the memory after it and a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from tunewright.analyze.evidence import QUARTER, e_value, evidence, false_alarm_threshold, run_lengths
from tunewright.errors import ProjectError

__all__ = [
    "Condition",
    "Evidence",
    "KOfN",
    "Limits",
    "Memory",
    "Observation",
    "Verdict",
    "above",
    "band",
    "below",
]

Memory: TypeAlias = dict[str, Any]
"""What a condition remembers, as JSON values."""

Verdict = Literal["clear", "between", "near", "beyond"]
"""Within the limits; beyond the limits less the hysteresis; beyond, but not often enough; beyond."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The value of a metric at the end of a window.

    Attributes:
        time: POSIX seconds.
        value: of the metric.
        n: rows that it is the value of.
        whole: it is the value of all rows so far, not of this window alone.
    """

    time: float
    value: float
    n: int
    whole: bool = False


class Condition(Protocol):
    """What an alert waits for."""

    def start(self) -> Memory: ...

    def take(self, memory: Memory, seen: Observation, *, hysteresis: float) -> tuple[Memory, Verdict]:
        """The memory after an observation, and what it says; the memory that is given is not changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Beyond is below ``low`` or above ``high``; made by `above`, `below` and `band`."""

    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ProjectError(f"expected a lower limit that is not above the upper one, found {self.low}, {self.high}")

    def __str__(self) -> str:
        if np.isfinite(self.low) and np.isfinite(self.high):
            return f"outside {self.low:g} to {self.high:g}"
        return f"above {self.high:g}" if np.isfinite(self.high) else f"below {self.low:g}"

    def start(self) -> Memory:
        return {}

    def take(self, memory: Memory, seen: Observation, *, hysteresis: float) -> tuple[Memory, Verdict]:
        if not self.low <= seen.value <= self.high:
            return memory, "beyond"
        inside = self.low + hysteresis <= seen.value <= self.high - hysteresis
        return memory, "clear" if inside else "between"


def above(limit: float) -> Limits:
    """Beyond is above a limit.

    >>> str(above(0.2))
    'above 0.2'
    """
    return Limits(high=limit)


def below(limit: float) -> Limits:
    """Beyond is below a limit."""
    return Limits(low=limit)


def band(low: float, high: float) -> Limits:
    """Beyond is outside of a band.

    >>> str(band(0.2, 0.4))
    'outside 0.2 to 0.4'
    """
    return Limits(low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Beyond is enough evidence within a quarter; see `tunewright.analyze.evidence`.

    A rate is compared with that of a baseline by Fisher's exact test for a higher one, in windows and in runs of 2, 4,
    8 ... of them. This is exact for rows that come in any order alike; a burst of rows of one source counts as
    evidence. A p-value, such as ``labels.p``, is taken as it is. Evidence stays until its quarter ends.

    Attributes:
        false_alarms: quiet quarters with an alarm, of all, at most.
        of: what the metric is.
        baseline: (rows marked, rows) when nothing was wrong, or how many rows of the start to learn it from.
        quarter: windows after which evidence begins anew.
    """

    false_alarms: float = 0.05
    of: Literal["rate", "p"] = "rate"
    baseline: tuple[int, int] | int = 1000
    quarter: int = QUARTER

    def __post_init__(self) -> None:
        if not 0 < self.false_alarms <= 1 or self.quarter < 1:
            raise ProjectError(
                f"expected false alarms per quarter in (0, 1] and a quarter of 1 window or more, found "
                f"{self.false_alarms} and {self.quarter}",
                fix="0.05 is one false alarm in twenty quarters",
            )

    @property
    def threshold(self) -> float:
        return false_alarm_threshold(self.false_alarms)

    def __str__(self) -> str:
        return f"evidence above {self.threshold:g}"

    def start(self) -> Memory:
        runs = [[0, 0] for _ in run_lengths(self.quarter)]
        return {"baseline": [0, 0], "windows": 0, "evidence": 0.0, "runs": runs}

    def take(self, memory: Memory, seen: Observation, *, hysteresis: float) -> tuple[Memory, Verdict]:
        memory = {**memory, "runs": [[*run] for run in memory["runs"]]}
        if self.of == "rate" and self._learns(memory["baseline"]):
            marked, rows = memory["baseline"]
            return {**memory, "baseline": [marked + _marked(seen), rows + seen.n]}, "clear"
        if memory["windows"] % self.quarter == 0:
            memory |= self.start() | {"baseline": memory["baseline"], "windows": memory["windows"]}
        memory["evidence"] += self._of_p(seen.value) if self.of == "p" else self._of_rate(memory, seen)
        memory["windows"] += 1
        enough = memory["evidence"] >= self.threshold
        return memory, "beyond" if enough else _short_of(memory["evidence"], self.threshold - hysteresis)

    def _learns(self, learned: list[int]) -> bool:
        return isinstance(self.baseline, int) and learned[1] < self.baseline

    def _of_p(self, p: float) -> float:
        return float(e_value(p)) / self.quarter

    def _of_rate(self, memory: Memory, seen: Observation) -> float:
        """Evidence of the window, and of the runs that it fills; the latter begin anew."""
        known = memory["baseline"] if isinstance(self.baseline, int) else self.baseline
        gained = 0.0
        for length, run in zip(run_lengths(self.quarter), memory["runs"], strict=True):
            run[0] += _marked(seen)
            run[1] += seen.n
            if (memory["windows"] % self.quarter + 1) % length == 0:
                gained += self._of_run(length, higher_rate(run, known))
                run[:] = [0, 0]
        return gained

    def _of_run(self, length: int, p: float) -> float:
        one = evidence(np.array([length]), np.array([0]), np.array([p]), quarter=self.quarter)
        return float(one[0])


@dataclass(frozen=True, slots=True)
class KOfN:
    """Beyond is that ``k`` of the last ``n`` observations were beyond another condition; near, that one was."""

    k: int
    n: int
    of: Condition

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n:
            raise ProjectError(f"expected 1 <= k <= n, found {self.k} of {self.n}")

    def __str__(self) -> str:
        return f"{self.of} in {self.k} of {self.n}"

    def start(self) -> Memory:
        return {"of": self.of.start(), "last": []}

    def take(self, memory: Memory, seen: Observation, *, hysteresis: float) -> tuple[Memory, Verdict]:
        inner, verdict = self.of.take(memory["of"], seen, hysteresis=hysteresis)
        last = [*memory["last"], verdict == "beyond"][-self.n :]
        after = {"of": inner, "last": last}
        if sum(last) >= self.k:
            return after, "beyond"
        return after, "near" if any(last) else verdict


def higher_rate(now: list[int], before: tuple[int, int] | list[int]) -> float:
    """The p-value of at least so many marked rows, if the rate is what it was (Fisher's exact test, one-sided).

    Args:
        now: (marked, rows).
        before: (marked, rows).
    """
    from scipy.stats import hypergeom

    marked, rows = now[0] + before[0], now[1] + before[1]
    return float(min(1.0, hypergeom.sf(now[0] - 1, rows, marked, now[1])))


def _marked(seen: Observation) -> int:
    return round(seen.value * seen.n)


def _short_of(found: float, enough: float) -> Verdict:
    return "between" if found > enough else "clear"
