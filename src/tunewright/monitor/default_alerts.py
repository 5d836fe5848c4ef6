"""Alerts for any monitor, which together raise few false alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunewright.analyze.evidence import false_alarm_threshold
from tunewright.monitor.alerts import Alert
from tunewright.monitor.column_drift import ColumnDrift
from tunewright.monitor.conditions import Evidence, above
from tunewright.monitor.embedding_drift import EmbeddingDrift
from tunewright.monitor.gauges import ERRORS
from tunewright.monitor.known_rates import known_rates
from tunewright.monitor.outcomes import Outcome

if TYPE_CHECKING:
    from tunewright.monitor.checks import Checks
    from tunewright.monitor.reference import Reference

__all__ = ["default_alerts"]


def default_alerts(
    checks: Checks,
    *,
    false_alarms: float = 0.05,
    window: int = 500,
    baseline: int = 1000,
    reference: Reference | None = None,
) -> tuple[Alert, ...]:
    """Alerts on edges that mark more rows than they should, on drift, on metrics that became worse, and on failures.

    In a quarter of 90 windows in which nothing changes, any of them fires with a probability of ``false_alarms`` at
    most: each has the same share of it (Bonferroni). An outcome with a baseline is judged by its evidence against that,
    whatever the ``alpha`` of its interval. Sliced and windowed folds, and those of users, get none. Drift is
    critical only while a metric is worse too.

    Args:
        checks: of the monitor.
        false_alarms: quiet quarters with any alarm, of all.
        window: rows after which metrics are looked at.
        baseline: rows of the start from which the rates of edges are learned that the reference does not tell.
        reference: what production is compared with; of rows that the model did not learn from, it tells the rates of
            edges whose columns it has, so that what is wrong from the first row on is found.

    Raises:
        ProjectError: if ``false_alarms`` is not in (0, 1].
    """
    outcomes = [name for name, fold in checks.folds.items() if isinstance(fold, Outcome) and fold.baseline is not None]
    drifts = [name for name, fold in checks.folds.items() if isinstance(fold, EmbeddingDrift | ColumnDrift)]
    share = false_alarms / max(len(checks.edges) + len(drifts) + len(outcomes), 1)
    known = known_rates(checks.edges, reference)
    worse = [_of_evidence(name, share, window, frozenset()) for name in outcomes]
    quality = frozenset(alert.name for alert in worse)
    rates = [_of_rate(name, share, window, known.get(name, baseline)) for name in checks.edges]
    drift = [_of_evidence(name, share, window, quality) for name in drifts]
    failures = Alert(metric=ERRORS, condition=above(0), window="1min", minimum_n=0)
    return (*worse, *rates, *drift, failures)


def _of_rate(name: str, share: float, window: int, baseline: tuple[int, int] | int) -> Alert:
    return Alert(metric=f"{name}.rate", condition=Evidence(false_alarms=share, baseline=baseline), window=window)


def _of_evidence(name: str, share: float, window: int, quality: frozenset[str]) -> Alert:
    limit = above(false_alarm_threshold(share))
    return Alert(metric=f"{name}.evidence", condition=limit, window=window, raised_by=quality)
