"""Did a decision help? Arm B against arm A over several seeds and the same test rows: better, worse or cannot tell.

What is estimated is the difference that the decision makes on average: over the seeds that could have been used, and
over the rows that could have been collected. A verdict needs three things: a p-value that counts both kinds of luck,
one that holds for the rows alone, and the correction for what else has been tried on this test set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.compare import Verdict, holm, mcnemar, word
from tunewright.analyze.crossed import Spread, spread
from tunewright.analyze.paired import sign_flips
from tunewright.analyze.planning import detectable_difference
from tunewright.analyze.scores import Interval
from tunewright.errors import ComparisonError

__all__ = ["Judged", "SeedChange", "checked", "correct", "judge"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedChange:
    """B against A with one seed. For scores of 0 and 1, ``p`` is McNemar's exact test; for others it is None.

    A win is a row that B scores higher, a loss one that it scores lower.
    """

    mean_a: float
    mean_b: float
    wins: int
    losses: int
    p: float | None

    @property
    def difference(self) -> float:
        """Mean of B minus mean of A."""
        return self.mean_b - self.mean_a


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """B against A: a positive difference means that B is better.

    ``interval`` and ``p_seeds`` count the luck of seeds and of rows; ``p_rows`` that of rows alone; ``p`` is the larger
    of the two and ``p_corrected`` is ``p`` after Holm's correction for all ``tries`` on this test set. ``detectable``
    is the smallest true difference that such a trial finds four times out of five, None with one seed or if it is
    larger than 1. ``negative_flips`` are places of rows that A gets right in most seeds and B wrong in most (scores
    above and below one half), ``positive_flips`` the reverse. ``alpha`` is what ``p_corrected`` had to fall below.
    """

    metric: str
    n: int
    seeds: int
    mean_a: float
    mean_b: float
    difference: float
    interval: Interval
    level: float
    p: float
    p_seeds: float
    p_rows: float
    p_corrected: float
    tries: int
    alpha: float
    verdict: Verdict
    detectable: float | None
    wins: int
    losses: int
    negative_flips: tuple[int, ...]
    positive_flips: tuple[int, ...]
    per_seed: tuple[SeedChange, ...]
    spread: Spread

    def sentence(self) -> str:
        """The verdict with its evidence, in words."""
        low, high = self.interval
        evidence = (
            f"{self.metric} {100 * self.difference:+.1f} points ({self.level:.0%} interval {100 * low:+.1f} to "
            f"{100 * high:+.1f}, {_counted(self.seeds, 'seed')}, {_counted(self.n, 'row')}, p = {self.p:.3g}"
            f"{self._correction()})"
        )
        return f"{self.verdict.capitalize()}: {evidence}. {self._reach()}".strip()

    def _correction(self) -> str:
        return f", {self.p_corrected:.3g} after {self.tries} tries" if self.tries > 1 else ""

    def _reach(self) -> str:
        if self.verdict != "cannot tell":
            return ""
        if self.seeds == 1:
            return "One seed cannot tell a decision from luck."
        if self.detectable is None:
            return "With so few rows and seeds no difference could have been found."
        return f"The smallest difference that it can be expected to show is {100 * self.detectable:.1f} points."


def judge(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    metric: str = "accuracy",
    tries: int = 1,
    earlier: Sequence[float] = (),
    others: Sequence[NDArray[Any]] = (),
    level: float = 0.95,
    alpha: float | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Judged:
    """Judge arm B against arm A.

    Args:
        a: [seeds, n] scores of A in [0, 1], such as 1 for a correct row, F1 of an answer, ROUGE of a summary.
        b: [seeds, n] scores of B, of the same seeds and rows.
        metric: name of the score.
        tries: how many decisions have been judged on this test set, this one included.
        earlier: ``p`` of those before; a try without one counts as a p-value of 1.
        others: [seeds, n] scores of further arms of the trial: they help to tell how much luck seeds bring.
        level: of the interval, and 1 - level the level of the test.
        alpha: share of 1 - level that a look before the last may spend (see `tunewright.analyze.sequential`); the
            interval is then the repeated one, of level 1 - alpha.
        resamples: of the test over rows, where scores are not 0 and 1.
        seed: of the same.

    Raises:
        ComparisonError: if the shapes differ, there are no rows, or scores are missing or outside [0, 1].
    """
    first, second = checked(a, b)
    limit = 1 - level if alpha is None else alpha
    moved = spread(first, second, others=[checked(other, other)[0] for other in others])
    interval = moved.interval(1 - limit)
    p_seeds, p_rows = moved.p(), sign_flips(_sums(first, second), resamples=resamples, seed=seed)
    p = max(p_seeds, p_rows)
    corrected = correct(p, earlier=earlier, tries=tries)
    per_seed = tuple(_seed_change(one, other) for one, other in zip(first, second, strict=True))
    was, now = first.mean(axis=0), second.mean(axis=0)
    return Judged(
        metric=metric,
        n=first.shape[1],
        seeds=len(first),
        mean_a=float(first.mean()),
        mean_b=float(second.mean()),
        difference=moved.difference,
        interval=interval,
        level=1 - limit,
        p=p,
        p_seeds=p_seeds,
        p_rows=p_rows,
        p_corrected=corrected,
        tries=max(tries, len(earlier) + 1),
        alpha=limit,
        verdict=word(interval, corrected, limit),
        detectable=detectable_difference(moved, alpha=limit / max(tries, len(earlier) + 1)),
        wins=sum(change.wins for change in per_seed),
        losses=sum(change.losses for change in per_seed),
        negative_flips=_places((was > 0.5) & (now < 0.5)),
        positive_flips=_places((was < 0.5) & (now > 0.5)),
        per_seed=per_seed,
        spread=moved,
    )


def correct(p: float, *, earlier: Sequence[float] = (), tries: int = 1) -> float:
    """Holm's correction of p among all tries; tries of which no p-value is known count as 1.

    >>> correct(0.02, earlier=[0.001], tries=3)
    0.04
    """
    unknown = max(0, tries - 1 - len(earlier))
    return holm([p, *earlier, *[1.0] * unknown])[0]


def checked(a: NDArray[Any], b: NDArray[Any]) -> tuple[Floats, Floats]:
    """Both as float64 [seeds, n].

    Raises:
        ComparisonError: if the shapes differ, there are no rows, or scores are missing or outside [0, 1].
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 2 or not first.size:
        raise ComparisonError(
            f"expected scores [seeds, rows] of the same seeds and rows, found {first.shape} and {second.shape}",
            fix="judge arms that were trained with the same seeds and evaluated on the same rows",
        )
    if not all(np.all((scores >= 0) & (scores <= 1)) for scores in (first, second)):
        raise ComparisonError("expected scores in [0, 1], found some outside or missing", fix="score every row")
    return first, second


def _sums(a: Floats, b: Floats) -> Floats:
    """[n] differences summed over seeds: whole numbers where scores are 0 and 1."""
    change: Floats = (b - a).sum(axis=0)
    return change


def _seed_change(a: Floats, b: Floats) -> SeedChange:
    wins, losses = int((b > a).sum()), int((b < a).sum())
    binary = bool(np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all())
    return SeedChange(
        mean_a=float(a.mean()),
        mean_b=float(b.mean()),
        wins=wins,
        losses=losses,
        p=mcnemar(wins, losses) if binary else None,
    )


def _places(rows: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(map(int, np.flatnonzero(rows)))


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
