"""The commands ``monitor alerts`` and ``monitor simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunewright.cli.app import AsJson, Folder, as_json, opened, say, table
from tunewright.cli.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunewright.verbs.alerting import Alerted, Listed, Simulation

__all__ = ["alerts", "simulate"]

Name = Annotated[str | None, typer.Option(help="Which monitor; the newest if left out.")]

_MOST_EVENTS = 10


def alerts(
    *,
    history: Annotated[bool, typer.Option("--history", help="Also every event so far, and where it was sent.")] = False,
    silence: Annotated[str | None, typer.Option(help="Send nothing of this alert for a time.")] = None,
    until: Annotated[str | None, typer.Option(help="When the silence ends: 2026-01-31T12:00, UTC.")] = None,
    name: Name = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Say which alerts fire, since when, and what was sent where; what is due is sent again."""
    from tunewright import verbs

    found = verbs.monitor_alerts(opened(project), name, silence=silence, until=until)
    as_json(found) if json else _say_alerts(found, history=history)


def simulate(
    *,
    rule: Annotated[str, typer.Argument(help='A rule such as "long_text.rate above 0.2 2 of 3", or a JSON file.')],
    since: Annotated[
        str | None, typer.Option(help="With --until: when nothing was wrong; by default all along.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="End of that time: 2026-01-31T12:00, UTC.")] = None,
    name: Name = None,
    project: Folder = Path(),
    json: AsJson = False,
) -> None:
    """Try a rule on what was logged: when it would have fired, and how often it would do so for nothing."""
    from tunewright import verbs

    quiet = None if since is None and until is None else (since or "1970-01-01", until or "9999-01-01")
    found = verbs.simulate_alert(opened(project), rule, name, quiet=quiet)
    as_json(found) if json else _say_simulation(found)


def _say_alerts(found: Alerted, *, history: bool) -> None:
    say(f"Monitor {found.run}: {counted(len(found.alerts), 'alert')}")
    if found.alerts:
        say("")
        heads = ("alert", "state", "since", "last value", "rows", "fired", "evidence")
        table("", heads, map(_alert, found.alerts))
    together = [one.name for one in found.alerts if one.found]
    say(*([f"Of all that gather evidence, these changed (e-BH, 5%): {', '.join(together)}"] if together else []))
    say(
        *(
            f"not sent yet, {one.name} to {sink}: {_why(error)}"
            for one in found.alerts
            for sink, error in one.waiting.items()
        )
    )
    if history:
        say("", *map(_line, found.history) if found.history else ["No alert has fired."])


def _alert(one: Listed) -> tuple[Any, ...]:
    return one.name, one.state, one.since or "-", one.value, one.n, one.fired, one.evidence


def _why(error: str) -> str:
    return error or "not tried"


def _line(event: Mapping[str, Any]) -> str:
    sent = f"; sent to {', '.join(event['sent'])}" if event["sent"] else ""
    waiting = "".join(f"; not sent to {sink} ({_why(error)})" for sink, error in event["waiting"].items())
    return f"{event['time'][:19]}  {event['message']}{sent}{waiting}"


def _say_simulation(found: Simulation) -> None:
    say(f"Monitor {found.run}: {found.rule}")
    if not found.windows:
        say("Cannot tell: no window is full yet.")
        return
    say(
        f"{counted(found.windows, 'window')} in {counted(found.rows, 'row')}, values {found.least:.4g} to {found.most:.4g}"
    )
    fired = sum(event["state"] == "firing" for event in found.events)
    say(f"It would have fired {counted(fired, 'time')}, and been firing after {found.firing} of the windows.")
    say(*(f"  row {event['row']:,}: {event['state']} at {event['value']:.4g}" for event in found.events[:_MOST_EVENTS]))
    if len(found.events) > _MOST_EVENTS:
        say(f"  ... and {len(found.events) - _MOST_EVENTS} more (--json for all)")
    say("", *_false_alarms(found))


def _false_alarms(found: Simulation) -> list[str]:
    return [
        *([f"By the way it is made, it fires in {found.bound:.2g} of quiet quarters at most."] if found.bound else []),
        _expected(found),
    ]


def _expected(found: Simulation) -> str:
    if found.false_alarms is None or found.interval is None:
        return f"False alarms to expect from these windows: cannot tell, as {found.unknown}."
    low, high = found.interval
    return (
        f"False alarms to expect in a quarter of {found.quarter} windows, if nothing was wrong in these {found.quiet}: "
        f"{found.false_alarms:.2g} ({low:.2g} to {high:.2g}); {found.any_false_alarm:.0%} of quarters have one."
    )
