from __future__ import annotations

import numpy as np
import pytest

from tunewright.errors import DataError
from tunewright.monitor.alerts import Alert
from tunewright.monitor.conditions import Evidence, Observation, above, band
from tunewright.monitor.simulation import bound, simulate


def history(values, *, n=100, whole=False):
    return [Observation(60.0 * place, float(value), n, whole) for place, value in enumerate(values)]


def test_a_simulation_says_when_it_would_have_fired():
    found = simulate(Alert(metric="m", condition=above(0.5)), history([0.1] * 5 + [0.9] * 2 + [0.1] * 5), resamples=5)
    assert [(event.state, event.time) for event in found.events] == [("firing", 300), ("resolved", 420)]
    assert found.states[5:7] == ("firing", "firing")


def test_a_simulation_expects_the_false_alarms_of_quiet_windows():
    quiet = np.random.default_rng(0).binomial(100, 0.1, 200) / 100
    told = {"history": history(quiet), "resamples": 30}
    naive = simulate(Alert(metric="m", condition=above(float(np.quantile(quiet, 0.95)))), **told)
    careful = simulate(Alert(metric="m", condition=Evidence(baseline=500)), **told)
    assert naive.false_alarms > 1
    assert careful.any_false_alarm <= 0.1
    assert simulate(Alert(metric="m", condition=above(0.1)), **told) == simulate(
        Alert(metric="m", condition=above(0.1)), **told
    )


def test_a_simulation_draws_from_the_quiet_part_only():
    found = simulate(
        Alert(metric="m", condition=above(0.5)), history([0.1] * 20 + [0.9] * 5), quiet=(0, 20 * 60), resamples=5
    )
    assert (found.quiet, found.false_alarms, len(found.events)) == (20, 0.0, 1)


def test_a_simulation_does_not_guess_where_windows_cannot_be_drawn():
    alert = Alert(metric="drift.evidence", condition=above(20))
    assert simulate(alert, history([1.0] * 20, whole=True)).false_alarms is None
    assert simulate(alert, history([1.0] * 3)).false_alarms is None
    with pytest.raises(DataError, match="order of time"):
        simulate(alert, history([1.0] * 3)[::-1])


def test_few_windows_make_a_wide_interval():
    short, long = (
        simulate(Alert(metric="m", condition=above(0.5)), history([0.1] * n), resamples=5) for n in (30, 900)
    )
    assert short.false_alarms == long.false_alarms == 0
    assert short.interval == (0, pytest.approx(3.69 * 90 / 30, rel=0.01))
    assert long.interval[1] < 0.4


def test_the_interval_covers_the_true_number_of_alarms():
    alert, draw = Alert(metric="m", condition=above(0.98)), np.random.default_rng(1)
    streams = [simulate(alert, history(draw.uniform(size=60)), resamples=20) for _ in range(60)]
    true = 90 * 0.02 * 0.98  # it fires where a window beyond follows one that is not
    assert sum(one.interval[0] <= true <= one.interval[1] for one in streams) >= 54


@pytest.mark.parametrize(
    ("metric", "condition", "most"),
    [
        ("drift(vector).evidence", above(50), 0.02),
        ("long.rate", Evidence(false_alarms=0.01), 0.01),
        ("long.rate", above(50), None),
        ("drift(vector).evidence", band(0, 50), None),
    ],
)
def test_evidence_has_a_bound_whatever_the_history(metric, condition, most):
    assert bound(Alert(metric=metric, condition=condition)) == most
