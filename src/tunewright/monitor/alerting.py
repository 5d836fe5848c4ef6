"""The alerts of an open monitor: they watch its entries, and send what is to be said.

They are a function of the entries, as everything in a monitor is: how far they have come is saved before a segment
takes the entries, so an entry that is read again after a kill is one that they have seen, or one that they take anew.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Literal

from tunewright.errors import ProjectError, did_you_mean
from tunewright.monitor.alerts import Alert, Event, Standing, start, step
from tunewright.monitor.conditions import Observation
from tunewright.monitor.default_alerts import default_alerts
from tunewright.monitor.gauges import Gauge, Reports
from tunewright.monitor.outbox import Outbox, Parcel, Place
from tunewright.monitor.rules import read

if TYPE_CHECKING:
    from tunewright.monitor.checks import Checks
    from tunewright.monitor.journal import Entry
    from tunewright.monitor.progress import Progress
    from tunewright.monitor.reference import Reference
    from tunewright.monitor.sinks import Sink, Standings

__all__ = ["Alerting", "Alerts"]

Alerts = Iterable[Alert | str | Mapping[str, Any]] | Literal["default"]
"""Alerts, as such, as lines or as JSON (see `tunewright.monitor.rules`); "default" stands for the usual ones."""

_WINDOW = 500  # rows, as an alert has by default
_PATIENCE = 30  # seconds that closing waits for a sink which is being sent to


class Alerting:
    """Alerts of one writer."""

    def __init__(
        self,
        alerts: Alerts,
        *,
        sinks: Iterable[Sink],
        checks: Checks,
        reference: Reference | None,
        catalogue: Path,
        writer: str,
        segment: int,
    ) -> None:
        """Go on where the alerts of this writer were.

        Args:
            alerts: with different names.
            sinks: with different names.
            checks: that the metrics are of.
            reference: which tells the usual alerts what is usual.
            catalogue: file in which states and the outbox lie.
            writer: of the monitor.
            segment: number of the one that the next entries go to.

        Raises:
            ProjectError: if two have one name, or an alert is about what no check reports.
        """
        self._given = _by_name(_chosen(alerts, checks, reference), "alerts")
        self._alerts = self._given
        self._sinks = _by_name(sinks, "sinks")
        _require_known(self._alerts)
        self._checks = checks
        self._gauges = {name: self._gauge(alert) for name, alert in self._alerts.items()}
        self._outbox = Outbox(catalogue, writer)
        self._alerts = self._silenced()
        self._here: Place = (segment, 0)
        self._done, counts = self._outbox.place()
        rates = [Gauge.of(f"{name}.rate", _WINDOW, checks) for name in checks.edges]  # so that there is a history
        self._windows = {gauge.key: gauge for gauge in (*rates, *self._gauges.values())}
        self._counts = {key: counts.get(key, gauge.start()) for key, gauge in self._windows.items()}
        self._fresh: list[tuple[str, Observation]] = []
        self._told: list[Event] = []
        known = self._outbox.standings()
        self._standings = {name: self._resumed(name, known) for name in self._alerts}
        self._sending, self._sender = Lock(), Thread()
        self._due = self._next_due()

    @property
    def standings(self) -> Standings:
        """Every alert by name, and where it stands."""
        return {name: (alert, self._standings[name]) for name, alert in self._alerts.items()}

    @property
    def events(self) -> list[Event]:
        """What fired and resolved, the oldest first."""
        return self._outbox.events()

    @property
    def waiting(self) -> list[Parcel]:
        """Events that a sink has not taken yet, and why."""
        return self._outbox.waiting()

    @property
    def taken(self) -> list[tuple[str, str, float]]:
        """(key of an event, sink, POSIX seconds) of what sinks have taken."""
        return self._outbox.taken()

    def silence(self, name: str, *, until: str, now: float | None = None) -> None:
        """Send nothing of an alert for a time; other processes that write to this monitor heed it, too.

        Args:
            name: of the alert.
            until: in ISO 8601, UTC if it does not say; what still fires then is sent.
            now: POSIX seconds from which on; by default the time of the clock.

        Raises:
            ProjectError: if there is no such alert, or the time is none or past.
        """
        if name not in self._given:
            raise ProjectError(f"no alert is called {name!r}", fix=did_you_mean(name, self._given))
        since = datetime.fromtimestamp(clock.time() if now is None else now, UTC).isoformat(timespec="seconds")
        replace(self._given[name], silence=((since, until),))  # says what is wrong with it
        self._outbox.silence(name, since, until)
        self._alerts = self._silenced()

    def history(self, alert: Alert | str) -> list[Observation]:
        """Observations of the metric of an alert in its windows, as they were recorded.

        There are some of the alerts that are switched on, and of the rates of edges in windows of 500 rows; of any
        other metric, `tunewright.monitor.replay` makes them of the rows.

        Args:
            alert: any, or the name of one that is switched on.

        Raises:
            ProjectError: if none is called so, or no check reports its metric.
        """
        if isinstance(alert, str) and alert not in self._alerts:
            raise ProjectError(f"no alert is called {alert!r}", fix=did_you_mean(alert, self._alerts))
        key = self._gauge(self._alerts[alert] if isinstance(alert, str) else alert).key
        return [*self._outbox.history(key), *(seen for gauge, seen in self._fresh if gauge == key)]

    def observe(self, entry: Entry, progress: Progress, failed: Mapping[str, str]) -> dict[str, str]:
        """Take an entry that the checks have taken. What goes wrong here stops nothing.

        Args:
            entry: rows or labels.
            progress: after the entry.
            failed: folds that failed with it, and how.

        Returns:
            what went wrong, by name.
        """
        self._here = (self._here[0], self._here[1] + 1)
        if self._here <= self._done:
            return {}
        try:
            return self._observe(entry, progress, failed)
        except Exception as error:  # noqa: BLE001 - a row that was acknowledged is not lost to an alert
            return {"alerts": f"{type(error).__name__}: {error}"}

    def save(self) -> None:
        """Keep how far the alerts have come; to be called before a segment takes the entries.

        Raises:
            MonitorError: if it could not be written.
        """
        if self._windows:
            self._save()

    def sealed(self) -> None:
        """A segment took the entries."""
        self._here = (self._here[0] + 1, 0)

    def deliver(self, *, now: float | None = None) -> None:
        """Send what is due. What a sink does not take is sent again later.

        Args:
            now: POSIX seconds; by default the time of the clock.
        """
        now = clock.time() if now is None else now
        with self._sending, closing(Outbox(self._outbox.path, self._outbox.writer)) as outbox:
            for parcel in outbox.waiting():
                if parcel.sink in self._sinks and parcel.due <= now:
                    self._send(parcel, outbox, now)
            self._due = self._next_due(outbox)

    def close(self) -> None:
        """Send what is due, and close the files."""
        try:
            if self._sender.is_alive():
                self._sender.join(_PATIENCE)
            if self._due is not None and not self._sender.is_alive():
                self._deliver_quietly()
        finally:
            self._outbox.close()

    def _observe(self, entry: Entry, progress: Progress, failed: Mapping[str, str]) -> dict[str, str]:
        now, reports, errors = float(entry.header["time"]), Reports(progress), {}
        seen: dict[str, Observation] = {}
        for key, gauge in self._windows.items():
            self._counts[key] = gauge.add(self._counts[key], entry, failed)
            if gauge.full(self._counts[key], now):
                count, self._counts[key] = self._counts[key], gauge.start()
                try:
                    found = gauge.look(count, reports, now=now)
                except Exception as error:  # noqa: BLE001 - a fold may raise anything; other metrics go on
                    errors[f"alert on {gauge.check}.{gauge.number}"] = f"{type(error).__name__}: {error}"
                    continue
                seen |= {key: found} if found is not None else {}
        self._fresh += seen.items()
        self._alerts = self._silenced() if seen else self._alerts
        self._told += self._steps(seen)
        if self._told:  # observations without an event can wait, as the journal gives them again
            self._save()
        if self._due is not None and self._due <= clock.time() and not self._sender.is_alive():
            self._sender = Thread(target=self._deliver_quietly, daemon=True)
            self._sender.start()
        return errors

    def _steps(self, seen: Mapping[str, Observation]) -> list[Event]:
        events = []
        for name, alert in self._alerts.items():
            if found := seen.get(self._gauges[name].key):
                self._standings[name], event = step(alert, self._standings[name], found)
                events += [event] if event is not None else []
        firing = {name for name, standing in self._standings.items() if standing.state == "firing"}
        raised = [event for event in events if self._alerts[event.alert].raised_by & firing]
        return [replace(event, severity="critical") if event in raised else event for event in events]

    def _save(self) -> None:
        """What is not saved is kept, and tried again with the next batch."""
        standings = {name: (self._version(name), standing) for name, standing in self._standings.items()}
        self._outbox.save(
            self._here,
            self._counts,
            standings=standings,
            seen=self._fresh,
            events=self._told,
            sinks=[*self._sinks],
        )
        self._done = self._here
        if self._told and self._sinks:
            self._due = 0.0
        self._fresh, self._told = [], []

    def _send(self, parcel: Parcel, outbox: Outbox, now: float) -> None:
        try:
            self._sinks[parcel.sink].send(parcel.event, self.standings)
        except Exception as error:  # noqa: BLE001 - a sink may raise anything; the event stays in the outbox
            outbox.failed(parcel, f"{type(error).__name__}: {error}", now=now)
        else:
            outbox.sent(parcel, now=now)

    def _deliver_quietly(self) -> None:
        try:
            self.deliver()
        except Exception:  # noqa: BLE001 - such as a full disk; the events stay in the outbox
            self._due = clock.time() + _PATIENCE

    def _next_due(self, outbox: Outbox | None = None) -> float | None:
        waiting = (outbox or self._outbox).waiting()
        return min((parcel.due for parcel in waiting if parcel.sink in self._sinks), default=None)

    def _silenced(self) -> dict[str, Alert]:
        """The alerts with the silences that were said since they were written."""
        said = self._outbox.silences()
        return {
            name: replace(alert, silence=(*alert.silence, *said.get(name, ()))) for name, alert in self._given.items()
        }

    def _resumed(self, name: str, known: Mapping[str, tuple[str, Standing]]) -> Standing:
        version, standing = known.get(name, ("", Standing()))
        if version == self._version(name):
            return standing
        fresh = start(self._alerts[name])
        return replace(fresh, episode=standing.episode)

    def _gauge(self, alert: Alert) -> Gauge:
        return Gauge.of(alert.metric, alert.window, self._checks)

    def _version(self, name: str) -> str:
        return f"{self._alerts[name].fingerprint}-{self._gauges[name].version}"


def _chosen(alerts: Alerts, checks: Checks, reference: Reference | None) -> Iterator[Alert]:
    for alert in read(["default"] if alerts == "default" else alerts):
        yield from default_alerts(checks, reference=reference) if alert == "default" else [alert]


def _by_name(given: Iterable[Any], what: str) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for one in given:
        if one.name in known:
            raise ProjectError(f"two {what} are called {one.name!r}", fix="give each a name of its own")
        known[one.name] = one
    return known


def _require_known(alerts: Mapping[str, Alert]) -> None:
    for name, alert in alerts.items():
        if unknown := sorted(alert.raised_by - set(alerts)):
            raise ProjectError(
                f"{name!r} is raised by {unknown[0]!r}, which is none", fix=did_you_mean(unknown[0], alerts)
            )
