"""Token lists of different lengths as one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from transformers import PreTrainedTokenizerBase

    from tunewright.tasks import Feature

__all__ = ["padded"]


def padded(features: Sequence[Feature], tokenizer: PreTrainedTokenizerBase) -> dict[str, torch.Tensor]:
    """The model's inputs among the features' keys, int64 [batch, longest], filled up on the right."""
    import torch

    fills = {
        "input_ids": tokenizer.pad_token_id or 0,
        "attention_mask": 0,
        "token_type_ids": tokenizer.pad_token_type_id,
    }
    longest = max(len(feature["input_ids"]) for feature in features)
    return {
        name: torch.tensor([feature[name] + [fill] * (longest - len(feature[name])) for feature in features])
        for name, fill in fills.items()
        if name in features[0]
    }
