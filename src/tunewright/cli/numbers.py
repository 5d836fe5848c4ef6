"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunewright.verbs.evaluations import Grade, Scores

__all__ = ["counted", "duration", "interval", "percent", "point_interval", "points", "scores_sentence"]


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float | None) -> str:
    """A time with the unit it is best read in; nothing for None.

    >>> duration(0.0000042), duration(0.0042), duration(4.2), duration(None)
    ('4 µs', '4.2 ms', '4.2 s', '')
    """
    if seconds is None:
        return ""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def interval(value: float, limits: tuple[float, float] | None) -> str:
    """A share and its interval.

    >>> interval(0.84, (0.78, 0.88)), interval(12, None)
    ('0.840 [0.780, 0.880]', '12 (no interval)')
    """
    if limits is None:
        return f"{value:.4g} (no interval)"
    return f"{value:.3f} [{limits[0]:.3f}, {limits[1]:.3f}]"


def percent(share: float) -> str:
    """A share in percent, rounded down so that only all of it reads 100 %.

    >>> percent(1.0), percent(0.99999)
    ('100 %', '99.9 %')
    """
    return f"{math.floor(1000 * share + 1e-9) / 10:g} %"


def points(share: float) -> str:
    """A difference of shares in points.

    >>> points(-0.0125)
    '-1.2 points'
    """
    return f"{100 * share:+.1f} points"


def point_interval(bounds: tuple[float, float]) -> str:
    """An interval of a difference, in points.

    >>> point_interval((-0.02, 0.005))
    '[-2.0, +0.5]'
    """
    return f"[{100 * bounds[0]:+.1f}, {100 * bounds[1]:+.1f}]"


def scores_sentence(scores: Scores | None, grades: Sequence[Grade]) -> str:
    """Accuracy and macro-F1 of classes and the means of other scores, with their intervals; empty if there are none."""
    means = [_mean(one) for one in grades]
    if scores is not None:
        accuracy = interval(scores.accuracy, scores.accuracy_interval)
        macro_f1 = interval(scores.macro_f1, scores.macro_f1_interval)
        means = [f"accuracy {accuracy}", f"macro-F1 {macro_f1}", *means]
    n = scores.n if scores is not None else grades[0].n if grades else 0
    return f"{', '.join(means)}, n = {n:,}, 95% intervals" if means else ""


def _mean(one: Grade) -> str:
    direction = " (lower is better)" if one.direction == "lower" else ""
    return f"{one.name.replace('_', ' ')} {interval(one.mean, one.interval)}{direction}"
