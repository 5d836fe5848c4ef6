from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunewright.analyze import neighbours as module
from tunewright.analyze.neighbours import Index, nearest, neighbours
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
    np.testing.assert_allclose(similarities, -np.sort(-(queries @ base.T / norms), axis=1)[:, :k], atol=1e-6)
    assert all(len(set(row)) == k for row in rows.tolist())


def test_blocks_change_nothing(monkeypatch):
    vectors = np.random.default_rng(0).normal(size=(50, 4))
    whole = nearest(vectors, vectors, k=3, exclude=np.arange(50))
    monkeypatch.setattr(module, "_BLOCK", 7)
    parts = nearest(vectors, vectors, k=3, exclude=np.arange(50))
    assert (whole[0] == parts[0]).all()
    np.testing.assert_allclose(whole[1], parts[1], atol=1e-6)


def test_whoever_is_not_found_gives_up_the_last_place():
    vectors = np.repeat([[1.0, 0.0]], 40, axis=0)
    rows, _ = nearest(vectors, vectors, k=3, exclude=np.arange(40))
    assert all(own not in found and len(set(found)) == 3 for own, found in enumerate(rows.tolist()))


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


def groups(rows, *, dimensions=32, count=40, seed=0):
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, dimensions))
    return (centres[random.integers(count, size=rows)] + random.normal(size=(rows, dimensions))).astype(np.float32)


class TestIndex:
    def test_is_exact_up_to_a_size(self, monkeypatch):
        monkeypatch.setattr(module, "EXACT_UP_TO", 100)
        few, many = Index.build(groups(100)), Index.build(groups(101))
        assert (few.kind, few.recall, few.cells) == ("exact", 1.0, (0, 0))
        assert many.kind == "approximate"
        assert (few.rows, few.dimensions) == (100, 32)

    def test_approximate_has_the_recall_it_says(self):
        vectors = groups(4000)
        queries = groups(4500)[4000:]
        exact, approximate = (Index.build(vectors, kind=kind) for kind in ("exact", "approximate"))
        expected = exact.search(queries, 10)[0][:, -1:]
        recall = (approximate.search(queries, 10)[0] >= expected - 1e-6).mean()
        assert approximate.recall >= 0.97
        assert approximate.recall == pytest.approx(recall, abs=0.03)
        assert approximate.cells[0] < approximate.cells[1]

    @pytest.mark.parametrize("kind", ["exact", "approximate"])
    def test_same_seed_same_rows(self, kind):
        vectors = groups(1000)
        first, second = (Index.build(vectors, kind=kind, seed=3).search(vectors, 5) for _ in range(2))
        assert (first[0] == second[0]).all()
        assert (first[1] == second[1]).all()

    def test_approximate_finds_as_many_rows_as_asked(self):
        vectors = groups(300)
        similarity, row = Index.build(vectors, kind="approximate").search(vectors[:5], 300)
        assert all(sorted(found) == list(range(300)) for found in row.tolist())
        assert np.isfinite(similarity).all()

    def test_half_precision_and_extreme_lengths(self):
        vectors = groups(50).astype(np.float16)
        assert (Index.build(vectors).search(vectors, 1)[1][:, 0] == np.arange(50)).all()
        single = groups(50)
        assert (
            Index.build(np.float32(1e-30) * single).search(np.float32(1e30) * single, 1)[1][:, 0] == np.arange(50)
        ).all()

    def test_a_row_that_is_not_finite_is_like_nothing(self):
        vectors = np.array([[1.0, 0.0], [np.nan, 1.0], [np.inf, 0.0], [-1.0, 0.1]])
        similarity, row = Index.build(vectors).search(vectors[:2], 4)
        assert row[0].tolist() == [0, 1, 2, 3]
        assert similarity[1].tolist() == [0, 0, 0, 0]

    def test_says_what_does_not_fit(self):
        with pytest.raises(DataError, match=r"found shape \(0, 3\)"):
            Index.build(np.zeros((0, 3)))
        with pytest.raises(DataError, match=r"queries \[m, 2\], found shape \(1, 3\)"):
            Index.build(PLANE).search(np.zeros((1, 3)), 1)
        with pytest.raises(DataError, match=r"k in 1\.\.4"):
            Index.build(PLANE).search(PLANE, 5)


def test_lives_in_one_process_with_torch_and_takes_as_many_threads_as_told():
    program = (
        "import torch, numpy as np; x = torch.randn(200, 200); x @ x\n"
        "from tunewright.analyze.neighbours import Index\n"
        "index = Index.build(np.eye(64)); index.search(np.eye(64), 3); x @ x\n"
        "import faiss; print(faiss.omp_get_max_threads(), torch.get_num_threads())"
    )
    told = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=told, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]
