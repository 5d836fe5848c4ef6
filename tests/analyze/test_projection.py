from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from tunewright.analyze.projection import pca, principal, project, umap
from tunewright.errors import DataError


def test_a_line_lies_on_the_first_component():
    columns = pca(vector=np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]))
    np.testing.assert_allclose(columns["pc1"], [-5, 0, 5], atol=1e-12)
    np.testing.assert_allclose(columns["pc2"], 0, atol=1e-12)


def test_equals_scikit_learn_up_to_the_sign():
    vectors = np.random.default_rng(0).normal(size=(200, 16)) * np.arange(1, 17)
    ours = np.stack(list(pca(vector=vectors).values()), axis=1)
    theirs = PCA(2).fit_transform(vectors)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-9)


@given(st.integers(0, 20))
def test_mirrored_vectors_give_the_mirrored_picture_and_never_a_flipped_axis(seed):
    vectors = np.random.default_rng(seed).normal(size=(30, 5)) * [5, 3, 1, 1, 1]
    one, other = pca(vector=vectors), pca(vector=-vectors)
    for name in one:
        np.testing.assert_allclose(one[name], -other[name], atol=1e-9)


def test_one_dimension_has_no_second_component():
    columns = pca(vector=np.array([[1.0], [3.0]], dtype=np.float32))
    assert columns["pc1"].tolist() == [-1, 1]
    assert columns["pc2"].tolist() == [0, 0]


def test_no_copy_of_all_vectors_is_made():
    vectors = np.random.default_rng(0).normal(size=(60_000, 64)).astype(np.float32) * np.arange(1, 65, dtype=np.float32)
    tracemalloc.start()
    try:
        found = pca(vector=vectors)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < vectors.nbytes
    theirs = PCA(2, svd_solver="covariance_eigh").fit_transform(vectors.astype(np.float64))
    np.testing.assert_allclose(np.abs(found["pc1"]), np.abs(theirs[:, 0]), atol=1e-6)


def test_axes_place_further_rows_where_the_fitted_ones_lie():
    vectors = np.random.default_rng(0).normal(size=(40, 6))
    points, axes = principal(vectors, dimensions=3)
    np.testing.assert_allclose(axes.place(vectors[:7]), points[:7])
    few, _ = principal(vectors, dimensions=3, fitted=np.arange(20))
    np.testing.assert_allclose(few[:20], principal(vectors[:20], dimensions=3)[0])


def blobs(rows, *, groups=4, dimensions=64, seed=0):
    random = np.random.default_rng(seed)
    centres = 4 * np.random.default_rng(99).normal(size=(groups, dimensions))
    group = random.integers(groups, size=rows)
    return (centres[group] + random.normal(size=(rows, dimensions))).astype(np.float32), group


class TestUmap:
    def test_groups_stay_together_and_the_picture_is_the_same_to_the_bit(self):
        vectors, group = blobs(300)
        one, other = umap(vector=vectors), umap(vector=vectors)
        points = np.stack(list(one.values()), axis=1)
        assert KNeighborsClassifier(5).fit(points, group).score(points, group) > 0.99
        assert all((one[name] == other[name]).all() for name in one)
        assert (one["umap1"] != umap(vector=vectors, seed=1)["umap1"]).any()

    def test_fits_a_sample_and_says_so(self):
        vectors, group = blobs(300)
        made = project(vectors, at_most=120)
        assert (made.fitted.sum(), made.method) == (120, "umap")
        assert KNeighborsClassifier(5).fit(made.points, group).score(made.points, group) > 0.99
        assert (made.points == project(vectors, at_most=120).points).all()

    def test_other_rows_are_placed_and_change_nothing(self):
        vectors, group = blobs(200)
        others, kind = blobs(50, seed=1)
        made = project(vectors, others)
        assert (made.points == project(vectors).points).all()
        assert KNeighborsClassifier(5).fit(made.points, group).score(made.others, kind) > 0.95
        assert (made.others == project(vectors, others).others).all()

    @pytest.mark.parametrize("rows", [1, 2, 5, 9, 10, 11, 16, 45])
    def test_few_rows(self, rows):
        made = project(blobs(rows)[0], blobs(3)[0])
        assert made.points.shape == (rows, 2)
        assert made.others.shape == (3, 2)
        assert np.isfinite(made.points).all()
        assert made.method == ("umap" if rows >= 10 else "pca")

    def test_equal_rows(self):
        assert project(np.ones((50, 8))).method == "pca"
        assert not umap(vector=np.ones((50, 8)))["umap_fitted"].any()
        assert umap(vector=blobs(12)[0])["umap_fitted"].all()
        copies = project(np.repeat(blobs(12)[0], 20, axis=0))
        assert copies.method == "umap"
        assert np.isfinite(copies.points).all()

    def test_says_what_does_not_fit(self):
        with pytest.raises(DataError, match="one row or more to project"):
            project(np.zeros((0, 4)))
        with pytest.raises(DataError, match="finite vectors of one width"):
            project(np.full((20, 4), np.nan))
        with pytest.raises(DataError, match=r"\(20, 4\) and \(1, 5\)"):
            project(np.ones((20, 4)), np.ones((1, 5)))
