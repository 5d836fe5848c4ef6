"""Steps that may fail, tried one after the other; what depends on a failed one is not tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunewright.bindings import line_of
from tunewright.errors import TunewrightError

__all__ = ["Outcome", "State", "Step", "Tried", "try_all"]

State = dict[str, Any]
"""What the steps hand on to each other."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a step; seconds per row where it is a user's function that was timed."""

    detail: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Something to try. ``needs`` are the names of the steps it builds on."""

    name: str
    run: Callable[[State], str | Outcome]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """One thing the project promises, tried: what came out of it (shapes, values), or why it failed.

    ``passed`` is None where it was not tried, because something it needs failed. ``seconds`` is the time per row.
    """

    name: str
    passed: bool | None
    detail: str
    seconds: float | None = None


def try_all(steps: Iterable[Step], state: State, *, folder: Path) -> tuple[Tried, ...]:
    """Try the steps in order.

    Args:
        steps: each after those it needs.
        state: what they share.
        folder: of the project: of an error, the last line in there is named.
    """
    tried: dict[str, Tried] = {}
    for step in steps:
        missing = [name for name in step.needs if tried[name].passed is not True]
        tried[step.name] = (
            Tried(step.name, passed=None, detail=f"needs {', '.join(missing)}")
            if missing
            else _tried(step, state, folder)
        )
    return tuple(tried.values())


def _tried(step: Step, state: State, folder: Path) -> Tried:
    try:
        found = step.run(state)
    except TunewrightError as error:
        return Tried(step.name, passed=False, detail=str(error))
    except Exception as error:  # noqa: BLE001  finding out what a model, a task or a user's function raises is the point
        line = line_of(error, folder)
        detail = f"{type(error).__name__}: {error}"
        return Tried(step.name, passed=False, detail=f"{detail}\n  at {line}" if line else detail)
    outcome = Outcome(found) if isinstance(found, str) else found
    return Tried(step.name, passed=True, detail=outcome.detail, seconds=outcome.seconds)
