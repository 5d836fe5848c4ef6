"""How to train: one frozen value, resolved into ``TrainingArguments``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self

from tunewright.errors import TrainError, did_you_mean

__all__ = ["TrainConfig"]

_CHOICES = {
    "loss": ("cross_entropy", "focal"),
    "record": ("train", "epoch_end", "both", "none"),
    "batching": ("length", "random"),
    "precision": ("auto", "fp32", "bf16", "fp16"),
}
_LAYER = re.compile(r"embeddings|hidden:[1-9]\d*|pooled")
_OURS = {
    "output_dir": "a resumed run looks for its checkpoints in the run's folder",
    "remove_unused_columns": "the recorder needs the ids",
    "dataloader_persistent_workers": "workers that live on would keep the first epoch's order",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Everything that decides how a training goes, but the data, the task and the model.

    Args:
        epochs: passes over the training data, more than 0.
        batch_size: examples per device and forward pass, 1 or more.
        learning_rate: peak of the linear schedule with warm-up.
        warmup: share of the steps in which the rate rises, in [0, 1).
        weight_decay: of AdamW.
        loss: ``cross_entropy`` or ``focal`` (Lin et al. 2017).
        focal_gamma: focusing exponent of the focal loss.
        class_weights: one weight per label, ``balanced``, or None; the alpha of the focal loss.
        label_smoothing: in [0, 1).
        mixup_alpha: mix fresh pairs of the rows of each batch, as many as there are rows, with a share drawn from
            Beta(alpha, alpha) (MixUp, Zhang et al. 2018), beside the rows themselves; None does not.
        mixup_layer: where: ``embeddings``, ``hidden:K`` (after encoder layer K, counted from 1) or ``pooled``.
        seed: of the new head, the order of the examples and dropout.
        record: which training dynamics to keep: ``train``, ``epoch_end`` (a clean pass per epoch), ``both`` (the former,
            and clean passes after the second and the last epoch) or ``none``.
        batching: ``length`` puts similar lengths together (least padding), ``random`` is the Trainer's own order.
        keep_best: keep the best checkpoint instead of the last one: by the task's metric on the validation rows, or by
            the validation loss where the task has no list of labels.
        patience: stop after so many epochs that were no better by the same measure; None never stops early.
        precision: ``auto`` measures whether bf16 is faster on this machine by a fifth or more.
        threads: CPU threads, or ``auto`` to measure which number is fastest now.
        trackers: names for the Trainer's ``report_to``: wandb, mlflow, tensorboard, trackio.
        trust_remote_code: run code that comes with the model; off unless you say so.
        arguments: any fields of ``transformers.TrainingArguments``; they win over the above.
    """

    epochs: float = 3
    batch_size: int = 32
    learning_rate: float = 5e-5
    warmup: float = 0.06
    weight_decay: float = 0.01
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: float = 2.0
    class_weights: tuple[float, ...] | Literal["balanced"] | None = None
    label_smoothing: float = 0.0
    mixup_alpha: float | None = None
    mixup_layer: str = "embeddings"
    seed: int = 0
    record: Literal["train", "epoch_end", "both", "none"] = "train"
    batching: Literal["length", "random"] = "length"
    keep_best: bool = True
    patience: int | None = None
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    threads: int | Literal["auto"] = "auto"
    trackers: tuple[str, ...] = ()
    trust_remote_code: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise TrainError(f"TrainConfig({name}=...) expects one of {choices}, found {getattr(self, name)!r}")
        for name, good in (
            ("epochs", 0 < self.epochs < math.inf),
            ("seed", 0 <= self.seed < 2**32),
            ("batch_size", self.batch_size >= 1),
            ("learning_rate", self.learning_rate > 0),
            ("warmup", 0 <= self.warmup < 1),
            ("label_smoothing", 0 <= self.label_smoothing < 1),
            ("focal_gamma", self.focal_gamma >= 0),
            ("mixup_alpha", self.mixup_alpha is None or 0 < self.mixup_alpha < math.inf),
            ("mixup_layer", _LAYER.fullmatch(self.mixup_layer) is not None),
            ("patience", self.patience is None or self.patience >= 1),
            ("threads", self.threads == "auto" or self.threads >= 1),
        ):
            if not good:
                raise TrainError(
                    f"TrainConfig({name}={getattr(self, name)!r}) is out of range",
                    fix="help(tunewright.TrainConfig) says what it may be",
                )

    def with_changes(self, **changes: Any) -> Self:
        """A copy with some fields changed.

        Raises:
            TrainError: if there is no such field.
        """
        known = [entry.name for entry in fields(self)]
        for name in changes:
            if name not in known:
                raise TrainError(f"TrainConfig has no field {name!r}", fix=did_you_mean(name, known))
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """JSON values; ``from_json`` gives the same config back."""
        return asdict(self) | {"arguments": dict(self.arguments)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The config that ``to_json`` wrote; keys that are not its fields are passed over."""
        known = {entry.name for entry in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        for name in ("trackers", "class_weights"):
            if isinstance(kept.get(name), list):
                kept[name] = tuple(kept[name])
        return cls(**kept)

    def training_arguments(self, output_dir: str | Path, *, validate: bool, metric: str = "loss") -> Any:
        """The ``transformers.TrainingArguments`` this config stands for.

        Args:
            output_dir: where checkpoints go.
            validate: whether there are validation rows to evaluate on after each epoch.
            metric: the validation score that picks the best checkpoint; ``loss`` is the only one where less is better.

        Raises:
            TrainError: if ``arguments`` names a field that TrainingArguments does not have or that is not free, or
                its values contradict each other.
        """
        from transformers import TrainingArguments

        _check_arguments(self.arguments)
        self._check_machine(validate=validate)
        chosen = self._chosen(validate=validate, metric=metric) | {"output_dir": str(output_dir)}
        try:
            return TrainingArguments(**(chosen | dict(self.arguments)))
        except (TypeError, ValueError) as error:
            raise TrainError(f"TrainingArguments refuses arguments={dict(self.arguments)}: {error}") from error

    def _check_machine(self, *, validate: bool) -> None:
        import torch
        from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

        if self.precision == "fp16" and not torch.cuda.is_available():
            raise TrainError("precision='fp16' expects a GPU, found none", fix="use 'bf16', 'fp32' or 'auto'")
        unknown = [name for name in self.trackers if name not in INTEGRATION_TO_CALLBACK]
        if unknown:
            raise TrainError(
                f"no tracker is called {unknown[0]!r}", fix=did_you_mean(unknown[0], INTEGRATION_TO_CALLBACK)
            )
        if self.patience is not None and not validate:
            raise TrainError(
                f"patience={self.patience} expects validation rows, found none",
                fix="add a validation split, or drop it",
            )

    def _chosen(self, *, validate: bool, metric: str) -> dict[str, Any]:
        import torch

        cuda = torch.cuda.is_available()
        best = validate and (self.keep_best or self.patience is not None)
        return {
            "num_train_epochs": self.epochs,
            "per_device_train_batch_size": self.batch_size,
            "per_device_eval_batch_size": 2 * self.batch_size,
            "learning_rate": self.learning_rate,
            "warmup_steps": self.warmup,
            "weight_decay": self.weight_decay,
            "optim": "adamw_torch_fused",
            "seed": self.seed,
            "data_seed": self.seed,
            "bf16": self.precision == "bf16",
            "fp16": self.precision == "fp16",
            "train_sampling_strategy": "sequential" if self.batching == "length" else "random",
            "remove_unused_columns": False,
            "label_names": ["labels"],  # of every task, whatever the model calls its targets
            "save_strategy": "epoch",
            "eval_strategy": "epoch" if validate else "no",
            "save_total_limit": 2,
            "load_best_model_at_end": best,
            "metric_for_best_model": metric if best else None,
            "greater_is_better": metric != "loss" if best else None,
            # the filter reads the loss at every step, which waits for the device; a NaN is shown as it is
            "logging_nan_inf_filter": False,
            "restore_callback_states_from_checkpoint": self.patience is not None,
            # TensorBoard gets a callback of its own that writes into the run's folder
            "report_to": [name for name in self.trackers if name != "tensorboard"] or "none",
            "project": "tunewright",
            "disable_tqdm": True,
            "logging_steps": 0.02,
            "dataloader_pin_memory": cuda,
            "use_cpu": not cuda and not torch.backends.mps.is_available(),
        }


def _check_arguments(arguments: Mapping[str, Any]) -> None:
    from transformers import TrainingArguments

    known = {entry.name: entry.default for entry in fields(TrainingArguments)}
    for name, value in arguments.items():
        if name not in known:
            raise TrainError(f"TrainingArguments has no field {name!r}", fix=did_you_mean(name, known))
        if name in _OURS:
            raise TrainError(f"TrainingArguments({name}=...) is not free: {_OURS[name]}", fix="leave it out")
        if isinstance(known[name], int | float) and isinstance(value, str):
            raise TrainError(
                f"TrainingArguments({name}=...) expects a value like {known[name]!r}, found {value!r}",
                fix="write a number, True or False",
            )
