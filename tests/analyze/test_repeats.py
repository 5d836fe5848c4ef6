from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.repeats import collisions, counted, effective_rows, text_keys, vector_keys


def test_equal_vectors_have_equal_keys_and_others_do_not():
    vectors = np.random.default_rng(0).standard_normal((5000, 8)).astype(np.float32)
    keys = vector_keys(np.concatenate([vectors, vectors]))
    assert (keys[:5000] == keys[5000:]).all()
    assert len(set(keys.tolist())) == 5000


def test_values_of_any_type_have_keys():
    keys = text_keys(["a", "b", None, "a", 3])
    assert keys[0] == keys[3]
    assert len(set(keys.tolist())) == 4
    assert len(text_keys([])) == 0


def test_counts_add_up():
    keys, counts = counted(np.array([3, 1, 3], dtype=np.uint64), np.array([2, 5, 1]))
    assert keys.tolist() == [1, 3]
    assert counts.tolist() == [5, 3]


def test_a_mean_of_repeats_is_worth_less():
    assert effective_rows(np.array([10, 10])) == pytest.approx(2)
    assert effective_rows(np.ones(7, dtype=np.int64)) == 7
    assert effective_rows(np.zeros(0, dtype=np.int64)) == 0


def test_independent_draws_from_few_texts_are_worth_all_their_rows():
    random = np.random.default_rng(1)
    known = counted(random.integers(40, size=5000).astype(np.uint64))[1]
    drawn = counted(random.integers(40, size=500).astype(np.uint64))[1]
    assert effective_rows(drawn, expected=collisions(known)) > 450
    assert effective_rows(drawn) < 50
    assert collisions(np.ones(1, dtype=np.int64)) == 0
