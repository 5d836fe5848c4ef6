from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.trust import Honest, Reviewed, honest, learnt_little, probe, stated

N = 1000
SUSPICION = np.linspace(0.99, 0.01, N)  # best first, so that the list is the order of the rows


def judged(own, near=0.1):
    """Nearly all rows have the label that the model would give; what it says of the first 500 is ``own``."""
    confidence = np.r_[np.full(500, own), np.full(N - 500, 0.9)]
    rival = np.r_[np.full(100, 0.95), np.full(N - 100, 0.0)]
    return Honest(own=confidence, rival=rival, near=np.full(N, near), frequency=np.full(N, 0.5))


def clusters(n=600, classes=3, wrong=60, seed=0):
    """Well separated classes, labels of which some are wrong, and which."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, n)
    label = truth.copy()
    label[:wrong] = (truth[:wrong] + 1) % classes
    return 4 * np.eye(classes, 8)[truth] + random.normal(size=(n, 8)), label, label != truth


def test_on_separated_classes_the_list_is_as_pure_as_it_says():
    vectors, label, wrong = clusters(3000, wrong=300)
    evidence = honest(vectors, label, classes=3)
    order = np.argsort(evidence.own)
    for one in stated(-evidence.own, ks=(50, 100, 200), evidence=evidence):
        share = wrong[order[: one.k]].mean()
        assert one.precision == pytest.approx(share, abs=0.15)
        assert one.interval[0] <= share


def test_the_surer_the_model_is_of_the_labels_the_less_of_them_are_wrong():
    found = [stated(SUSPICION, ks=(100,), evidence=judged(own))[0] for own in (0.001, 0.1, 0.3, 0.9)]
    assert [one.precision for one in found] == sorted((one.precision for one in found), reverse=True)
    assert (found[0].precision, found[-1].precision) == (pytest.approx(0.97885), 0)
    assert all(one.interval[0] <= one.precision <= one.interval[1] for one in found)


def test_where_the_neighbours_of_suspects_agree_with_their_labels_it_cannot_tell():
    (one,) = stated(SUSPICION, ks=(50,), evidence=judged(0.05, near=0.6))
    assert (one.precision, one.interval) == (None, None)
    assert "contradicts itself" in one.reason
    assert "1.20 times" in one.reason


def test_a_model_that_hardly_knows_the_classes_cannot_tell():
    random = np.random.default_rng(0)
    label = random.integers(0, 2, 400)
    vectors = 0.3 * np.eye(2, 8)[label] + random.normal(size=(400, 8))
    evidence = honest(vectors, label, classes=2)
    (one,) = stated(-evidence.own, ks=(50,), evidence=evidence)
    assert evidence.skill() < 0.5
    assert one.precision is None
    assert "too badly" in one.reason


def test_skill_is_0_for_the_most_frequent_label_and_1_for_every_label():
    frequency = np.r_[np.full(750, 0.75), np.full(250, 0.25)]
    often = np.r_[np.full(750, 0.8), np.full(250, 0.2)]
    near = np.full(N, 0.5)
    assert Honest(own=often, rival=1 - often, near=near, frequency=frequency).skill() == 0
    assert Honest(own=np.ones(N), rival=np.zeros(N), near=near, frequency=frequency).skill() == 1


@pytest.mark.parametrize(
    ("share", "warned"),
    [(0.75, True), (0.89, True), (0.91, False), (1.0, False)],  # 0.75 + 0.6 * 0.25 = 0.9
)
def test_a_trained_model_that_hardly_beats_the_most_frequent_label_is_weak(share, warned):
    label = np.repeat([0, 1], (750, 250))
    right = (np.arange(N) < share * N).astype(float)
    said = learnt_little(right, label)
    assert bool(said) == warned
    assert f"{share:.2f} of its own" in said or not warned


def test_rows_without_a_label_or_a_record_say_nothing_about_the_model():
    label, right = np.repeat([0, 1], (750, 250)), np.ones(N)
    assert not learnt_little(np.r_[np.full(500, np.nan), right[500:]], label)
    assert not learnt_little(np.r_[np.zeros(500), right[500:]], np.r_[np.full(500, -1), label[500:]])
    assert not learnt_little(np.full(N, np.nan), label)
    assert not learnt_little(right * 0, label * 0)


def test_without_a_model_from_before_training_it_cannot_tell():
    (one,) = stated(SUSPICION, ks=(50,))
    assert one.precision is None
    assert "before training" in one.reason


def test_a_few_rows_are_too_few():
    few = Honest(own=np.full(20, 0.1), rival=np.zeros(20), near=np.full(20, 0.1), frequency=np.full(20, 0.5))
    (one,) = stated(np.linspace(0.9, 0.1, 20), ks=(5,), evidence=few)
    assert one.precision is None
    assert "too few" in one.reason


def test_rows_that_are_not_judged_come_last():
    evidence = judged(0.1)
    evidence.own[0] = np.nan
    (one,) = stated(np.r_[np.nan, SUSPICION[1:]], ks=(100,), evidence=evidence)
    assert one.precision == pytest.approx(1 - 0.02 - 1.15 * 0.1)


def test_reviews_of_the_top_do_not_speak_for_the_rest():
    seen, wrong = np.zeros(N, bool), np.arange(N) % 4 > 0
    seen[:50] = True
    first, second = stated(SUSPICION, ks=(50, 100), evidence=judged(0.1), reviews=Reviewed(seen=seen, wrong=wrong))
    assert (first.source, first.reviewed, first.precision) == ("reviews", 50, wrong[:50].mean())
    assert first.interval == (first.precision, first.precision)
    assert second.source == "confidence"
    seen[50:100:5] = True
    (spread,) = stated(SUSPICION, ks=(100,), reviews=Reviewed(seen=seen, wrong=wrong))
    assert (spread.source, spread.reviewed) == ("reviews", 60)
    assert spread.interval[0] <= 0.75 <= spread.interval[1]


def test_a_handful_of_reviews_is_not_enough():
    seen = np.zeros(N, bool)
    seen[:5] = True
    (one,) = stated(SUSPICION, ks=(50,), evidence=judged(0.1), reviews=Reviewed(seen=seen, wrong=seen))
    assert one.source == "confidence"


def test_probes_are_found_where_like_rows_have_like_labels():
    vectors, label, _ = clusters(900)
    clear = probe(vectors, label, classes=3)
    none = probe(np.random.default_rng(0).normal(size=(900, 8)), label, classes=3)
    assert clear.uniform > 0.85
    assert clear.n == 45
    assert none.uniform < 0.65
    assert clear == probe(vectors, label, classes=3)
