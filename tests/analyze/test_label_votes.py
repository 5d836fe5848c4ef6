from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st

from tunewright.analyze.label_votes import label_votes


def test_votes_are_shares_of_the_neighbours_labels():
    angles = np.array([0, 1, 2, 3, 90, 91, 92, 93]) * np.pi / 180
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    label = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    votes = label_votes(vectors, label, k=3, smoothing=0)
    assert votes.own.tolist() == [2 / 3, 2 / 3, 2 / 3, 0, 1, 1, 1, 1]
    assert votes.rivals[:, 0].tolist() == [1, 1, 1, 0, -1, -1, -1, -1]
    assert votes.probability[:, 0].tolist() == [1 / 3, 1 / 3, 1 / 3, 1, 0, 0, 0, 0]


def test_rows_without_a_label_neither_vote_nor_are_judged():
    vectors = np.random.default_rng(0).normal(size=(30, 4))
    label = np.arange(30) % 3
    label[::5] = -1
    votes = label_votes(vectors, label, k=5)
    kept = label >= 0
    alone = label_votes(vectors[kept], label[kept], k=5)
    assert np.isnan(votes.own[~kept]).all()
    assert np.array_equal(votes.own[kept], alone.own)
    assert np.array_equal(votes.rivals[kept], alone.rivals)


def test_one_labelled_row_has_nobody_to_ask():
    votes = label_votes(np.eye(3), np.array([0, -1, -1]), k=2)
    assert np.isnan(votes.own).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 25), st.integers(1, 30))
def test_votes_are_the_counts_of_a_loop(seed, rows, k, classes):
    random = np.random.default_rng(seed)
    vectors, label = random.normal(size=(rows, 3)), random.integers(classes, size=rows)
    votes = label_votes(vectors, label, k=k, smoothing=0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -9)
    asked = min(k, rows - 1)
    for row in range(rows):
        near = label[np.argsort(-similarity[row])[:asked]]
        counts = np.bincount(near, minlength=classes)
        assert votes.own[row] == counts[label[row]] / asked
        counts[label[row]] = 0
        for code, share in zip(votes.rivals[row], votes.probability[row], strict=True):
            assert share == (counts[code] / asked if code >= 0 else 0)
        assert votes.probability[row, 0] == counts.max() / asked
        assert (np.diff(votes.probability[row]) <= 0).all()
