"""What differs between tasks: a frozen value behind a six-method protocol.

``measure`` is the narrow waist: after it, everything is columns and blind to the task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["Collator", "Feature", "Task"]

Feature = dict[str, Any]
"""One model input: token lists, ``labels``, and the ``id`` (and ``window``) of the example it belongs to."""

Collator = Callable[[Sequence[Feature]], dict[str, Any]]


@runtime_checkable
class Task(Protocol):
    """Classifying, answering or summarising, as a value.

    Attributes that are data: ``labels`` (names in the order of the logits), ``metric`` (name of the score that picks
    the best checkpoint, more is better) and ``text_fields`` (columns that hold what a person reads).
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def metric(self) -> str: ...

    @property
    def text_fields(self) -> tuple[str, ...]: ...

    def encode(self, rows: Mapping[str, Sequence[Any]], tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
        """Rows as columns (``id``, the text fields, the target, optionally ``weight``) -> features, in order."""
        ...

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """A function from features to a padded batch of tensors, targets under ``labels``."""
        ...

    def load_model(self, source: str, *, trust_remote_code: bool = False) -> PreTrainedModel:
        """The model with a head for this task; a new head is drawn from the current torch seed."""
        ...

    def measure(self, outputs: Any, targets: Any) -> dict[str, torch.Tensor]:
        """What the recorder keeps of one forward pass: tensors [batch] on the device, no host sync."""
        ...

    def decode(self, outputs: Any) -> dict[str, NDArray[np.generic]]:
        """What a user sees of one forward pass: ``predicted``, ``probability`` [batch], ``logits`` [batch, labels]."""
        ...

    def score(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, float]:
        """Metrics of predicted rows; columns ``label`` and ``predicted``; rows without a label do not count."""
        ...
