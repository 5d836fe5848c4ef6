from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.preview import PreviewArm, preview
from tunewright.errors import ComparisonError

CLASSES, N = 3, 900


@pytest.fixture(scope="module")
def rows():
    """Vectors [2 N, 20], right labels, and labels of which the first N are wrong in a third, all towards class 0."""
    random = np.random.default_rng(0)
    label = random.integers(CLASSES, size=2 * N)
    vectors = random.normal(size=(2 * N, 20)) * np.linspace(3, 0.1, 20)
    vectors[:, 5 : 5 + CLASSES] += 2.5 * np.eye(CLASSES)[label]
    noisy = np.where((random.random(2 * N) < 0.45), 0, label)
    return vectors, label, noisy


def run(rows, arms, **options):
    vectors, label, _ = rows
    return preview(vectors[:N], arms, vectors[N:], label[N:], **options)


def test_the_right_labels_rank_first_and_random_ones_last(rows):
    _, label, noisy = rows
    random = np.random.default_rng(1).integers(CLASSES, size=N)
    arms = {
        "random": PreviewArm(labels=np.where(np.arange(N) % 2 == 0, random, noisy[:N])),
        "unchanged": PreviewArm(labels=noisy[:N]),
        "oracle": PreviewArm(labels=label[:N]),
        "dropped": PreviewArm(labels=noisy[:N], weights=(noisy == label)[:N].astype(float)),
    }
    found = run(rows, arms, control="random")
    ranked = {arm.name: arm for arm in found.arms}
    assert {found.arms[0].name, found.arms[1].name} == {"oracle", "dropped"}
    assert ranked["oracle"].interval[0] > 0
    assert ranked["oracle"].over_control == pytest.approx(ranked["oracle"].accuracy - ranked["random"].accuracy)
    assert ranked["unchanged"].difference == 0.0
    assert found.sentence().startswith("Preview on frozen embeddings, no verdict: ")
    assert "random" not in found.sentence()


def test_it_is_the_logistic_regression_of_scikit_learn(rows):
    from sklearn.linear_model import LogisticRegression

    from tunewright.analyze.preview import _fit

    vectors, label, _ = rows
    weights = np.random.default_rng(0).integers(0, 3, size=N).astype(float)
    found = _fit(vectors[:N], np.eye(CLASSES)[label[:N]], weights, strength=0.01, start=np.zeros((21, CLASSES)))
    expected = LogisticRegression(C=0.01, tol=1e-8, max_iter=2000).fit(vectors[:N], label[:N], sample_weight=weights)
    np.testing.assert_allclose(found[:-1], expected.coef_.T, atol=2e-3)


def test_a_row_without_label_or_weight_or_twice_is_what_it_says(rows):
    _, label, _ = rows
    hidden = np.where(np.arange(N) < 300, -1, label[:N])
    weights = (np.arange(N) >= 300).astype(float)
    arms = {"unchanged": PreviewArm(labels=hidden), "weights": PreviewArm(labels=label[:N], weights=weights)}
    assert all(arm.difference == 0.0 for arm in run(rows, arms).arms)


def test_mixtures_with_nothing_of_the_second_are_the_first_again(rows):
    _, label, _ = rows
    pairs = np.stack([np.arange(N), np.arange(N)[::-1]], axis=1)
    mixed = {"pairs": pairs, "shares": np.full(N, 0.7)}
    found = run(rows, {"unchanged": PreviewArm(labels=label[:N]), "mixed": PreviewArm(labels=label[:N], **mixed)})
    assert abs(found.arms[0].accuracy - found.arms[1].accuracy) < 0.03


def test_the_same_seed_gives_the_same_preview(rows):
    arms = {"unchanged": PreviewArm(labels=rows[2][:N]), "oracle": PreviewArm(labels=rows[1][:N])}
    assert run(rows, arms) == run(rows, arms)
    assert run(rows, arms, seed=1) != run(rows, arms)


@pytest.mark.parametrize(
    ("arms", "options", "message"),
    [
        ({"other": PreviewArm(labels=np.zeros(N, int))}, {}, "expected an arm 'unchanged', found other"),
        ({"unchanged": PreviewArm(labels=np.zeros(N, int))}, {"control": "random"}, "expected an arm 'random'"),
        ({"unchanged": PreviewArm(labels=np.zeros(3, int))}, {}, "expected 900 labels of arm 'unchanged', found 3"),
    ],
)
def test_arms_that_do_not_fit_are_refused(rows, arms, options, message):
    with pytest.raises(ComparisonError, match=message):
        run(rows, arms, **options)
