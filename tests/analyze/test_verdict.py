from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.analyze.compare import mcnemar
from tunewright.analyze.verdict import correct, judge
from tunewright.errors import ComparisonError

TRIALS = 1000


def arms(seed, *, n=500, seeds=3, lift=0.0, luck=0.01, count=2):
    """[arms, seeds, n] of 0 and 1, right about four of five rows; B has ``lift`` more. Seeds move a run by ``luck``."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=n) + 0.25 * random.normal(size=(count, 1, n))
    latent = rows + 0.4 * random.normal(size=(count, seeds, n)) + luck / 0.24 * random.normal(size=(count, seeds, 1))
    latent[1] += lift / 0.24
    return (latent > -0.94).astype(np.float64)


@pytest.mark.parametrize("luck", [0.004, 0.012])
def test_under_the_null_better_is_rare_and_the_interval_covers(luck):
    found = [judge(*arms(seed, luck=luck)) for seed in range(TRIALS // 2)]
    share = {word: sum(one.verdict == word for one in found) / len(found) for word in ("better", "worse")}
    assert max(share.values()) <= 0.05
    assert sum(share.values()) <= 0.065
    assert 0.93 <= np.mean([one.interval[0] <= 0 <= one.interval[1] for one in found]) <= 0.98


def test_a_clear_lift_is_found():
    found = [judge(*arms(seed, n=1000, lift=0.05, luck=0.004)).verdict for seed in range(30)]
    assert found.count("better") >= 28


def test_counting_only_the_rows_would_call_luck_better():
    found = [judge(*arms(seed, n=2000, luck=0.02)) for seed in range(100)]
    assert sum(one.p_rows < 0.05 for one in found) > 25
    assert sum(one.verdict != "cannot tell" for one in found) <= 12  # 5 are expected


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.06]), st.integers(1, 4), st.booleans())
def test_swapping_the_arms_swaps_the_word(seed, lift, seeds, graded):
    a, b = arms(seed, n=200, seeds=seeds, lift=lift)
    if graded:
        a, b = 0.8 * a + 0.1, 0.7 * b + 0.15
    there, back = judge(a, b, resamples=300), judge(b, a, resamples=300)
    mirror = {"better": "worse", "worse": "better", "cannot tell": "cannot tell"}
    assert back.verdict == mirror[there.verdict]
    assert back.difference == pytest.approx(-there.difference)
    assert back.interval == pytest.approx((-there.interval[1], -there.interval[0]))
    assert back.p == pytest.approx(there.p)
    assert (back.negative_flips, back.wins) == (there.positive_flips, there.losses)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_and_seeds_says_nothing(seed):
    a, b = arms(seed, n=150, lift=0.03)
    random = np.random.default_rng(seed)
    rows, of_a, of_b = random.permutation(150), random.permutation(3), random.permutation(3)
    there, again = judge(a, b), judge(a[of_a][:, rows], b[of_b][:, rows])
    assert again.interval == pytest.approx(there.interval)
    assert again.p == pytest.approx(there.p)
    assert again.verdict == there.verdict


def test_more_tries_make_a_verdict_harder_and_never_turn_it():
    a, b = arms(4, n=1000, lift=0.03, luck=0.003)
    found = [judge(a, b, tries=tries) for tries in range(1, 200)]
    corrected = [one.p_corrected for one in found]
    assert corrected == sorted(corrected)
    words = [one.verdict for one in found]
    assert words[0] == "better"
    assert words == sorted(words)
    assert words[-1] == "cannot tell"
    detectable = [one.detectable or 1.0 for one in found]
    assert detectable == sorted(detectable)


def test_one_seed_cannot_tell_but_gives_mcnemar():
    a, b = arms(0, seeds=1, lift=0.2)
    found = judge(a, b)
    assert (found.verdict, found.p, found.interval, found.detectable) == ("cannot tell", 1.0, (-1.0, 1.0), None)
    assert found.p_rows == pytest.approx(mcnemar(found.wins, found.losses))
    assert found.per_seed[0].p == pytest.approx(found.p_rows)
    assert found.sentence().endswith("One seed cannot tell a decision from luck.")


def test_seeds_that_share_their_rows_are_no_new_rows():
    a, b = arms(5, seeds=1, lift=0.03)
    once, thrice = judge(a, b), judge(np.repeat(a, 3, axis=0), np.repeat(b, 3, axis=0))
    assert thrice.p_rows == pytest.approx(once.p_rows)


def test_equal_arms_cannot_be_told_apart():
    a, _ = arms(1)
    found = judge(a, a)
    assert (found.verdict, found.p, found.difference, found.negative_flips) == ("cannot tell", 1.0, 0.0, ())


def test_flips_are_rows_that_most_seeds_agree_about():
    a, b = np.array([[1, 1, 0, 0], [1, 1, 0, 1], [1, 0, 0, 0]]), np.array([[0, 0, 1, 0], [0, 1, 1, 0], [1, 1, 1, 0]])
    found = judge(a, b)
    assert (found.negative_flips, found.positive_flips) == ((0,), (2,))
    assert [(one.wins, one.losses) for one in found.per_seed] == [(1, 2), (1, 2), (2, 0)]


def test_scores_between_0_and_1_are_judged_too():
    random = np.random.default_rng(0)
    a = random.beta(2, 2, size=(3, 400))
    b = np.clip(a + random.normal(0.08, 0.1, size=a.shape), 0, 1)
    found = judge(a, b, metric="f1", resamples=500)
    assert found.verdict == "better"
    assert found.per_seed[0].p is None
    assert found.sentence().startswith("Better: f1 +")


def test_a_look_before_the_last_has_its_own_level():
    a, b = arms(4, n=1000, lift=0.03, luck=0.003)
    look = judge(a, b, alpha=0.0002)
    assert look.level == pytest.approx(0.9998)
    assert look.interval[0] < judge(a, b).interval[0]
    assert look.verdict == "cannot tell"


@pytest.mark.parametrize(
    ("p", "earlier", "tries", "expected"),
    [
        (0.02, [], 1, 0.02),
        (0.02, [], 3, 0.06),
        (0.02, [0.001], 3, 0.04),
        (0.02, [0.3, 0.5], 3, 0.06),
        (0.6, [0.5], 2, 1),
    ],
)
def test_correction_for_all_tries(p, earlier, tries, expected):
    assert correct(p, earlier=earlier, tries=tries) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((3, 4)), np.zeros((2, 4)), "same seeds and rows"),
        (np.zeros((3, 0)), np.zeros((3, 0)), "same seeds and rows"),
        (np.zeros(4), np.zeros(4), "same seeds and rows"),
        (np.zeros((1, 2)), np.array([[0, np.nan]]), "outside or missing"),
        (np.zeros((1, 2)), np.array([[0, 2.0]]), "outside or missing"),
    ],
)
def test_what_cannot_be_judged_is_refused(a, b, message):
    with pytest.raises(ComparisonError, match=message):
        judge(a, b)
