"""Where events of alerts go: the standard output, a file, a webhook, or figures for Prometheus."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.request import Request, urlopen

from tunewright.errors import ProjectError
from tunewright.files import write_text
from tunewright.monitor.alerts import Alert, Event, Standing
from tunewright.monitor.exposition import Family, Kind, exposition

__all__ = ["JsonLines", "PrometheusFile", "Sink", "Standings", "Stdout", "Webhook", "prometheus"]

Standings = Mapping[str, tuple[Alert, Standing]]
"""Every alert by name, and where it stands."""

_COLORS = {"info": "#439fe0", "warning": "#daa038", "critical": "#d00000"}
_RESOLVED = "#2eb67d"
_FAMILIES: dict[str, tuple[Kind, Callable[[Standing], float | None]]] = {
    "tunewright_alert_firing": ("gauge", lambda standing: standing.state == "firing"),
    "tunewright_alert_pending": ("gauge", lambda standing: standing.state == "pending"),
    "tunewright_alert_value": ("gauge", lambda standing: standing.value),
    "tunewright_alert_fired_total": ("counter", lambda standing: standing.episode),
}


class Sink(Protocol):
    """Takes events, each once or more.

    ``name`` is what the outbox calls it, and tells it from the other sinks of a monitor.
    """

    @property
    def name(self) -> str: ...

    def send(self, event: Event, standings: Standings) -> None:
        """Take an event. Whatever this raises, the event is sent again later."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stdout:
    """A line of JSON on the standard output."""

    name: str = "stdout"

    def send(self, event: Event, standings: Standings) -> None:
        sys.stdout.write(_line(event))
        sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A line of JSON at the end of a file, which is flushed to the disk."""

    path: str | Path
    name: str = "jsonl"

    def send(self, event: Event, standings: Standings) -> None:
        path = Path(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(_line(event))
            file.flush()
            os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class Webhook:
    """A POST of JSON with ``text`` and ``attachments``, as Slack and what is like it takes.

    Attributes:
        url: http or https; it is a secret, and neither shown nor stored.
        name: of the sink.
        timeout: seconds.
    """

    url: str = field(repr=False)
    name: str = "webhook"
    timeout: float = 5.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ProjectError("expected an address of a webhook with http:// or https://, found another one")

    def send(self, event: Event, standings: Standings) -> None:
        """Raises OSError if it is not taken."""
        content = json.dumps(_slack(event)).encode()
        request = Request(self.url, content, {"Content-Type": "application/json"})  # noqa: S310 - http or https
        with urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
            answer.read()


@dataclass(frozen=True, slots=True)
class PrometheusFile:
    """A file with `prometheus`, for a collector of text files; written with each event."""

    path: str | Path
    name: str = "prometheus"

    def send(self, event: Event, standings: Standings) -> None:
        write_text(self.path, prometheus(standings))


def prometheus(standings: Standings) -> str:
    """Alerts in the text format of Prometheus: whether each fires, is pending, its value, and how often it fired."""
    return exposition(Family(name, *_family(name, standings)) for name in _FAMILIES)


def _family(name: str, standings: Standings) -> tuple[Kind, list[tuple[dict[str, str], float]]]:
    kind, figure = _FAMILIES[name]
    known = [(_labels(name, alert), figure(standing)) for name, (alert, standing) in sorted(standings.items())]
    return kind, [(labels, value) for labels, value in known if value is not None]


def _labels(name: str, alert: Alert) -> dict[str, str]:
    return {"alert": name, "metric": alert.metric, "severity": alert.severity}


def _line(event: Event) -> str:
    return json.dumps(event.to_json(), ensure_ascii=False) + "\n"


def _slack(event: Event) -> dict[str, Any]:
    color = _RESOLVED if event.state == "resolved" else _COLORS[event.severity]
    told = {name: value for name, value in event.to_json().items() if name != "message"}
    fields = [{"title": name, "value": str(value), "short": True} for name, value in told.items()]
    return {"text": event.message, "attachments": [{"color": color, "fields": fields}]}
