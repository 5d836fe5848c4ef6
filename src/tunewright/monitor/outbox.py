"""What alerts keep in the catalogue: observations, where each stands, events, and what is still to be sent.

One transaction makes an observation, the states after it and its events count. An event is in the outbox once for each
sink until that sink has taken it; a process that is killed in between sends it again, with the same key.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunewright.errors import MonitorError
from tunewright.monitor.alerts import Event, Standing
from tunewright.monitor.conditions import Observation

__all__ = ["Outbox", "Parcel", "Place"]

Place = tuple[int, int]
"""Number of a segment, and of a journal entry in it: how far a writer's alerts have come."""

_TABLES = """
CREATE TABLE IF NOT EXISTS alert_places (
    writer TEXT PRIMARY KEY, segment INTEGER NOT NULL, entry INTEGER NOT NULL, gauges TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS alert_states (
    writer TEXT, name TEXT, version TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (writer, name));
CREATE TABLE IF NOT EXISTS alert_observations (
    writer TEXT NOT NULL, gauge TEXT NOT NULL, time REAL NOT NULL, value REAL NOT NULL, n INTEGER NOT NULL,
    whole INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS alert_events (writer TEXT, key TEXT, event TEXT NOT NULL, PRIMARY KEY (writer, key));
CREATE TABLE IF NOT EXISTS alert_outbox (
    writer TEXT, key TEXT, sink TEXT, attempts INTEGER NOT NULL, due REAL NOT NULL, error TEXT NOT NULL,
    PRIMARY KEY (writer, key, sink));
CREATE TABLE IF NOT EXISTS alert_sent (
    writer TEXT, key TEXT, sink TEXT, time REAL NOT NULL, PRIMARY KEY (writer, key, sink));
CREATE TABLE IF NOT EXISTS alert_silences (name TEXT NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL);
"""
_FIRST_WAIT, _LONGEST_WAIT = 30, 3600  # seconds between attempts; each wait is twice the last one


@dataclass(frozen=True, slots=True)
class Parcel:
    """An event that a sink has not taken yet; when it is to be sent (POSIX seconds), and why it was not."""

    event: Event
    sink: str
    attempts: int
    due: float
    error: str


class Outbox:
    """The tables of one writer, with a connection of its own."""

    def __init__(self, path: Path, writer: str) -> None:
        self.path = path
        self.writer = writer
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def place(self) -> tuple[Place, dict[str, Any]]:
        """How far the alerts have come, and what their open windows hold."""
        query = "SELECT segment, entry, gauges FROM alert_places WHERE writer = ?"
        found = self._connection.execute(query, (self.writer,)).fetchone()
        return ((found[0], found[1]), json.loads(found[2])) if found else ((-1, 0), {})

    def standings(self) -> dict[str, tuple[str, Standing]]:
        """(version, where it stands) by name of the alert."""
        query = "SELECT name, version, state FROM alert_states WHERE writer = ?"
        found = self._connection.execute(query, (self.writer,))
        return {name: (version, Standing(**json.loads(state))) for name, version, state in found}

    def history(self, gauge: str) -> list[Observation]:
        """Observations of a metric in its windows, the oldest first."""
        query = "SELECT time, value, n, whole FROM alert_observations WHERE writer = ? AND gauge = ? ORDER BY rowid"
        found = self._connection.execute(query, (self.writer, gauge))
        return [Observation(time, value, n, bool(whole)) for time, value, n, whole in found]

    def events(self) -> list[Event]:
        """Every event, the oldest first."""
        query = "SELECT event FROM alert_events WHERE writer = ? ORDER BY rowid"
        return [Event.from_json(json.loads(row[0])) for row in self._connection.execute(query, (self.writer,))]

    def waiting(self) -> list[Parcel]:
        """What is still to be sent, in the order of its events."""
        query = """
            SELECT event, sink, attempts, due, error FROM alert_outbox JOIN alert_events USING (writer, key)
            WHERE writer = ? ORDER BY alert_events.rowid, sink"""
        found = self._connection.execute(query, (self.writer,))
        return [Parcel(Event.from_json(json.loads(event)), *rest) for event, *rest in found]

    def taken(self) -> list[tuple[str, str, float]]:
        """(key of an event, sink, POSIX seconds) of what sinks have taken, the oldest first."""
        query = "SELECT key, sink, time FROM alert_sent WHERE writer = ? ORDER BY rowid"
        return [(key, sink, time) for key, sink, time in self._connection.execute(query, (self.writer,))]

    def silences(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """(from, to) in ISO 8601 by name of an alert, of all writers."""
        found: dict[str, tuple[tuple[str, str], ...]] = {}
        for name, since, until in self._connection.execute("SELECT name, since, until FROM alert_silences"):
            found[name] = (*found.get(name, ()), (since, until))
        return found

    def silence(self, name: str, since: str, until: str) -> None:
        """Keep that nothing of an alert is sent for a time; what was kept for it before does not count any more.

        Raises:
            MonitorError: if it could not be written.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM alert_silences WHERE name = ?", (name,))
            connection.execute("INSERT INTO alert_silences VALUES (?, ?, ?)", (name, since, until))

    def save(
        self,
        place: Place,
        gauges: Mapping[str, Any],
        *,
        standings: Mapping[str, tuple[str, Standing]],
        seen: Iterable[tuple[str, Observation]] = (),
        events: Sequence[Event] = (),
        sinks: Sequence[str] = (),
    ) -> None:
        """Make what alerts know after a journal entry count, with the events that are to be sent.

        Raises:
            MonitorError: if it could not be written.
        """
        own = self.writer
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO alert_places VALUES (?, ?, ?, ?)", (own, *place, _text(gauges)))
            connection.executemany(
                "INSERT OR REPLACE INTO alert_states VALUES (?, ?, ?, ?)",
                [(own, name, version, _text(asdict(state))) for name, (version, state) in standings.items()],
            )
            connection.executemany(
                "INSERT INTO alert_observations VALUES (?, ?, ?, ?, ?, ?)",
                [(own, gauge, one.time, one.value, one.n, one.whole) for gauge, one in seen],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO alert_events VALUES (?, ?, ?)",
                [(own, event.key, _text(event.to_json())) for event in events],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO alert_outbox VALUES (?, ?, ?, 0, 0, '')",
                [(own, event.key, sink) for event in events for sink in sinks],
            )

    def sent(self, parcel: Parcel, *, now: float) -> None:
        """A sink took an event (POSIX seconds)."""
        key = (self.writer, parcel.event.key, parcel.sink)
        with self._transaction() as connection:
            connection.execute("DELETE FROM alert_outbox WHERE writer = ? AND key = ? AND sink = ?", key)
            connection.execute("INSERT OR REPLACE INTO alert_sent VALUES (?, ?, ?, ?)", (*key, now))

    def failed(self, parcel: Parcel, error: str, *, now: float) -> None:
        """A sink did not; it is asked again later, and ever later."""
        wait = min(_FIRST_WAIT * 2 ** min(parcel.attempts, 20), _LONGEST_WAIT)
        query = "UPDATE alert_outbox SET attempts = ?, due = ?, error = ? WHERE writer = ? AND key = ? AND sink = ?"
        values = (parcel.attempts + 1, now + wait, error, self.writer, parcel.event.key, parcel.sink)
        with self._transaction() as connection:
            connection.execute(query, values)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise MonitorError(f"alerts could not be written ({error})", fix="make room on the disk") from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
