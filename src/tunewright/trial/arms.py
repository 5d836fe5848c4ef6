"""The arms of a trial: no change, each decision, chance, and each decision but one of its parts.

Arms differ in what is tried and in nothing else: they share their seeds, and take the same number of optimiser steps.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from tunewright.train.config import TrainConfig

__all__ = ["Arm", "Kind", "Training", "arm_key", "steps", "training_key", "with_equal_steps"]

Kind = Literal["unchanged", "decision", "control", "without"]

_NO_MATTER = ("threads", "trackers", "record", "trust_remote_code")
"""Fields of the configuration that change how long a training takes and what it writes, not what it learns."""
_MEMBERS_APART = 1000
"""Seeds of an ensemble's members lie so far apart, so that no trial of fewer seeds uses one of them for another arm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One model to train: a version of the dataset by its id, and how."""

    version: str
    config: TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm.

    Args:
        name: unique in the trial.
        kind: no change, a decision, its random control, or a decision but one of its parts.
        decision: the name of the decision it belongs to.
        versions: ids of dataset versions; of several, each seed takes its own (a control is drawn afresh).
        settings: fields of `TrainConfig` that differ.
        members: trainings whose mean it is.
        steps: optimiser steps of each training, where they would be others by themselves.
        part: of a decision but one of its parts: which one is missing.
        note: what a reader must know, such as why it takes other steps.
    """

    name: str
    kind: Kind
    decision: str = ""
    versions: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    members: int = 1
    steps: int | None = None
    part: str = ""
    note: str = ""

    def trainings(self, base: TrainConfig, seed: int, position: int) -> tuple[Training, ...]:
        """What to train for one seed, the seed's position among the trial's given; several for an ensemble."""
        version = self.versions[position % len(self.versions)]
        config = with_equal_steps(base.with_changes(**_settings(base, self.settings)), self.steps)
        seeds = (seed + member * _MEMBERS_APART for member in range(self.members))
        return tuple(Training(version=version, config=replace(config, seed=one)) for one in seeds)

    def to_json(self) -> dict[str, Any]:
        """JSON values; ``from_json`` gives the same arm back."""
        return asdict(self) | {"settings": dict(self.settings)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        settings = {name: tuple(item) if isinstance(item, list) else item for name, item in values["settings"].items()}
        return cls(**{**values, "versions": tuple(values["versions"]), "settings": settings})


def steps(rows: int, config: TrainConfig) -> int:
    """Optimiser steps of a training on so many inputs, as the Trainer counts them.

    >>> steps(100, TrainConfig(epochs=3, batch_size=32))
    12
    """
    fixed = int(config.arguments.get("max_steps", -1))
    accumulated = int(config.arguments.get("gradient_accumulation_steps", 1))
    per_epoch = max(math.ceil(math.ceil(rows / config.batch_size) / accumulated), 1)
    return fixed if fixed > 0 else math.ceil(config.epochs * per_epoch)


def with_equal_steps(config: TrainConfig, number: int | None) -> TrainConfig:
    """The configuration with a number of optimiser steps instead of epochs; as it is for None."""
    return config if number is None else replace(config, arguments={**config.arguments, "max_steps": number})


def training_key(training: Training, *, model: str, task: str, own_loss: str | None) -> str:
    """What makes two trainings the same: version, model, task, loss, and all of the configuration that matters."""
    config = training.config.to_json()
    kept = {name: value for name, value in config.items() if name not in _NO_MATTER}
    return _digest([training.version, model, task, own_loss, kept])


def arm_key(arm: Arm, *, base: str, config: TrainConfig, model: str, seeds: Sequence[int] = ()) -> str:
    """What makes two tries the same, whatever they are called: the data, the changes, what they are changes of, the seeds.

    With other seeds, or more of them, a decision is tried again: repeating it until it wins has its price.
    """
    kept = {name: value for name, value in config.to_json().items() if name not in {*_NO_MATTER, "seed"}}
    tried = [sorted(arm.versions), dict(sorted(arm.settings.items())), arm.members, arm.steps]
    return _digest([tried, base, model, kept, sorted(seeds)])


def _settings(base: TrainConfig, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of the configuration; arguments of the Trainer join those there are."""
    arguments = {**base.arguments, **changes.get("arguments", {})}
    return {**changes, "arguments": arguments}


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()
