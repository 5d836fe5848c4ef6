"""Losses for ``Trainer(compute_loss_func=...)``: one formula covers the family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tunewright.errors import TrainError
from tunewright.train.rows import labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    import torch

    from tunewright.tasks import Task
    from tunewright.train.config import TrainConfig

__all__ = ["Loss", "MeasuredLoss", "PerExample", "balanced", "loss_of"]

PerExample = Callable[[Any, Any], "torch.Tensor"]
"""Outputs and targets of a batch -> losses [batch]."""


_TINY = 1e-7  # a power below 1 has an infinite slope at 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Cross-entropy with focus, class weights and label smoothing.

    With the target distribution q (one-hot, smoothed by ``smoothing``, or soft), probabilities p and class weights w,
    the loss of an example is sum_c q_c w_c (1 - p_c)^gamma (-log p_c): cross-entropy at gamma = 0 and w = 1, the
    focal loss of Lin et al. (2017, eq. 5, alpha as w) otherwise. Soft targets that do not sum to 1 carry the
    example's weight in their sum.

    Args:
        gamma: focusing exponent, 0 or more.
        weights: one weight per class, or empty for 1.
        smoothing: share of the target spread over all classes (Szegedy et al. 2016), in [0, 1).
    """

    gamma: float = 0.0
    weights: tuple[float, ...] = ()
    smoothing: float = 0.0

    def per_example(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Losses [batch] in nats, of logits [batch, classes] and targets [batch] or [batch, classes]."""
        from torch.nn import functional

        log_p = functional.log_softmax(logits.float(), dim=-1)
        q = targets if targets.ndim == 2 else functional.one_hot(targets.clamp(min=0), logits.shape[-1])
        q = q.to(log_p.dtype)
        if self.smoothing:
            q = (1 - self.smoothing) * q + self.smoothing * q.sum(-1, keepdim=True) / logits.shape[-1]
        if self.weights:
            q = q * _on_device(self.weights, q.device)
        if self.gamma:
            q = q * (1 - log_p.exp()).clamp(min=_TINY) ** self.gamma
        return -(q * log_p).sum(-1)

    def __call__(
        self, outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        """The sum over labelled examples by their number (over all accumulated batches when the Trainer counts)."""
        return _mean(self.per_example(outputs["logits"], labels), labels, num_items_in_batch)


@dataclass(frozen=True, slots=True)
class MeasuredLoss:
    """The mean of what each example costs by a task's own measure or a user's function, times its weight.

    Of weighted distributions [batch, classes] the function gets the gold classes [batch], as without weights. What it
    makes of an example with a target counts, also NaN: a model that has diverged must not look like a perfect one.
    """

    per_example: PerExample

    def __call__(self, outputs: Any, labels: Any, num_items_in_batch: torch.Tensor | int | None = None) -> torch.Tensor:
        """The sum over examples by their number (over all accumulated batches when the Trainer counts)."""
        targets, weight = _weighted(labels)
        losses = self.per_example(outputs, targets)
        return _mean(losses if weight is None else losses * weight, labels, num_items_in_batch)


def _weighted(labels: Any) -> tuple[Any, torch.Tensor | None]:
    """Targets without the weights they carry, and the weights [batch]."""
    if isinstance(labels, Mapping):
        return labels, labels.get("weight")
    return (labels.argmax(-1), labels.sum(-1)) if labels.ndim == 2 else (labels, None)


def _mean(losses: torch.Tensor, labels: Any, counted: torch.Tensor | int | None) -> torch.Tensor:
    """The sum over the examples with a target by their number, or by what the Trainer has counted of it."""
    if isinstance(labels, Mapping):  # which the Trainer cannot count, and of which each has a target
        return losses.mean()
    if labels.ndim == 2:
        # of distributions the Trainer has counted every entry
        return losses.mean() if counted is None else losses.sum() * labels.shape[-1] / counted
    labelled = labels >= 0
    # a sum of all, not of a selection, which would wait for the device at every step
    return losses.where(labelled, 0.0).sum() / (labelled.sum() if counted is None else counted)


@lru_cache(maxsize=8)
def _on_device(weights: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """Copied to the device once, not at every step."""
    import torch

    return torch.tensor(weights, device=device)


def balanced(labels: Sequence[str], names: Sequence[str]) -> tuple[float, ...]:
    """Class weights n / (classes x count), whose mean over the examples is 1.

    >>> balanced(["a", "a", "a", "b"], ["a", "b"])
    (0.6666666666666666, 2.0)

    Raises:
        TrainError: if a class has no example.
    """
    counts = Counter(labels)
    missing = [name for name in names if not counts[name]]
    if missing:
        raise TrainError(f"balanced class weights expect every class in the training rows, missing: {missing}")
    return tuple(len(labels) / (len(names) * counts[name]) for name in names)


def loss_of(
    config: TrainConfig, task: Task, examples: pa.Table, *, own: PerExample | None, stock: bool = True
) -> Loss | MeasuredLoss | None:
    """The loss of a training.

    Args:
        config: which loss.
        task: its labels.
        examples: rows whose labels balance the classes, and whose weights may differ from 1.
        own: the user's, instead of all that.
        stock: whether the model's own cross-entropy will do where nothing else is asked for.

    Returns:
        a loss, or None for the model's own.

    Raises:
        TrainError: if the class weights do not fit, or the task has no labels for what is asked.
    """
    if own is not None:
        return MeasuredLoss(own)
    if task.labels:
        return _class_loss(config, task, examples, stock=stock)
    if config.class_weights or config.loss != "cross_entropy" or config.label_smoothing:
        raise TrainError(
            "class weights, focal loss and label smoothing expect a task with labels, found one without",
            fix="leave them out, or give the project a loss of your own",
        )
    return MeasuredLoss(lambda outputs, targets: task.measure(outputs, targets)["loss"])


def _class_loss(config: TrainConfig, task: Task, examples: pa.Table, *, stock: bool) -> Loss | None:
    """None is the model's own cross-entropy, exactly as a stock Trainer computes it.

    That does not do where labels are distributions, nor where a step's batch is split over accumulated parts or
    processes: the Trainer trusts every model to divide by the number of items it is given, classifiers take the mean
    instead, and the loss comes out as many times too large.
    """
    match config.class_weights:
        case "balanced":
            weights = balanced(labelled(examples, "train")["label"].to_pylist(), task.labels)
        case None:
            weights = ()
        case given:
            weights = given
    if weights and len(weights) != len(task.labels):
        raise TrainError(f"expected {len(task.labels)} class weights, one per label, found {len(weights)}")
    gamma = config.focal_gamma if config.loss == "focal" else 0.0
    weighted = "weight" in examples.column_names and any(value != 1 for value in examples["weight"].to_pylist())
    if stock and not (weights or gamma or config.label_smoothing or weighted):
        return None
    return Loss(gamma=gamma, weights=weights, smoothing=config.label_smoothing)
