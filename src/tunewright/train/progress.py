"""Progress of a training: a bar on a terminal, plain lines elsewhere; and for whoever watches, a file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback

from tunewright.train.steps import drop_steps_after, log_step

if TYPE_CHECKING:
    from rich.progress import TaskID
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from tunewright.run import Run

__all__ = ["StepsLog", "TrainingProgress"]


class TrainingProgress(TrainerCallback):
    """Loss, examples per second, time left, and each evaluation's metrics.

    Args:
        console: where to write; standard error by default, so that output can be piped.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._started = 0.0
        self._first_step = 0
        self._loss = float("nan")

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        self._started, self._first_step = time.perf_counter(), state.global_step
        if not state.is_world_process_zero or not self.console.is_terminal:
            return
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self._bar.start()
        self._task = self._bar.add_task("", total=state.max_steps, completed=state.global_step)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=state.global_step, description=self._numbers(args, state))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **trainer: Any,
    ) -> None:
        if not state.is_world_process_zero or not logs:
            return
        self._loss = float(logs.get("loss", self._loss))
        if "eval_loss" in logs:
            scores = ", ".join(f"{name[5:]} {value:.4f}" for name, value in logs.items() if _is_score(name))
            self.console.print(f"epoch {logs.get('epoch', 0):g}: validation {scores}", highlight=False)
        elif "loss" in logs and self._bar is None:
            self.console.print(
                f"step {state.global_step}/{state.max_steps}: {self._numbers(args, state)}", highlight=False
            )

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away; safe to call twice."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _numbers(self, args: TrainingArguments, state: TrainerState) -> str:
        steps = state.global_step - self._first_step
        seconds = max(time.perf_counter() - self._started, 1e-9)
        per_step = args.train_batch_size * args.gradient_accumulation_steps * max(args.world_size, 1)
        left = seconds / max(steps, 1) * (state.max_steps - state.global_step)
        return f"loss {self._loss:.4f}, {steps * per_step / seconds:.0f} examples/s, {left:.0f} s left"


class StepsLog(TrainerCallback):
    """Writes each logged step into the run, see `tunewright.train.steps`.

    Args:
        run: that is trained.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        if state.is_world_process_zero:
            drop_steps_after(self.run, state.global_step)
            self._log(state, {})  # how many there are is known before the first one ends

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **trainer: Any,
    ) -> None:
        if state.is_world_process_zero and logs and ("loss" in logs or "eval_loss" in logs):
            self._log(state, logs)

    def _log(self, state: TrainerState, logs: dict[str, float]) -> None:
        log_step(self.run, step=state.global_step, of=state.max_steps, epoch=state.epoch or 0.0, logs=logs)


def _is_score(name: str) -> bool:
    return name.startswith("eval_") and not name.endswith(("_runtime", "_per_second"))
