"""Is the second model's mean score higher? For scores in [0, 1] such as F1 and ROUGE, row by row on the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.signal import fftconvolve
from scipy.stats import binom

from tunewright.analyze.compare import Verdict, word
from tunewright.analyze.scores import Interval
from tunewright.errors import ComparisonError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ScoreChange", "compare_scores", "sign_flips"]

_BLOCK = 1 << 24  # numbers drawn at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChange:
    """Mean score of B against A on the same n rows; a positive difference means that B is better."""

    name: str
    n: int
    mean_a: float
    mean_b: float
    difference: float
    interval: Interval
    p: float
    verdict: Verdict
    level: float

    def sentence(self) -> str:
        """The verdict with its evidence, in words."""
        low, high = self.interval
        said = "Cannot tell B from A" if self.verdict == "cannot tell" else f"B is {self.verdict} than A"
        return (
            f"{said}: difference in {self.name} {100 * self.difference:+.1f} points ({self.level:.0%} interval "
            f"{100 * low:+.1f} to {100 * high:+.1f}, permutation p = {self.p:.3g}, n = {self.n})."
        )


def compare_scores(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    name: str,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> ScoreChange:
    """Compare two models by a score of each row.

    The interval is the percentile interval of the paired bootstrap (Efron 1979), smoothed as in
    `tunewright.analyze.compare.compare` (Agresti and Min 2005), which for scores of 0 and 1 it equals; p is that of the
    paired permutation test, which flips the signs of the differences at random (Fisher 1935), two-sided. The verdict
    needs both.

    Args:
        a: [n] scores of A, in [0, 1].
        b: [n] scores of B about the same rows.
        name: of the score.
        level: of the interval.
        resamples: of bootstrap and permutation.
        seed: of both.

    Raises:
        ComparisonError: if there are no rows, or the lengths differ.
    """
    if len(a) != len(b) or not len(a):
        raise ComparisonError(f"expected scores of the same rows, found {len(a)} and {len(b)}")
    change = np.asarray(b, dtype=np.float64) - np.asarray(a, dtype=np.float64)
    draw = np.random.default_rng(seed)
    difference = float(change.mean())
    low, high = np.quantile(_bootstrap(change, resamples, draw), [(1 - level) / 2, (1 + level) / 2])
    p = sign_flips(change, resamples=resamples, seed=seed)
    return ScoreChange(
        name=name,
        n=len(change),
        mean_a=float(np.mean(a)),
        mean_b=float(np.mean(b)),
        difference=difference,
        interval=(float(low), float(high)),
        p=p,
        verdict=word((float(low), float(high)), p, 1 - level),
        level=level,
    )


def sign_flips(change: NDArray[Any], *, resamples: int = 10_000, seed: int = 0) -> float:
    """Two-sided p-value of "a change is as likely as its opposite", row by row (Fisher 1935).

    For whole numbers it is exact. With changes of +1 and -1 it is McNemar's exact test (McNemar 1947), and with changes
    summed over seeds the one form of it that the seeds of a trial allow: they share their rows, so that their p-values
    are not independent and must not be multiplied or averaged; a row is flipped with all its seeds.

    Args:
        change: [n] B minus A.
        resamples: flips of all rows, where changes are not whole numbers.
        seed: of the flips.

    >>> round(sign_flips(np.array([1] * 8 + [-1] + [0] * 30)), 4)
    0.0391
    """
    whole = np.rint(change)
    if np.array_equal(whole, change):
        return _exact_flips(whole.astype(np.int64))
    return _random_flips(np.asarray(change, dtype=np.float64), resamples, np.random.default_rng(seed))


def _exact_flips(change: NDArray[np.int64]) -> float:
    sizes, counts = np.unique(np.abs(change[change != 0]), return_counts=True)
    chance = np.ones(1)  # [total + 1] of the sum of the sizes that are flipped to plus
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        steps = np.zeros(size * count + 1)
        steps[::size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chance = fftconvolve(chance, steps) if len(chance) > 1 else steps
    sums = 2 * np.arange(len(chance)) - (len(chance) - 1)
    return float(np.clip(chance[np.abs(sums) >= abs(int(change.sum()))].sum(), 0.0, 1.0))


def _random_flips(change: NDArray[np.float64], resamples: int, draw: np.random.Generator) -> float:
    n, most = len(change), 0
    observed = abs(change.sum()) - 1e-9  # sums that differ by rounding are equal
    for size in _sizes(resamples, n):
        signs = draw.integers(0, 2, size=(size, n), dtype=np.int8) * 2 - 1
        most += int((np.abs(signs @ change) >= observed).sum())
    return (most + 1) / (resamples + 1)


def _bootstrap(change: NDArray[np.float64], resamples: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """[resamples] means of n rows drawn with replacement.

    Half a row that changes by +1, half a row by -1 and one row by 0 are added: without, equal changes give an interval
    of no length.
    """
    n = len(change)
    pool = np.concatenate([change, change, [1, -1, 0, 0]])  # everything twice, so that a half is one
    blocks = [pool[draw.integers(0, len(pool), size=(size, n))].mean(axis=1) for size in _sizes(resamples, n)]
    return np.concatenate(blocks)


def _sizes(resamples: int, n: int) -> list[int]:
    step = max(1, _BLOCK // n)
    return [min(step, resamples - start) for start in range(0, resamples, step)]
