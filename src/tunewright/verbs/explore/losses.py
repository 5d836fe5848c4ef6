"""``losses``: what a training logged, while it goes on and after it has ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunewright.train.steps import logged_steps
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["Losses", "StepLoss", "losses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLoss:
    """Loss in nats after ``step`` optimizer steps, in ``epoch`` (from 0, with a fraction).

    ``loss`` is the mean of the training rows since the last line, ``eval_loss`` that of the validation rows; None where it
    was not measured, or was not finite.
    """

    step: int
    epoch: float
    loss: float | None
    eval_loss: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses(Result):
    """The losses of a run, by step; none where it is no training."""

    losses: tuple[StepLoss, ...]


def losses(run: Run) -> Losses:
    """What the training of a run has logged so far: its own lines, or those that it kept when it ended."""
    steps, _ = logged_steps(run)
    lines = [{"step": one.step, "epoch": one.epoch, "loss": one.loss, "eval_loss": one.eval_loss} for one in steps]
    return Losses(losses=tuple(_merged(lines or run.meta.get("history") or ())))


def _merged(lines: Sequence[Mapping[str, Any]]) -> Iterator[StepLoss]:
    """One value per step: loss and validation loss come in lines of their own."""
    found: dict[int, dict[str, Any]] = {}
    for line in lines:
        known = found.setdefault(int(line["step"]), {})
        known.update({name: line[name] for name in ("epoch", "loss", "eval_loss") if line.get(name) is not None})
    for step, values in sorted(found.items()):
        yield StepLoss(
            step=step,
            epoch=float(values.get("epoch", 0.0)),
            loss=values.get("loss"),
            eval_loss=values.get("eval_loss"),
        )
