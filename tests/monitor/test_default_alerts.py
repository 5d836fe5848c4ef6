from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tunewright.monitor.alerts import start, step
from tunewright.monitor.checks import Checks
from tunewright.monitor.conditions import Observation
from tunewright.monitor.default_alerts import default_alerts
from tunewright.monitor.embedding_drift import EmbeddingDrift
from tunewright.monitor.expressions import col
from tunewright.monitor.outcomes import accuracy
from tunewright.monitor.simulation import bound

EDGES = [(col("length") > limit).edge(f"above_{limit}") for limit in (5, 6, 7)]
OUTCOME = accuracy("output", "gts", baseline=0.9, alpha=0.01)


def test_the_shares_are_equal_and_add_up_to_the_false_alarms():
    alerts = default_alerts(Checks.of([*EDGES, EmbeddingDrift("vector"), OUTCOME], truth=["gts"]))
    shares = [bound(alert) for alert in alerts if alert.metric != "errors"]
    assert sum(shares) == pytest.approx(0.05)
    assert max(shares) == pytest.approx(min(shares))
    [drift] = [alert for alert in alerts if alert.metric == "drift(vector).evidence"]
    assert drift.raised_by == {"accuracy.evidence above 100"}
    assert "errors" in {alert.metric for alert in alerts}


def test_the_interval_of_an_outcome_does_not_matter():
    wide, narrow = (default_alerts(Checks.of([replace(OUTCOME, alpha=alpha)], truth=["gts"])) for alpha in (0.2, 0.001))
    assert wide == narrow


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
