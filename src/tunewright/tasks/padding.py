"""Token lists of different lengths as one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from transformers import PreTrainedTokenizerBase

    from tunewright.tasks import Feature

__all__ = ["IGNORED", "filled", "padded"]

IGNORED = -100
"""The target of what is not to be learnt, as in torch and transformers."""


def padded(features: Sequence[Feature], tokenizer: PreTrainedTokenizerBase) -> dict[str, torch.Tensor]:
    """The model's inputs among the features' keys, int64 [batch, longest], filled up on the right."""
    fills = {
        "input_ids": tokenizer.pad_token_id or 0,
        "attention_mask": 0,
        "token_type_ids": tokenizer.pad_token_type_id,
    }
    return {
        name: filled([feature[name] for feature in features], fill)
        for name, fill in fills.items()
        if name in features[0]
    }


def filled(rows: Sequence[list[int]], fill: int) -> torch.Tensor:
    """Lists as int64 [rows, the longest's length], filled up on the right."""
    import torch

    longest = max(map(len, rows))
    return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])
