"""Maximum mean discrepancy (Gretton et al. 2012) by random Fourier features (Rahimi & Recht 2007): drift of vectors.

A vector of length 1 becomes φ(x), cosines and sines of random directions, such that φ(x)·φ(y) is on average the mean of
Gaussian kernels of some bandwidths, the median distance x {1, 2}. Directions are orthogonal, which makes φ(x)·φ(y) come
closer to the kernel (Yu et al. 2016). A set of rows is then known by the sum of its φ, which adds up over batches and
processes, and two sets differ by the distance of their means. Such a test is nearly minimax (Choi & Kim 2024).

The distance is taken twice, plain and weighed, see `tunewright.analyze.weighing`: plain it finds that there are more
rows of some kind that the reference has, weighed it finds rows of another kind. One half of the reference says how to
weigh, and the other half what to expect, as a covariance is too small for the rows it was fitted on.

If nothing drifted, the squared distance of means of n and N rows, over 1/n + 1/N, is a sum of squares of Gaussians that
are as wide as the eigenvalues of the covariance Σ of φ. Its mean tr Σ, variance 2 tr Σ² and third cumulant 8 tr Σ³ are
those of a shifted gamma distribution, which gives p (Hall 1983; Buckley & Eagleson 1988). The smaller p counts, that of
the weighed distance threefold. The second half has the last word: p is not lower than windows drawn from it, each compared
with the rest of it, allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tunewright.analyze.repeats import collisions, counted, effective_rows, vector_keys
from tunewright.analyze.weighing import Weighing, fit_weighing
from tunewright.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Cumulants = tuple[float, float, float]

__all__ = ["SCALES", "Baseline", "Drift", "Features", "Sample", "drift", "fit_baseline", "witness"]

SCALES = (1.0, 2.0)
"""Bandwidths, as multiples of the median distance of two vectors of the reference."""

_BLOCK = 4096  # rows that are mapped at a time
_TILE = 64  # rows of a matrix product are padded to a multiple of it, as kernels for edges round differently
_PAIRS = 2000  # rows whose distances give the median
_NULL_ROWS = 5000  # of the second half that windows are drawn from
_FITTED = 10_000  # rows of a half that are enough for it
_HANDICAP = 3.0  # what p of the weighed distance is multiplied by
_TAIL = 10  # the smallest p-values of those windows, beyond which the gamma distribution is only scaled


@dataclass(frozen=True, slots=True)
class Features:
    """A random map of vectors, the same for the same fields.

    Attributes:
        dimensions: of the vectors.
        bandwidth: median distance of two vectors of length 1, in (0, 2].
        scales: of the bandwidth; the features are shared out evenly.
        count: features, an even number: a cosine and a sine for each direction.
        seed: of the directions.
    """

    dimensions: int
    bandwidth: float
    scales: tuple[float, ...] = SCALES
    count: int = 1024
    seed: int = 0

    def map(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """[n, dimensions] -> [n, count], rows of length 1.

        Raises:
            DataError: if the vectors have other dimensions, or values that are not finite.
        """
        block = np.asarray(vectors, dtype=np.float32)
        if block.ndim != 2 or block.shape[1] != self.dimensions:
            raise DataError(
                f"expected vectors [rows, {self.dimensions}] as in the reference, found {list(block.shape)}",
                fix="embed production with the model and layer of the reference, or make a new reference",
            )
        length = np.linalg.norm(block, axis=1, keepdims=True)
        _refuse_non_finite(length[:, 0])
        angle = _product(block, _directions(self)) / np.maximum(length, np.float32(1e-30))
        half = self.count // 2
        mapped = np.empty((len(block), self.count), dtype=np.float32)
        np.cos(angle, out=mapped[:, :half])
        np.sin(angle, out=mapped[:, half:])
        mapped *= np.float32(half**-0.5)
        return mapped

    def total(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """[count] sum of the features over the rows; memory does not grow with them."""
        total = np.zeros(self.count)
        for block in _blocks(vectors):
            total += self.map(block).sum(axis=0, dtype=np.float64)
        return total


@dataclass(frozen=True, slots=True)
class Sample:
    """A set of rows as the test knows it: their number, what they are worth (`effective_rows`), the sum of φ."""

    rows: int
    effective: float
    total: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.total / max(self.rows, 1)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The reference as the test knows it.

    Attributes:
        features: the map.
        sample: all rows.
        weighing: of differences of means.
        plain: traces of the covariance of φ, of its square and of its cube, bias removed.
        weighed: the same of weighed φ.
        repeated: chance that two rows of the reference are the same vector.
        null: [draws] p-values, sorted, that the gamma distributions give to windows drawn from the reference.
    """

    features: Features
    sample: Sample
    weighing: Weighing
    plain: Cumulants
    weighed: Cumulants
    repeated: float
    null: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a window is from the reference.

    Attributes:
        p: chance of such a distance if nothing drifted, in (0, 1].
        effect: squared distance in the kernel's space, not weighed and without that of sampling, over the spread of
            the reference; 0 on average if nothing drifted, whatever the number of rows.
    """

    p: float
    effect: float


def fit_baseline(
    vectors: NDArray[np.floating],
    window: int,
    *,
    keys: NDArray[np.uint64] | None = None,
    scales: tuple[float, ...] = SCALES,
    features: int = 1024,
    seed: int = 0,
    draws: int = 1000,
) -> Baseline:
    """What the test needs to know of a reference.

    Args:
        vectors: [N, dimensions].
        window: rows of the windows to come, about.
        keys: [N] rows of equal key, such as those of one user, count once; without it, rows of equal vector do as far
            as they are more frequent in a window than in the reference.
        scales, features, seed: see `Features`.
        draws: windows drawn from the reference.

    Raises:
        DataError: if values are not finite, all vectors are the same, or there are fewer rows than two windows.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or len(vectors) < max(8, 2 * window):
        raise DataError(
            f"expected vectors [rows, dimensions] of {max(8, 2 * window)} rows or more, found {list(vectors.shape)}",
            fix="ask for a smaller window, or give a larger reference",
        )
    mapping = Features(vectors.shape[1], _median_distance(vectors, seed), tuple(scales), features, seed)
    identity = vector_keys(vectors.astype(np.float32, copy=False)) if keys is None else keys
    _, counts = counted(identity)
    repeated = collisions(counts) if keys is None else 0.0
    sample = Sample(len(vectors), effective_rows(counts, expected=repeated), mapping.total(vectors))
    first, second = (mapping.map(vectors[rows]) for rows in _halves(identity, seed))
    weighing = fit_weighing(_covariance(first - first.mean(axis=0)))
    centred = second - second.mean(axis=0)
    found = Baseline(
        mapping, sample, weighing, _cumulants(centred), _cumulants(weighing(centred)), repeated, np.ones(0)
    )
    return replace(found, null=_null(found, centred[:_NULL_ROWS], window, draws, seed))


def drift(window: Sample, baseline: Baseline) -> Drift:
    """Compare a window of one row or more with the reference."""
    difference = window.mean - baseline.sample.mean
    share = 1 / window.effective + 1 / baseline.sample.effective
    p = float(_least_p(difference[None], share, baseline)[0])
    return Drift(_floored(p, baseline.null), float(difference @ difference) / baseline.plain[0] - share)


def witness(vectors: NDArray[np.floating], window: Sample, baseline: Baseline) -> NDArray[np.float64]:
    """[n] how much each row is like the window and unlike the reference; 0 if it is like both.

    The witness function of the test (Gretton et al. 2012): φ(x) · (mean of the window - mean of the reference), both
    weighed, over the weighed distance of the means. Vectors [n, dimensions] may be those of the window or any others.
    """
    weighed = baseline.weighing(window.mean - baseline.sample.mean)
    direction = (baseline.weighing(weighed) / max(float(np.linalg.norm(weighed)), 1e-12)).astype(np.float32)
    offset = float(direction @ baseline.sample.mean)
    return np.concatenate(
        [np.zeros(0), *(baseline.features.map(block) @ direction - offset for block in _blocks(vectors))]
    )


@lru_cache(maxsize=8)
def _directions(features: Features) -> NDArray[np.float32]:
    """[dimensions, count / 2] directions, of which each bandwidth has its share."""
    random = np.random.default_rng(features.seed)
    scales, counts = np.unique(np.resize(features.scales, features.count // 2), return_counts=True)
    widths = (scales * features.bandwidth).tolist()
    parts = [
        _orthogonal(features.dimensions, count, random) / width
        for width, count in zip(widths, counts.tolist(), strict=True)
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _orthogonal(dimensions: int, count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """[dimensions, count] directions, each by itself as if Gaussian; as many as there are dimensions are orthogonal."""
    blocks = []
    for start in range(0, count, dimensions):
        unit, _ = np.linalg.qr(random.standard_normal((dimensions, min(dimensions, count - start))))
        blocks.append(unit * np.sqrt(random.chisquare(dimensions, unit.shape[1])))
    return np.concatenate(blocks, axis=1)


def _product(block: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix product, such that a row gives the same to the last bit, whatever rows are beside it."""
    lacking = -len(block) % _TILE
    padded = np.concatenate([block, np.zeros((lacking, block.shape[1]), dtype=np.float32)]) if lacking else block
    found: NDArray[np.float32] = (padded @ directions)[: len(block)]
    return found


def _blocks(vectors: NDArray[np.floating]) -> Iterator[NDArray[np.floating]]:
    for start in range(0, len(vectors), _BLOCK):
        yield vectors[start : start + _BLOCK]


def _refuse_non_finite(length: NDArray[np.float32]) -> None:
    wrong = np.flatnonzero(~np.isfinite(length))
    if len(wrong):
        raise DataError(
            f"expected finite vectors, found {len(wrong)} of {len(length)} with NaN or infinity, the first in row "
            f"{wrong[0]}",
            fix="leave the vector empty (null) where there is none",
        )


def _median_distance(vectors: NDArray[np.floating], seed: int) -> float:
    """Median distance of two vectors of length 1, of a sample of the rows."""
    chosen = np.random.default_rng(seed).permutation(len(vectors))[:_PAIRS]
    block = vectors[np.sort(chosen)].astype(np.float64)
    length = np.linalg.norm(block, axis=1, keepdims=True)
    _refuse_non_finite(length[:, 0].astype(np.float32))
    unit = block / np.maximum(length, 1e-30)
    square = np.maximum(2 - 2 * (unit @ unit.T), 0)
    found = float(np.sqrt(np.median(square[np.triu_indices(len(unit), 1)])))
    if found < 1e-6:
        raise DataError(
            "expected vectors that differ, found a median distance of 0", fix="look at how the reference was embedded"
        )
    return found


def _halves(keys: NDArray[np.uint64], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of two random halves, such that equal rows are in the same; not more of them than are needed."""
    distinct, place = np.unique(keys, return_inverse=True)
    random = np.random.default_rng([seed, 2])
    order = np.argsort(random.permutation(len(distinct))[place], kind="stable")
    half = len(keys) // 2
    return order[:half][-_FITTED:], random.permutation(order[half:])[:_FITTED]


def _covariance(centred: NDArray[np.floating]) -> NDArray[np.float64]:
    return (centred.T @ centred).astype(np.float64) / (len(centred) - 1)


def _cumulants(centred: NDArray[np.floating]) -> Cumulants:
    """Traces of the covariance, its square (Himeno & Yamada 2014: no bias, any distribution) and, nearly, its cube."""
    rows, count = centred.shape
    trace, squares, cubes = _traces(_covariance(centred))
    fourth = float((np.einsum("ij,ij->i", centred, centred).astype(np.float64) ** 2).sum())
    scale = (rows - 1) / (rows * (rows - 2) * (rows - 3))
    square = scale * ((rows - 1) * (rows - 2) * squares + trace**2 - rows * fourth / (rows - 1))
    square = max(square, trace**2 / count)
    return trace, square, max(cubes - 3 * trace * square / rows, square**2 / trace)


def _traces(covariance: NDArray[np.float64]) -> tuple[float, float, float]:
    square = covariance @ covariance
    return float(np.trace(covariance)), float(np.trace(square)), float((square * covariance).sum())


def _least_p(differences: NDArray[np.float64], share: float, baseline: Baseline) -> NDArray[np.float64]:
    """[n] smaller p-values of both distances, of differences of means [n, count], ``share`` being 1/n + 1/N."""
    plain, weighed = (
        _gamma_p(np.einsum("ij,ij->i", some, some), share, cumulants)
        for some, cumulants in (
            (differences, baseline.plain),
            (baseline.weighing(differences), baseline.weighed),
        )
    )
    return np.minimum(plain, _HANDICAP * weighed)


def _gamma_p(distance: NDArray[np.float64], share: float, cumulants: Cumulants) -> NDArray[np.float64]:
    """p-values of squared distances."""
    from scipy.stats import gamma

    first, second, third = cumulants
    shape = second**3 / third**2
    standard = (distance / share - first) / np.sqrt(2 * second)
    found: NDArray[np.float64] = gamma.sf(shape / 2 + standard * np.sqrt(shape / 2), shape / 2)
    return np.maximum(found, 1e-300)


def _null(baseline: Baseline, centred: NDArray[np.float32], window: int, draws: int, seed: int) -> NDArray[np.float64]:
    """[draws] p-values of windows drawn without replacement, each against the rest of the rows."""
    random = np.random.default_rng([seed, 1])
    rows, size = len(centred), min(window, len(centred) // 2)
    whole = centred.sum(axis=0, dtype=np.float64)
    differences = np.empty((draws, centred.shape[1]))
    for draw in range(draws):
        total = centred[random.choice(rows, size, replace=False, shuffle=False)].sum(axis=0).astype(np.float64)
        differences[draw] = total / size - (whole - total) / (rows - size)
    return np.sort(_least_p(differences, 1 / size + 1 / (rows - size), baseline))


def _floored(p: float, null: NDArray[np.float64]) -> float:
    """The share of null windows at or below p where that is larger; beyond their tail, p times what the tail lacks."""
    if p >= null[_TAIL - 1]:
        return max(p, (int(np.searchsorted(null, p, side="right")) + 1) / (len(null) + 1))
    return p * max(1.0, _TAIL / (len(null) + 1) / float(null[_TAIL - 1]))
