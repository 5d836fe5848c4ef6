"""Measures rows that a training does not learn from, in a clean pass after each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback

from tunewright.observe.predict import batches, evaluating, on_device
from tunewright.train.parts import part_of

if TYPE_CHECKING:
    import pyarrow as pa
    from transformers import PreTrainedTokenizerBase, TrainerControl, TrainerState, TrainingArguments

    from tunewright.tasks import Task

__all__ = ["HeldOut"]


class HeldOut(TrainerCallback):
    """The same columns as the recorder's dynamics, of rows that are held out of the training.

    Args:
        task: measures the outputs.
        rows: columns ``id``, the task's fields and targets; those whose target no input holds are left out.
        tokenizer: that of the model.

    Attributes:
        parts: after training, one table per epoch.
    """

    def __init__(self, task: Task, rows: pa.Table, tokenizer: PreTrainedTokenizerBase) -> None:
        self.task = task
        self.parts: list[pa.Table] = []
        self._features = [feature for feature in task.encode(rows.to_pydict(), tokenizer) if feature["teaches"]]
        self._collator = task.collator(tokenizer)
        self._epoch = 0

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        self._epoch = int(state.epoch or 0)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        model = trainer["model"]
        where = {"epoch": self._epoch, "step": max(state.global_step - 1, 0)}
        if self._features:
            self.parts.append(part_of([row | where for row in self._measured(model, args)], 0))
        model.train()

    def _measured(self, model: Any, args: TrainingArguments) -> list[dict[str, Any]]:
        rows = []
        size = args.per_device_eval_batch_size
        for positions, batch in batches(self._features, self._collator, batch_size=size):
            inputs = on_device(batch, model.device)
            targets = inputs.pop("labels")
            with evaluating(model), torch.no_grad():
                measured = self.task.measure(model(**inputs), targets)
            read = [self._features[position] for position in positions]
            rows.append(
                {
                    "id": [feature["id"] for feature in read],
                    "window": [int(feature.get("window", 0)) for feature in read],
                    "measured": measured,
                }
            )
        return rows
