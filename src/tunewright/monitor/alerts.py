"""Alerts: rules over metrics of a monitor.

An alert is quiet, pending (beyond, but not often enough yet, or in its cooldown), firing, or resolved. What it does
depends on nothing but its observations, so the same stream gives the same events with the same keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from tunewright.errors import ProjectError
from tunewright.monitor.conditions import Condition, Memory, Observation, Verdict
from tunewright.monitor.windows import seconds

__all__ = ["Alert", "Event", "Severity", "Standing", "State", "start", "step", "walk"]

Severity = Literal["info", "warning", "critical"]
State = Literal["quiet", "pending", "firing", "resolved"]

_LEVELS: tuple[Severity, ...] = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """When to say that a metric is not what it should be.

    Attributes:
        metric: ``<edge>.rate``, the share of rows that it marks; ``<fold>.<number>`` of its report; or ``errors``, how
            often a check failed.
        condition: made by `above`, `below` or `band`, or `Evidence` or `KOfN`.
        window: rows after which the metric is looked at, with the batch that fills it, or a span such as ``"1h"``.
        severity: "info", "warning" or "critical".
        minimum_n: observations of fewer rows are left out.
        hysteresis: how far within its limits the metric must be to resolve, in its unit.
        cooldown: span after it resolved in which it does not fire again.
        silence: (from, to) in ISO 8601, UTC if they do not say; nothing is sent then. What still fires is sent after.
        raised_by: names of alerts; while one of them fires, this one is critical.
        called: name of the alert; metric and condition if empty.
    """

    metric: str
    condition: Condition
    window: int | str = 500
    severity: Severity = "warning"
    minimum_n: int = 1
    hysteresis: float = 0.0
    cooldown: str = "0s"
    silence: tuple[tuple[str, str], ...] = ()
    raised_by: frozenset[str] = frozenset()
    called: str = ""

    def __post_init__(self) -> None:
        """Raises ProjectError if a setting means nothing."""
        width = seconds(self.window) if isinstance(self.window, str) else self.window
        if width < 1 or self.hysteresis < 0 or self.severity not in _LEVELS:
            raise ProjectError(
                f"expected a window of 1 or more, a hysteresis of 0 or more and a severity of {', '.join(_LEVELS)}; "
                f"found {self.window!r}, {self.hysteresis} and {self.severity!r}"
            )
        seconds(self.cooldown)
        for since, until in self.silence:
            if not _posix(since) < _posix(until):
                raise ProjectError(f"expected a silence that ends after it begins, found {since} to {until}")

    @property
    def name(self) -> str:
        return self.called or f"{self.metric} {self.condition}"

    @property
    def fingerprint(self) -> str:
        """Changes with what decides when it fires; an alert with another one begins anew."""
        told = (self.metric, self.condition, self.window, self.minimum_n, self.hysteresis, self.cooldown)
        return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()

    def silent(self, time: float) -> bool:
        """Whether nothing is sent at a time (POSIX seconds)."""
        return any(_posix(since) <= time < _posix(until) for since, until in self.silence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an alert stands after its last observation.

    Attributes:
        state: as in the module.
        since: time of the observation that led to the state (POSIX seconds); None before the first.
        value, n: of the last observation that counted.
        episode: how often firing was told.
        told: firing was told, its end was not.
        ended: when it last resolved.
        memory: of the condition.
    """

    state: State = "quiet"
    since: float | None = None
    value: float | None = None
    n: int = 0
    episode: int = 0
    told: bool = False
    ended: float | None = None
    memory: Memory = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is sent when an alert fires or resolves. It may come twice; ``key`` tells."""

    key: str
    alert: str
    state: Literal["firing", "resolved"]
    severity: Severity
    metric: str
    condition: str
    value: float
    n: int
    time: float

    @property
    def message(self) -> str:
        what = f"{self.metric} {self.condition}" if self.state == "firing" else f"{self.metric} is well again"
        return f"[{self.severity}] {self.state}: {what}; {self.value:.4g} over {self.n} rows"

    def to_json(self) -> dict[str, Any]:
        """As JSON values; the time in ISO 8601."""
        return {**asdict(self), "time": datetime.fromtimestamp(self.time, UTC).isoformat(), "message": self.message}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Event:
        """The inverse of `to_json`."""
        known = {name: value for name, value in told.items() if name != "message"}
        return cls(**{**known, "time": datetime.fromisoformat(told["time"]).timestamp()})


def start(alert: Alert) -> Standing:
    """Where an alert stands before its first observation."""
    return Standing(memory=alert.condition.start())


def step(alert: Alert, standing: Standing, seen: Observation) -> tuple[Standing, Event | None]:
    """Where an alert stands after an observation, and what is to be sent.

    Observations of too few rows change nothing.
    """
    if seen.n < alert.minimum_n:
        return standing, None
    memory, verdict = alert.condition.take(standing.memory, seen, hysteresis=alert.hysteresis)
    state = _state_after(alert, standing, verdict, seen.time)
    after = replace(standing, state=state, memory=memory, value=seen.value, n=seen.n)
    if state != standing.state:
        after = replace(after, since=seen.time, ended=seen.time if state == "resolved" else standing.ended)
    if after.told == (state == "firing") or alert.silent(seen.time):
        return after, None
    after = replace(after, told=not after.told, episode=after.episode + (state == "firing"))
    return after, _event(alert, after, seen)


def walk(alert: Alert, history: Iterable[Observation]) -> Iterator[tuple[Standing, Event | None]]:
    """Where an alert stands after each observation, from the first one on, and what is to be sent."""
    standing = start(alert)
    for seen in history:
        standing, event = step(alert, standing, seen)
        yield standing, event


def _state_after(alert: Alert, standing: Standing, verdict: Verdict, time: float) -> State:
    if standing.state == "firing":
        return "resolved" if verdict == "clear" else "firing"
    cool = standing.ended is None or time >= standing.ended + seconds(alert.cooldown)
    match verdict:
        case "beyond":
            return "firing" if cool else "pending"
        case "near":
            return "pending"
        case "clear" if standing.state == "pending":
            return "quiet"
    return standing.state


def _event(alert: Alert, standing: Standing, seen: Observation) -> Event:
    state: Literal["firing", "resolved"] = "firing" if standing.told else "resolved"
    return Event(
        key=f"{alert.name}@{alert.fingerprint}-{standing.episode}-{state}",
        alert=alert.name,
        state=state,
        severity=alert.severity,
        metric=alert.metric,
        condition=str(alert.condition),
        value=seen.value,
        n=seen.n,
        time=seen.time,
    )


def _posix(time: str) -> float:
    try:
        read = datetime.fromisoformat(time)
    except ValueError as error:
        raise ProjectError(f"expected a time in ISO 8601, found {time!r}", fix="such as 2026-01-31T12:00") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
