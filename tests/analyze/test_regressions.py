from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.regressions import calibration_change, local_gain, regressions
from tunewright.errors import ComparisonError

N = 3000


def arms(seed, lift, *, n=N, seeds=4):
    """[2, seeds, n] of 0 and 1; ``lift`` [n] is added to what B has."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=n)
    latent = rows + 0.3 * random.normal(size=(2, seeds, n))
    latent[1] += lift
    return (latent > -0.84).astype(float)


def halves(n=N):
    return np.where(np.arange(n) % 2 == 0, "even", "odd").astype(object)


def test_a_class_that_got_worse_is_found_and_one_that_did_not_is_cleared():
    first, second = regressions(*arms(0, np.where(halves() == "even", -0.3, 0.0)), {"label": halves()}, margin=0.03)
    assert (first.by, first.group, first.word) == ("label", "even", "worse")
    assert (second.group, second.word, second.n) == ("odd", "not worse", N // 2)
    assert first.difference < first.interval[1] < 0
    assert first.difference == pytest.approx(first.mean_b - first.mean_a)


def test_few_rows_cannot_tell():
    (only,) = regressions(*arms(1, np.zeros(40), n=40), {"slice": np.full(40, "all", dtype=object)})
    assert only.word == "cannot tell"


def test_rows_without_a_name_and_small_groups_are_left_out():
    names = np.array(["a"] * 30 + [None] * 20 + ["b"] * 5, dtype=object)
    found = regressions(*arms(2, np.zeros(55), n=55), {"label": names})
    assert [change.group for change in found] == ["a"]
    assert regressions(*arms(2, np.zeros(55), n=55), {}) == ()


def test_no_group_is_called_worse_by_chance_in_most_trials():
    names = (np.arange(600) % 6).astype(str).astype(object)
    found = [regressions(*arms(seed, np.zeros(600), n=600, seeds=3), {"label": names}) for seed in range(100)]
    assert sum(any(change.word == "worse" for change in changes) for changes in found) <= 10


def test_groups_are_corrected_together():
    scores = arms(3, np.where(halves() == "even", -0.1, 0.0))
    alone = regressions(*scores, {"label": np.where(halves() == "even", "even", None)})[0]
    many = regressions(*scores, {"label": halves(), "slice": (np.arange(N) % 7).astype(str).astype(object)})
    assert next(change.p_worse for change in many if change.group == "even") >= alone.p_worse


def test_a_gain_where_the_fix_was_made():
    inside = halves() == "even"
    here, everywhere = local_gain(*arms(4, 0.4 * inside), inside), local_gain(*arms(4, np.full(N, 0.4)), inside)
    assert (here.word, everywhere.word) == ("more inside", "cannot tell")
    assert here.difference == pytest.approx(here.inside - here.outside)
    assert here.interval[0] < here.difference < here.interval[1]
    assert local_gain(*arms(4, 0.4 * inside), ~inside).word == "less inside"
    assert (here.n_inside, here.n_outside) == (N // 2, N // 2)


def test_what_a_seed_does_everywhere_is_no_local_gain():
    inside = halves(400) == "even"
    scores = np.full((2, 3, 400), 0.5) + np.array([0.0, 0.1, 0.3])[:, None]
    found = local_gain(scores[0], scores[1][::-1], inside)
    assert found.interval[1] - found.interval[0] < 0.05


@pytest.mark.parametrize("inside", [np.zeros(N, bool), np.ones(N, bool), np.ones(3, bool)])
def test_a_slice_is_some_of_the_rows(inside):
    with pytest.raises(ComparisonError, match="some of 3000 rows inside"):
        local_gain(*arms(0, np.zeros(N)), inside)


def probabilities(sharpness, *, seed=0, n=1500, seeds=3):
    """[seeds, n, 3] and labels drawn from the probabilities of sharpness 1."""
    random = np.random.default_rng(seed)
    logits = 1.5 * random.normal(size=(n, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = (random.random((n, 1)) > true.cumsum(axis=1)).sum(axis=1)
    noisy = sharpness * (logits + 0.05 * random.normal(size=(seeds, n, 3)))
    return np.exp(noisy) / np.exp(noisy).sum(axis=2, keepdims=True), label


def test_overconfidence_is_worse_calibration():
    good, label = probabilities(1.0)
    sharp, _ = probabilities(3.0)
    found = calibration_change(good, sharp, label)
    assert found.word == "worse"
    assert found.ece_a < 0.05 < found.ece_b
    assert found.ece_interval[0] < found.ece_difference == pytest.approx(found.ece_b - found.ece_a)
    assert found.brier_interval[0] > 0
    assert calibration_change(sharp, good, label).word == "better"


def test_the_same_probabilities_are_calibrated_alike():
    good, label = probabilities(1.0)
    found = calibration_change(good, good, label)
    assert (found.word, found.ece_difference, found.brier_difference) == ("cannot tell", 0.0, 0.0)


def test_certainty_is_calibrated_by_being_right():
    label = np.array([0, 1, 1, 0])
    sure = np.eye(2)[[label, label]]
    found = calibration_change(sure, 1 - sure, label)
    assert (found.ece_a, found.ece_b, found.brier_a, found.brier_b) == (0.0, 1.0, 0.0, 1.0)


def test_other_shapes_are_refused():
    good, label = probabilities(1.0)
    with pytest.raises(ComparisonError, match="probabilities"):
        calibration_change(good, good[:, :5], label)
    with pytest.raises(ComparisonError, match="expected a label of each of 10 rows, found 3"):
        regressions(np.zeros((2, 10)), np.zeros((2, 10)), {"label": np.array(["a", "b", "c"], dtype=object)})
