"""What a training writes down while it goes on, and whether it does. Light to import: who watches need not train.

<run folder>/steps.jsonl    one line per logged step: step, of (how many), epoch, loss, eval_loss
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunewright.data.lines import appending, numbered
from tunewright.files import claimed, write_text

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tunewright.run import Run

__all__ = ["LoggedStep", "claim", "drop_steps_after", "is_running", "log_step", "logged_steps", "steps_file"]

_LOCK = ".training"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedStep:
    """Where a training is: after ``step`` of ``of`` optimizer steps, in ``epoch`` (counted from 0, with a fraction).

    ``loss`` is the mean over the steps since the last line, ``eval_loss`` that of the validation rows, in nats; None where
    it was not measured, or is not finite.
    """

    step: int
    of: int
    epoch: float
    loss: float | None = None
    eval_loss: float | None = None


def steps_file(run: Run) -> Path:
    """Where the steps of a run are."""
    return run.folder / "steps.jsonl"


def log_step(run: Run, *, step: int, of: int, epoch: float, logs: Mapping[str, Any]) -> None:
    """Append a line."""
    with appending(steps_file(run)) as lines:
        lines.append({"step": step, "of": of, "epoch": epoch, **{name: _finite(logs.get(name)) for name in _LOSSES}})


def logged_steps(run: Run, *, after: int = 0) -> tuple[tuple[LoggedStep, ...], int]:
    """Steps from line number ``after`` on, and how many lines there are; a line that is being written counts later."""
    path = steps_file(run)
    whole = [(number, line) for number, line in numbered(path) if line is not None] if path.exists() else []
    new = tuple(LoggedStep(**line) for number, line in whole if number > after)
    return new, max((number for number, _ in whole), default=0)


def drop_steps_after(run: Run, step: int) -> None:
    """Forget steps that a training which is resumed at ``step`` takes again."""
    path = steps_file(run)
    lines = [line for _, line in numbered(path) if line is not None and line["step"] <= step]
    if path.exists():
        write_text(path, "".join(json.dumps(line) + "\n" for line in lines))


def claim(run: Run) -> AbstractContextManager[bool]:
    """Claim a run for the training of the block; False if another process trains it."""
    return claimed(run.folder / _LOCK)


def is_running(run: Run) -> bool:
    """Whether a process is training the run at this moment, on this machine."""
    with claim(run) as free:
        return not free


_LOSSES = ("loss", "eval_loss")


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
