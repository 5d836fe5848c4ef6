from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunewright.analyze import neighbours as module
from tunewright.analyze.neighbours import nearest, neighbours
from tunewright.errors import DataError

PLANE = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [-1.0, 0.0]])


def test_similarities_by_hand():
    rows, similarities = nearest(np.array([[2.0, 0.0]]), PLANE, k=4)
    assert rows.tolist() == [[0, 2, 1, 3]]
    np.testing.assert_allclose(similarities, [[1, np.sqrt(0.5), 0, -1]])


def test_a_row_does_not_find_itself():
    rows, _ = nearest(PLANE, PLANE, k=1, exclude=np.arange(4))
    assert rows[:, 0].tolist() == [2, 2, 0, 1]


def test_ties_are_in_order_of_rows_also_at_the_edge():
    rows, _ = nearest(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 0.0], [3.0, 0.0]]), k=2)
    assert rows.tolist() == [[1, 2]]


def test_a_zero_vector_is_like_nothing():
    _, similarities = nearest(np.zeros((1, 2)), PLANE, k=2)
    assert similarities.tolist() == [[0, 0]]


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 5), st.integers(0, 9))
def test_equals_sorting_everything(m, n, d, seed):
    random = np.random.default_rng(seed)
    queries, base = random.normal(size=(m, d)), random.normal(size=(n, d))
    k = min(3, n)
    rows, similarities = nearest(queries, base, k=k)
    norms = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(base, axis=1)
    np.testing.assert_allclose(similarities, -np.sort(-(queries @ base.T / norms), axis=1)[:, :k], atol=1e-12)
    assert all(len(set(row)) == k for row in rows.tolist())


def test_blocks_change_nothing(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    whole = nearest(vectors, vectors, k=3, exclude=np.arange(50))
    monkeypatch.setattr(module, "_BUDGET", 7 * 50 * 8)
    sizes = []
    top = module._top
    monkeypatch.setattr(module, "_top", lambda products, k: sizes.append(products.nbytes) or top(products, k))
    parts = nearest(vectors, vectors, k=3, exclude=np.arange(50))
    assert max(sizes) == 7 * 50 * 8
    assert (whole[0] == parts[0]).all()
    np.testing.assert_allclose(whole[1], parts[1])


def test_columns_look_among_other_training_rows():
    columns = neighbours(
        vector=np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]),
        id=np.array(["a", "b", "c", "d"], dtype=object),
        split=np.array(["train", "train", "train", "test"], dtype=object),
        label=np.array(["x", "y", "x", "y"], dtype=object),
        k=2,
    )
    assert columns["neighbour"].tolist() == ["b", "a", "b", "c"]
    assert columns["neighbour_label"].tolist() == ["y", "x", "y", "x"]
    similarity = 1 / np.sqrt(1.01)
    assert columns["neighbour_similarity"][0] == pytest.approx(similarity)
    assert columns["density"][0] == pytest.approx(similarity / 2)


def test_too_few_rows_is_an_error():
    with pytest.raises(DataError, match=r"k in 1\.\.3"):
        nearest(PLANE, PLANE, k=4, exclude=np.arange(4))
    one = np.array(["a"], dtype=object)
    with pytest.raises(DataError, match="two or more training rows"):
        neighbours(vector=np.ones((1, 2)), id=one, split=np.array(["train"], dtype=object), label=one)
