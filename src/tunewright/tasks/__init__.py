"""What differs between tasks: a frozen value behind an eight-method protocol.

``measure`` is the narrow waist: after it, everything is columns and blind to the task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["Collator", "Feature", "Forward", "Mark", "Task", "Text"]

Feature = dict[str, Any]
"""One model input, which is a whole example or a window of it.

Always: token lists, ``id``, ``window`` (from 0), ``length`` in tokens, ``labels`` and ``teaches`` (False: not to be
trained on). Sometimes: ``weight`` in the loss, ``pool`` (tokens whose mean is the embedding) and, for tasks that need
them or when asked for, ``offsets`` (characters of each token) and ``fields`` (the text field it is from, or None).
"""

Collator = Callable[[Sequence[Feature]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """One forward pass and all that it takes to read it.

    ``inputs`` is the batch without its targets; ``features`` are what it was made of, in order.
    """

    outputs: Any
    features: Sequence[Feature]
    inputs: Mapping[str, Any]
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters from ``start`` to before ``end`` of a text, and why they are marked."""

    start: int
    end: int
    kind: Literal["gold", "predicted"]


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a row as a person reads it: the column it is from, and marks, which may overlap."""

    field: str
    text: str
    marks: tuple[Mark, ...] = ()


@runtime_checkable
class Task(Protocol):
    """Classifying, answering or summarising, as a value.

    Attributes that are data: ``labels`` (names in the order of the logits; empty where targets are no list),
    ``metric`` (name of the main score, more is better), ``text_fields`` (columns that hold what a person reads) and
    ``target_fields`` (columns that hold the gold target, besides ``label``).
    """

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def metric(self) -> str: ...

    @property
    def text_fields(self) -> tuple[str, ...]: ...

    @property
    def target_fields(self) -> tuple[str, ...]: ...

    def encode(
        self, rows: Mapping[str, Sequence[Any]], tokenizer: PreTrainedTokenizerBase, *, offsets: bool = False
    ) -> list[Feature]:
        """Rows as columns (``id``, the text fields, the targets, optionally ``weight``) -> features, in order.

        A row may give several features, one after the other: windows of a long text. Targets may be missing.
        """
        ...

    def collator(self, tokenizer: PreTrainedTokenizerBase) -> Collator:
        """A function from features to a padded batch of tensors; ``labels`` is a tensor, or a mapping of tensors."""
        ...

    def load_model(self, source: str, *, trust_remote_code: bool = False) -> PreTrainedModel:
        """The model with a head for this task; a new head is drawn from the current torch seed."""
        ...

    def measure(self, outputs: Any, targets: Any) -> dict[str, torch.Tensor]:
        """What the recorder keeps of one forward pass: tensors [batch] on the device, no host sync.

        ``targets`` is the batch's ``labels``. Through ``loss`` a gradient flows. A feature without gold gives NaN
        and False. Of several windows of an example, the one with the largest ``gold_probability`` speaks for it; where
        ``gold_everywhere``, if there is such a column, says that each must hold the target, the one with the smallest.
        """
        ...

    def decode(self, forward: Forward) -> dict[str, Sequence[Any] | NDArray[np.generic]]:
        """What a user sees of one forward pass, per feature: ``predicted``, ``probability`` and the task's own columns.

        It is the last to read the outputs, and may take tensors off them.

        Where an example has several windows, the one with the largest ``window_score`` speaks for it, and the lists
        in ``n_best`` become one.
        """
        ...

    def grade(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, NDArray[np.generic]]:
        """Scores of each predicted example, from ``label``, ``predicted`` and the target fields, each float [n].

        Always ``correct`` (0 or 1); in [0, 1], more is better; NaN for rows without a label.
        """
        ...

    def score(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, float]:
        """Metrics of predicted examples, of the same columns; rows without a label do not count."""
        ...

    def texts(self, row: Mapping[str, Any]) -> tuple[Text, ...]:
        """What a person reads of a row, whole and in order, with the gold and the predicted target marked.

        Of the text fields, ``label``, ``predicted`` and the task's own columns, any may be missing or None.
        """
        ...
