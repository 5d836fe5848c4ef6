"""What an alert would have done, and how often it would fire in a quarter in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tunewright.analyze.evidence import QUARTER
from tunewright.errors import DataError
from tunewright.monitor.alerts import Alert, Event, State, walk
from tunewright.monitor.conditions import Evidence, Limits, Observation

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Drawn", "Simulated", "bound", "simulate"]

_FEWEST = 8  # quiet windows that say something about a quarter
_CONFIDENCE = 0.95
_DRAWN, _DRAWN_ANEW = 200, 4  # quarters


class Drawn(Protocol):
    """Observations of windows in another order, perhaps with some of them more than once."""

    def __call__(self, places: Sequence[int]) -> list[Observation]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What an alert would have done.

    Attributes:
        states: [observations] after each of them.
        events: what it would have sent.
        places: [events] numbers of the observations that they follow, from 0.
        false_alarms: expected number in a quarter in which nothing is wrong; None if the history cannot tell, as its
            values are of all rows so far and cannot be made anew, or it has fewer than 8 quiet windows.
        interval: of that number, with a confidence of 95%; as wide as so few windows make it.
        any_false_alarm: share of such quarters with one or more.
        bound: that share is this at most by the way the rule is made, whatever the history says; None for most rules.
        quiet: windows that these are resampled from.
    """

    states: tuple[State, ...]
    events: tuple[Event, ...]
    places: tuple[int, ...]
    false_alarms: float | None
    interval: tuple[float, float] | None
    any_false_alarm: float | None
    bound: float | None
    quiet: int


def simulate(
    alert: Alert,
    history: Sequence[Observation],
    *,
    quiet: tuple[float, float] | None = None,
    drawn: Drawn | None = None,
    quarter: int = QUARTER,
    resamples: int | None = None,
    seed: int = 0,
) -> Simulated:
    """Try an alert on what was observed, before it is switched on.

    False alarms are counted in quarters of windows drawn from the quiet ones, in blocks, so that windows that follow
    each other go on doing so (Künsch 1989). The interval is that of a Poisson rate with as many alarms as the quiet
    windows have (Garwood 1936), so it is wide where these are few, also where none of them has an alarm.

    Args:
        alert: the rule.
        history: observations of its metric in its windows, the oldest first; see `tunewright.monitor.replay`.
        quiet: (from, to) in POSIX seconds, when nothing was wrong; all of the history otherwise, which finds too many
            false alarms if something was.
        drawn: makes observations of windows by their places in the history; by default it takes them as they are,
            unless they are of all rows so far.
        quarter: windows in a quarter.
        resamples: quarters to draw; by default 200, and 4 where ``drawn`` makes the observations, which takes its time.
        seed: of the draw.

    Raises:
        DataError: if there is no history, or it is not in the order of time.
    """
    if not history or any(a.time > b.time for a, b in pairwise(history)):
        raise DataError(f"expected observations in the order of time, found {len(history)} of them, or another order")
    walked = list(walk(alert, history))
    places = [place for place, seen in enumerate(history) if quiet is None or quiet[0] <= seen.time < quiet[1]]
    chosen = [history[place] for place in places]
    resamples = resamples or (_DRAWN if drawn is None else _DRAWN_ANEW)
    if drawn is None and not any(seen.whole for seen in chosen):
        drawn = _as_they_are(history)
    alarms = _alarms(alert, places, drawn, quarter=quarter, resamples=resamples, seed=seed)
    expected = float(alarms.mean()) if len(alarms) else None
    return Simulated(
        states=tuple(standing.state for standing, _ in walked),
        events=tuple(event for _, event in walked if event is not None),
        places=tuple(place for place, (_, event) in enumerate(walked) if event is not None),
        false_alarms=expected,
        interval=None if expected is None else _interval(_fired(alert, chosen), len(chosen) / quarter, expected),
        any_false_alarm=float((alarms > 0).mean()) if len(alarms) else None,
        bound=bound(alert),
        quiet=len(chosen),
    )


def bound(alert: Alert) -> float | None:
    """The share of quiet quarters with an alarm, at most, where the rule says it; None elsewhere.

    Evidence, as drift and outcomes report it, exceeds a limit with a probability of one part in that limit (Markov).

    >>> bound(Alert(metric="drift(vector).evidence", condition=Limits(high=20)))
    0.05
    """
    match alert.condition:
        case Evidence(false_alarms=share):
            return share
        case Limits(low=low, high=high) if alert.metric.endswith(".evidence") and np.isinf(low) and high > 1:
            return float(1 / high)
    return None


def _as_they_are(history: Sequence[Observation]) -> Drawn:
    def drawn(places: Sequence[int]) -> list[Observation]:
        return [history[place] for place in places]

    return drawn


def _alarms(
    alert: Alert, quiet: Sequence[int], drawn: Drawn | None, *, quarter: int, resamples: int, seed: int
) -> NDArray[np.float64]:
    """[resamples] alarms in each quarter drawn; empty if the windows cannot be drawn anew."""
    if len(quiet) < _FEWEST or drawn is None:
        return np.zeros(0)
    block = max(1, round(len(quiet) ** (1 / 3)))
    draw = np.random.default_rng(seed)
    found = np.zeros(resamples)
    for number in range(resamples):
        begins = draw.integers(0, len(quiet) - block + 1, -(-quarter // block))
        places = (begins[:, None] + np.arange(block)).ravel()[:quarter]
        found[number] = _fired(alert, drawn([quiet[place] for place in places.tolist()]))
    return found


def _fired(alert: Alert, seen: Sequence[Observation]) -> int:
    """How often an alert fires, whether it may be sent or not; windows come as far apart as they are in the middle."""
    loud = replace(alert, silence=())
    apart = _apart(seen)
    evenly = (replace(one, time=apart * order) for order, one in enumerate(seen))
    return sum(event is not None and event.state == "firing" for _, event in walk(loud, evenly))


def _apart(seen: Sequence[Observation]) -> float:
    return float(np.median(np.abs(np.diff([one.time for one in seen])))) if len(seen) > 1 else 0.0


def _interval(fired: int, quarters: float, expected: float) -> tuple[float, float]:
    """Of a number per quarter; with the expected one in it, which draws from the same windows otherwise."""
    from scipy.stats import chi2

    tail = (1 - _CONFIDENCE) / 2
    low = float(chi2.ppf(tail, 2 * fired)) / 2 if fired else 0.0
    high = float(chi2.ppf(1 - tail, 2 * fired + 2)) / 2
    return min(low / quarters, expected), max(high / quarters, expected)
