from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.mmd import Baseline, Features, Sample, drift, fit_baseline, witness
from tunewright.errors import DataError

ROWS, WINDOW, DIMENSIONS = 2000, 200, 24


def clustered(random, rows, *, centres):
    """Rows of several clusters, as embeddings lie."""
    return centres[random.integers(len(centres), size=rows)] + random.standard_normal((rows, DIMENSIONS)) * 0.7


@pytest.fixture(scope="module")
def centres():
    return np.random.default_rng(5).standard_normal((8, DIMENSIONS))


@pytest.fixture(scope="module")
def baseline(centres) -> Baseline:
    return fit_baseline(clustered(np.random.default_rng(1), ROWS, centres=centres), WINDOW, features=128, draws=400)


def sample(baseline, vectors, *, effective=None):
    return Sample(len(vectors), effective or len(vectors), baseline.features.total(vectors))


def permutation_p(first, second, *, draws, random):
    """p of MMD with the exact kernel, by permutation of the rows: what the features stand in for."""
    pooled = np.concatenate([first, second])
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    square = np.maximum(2 - 2 * pooled @ pooled.T, 0)
    median = np.median(square[np.triu_indices(len(square), 1)])
    kernel = sum(np.exp(-square / (2 * median * scale**2)) for scale in (0.5, 1, 2))
    weight = np.concatenate([np.full(len(first), 1 / len(first)), np.full(len(second), -1 / len(second))])
    weights = np.stack([weight, *(random.permutation(weight) for _ in range(draws))], axis=1)
    values = np.einsum("ij,ij->j", weights, kernel @ weights)
    return float((values >= values[0]).mean())


def test_features_stand_for_the_kernel():
    vectors = np.random.default_rng(0).standard_normal((40, 6))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    square = 2 - 2 * unit @ unit.T
    kernel = np.mean([np.exp(-square / (2 * scale**2)) for scale in (1, 2)], axis=0)
    mapped = Features(6, 1.0, count=60_000).map(vectors).astype(np.float64)
    np.testing.assert_allclose(mapped @ mapped.T, kernel, atol=0.03)
    np.testing.assert_allclose(np.linalg.norm(mapped, axis=1), 1, atol=1e-5)


def test_a_row_is_mapped_to_the_same_whatever_is_beside_it():
    features = Features(384, 1.1)
    vectors = np.random.default_rng(0).standard_normal((300, 384)).astype(np.float32)
    pieces = np.concatenate([features.map(vectors[:1]), features.map(vectors[1:78]), features.map(vectors[78:])])
    assert (features.map(vectors) == pieces).all()


def test_length_says_nothing(baseline, centres):
    vectors = clustered(np.random.default_rng(2), 50, centres=centres)
    np.testing.assert_allclose(baseline.features.total(vectors), baseline.features.total(7 * vectors), atol=1e-4)


def test_the_spread_has_no_bias(centres):
    def spread(rows, seed):
        return fit_baseline(
            clustered(np.random.default_rng(seed), rows, centres=centres), 20, features=64, draws=10
        ).plain[0]

    assert np.mean([spread(120, seed) for seed in range(20)]) == pytest.approx(spread(8000, 99), rel=0.05)


def test_small_references_do_not_alarm_more_often(centres):
    """A covariance of fewer rows than features fits the rows it is of; half of the reference was kept from it."""
    p = []
    for seed in range(20):
        random = np.random.default_rng(300 + seed)
        known = fit_baseline(clustered(random, 160, centres=centres), 20, features=128, draws=100, seed=seed)
        p += [drift(sample(known, clustered(random, 20, centres=centres)), known).p for _ in range(20)]
    assert np.mean(np.array(p) <= 0.05) <= 0.08


def test_false_alarms_are_as_many_as_they_should_be(centres):
    """600 quiet windows of 200 rows against 12 references."""
    p = []
    for seed in range(12):
        random = np.random.default_rng(100 + seed)
        known = fit_baseline(clustered(random, ROWS, centres=centres), WINDOW, features=128, draws=400, seed=seed)
        p += [drift(sample(known, clustered(random, WINDOW, centres=centres)), known).p for _ in range(50)]
    assert 0.03 <= np.mean(np.array(p) <= 0.05) <= 0.07
    assert 0.35 < np.mean(p) < 0.65


@pytest.mark.parametrize("shift", ["mean", "variance", "mixture"])
def test_power_is_that_of_a_permutation_test(shift, centres):
    random = np.random.default_rng(7)
    reference = clustered(random, 800, centres=centres)
    known = fit_baseline(reference, WINDOW, draws=300)
    foreign = random.standard_normal((1, DIMENSIONS)) * 1.5
    ours, theirs = [], []
    for _ in range(20):
        window = clustered(random, WINDOW, centres=centres)
        if shift == "mean":
            window += 0.15
        elif shift == "variance":
            window += 1.3 * random.standard_normal(window.shape)
        else:
            window[: WINDOW // 10] = foreign + 0.7 * random.standard_normal((WINDOW // 10, DIMENSIONS))
        ours.append(drift(sample(known, window), known).p)
        theirs.append(permutation_p(window, reference, draws=99, random=random))
    power = np.mean(np.array(ours) <= 0.05)
    assert power >= np.mean(np.array(theirs) <= 0.05) - 0.05
    assert power > 0.6


def test_effect_does_not_depend_on_the_number_of_rows(baseline, centres):
    random = np.random.default_rng(3)
    effects = [
        np.mean(
            [
                drift(sample(baseline, clustered(random, rows, centres=centres) + 0.3), baseline).effect
                for _ in range(20)
            ]
        )
        for rows in (50, 800)
    ]
    assert effects[0] == pytest.approx(effects[1], rel=0.2)
    quiet = [drift(sample(baseline, clustered(random, 100, centres=centres)), baseline).effect for _ in range(50)]
    assert abs(np.mean(quiet)) < effects[1] / 10


def test_dependent_rows_count_once(baseline, centres):
    window = np.repeat(clustered(np.random.default_rng(4), WINDOW // 10, centres=centres), 10, axis=0)
    assert drift(sample(baseline, window), baseline).p < 1e-6
    assert drift(sample(baseline, window, effective=WINDOW / 10), baseline).p > 0.01


def test_p_is_never_lower_than_the_windows_of_the_reference_allow(baseline):
    assert len(baseline.null) == 400
    far = Sample(WINDOW, WINDOW, -baseline.sample.mean * WINDOW)
    assert 0 < drift(far, baseline).p < 1e-50


def test_the_witness_points_at_foreign_rows(baseline, centres):
    random = np.random.default_rng(8)
    window = clustered(random, WINDOW, centres=centres)
    window[:20] = np.full(DIMENSIONS, 2.0) + 0.3 * random.standard_normal((20, DIMENSIONS))
    score = witness(window, sample(baseline, window), baseline)
    assert set(np.argsort(-score)[:20].tolist()) == set(range(20))
    reference = clustered(random, 500, centres=centres)
    assert abs(witness(reference, sample(baseline, window), baseline).mean()) < score[:20].mean() / 10


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((30, 5)), "expected vectors \\[rows, 24\\]"),
        (np.full((3, DIMENSIONS), np.nan), "found 3 of 3 with NaN"),
        (np.ones(DIMENSIONS), "found \\[24\\]"),
    ],
)
def test_vectors_that_cannot_be_compared(baseline, vectors, message):
    with pytest.raises(DataError, match=message):
        baseline.features.map(vectors)


def test_references_that_are_none():
    with pytest.raises(DataError, match="400 rows or more"):
        fit_baseline(np.ones((300, 4)), 200)
    with pytest.raises(DataError, match="median distance of 0"):
        fit_baseline(np.ones((300, 4)), 20)
    with pytest.raises(DataError, match="finite"):
        fit_baseline(np.full((300, 4), np.nan), 20)
