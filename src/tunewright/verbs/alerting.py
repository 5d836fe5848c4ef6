"""``monitor alerts`` and ``monitor simulate``: what fires, what was said where, and what a rule would have done."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunewright.analyze.evidence import QUARTER, e_bh
from tunewright.errors import DataError
from tunewright.monitor.replay import replay
from tunewright.monitor.rules import from_json, parse, to_json, written
from tunewright.monitor.simulation import Simulated, simulate
from tunewright.verbs.monitoring import copied, find_monitor, seen, watched
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.monitor.alerting import Alerting
    from tunewright.monitor.alerts import Alert, Standing
    from tunewright.monitor.conditions import Observation
    from tunewright.monitor.replay import Replayed
    from tunewright.monitor.watch import Monitor
    from tunewright.project import Project

__all__ = [
    "Alerted",
    "Listed",
    "Simulation",
    "alerted",
    "monitor_alerts",
    "rule_of",
    "simulate_alert",
    "standing_alerts",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One alert and where it stands.

    Attributes:
        name, metric, condition, severity: of the alert, the condition in words.
        window: rows, or a span of time.
        state: quiet, pending, firing or resolved; "silenced" while nothing of it is sent, whatever its state.
        since: ISO 8601, when it came into that state; None before the first window.
        value, n: of its last window.
        fired: how often it fired.
        evidence: that something changed, in [0, inf); None of a rule without.
        found: it stands out among all that gather evidence, when they are looked at together (e-BH).
        sent: sinks that took its last event.
        waiting: sinks that have not taken one of its events yet, and why.
    """

    name: str
    metric: str
    condition: str
    severity: str
    window: int | str
    state: Literal["quiet", "pending", "firing", "resolved", "silenced"]
    since: str | None
    value: float | None
    n: int
    fired: int
    evidence: float | None
    found: bool
    sent: tuple[str, ...]
    waiting: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerted(Result):
    """Alerts of a monitor, and all events, the oldest first, each with the sinks that took it and those that did not."""

    run: str
    alerts: tuple[Listed, ...]
    history: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation(Result):
    """What a rule would have done.

    Attributes:
        run: the monitor.
        rule: as a line; ``alert`` is its JSON form.
        windows, rows: that were looked at.
        firing: windows after which it is firing.
        least, most: values of the metric; None without a window.
        events: each with its time, row and value.
        quarter: windows in a quarter.
        quiet: windows that are taken for quiet.
        false_alarms, interval, any_false_alarm, bound: as in `tunewright.monitor.simulation.Simulated`.
        unknown: why the history cannot tell the number of false alarms; empty if it can.
    """

    run: str
    rule: str
    alert: Mapping[str, Any]
    windows: int
    rows: int
    firing: int
    least: float | None
    most: float | None
    events: tuple[Mapping[str, Any], ...]
    quarter: int
    quiet: int
    false_alarms: float | None
    interval: tuple[float, float] | None
    any_false_alarm: float | None
    bound: float | None
    unknown: str


def monitor_alerts(
    project: Project, name: str | None = None, *, silence: str | None = None, until: str | None = None
) -> Alerted:
    """Every alert of a monitor, where it stands, and what was sent. What is due is sent now.

    Args:
        project: whose monitor it is.
        name: of the monitor; None: the newest.
        silence: name of an alert of which nothing is sent for a time.
        until: when that ends, in ISO 8601, UTC if it does not say.

    Raises:
        DataError: if only one of ``silence`` and ``until`` is given.
        MonitorError: if there is no such monitor, or another process writes to it.
        ProjectError: if there is no such alert, or the time is past.
    """
    if (silence is None) != (until is None):
        raise DataError(
            "expected an alert to silence and a time until which, found one of them",
            fix="such as --silence NAME --until 2026-01-31T12:00",
        )
    run = find_monitor(project, name)
    with (seen if silence is None else watched)(project, run) as watch:
        if silence is not None and until is not None:
            watch.alerts.silence(silence, until=until)
        watch.alerts.deliver()
        return alerted(watch)


def standing_alerts(project: Project, name: str | None = None) -> Alerted:
    """The same as `monitor_alerts` says, without sending anything: for those who only look.

    Raises:
        MonitorError: if there is no such monitor.
    """
    with copied(project, find_monitor(project, name)) as watch:
        return alerted(watch)


def alerted(watch: Monitor) -> Alerted:
    """Every alert of an open monitor, where it stands, and what was sent."""
    alerting = watch.alerts
    told = _evidence(alerting)
    found = dict(zip(told, e_bh([*told.values()]), strict=True))
    rows = [_listed(pair, alerting, told, found) for pair in alerting.standings.values()]
    return Alerted(run=watch.run.id, alerts=tuple(rows), history=tuple(_history(alerting)))


def simulate_alert(
    project: Project, rule: str, name: str | None = None, *, quiet: tuple[str, str] | None = None
) -> Simulation:
    """Try a rule on all rows that a monitor keeps, before it is switched on.

    Args:
        project: whose monitor it is.
        rule: a line (see `tunewright.monitor.rules.parse`), or a JSON file.
        name: of the monitor; None: the newest.
        quiet: (from, to) in ISO 8601, when nothing was wrong; all of the time otherwise.

    Raises:
        DataError: if it is no rule, or the times are none.
        MonitorError: if there is no such monitor, or another process writes to it.
        ProjectError: if no check reports its metric, or one raises.
    """
    alert, span = rule_of(rule), None if quiet is None else (_posix(quiet[0]), _posix(quiet[1]))
    run = find_monitor(project, name)
    with seen(project, run) as watch:
        rows = watch.rows(_needed(alert, watch))
        observed = replay(alert, rows, checks=watch.checks, reference=watch.reference)
    told = simulate(alert, observed.observations, quiet=span, drawn=observed.drawn) if observed.observations else None
    return _simulation(run.id, alert, observed, told)


def rule_of(text: str) -> Alert:
    """An alert from a line, or from a JSON file.

    Raises:
        DataError: if it is neither.
    """
    if not text.endswith(".json"):
        return parse(text)
    try:
        return from_json(json.loads(Path(text).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"expected an alert as JSON in {text}, found none ({error})") from error


def _needed(alert: Alert, watch: Monitor) -> list[str] | None:
    """Columns that the check of an alert reads; all, where it waits for ground truth, which may not be there."""
    checks, name = watch.checks, alert.metric.rpartition(".")[0]
    if name not in checks.all or name in checks.late_edges or checks.all[name].needs & checks.truth:
        return None
    return ["logged", *sorted(checks.all[name].needs - {"id"})]


def _evidence(alerting: Alerting) -> dict[str, float]:
    """By name of an alert: the evidence that it has gathered, or that its metric tells."""
    found = {}
    for name, (alert, standing) in alerting.standings.items():
        if "evidence" in standing.memory:
            found[name] = float(standing.memory["evidence"])
        elif alert.metric.endswith(".evidence") and standing.value is not None:
            found[name] = standing.value
    return found


def _listed(
    pair: tuple[Alert, Standing], alerting: Alerting, evidence: Mapping[str, float], found: Mapping[str, bool]
) -> Listed:
    alert, standing = pair
    last = next((event for event in reversed(alerting.events) if event.alert == alert.name), None)
    sent = tuple(sink for key, sink, _ in alerting.taken if last is not None and key == last.key)
    waiting = {parcel.sink: parcel.error for parcel in alerting.waiting if parcel.event.alert == alert.name}
    return Listed(
        name=alert.name,
        metric=alert.metric,
        condition=str(alert.condition),
        severity=alert.severity,
        window=alert.window,
        state="silenced" if alert.silent(time.time()) else standing.state,
        since=None if standing.since is None else _iso(standing.since),
        value=standing.value,
        n=standing.n,
        fired=standing.episode,
        evidence=evidence.get(alert.name),
        found=found.get(alert.name, False),
        sent=sent,
        waiting=waiting,
    )


def _history(alerting: Alerting) -> list[dict[str, Any]]:
    sent: dict[str, dict[str, str]] = {}
    for key, sink, at in alerting.taken:
        sent.setdefault(key, {})[sink] = _iso(at)
    waiting: dict[str, dict[str, str]] = {}
    for parcel in alerting.waiting:
        waiting.setdefault(parcel.event.key, {})[parcel.sink] = parcel.error
    return [
        {**event.to_json(), "sent": sent.get(event.key, {}), "waiting": waiting.get(event.key, {})}
        for event in alerting.events
    ]


def _simulation(run: str, alert: Alert, seen: Replayed, told: Simulated | None) -> Simulation:
    values = [one.value for one in seen.observations]
    return Simulation(
        run=run,
        rule=written(alert),
        alert=to_json(alert),
        windows=len(values),
        rows=seen.rows[-1] if seen.rows else 0,
        firing=0 if told is None else told.states.count("firing"),
        least=min(values, default=None),
        most=max(values, default=None),
        events=() if told is None else _events(told, seen),
        quarter=QUARTER,
        quiet=0 if told is None else told.quiet,
        false_alarms=None if told is None else told.false_alarms,
        interval=None if told is None else told.interval,
        any_false_alarm=None if told is None else told.any_false_alarm,
        bound=None if told is None else told.bound,
        unknown=_why_unknown(seen.observations, told),
    )


def _events(told: Simulated, seen: Replayed) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"state": event.state, "row": seen.rows[place], "time": _iso(event.time), "value": event.value}
        for event, place in zip(told.events, told.places, strict=True)
    )


def _why_unknown(seen: tuple[Observation, ...], told: Simulated | None) -> str:
    if told is None:
        return "no window is full yet"
    if told.false_alarms is not None:
        return ""
    if any(one.whole for one in seen):
        return "the number is of all rows so far, and cannot be made anew in another order"
    return f"{told.quiet} quiet windows are too few"


def _iso(posix: float) -> str:
    return datetime.fromtimestamp(posix, UTC).isoformat(timespec="seconds")


def _posix(text: str) -> float:
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"expected a time in ISO 8601, found {text!r}", fix="such as 2026-01-31T12:00") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
