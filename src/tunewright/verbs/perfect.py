"""Outputs of a model that is always right, for tasks whose targets say enough to make them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["perfect"]

_SURE = 30.0
"""A logit that leaves the others a probability of less than 1e-9, for tens of thousands of them."""


def perfect(outputs: Any, targets: Any, *, sure: float = _SURE) -> Any | None:
    """Outputs like those given, with the logit ``sure`` for the gold targets and zero for all else.

    Possible for classes, targets [batch] or [batch, labels] of ``logits`` [batch, labels], and for positions, where
    ``x_positions`` [batch, golds] are those of ``x_logits`` [batch, tokens]. Where examples have no gold, the logits
    are all equal.

    Returns:
        None for other tasks, such as those that generate.
    """
    made = {name: _favoured(logits, gold, sure) for name, logits, gold in _pairs(outputs, targets)}
    return SimpleNamespace(**{**dict(outputs), **made}) if made else None


def _pairs(outputs: Any, targets: Any) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    if not isinstance(outputs, Mapping):
        return []
    if isinstance(targets, Mapping):
        names = {f"{name.removesuffix('_positions')}_logits": name for name in targets if name.endswith("_positions")}
        if names:
            return [(logits, outputs[logits], targets[name]) for logits, name in names.items() if logits in outputs]
        targets = targets.get("labels")
    logits = outputs.get("logits")
    if logits is None or targets is None or logits.ndim != 2:
        return []
    return [("logits", logits, targets.argmax(-1) if targets.is_floating_point() else targets)]


def _favoured(logits: torch.Tensor, gold: torch.Tensor, sure: float) -> torch.Tensor:
    """Logits [batch, n] that are all zero but for the first gold index [batch] or [batch, golds]."""
    import torch

    first = gold.view(len(gold), -1)[:, :1]
    made = torch.zeros_like(logits, dtype=torch.float32)
    made.scatter_(1, first.clamp(min=0), torch.where(first >= 0, sure, 0.0).to(made))
    return made
