from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tunewright.analyze import clusters as module
from tunewright.analyze.clusters import assign, check, cluster, stability
from tunewright.errors import DataError

CENTRES = 4 * np.random.default_rng(99).normal(size=(4, 24))


def blobs(*sizes, seed=0):
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    return (CENTRES[group] + random.normal(size=(len(group), 24))).astype(np.float32), group


@pytest.fixture(scope="module")
def dense():
    vectors, group = blobs(60, 120, 90)
    return vectors, group, cluster(vectors)


class TestDenseClusters:
    def test_planted_groups_are_found_the_largest_first(self, dense):
        _, group, found = dense
        assert adjusted_rand_score(group, found.code) > 0.99
        assert found.sizes.tolist() == sorted(found.sizes, reverse=True)
        assert (np.bincount(found.code[found.code >= 0]) == found.sizes).all()
        assert set(found.code[group == 1].tolist()) <= {0, -1}
        np.testing.assert_allclose(np.linalg.norm(found.centres, axis=1), 1)

    def test_the_same_seed_finds_the_same(self, dense):
        vectors, _, found = dense
        assert (cluster(vectors).code == found.code).all()

    def test_new_rows_go_to_the_nearest_and_strangers_to_none(self, dense):
        _, _, found = dense
        more, kind = blobs(40, 40, 40, 40, seed=1)
        code, similarity = assign(more, found.centres, reach=found.reach)
        known = kind < 3
        assert adjusted_rand_score(kind[known & (code >= 0)], code[known & (code >= 0)]) == 1
        assert (code[known] >= 0).mean() > 0.8
        assert (code[~known] == -1).all()
        assert similarity[known].min() > similarity[~known].max()

    def test_planted_groups_are_stable(self, dense):
        vectors, _, found = dense
        steady = stability(vectors, found, resamples=3)
        assert steady.shape == found.sizes.shape
        assert steady.min() > 0.9
        assert (steady == stability(vectors, found, resamples=3)).all()

    def test_groups_in_noise_are_not(self):
        vectors = np.random.default_rng(0).normal(size=(400, 30))
        steady = stability(vectors, cluster(vectors, smallest=10), resamples=3)
        assert np.median(steady) < 0.5

    def test_of_many_rows_a_sample_is_searched_and_the_rest_assigned(self, monkeypatch, dense):
        monkeypatch.setattr(module, "FITTED_AT_MOST", 150)
        vectors, group, _ = dense
        found = cluster(vectors)
        assert found.fitted == 150
        inside = found.code >= 0
        assert inside.mean() > 0.85
        assert adjusted_rand_score(group[inside], found.code[inside]) == 1


class TestCompactClusters:
    def test_their_number_is_that_of_the_planted_groups(self):
        vectors, group = blobs(60, 120, 90, 30)
        found = cluster(vectors, method="kmeans")
        assert adjusted_rand_score(group, found.code) == 1
        assert found.sizes.tolist() == [120, 90, 60, 30]
        assert stability(vectors, found).min() > 0.99

    def test_or_the_one_that_is_asked_for(self):
        vectors, _ = blobs(60, 60)
        assert len(cluster(vectors, method="kmeans", clusters=5).sizes) == 5
        assert len(cluster(np.ones((20, 3)), method="kmeans", clusters=5).sizes) == 1

    def test_one_that_makes_no_sense_is_an_error(self):
        with pytest.raises(DataError, match="hdbscan finds the number itself"):
            cluster(np.ones((20, 3)), clusters=5)
        with pytest.raises(DataError, match="from 1, with kmeans; found 0"):
            cluster(np.ones((20, 3)), method="kmeans", clusters=0)
        with pytest.raises(DataError, match="no method of clustering is called 'optics'"):
            check("optics", None)
        with pytest.raises(DataError, match="2 rows or more, found smallest=1"):
            cluster(np.ones((20, 3)), smallest=1)


@pytest.mark.parametrize("method", ["hdbscan", "kmeans"])
@pytest.mark.parametrize("rows", [0, 1, 2, 5, 12])
class TestFewOrEqualRows:
    def test_random(self, method, rows):
        vectors = np.random.default_rng(0).normal(size=(rows, 4))
        found = cluster(vectors, method=method)
        assert found.code.shape == (rows,)
        assert found.centres.shape == (len(found.sizes), 4)
        assert len(stability(vectors, found, resamples=2)) == len(found.sizes)
        assert assign(vectors, found.centres, reach=found.reach)[0].shape == (rows,)

    def test_equal(self, method, rows):
        found = cluster(np.ones((rows, 4)), method=method)
        assert len(found.sizes) <= 1
        assert np.isfinite(found.centres).all()

    def test_zero_and_not_finite_rows_have_none(self, method, rows):
        strange = np.array([[0.0] * 4, [np.nan] * 4, [np.inf, 0, 0, 0]])
        found = cluster(np.concatenate([strange, np.ones((rows, 4))]), method=method)
        assert (found.code[:3] == -1).all()
        assert np.isfinite(found.centres).all()


def test_no_cluster_is_no_similarity():
    found = cluster(np.random.default_rng(0).normal(size=(3, 4)))
    code, similarity = assign(np.ones((2, 4)), found.centres, reach=found.reach)
    assert code.tolist() == [-1, -1]
    assert np.isnan(similarity).all()
