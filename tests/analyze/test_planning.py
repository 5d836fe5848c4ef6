from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.analyze.compare import detectable
from tunewright.analyze.crossed import Spread, spread
from tunewright.analyze.planning import detectable_difference, luck, plan
from tunewright.errors import ComparisonError


def found(**changed):
    planned = plan(**{"n": 1000, "accuracy": 0.8, **changed})
    return 1.0 if planned.detectable is None else planned.detectable


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(200, 5000),
    seeds=st.integers(2, 8),
    arms=st.integers(2, 6),
    tries=st.integers(1, 9),
    sd=st.floats(0, 0.02),
)
def test_more_of_everything_finds_less_and_more_luck_or_tries_more(n, seeds, arms, tries, sd):
    base = {"n": n, "seeds": seeds, "arms": arms, "tries": tries, "seed_sd": sd}
    here = found(**base) + 1e-9
    assert found(**{**base, "n": 2 * n}) <= here
    assert found(**{**base, "seeds": seeds + 1}) <= here
    assert found(**{**base, "arms": arms + 1}) <= here
    assert found(**{**base, "tries": tries + 1}) >= here - 2e-9
    assert found(**{**base, "seed_sd": sd + 0.01}) >= here - 2e-9


def test_what_is_found_is_found_as_often_as_it_says():
    random = np.random.default_rng(0)
    n, seeds, sd, residual = 800, 3, 0.005, 0.04
    expected = Spread(difference=0, rows=0, seeds=2 * (sd**2 + residual / n) / seeds, df=4)
    true = detectable_difference(expected)
    means = random.normal(scale=np.sqrt(sd**2 + residual / n), size=(1500, 2, seeds))
    seen = means[:, 1].mean(axis=1) - means[:, 0].mean(axis=1) + true
    variance = means.var(axis=2, ddof=1).sum(axis=1) / seeds
    p = [Spread(difference=d, rows=0, seeds=v, df=4).p() for d, v in zip(seen, variance, strict=True)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.8, abs=0.04)


def test_with_endless_seeds_it_is_the_plan_of_one_comparison():
    endless = Spread(difference=0, rows=0.1 / 1000, seeds=0.0, df=10_000)
    assert detectable_difference(endless) == pytest.approx(detectable(1000, 0.1), rel=0.02)


def test_luck_is_read_off_the_runs_of_one_arm():
    random = np.random.default_rng(0)
    rows = random.normal(size=4000)
    seeds = 0.1 * random.normal(size=(60, 1))
    scores = (rows + 0.3 * random.normal(size=(60, 4000)) + seeds > -0.84).astype(float)
    known = luck(scores)
    assert known.discordance == pytest.approx(np.mean(scores[0] != scores[1]), abs=0.02)
    assert known.seed_sd == pytest.approx(scores.mean(axis=1).std(), rel=0.1)
    assert luck(scores[:1]) is None


def test_a_target_names_its_seeds():
    planned = plan(1000, 0.8, target=0.02, arms=3)
    assert found(seeds=planned.seeds_needed, arms=3) <= 0.02 < found(seeds=planned.seeds_needed - 1, arms=3)
    assert planned.sentence() == (
        f"With 1,000 test rows and 3 seeds a difference of {100 * planned.detectable:.1f} points is found 80% of the "
        f"time. 2.0 points would need {planned.seeds_needed} seeds."
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seeds": 1}, "One seed cannot tell a decision from luck."),
        ({"accuracy": 0.999}, "With 1,000 test rows and 3 seeds no difference that is still possible will be found."),
        ({"tries": 4}, "of the time, corrected for 4 tries."),
        ({"target": 0.001}, "0.1 points would need more test rows: 50 seeds are not enough."),
    ],
)
def test_plans_in_words(changed, said):
    assert plan(**{"n": 1000, "accuracy": 0.8, **changed}).sentence().endswith(said)


def test_seeds_lessen_only_what_seeds_differ_in():
    few, many = (spread(*np.random.default_rng(seeds).random((2, seeds, 200))) for seeds in (2, 20))
    assert many.seeds < few.seeds
    assert found(between_seeds=0.0, seed_sd=0.0, seeds=50) == pytest.approx(
        found(between_seeds=0.0, seed_sd=0.0), rel=0.02
    )


@pytest.mark.parametrize("changed", [{"n": 0}, {"seeds": 0}, {"accuracy": 1.2}, {"discordance": -0.1}])
def test_plans_of_nothing_are_refused(changed):
    with pytest.raises(ComparisonError, match="expected rows, seeds and shares"):
        plan(**{"n": 10, "accuracy": 0.8, **changed})
