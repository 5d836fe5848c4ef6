from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tunewright.errors import ProjectError
from tunewright.monitor.alerts import start, step
from tunewright.monitor.checks import Checks
from tunewright.monitor.conditions import Evidence, Observation
from tunewright.monitor.default_alerts import default_alerts
from tunewright.monitor.embedding_drift import EmbeddingDrift
from tunewright.monitor.expressions import col
from tunewright.monitor.outcomes import accuracy

EDGES = [(col("length") > limit).edge(f"above_{limit}") for limit in (5, 6, 7)]
OUTCOME = accuracy("output", "gts", baseline=0.9, alpha=0.01)


def test_the_shares_add_up_to_the_false_alarms():
    alerts = default_alerts(Checks.of([*EDGES, EmbeddingDrift("vector"), OUTCOME], truth=["gts"]))
    rates = [alert.condition.false_alarms for alert in alerts if isinstance(alert.condition, Evidence)]
    [drift] = [alert for alert in alerts if alert.metric == "drift(vector).evidence"]
    assert sum(rates) + 1 / drift.condition.high + OUTCOME.alpha == pytest.approx(0.05)
    assert drift.raised_by == {"accuracy.worse above 0"}
    assert "errors" in {alert.metric for alert in alerts}


def test_outcomes_that_leave_no_share_are_refused():
    with pytest.raises(ProjectError, match="alphas"):
        default_alerts(Checks.of([*EDGES, replace(OUTCOME, alpha=0.05)], truth=["gts"]))


def fires(alerts, windows) -> bool:
    """Whether any alert on a rate fires; windows are [windows, alerts] rates of 100 rows."""
    for alert, rates in zip(alerts, windows.T, strict=True):
        standing = start(alert)
        for time, rate in enumerate(rates):
            standing, event = step(alert, standing, Observation(float(time), float(rate), 100))
            if event is not None:
                return True
    return False


def test_ninety_quiet_windows_rarely_raise_any_alarm_and_a_rise_does():
    alerts = default_alerts(Checks.of(EDGES), baseline=200)[:3]
    draw = np.random.default_rng(5)
    quiet = [draw.binomial(100, [0.02, 0.1, 0.3], (92, 3)) / 100 for _ in range(25)]
    assert sum(fires(alerts, windows) for windows in quiet) <= 1
    risen = quiet[0].copy()
    risen[40:, 1] += 0.15
    assert fires(alerts, risen)
