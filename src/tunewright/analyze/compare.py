"""Is the second model better than the first? Paired, with intervals, and "cannot tell" as an answer.

Both models answer the same rows. A *win* is a row that only B gets right, a *loss* one that only A gets right; all
that can be said about the difference is in these two counts and in n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from tunewright.analyze.scores import Interval, wilson
from tunewright.errors import ComparisonError

__all__ = ["ClassChange", "Comparison", "Verdict", "align", "compare", "detectable", "holm", "mcnemar", "word"]

Values = NDArray[np.generic]
Mask = NDArray[np.bool_]
Verdict = Literal["better", "worse", "cannot tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassChange:
    """Recall of one gold class under both models; ``p`` is McNemar's, corrected over the classes (Holm 1979)."""

    label: str
    support: int
    recall_a: float
    recall_b: float
    wins: int
    losses: int
    p: float

    @property
    def difference(self) -> float:
        """Recall of B minus recall of A."""
        return self.recall_b - self.recall_a


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Model B against model A on the same n rows; a positive difference means that B is better.

    ``detectable`` is the smallest true difference that a test on n rows with this disagreement finds four times out
    of five, None if no difference could be found. ``won`` and ``lost`` are the ids of wins and losses.
    """

    n: int
    accuracy_a: float
    accuracy_b: float
    interval_a: Interval
    interval_b: Interval
    difference: float
    interval: Interval
    p: float
    wins: int
    losses: int
    detectable: float | None
    verdict: Verdict
    classes: tuple[ClassChange, ...]
    won: tuple[str, ...]
    lost: tuple[str, ...]
    level: float

    def sentence(self) -> str:
        """The verdict with its evidence, in words."""
        low, high = self.interval
        evidence = (
            f"difference {_points(self.difference)} ({self.level:.0%} interval {100 * low:+.1f} to {100 * high:+.1f}, "
            f"McNemar p = {self.p:.3g}, {_counted(self.wins, 'win', 'wins')}, "
            f"{_counted(self.losses, 'loss', 'losses')}, n = {self.n})"
        )
        match self.verdict:
            case "cannot tell":
                return f"Cannot tell B from A: {evidence}. {self._reach()}"
            case verdict:
                return f"B is {verdict} than A: {evidence}."

    def _reach(self) -> str:
        if self.detectable is None:
            return "With so few rows or so little disagreement no difference could have been found."
        return f"The smallest difference that these rows can be expected to show is {100 * self.detectable:.1f} points."


def align(ids_a: Values, ids_b: Values) -> NDArray[np.intp]:
    """For each row of A, the row of B with the same id.

    Raises:
        ComparisonError: if an id is repeated, or the two do not hold the same ids.
    """
    places = {name: row for row, name in enumerate(ids_b.tolist())}
    names = ids_a.tolist()
    if len(places) != len(ids_b) or len(set(names)) != len(names):
        raise ComparisonError("expected every id once, found repeated ids", fix="compare runs of one test version")
    if set(names) != places.keys():
        only_a, only_b = len(set(names) - places.keys()), len(places.keys() - set(names))
        raise ComparisonError(
            f"expected the same rows, found {only_a} that only A and {only_b} that only B has predicted",
            fix="evaluate both runs on the same version of the same split",
        )
    return np.array([places[name] for name in names], dtype=np.intp)


def compare(
    correct_a: Mask,
    correct_b: Mask,
    *,
    id: Values,
    label: Values | None = None,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare two models on the same rows.

    The verdict is better or worse only if McNemar's exact test rejects at 1 - level *and* the bootstrap interval of
    the difference excludes zero on that side.

    Args:
        correct_a: [n] whether A is right, row by row.
        correct_b: [n] whether B is right about the same rows (see ``align``).
        id: [n] names of the rows.
        label: [n] gold labels; rows without one are left out beforehand. None where they are no classes.
        level: of all intervals.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ComparisonError: if there are no rows, or the arrays differ in length.
    """
    lengths = {len(column) for column in (correct_a, correct_b, label, id) if column is not None}
    if lengths == {0} or len(lengths) > 1:
        raise ComparisonError(f"expected the same rows of both models, found lengths {sorted(lengths)}")
    won, lost = correct_b & ~correct_a, correct_a & ~correct_b
    n, wins, losses = len(id), int(won.sum()), int(lost.sum())
    interval = _bootstrap(wins, losses, n, level=level, resamples=resamples, seed=seed)
    p = mcnemar(wins, losses)
    return Comparison(
        n=n,
        accuracy_a=float(correct_a.mean()),
        accuracy_b=float(correct_b.mean()),
        interval_a=wilson(int(correct_a.sum()), n, level=level),
        interval_b=wilson(int(correct_b.sum()), n, level=level),
        difference=(wins - losses) / n,
        interval=interval,
        p=p,
        wins=wins,
        losses=losses,
        detectable=detectable(n, (wins + losses) / n, alpha=1 - level),
        verdict=word(interval, p, 1 - level),
        classes=() if label is None else _class_changes(correct_a, correct_b, label),
        won=tuple(map(str, id[won])),
        lost=tuple(map(str, id[lost])),
        level=level,
    )


def mcnemar(wins: int, losses: int) -> float:
    """Two-sided p-value of McNemar's exact test (McNemar 1947): wins ~ Binomial(wins + losses, 1/2).

    >>> round(mcnemar(8, 1), 4)
    0.0391
    >>> mcnemar(0, 0)
    1.0
    """
    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def detectable(n: int, disagreement: float, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """The smallest difference in accuracy that a paired test on n rows finds with the given power.

    Solves Connor's (1987) sample size for McNemar's test, by the normal approximation,

        n d² = (z(1 - alpha/2) √q + z(power) √(q - d²))²

    for d, where q is the share of rows on which exactly one of the two models is right.

    Args:
        n: number of rows.
        disagreement: q in [0, 1]; before a second model exists, 0.1 is a usual value for two fine-tunings.
        power: probability to find it, in (0.5, 1).
        alpha: two-sided level of the test.

    Returns:
        a difference in (0, q], or None if not even the largest possible difference, q, is found so often.

    >>> round(detectable(1000, 0.1), 4)
    0.028
    >>> detectable(10, 0.1) is None
    True
    """
    z_alpha, z_power = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(power))
    # the square on the right expanded: (n + z_power²) d² - 2 √n z_alpha √q d + (z_alpha² - z_power²) q = 0
    a, b, c = n + z_power**2, np.sqrt(n * disagreement) * z_alpha, (z_alpha**2 - z_power**2) * disagreement
    root = b**2 - a * c
    difference = float((b + np.sqrt(max(root, 0.0))) / a)
    return difference if root > 0 and difference <= disagreement else None


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected for their number, in the order given (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1, np.maximum.accumulate(factors * np.array(p)[order]))
    return [float(value) for value in corrected]


def word(interval: Interval, p: float, alpha: float) -> Verdict:
    """Better or worse only if p is below alpha *and* the interval lies on that side of 0."""
    low, high = interval
    if p < alpha and low > 0:
        return "better"
    return "worse" if p < alpha and high < 0 else "cannot tell"


def _bootstrap(wins: int, losses: int, n: int, *, level: float, resamples: int, seed: int) -> Interval:
    """Percentile interval of the paired bootstrap (Efron 1979) of the difference.

    Rows matter only as win, loss or tie, so drawing n rows is drawing from a multinomial. Half a row is added to
    each of the four cells of the paired table (Agresti and Min 2005): without, few disagreements give intervals
    that are too short, and none at all gives one of no length.
    """
    shares = np.array([wins + 0.5, losses + 0.5, n - wins - losses + 1]) / (n + 2)
    draws = np.random.default_rng(seed).multinomial(n, shares, size=resamples)
    low, high = np.quantile((draws[:, 0] - draws[:, 1]) / n, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _class_changes(correct_a: Mask, correct_b: Mask, label: Values) -> tuple[ClassChange, ...]:
    groups = [(str(name), label == name) for name in sorted(set(label.tolist()))]
    counts = [
        (int((correct_b & ~correct_a)[rows].sum()), int((correct_a & ~correct_b)[rows].sum())) for _, rows in groups
    ]
    corrected = holm([mcnemar(wins, losses) for wins, losses in counts])
    return tuple(
        ClassChange(
            label=name,
            support=int(rows.sum()),
            recall_a=float(correct_a[rows].mean()),
            recall_b=float(correct_b[rows].mean()),
            wins=wins,
            losses=losses,
            p=p,
        )
        for (name, rows), (wins, losses), p in zip(groups, counts, corrected, strict=True)
    )


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"
