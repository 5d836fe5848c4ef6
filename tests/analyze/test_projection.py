from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given, strategies as st
from sklearn.decomposition import PCA

from tunewright.analyze.projection import pca


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
