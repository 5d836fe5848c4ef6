from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunewright.analyze.trust import Probes, Reviewed, probe, stated, wilson


def scores(seed, *, n=4000, wrong=400, apart=5.0):
    """Suspicions of right rows, whose tail is exponential, and of wrong ones around ``apart``; and which are wrong."""
    random = np.random.default_rng(seed)
    right = -8 + random.exponential(2.0, n - wrong)
    odds = np.r_[right, random.normal(apart, 1.0, wrong)]
    return 1 / (1 + np.exp(-odds)), np.r_[np.zeros(n - wrong, bool), np.ones(wrong, bool)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wrong", [400, 800])
def test_a_group_of_wrong_labels_is_counted(seed, wrong):
    suspicion, truth = scores(seed, wrong=wrong)
    order = np.argsort(-suspicion)
    for one in stated(suspicion, ks=(100, 200, 400), seed=seed):
        share = truth[order[: one.k]].mean()
        assert one.precision == pytest.approx(share, abs=0.1)
        assert one.interval[0] - 0.05 <= share <= one.interval[1] + 0.05


@pytest.mark.parametrize("seed", range(4))
def test_without_a_group_apart_it_cannot_tell(seed):
    suspicion, _ = scores(seed, wrong=0)
    for one in stated(suspicion, ks=(10, 20, 30)):
        assert one.precision is None
        assert "no group apart" in one.reason


def test_a_list_that_goes_on_below_even_odds_is_not_spoken_for():
    suspicion, _ = scores(0)
    (one,) = stated(suspicion, ks=(3000,))
    assert one.precision is None
    assert "have the evidence against" in one.reason


def test_a_few_rows_are_too_few():
    (one,) = stated(np.linspace(0.1, 0.9, 20), ks=(5,))
    assert one.precision is None
    assert "too few" in one.reason


def test_where_neighbours_disagree_nobody_can_tell():
    suspicion, _ = scores(0)
    poor = Probes(uniform=0.6, confusable=0.6, agreement=0.2, n=100)
    assert all(one.precision is None and "0.20" in one.reason for one in stated(suspicion, ks=(50, 100), probes=poor))


def test_a_shorter_list_is_no_less_pure():
    suspicion, _ = scores(1)
    found = [one.precision for one in stated(suspicion, ks=(10, 50, 100, 400))]
    assert found == sorted(found, reverse=True)


def test_rows_that_are_not_judged_change_nothing():
    suspicion, _ = scores(2)
    assert stated(np.r_[suspicion, np.full(500, np.nan)], ks=(100,)) == stated(suspicion, ks=(100,))


def test_reviews_of_all_are_the_truth_and_reviews_of_the_top_do_not_speak_for_the_rest():
    suspicion, truth = scores(3)
    order = np.argsort(-suspicion)
    seen = np.zeros(len(truth), bool)
    seen[order[:50]] = True
    fifty, hundred = stated(suspicion, ks=(50, 100), reviews=Reviewed(seen=seen, wrong=truth & seen))
    assert fifty.source == "reviews"
    assert fifty.interval == (fifty.precision, fifty.precision)
    assert hundred.source == "scores"
    seen[order[50:100:5]] = True
    (spread,) = stated(suspicion, ks=(100,), reviews=Reviewed(seen=seen, wrong=truth & seen))
    assert (spread.source, spread.reviewed) == ("reviews", 60)
    assert spread.interval[0] <= truth[order[:100]].mean() <= spread.interval[1]


def test_probes_are_found_where_neighbours_agree_and_not_where_they_do_not():
    random = np.random.default_rng(0)
    label = random.integers(0, 3, 900)
    centres = 4 * np.eye(3, 8)
    clear = probe(centres[label] + random.normal(size=(900, 8)), label, classes=3)
    none = probe(random.normal(size=(900, 8)), label, classes=3)
    assert min(clear.agreement, clear.uniform) > 0.9
    assert clear.n == 45
    assert abs(none.agreement) < 0.15
    assert none.uniform < 0.65


@given(st.integers(0, 40), st.integers(1, 40))
def test_wilson_holds_the_share(successes, more):
    n = successes + more
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0, 1)
