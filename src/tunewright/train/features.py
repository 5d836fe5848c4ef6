"""Vectors of the training forward pass, taken from the encoder as it computes them anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

__all__ = ["EncoderOutput"]


class EncoderOutput:
    """Keeps the mean of the last hidden states over the real tokens, [batch, dimensions], of the last forward pass.

    Models without an encoder of their own (``base_model`` is the model itself), or whose encoder gives no token
    states, give None. On the device, without a sync.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._vectors: torch.Tensor | None = None

    def attach(self, model: torch.nn.Module) -> list[RemovableHandle]:
        """Hooks on the encoder of a model; empty if it has none."""
        encoder = getattr(model, "base_model", model)
        return [] if encoder is model else [encoder.register_forward_hook(self._keep, with_kwargs=True)]

    def take(self) -> torch.Tensor | None:
        """The vectors of the last forward pass, once; float16 [batch, dimensions]."""
        vectors, self._vectors = self._vectors, None
        return vectors

    def _keep(self, module: torch.nn.Module, args: Any, kwargs: dict[str, Any], outputs: Any) -> None:
        states = getattr(outputs, "last_hidden_state", None)
        if not self.wanted or states is None:
            return
        with torch.no_grad():
            mask = kwargs.get("attention_mask")
            if mask is not None and len(mask) != len(states):
                # a layer on the way has mixed rows; those of the data come first, before it and after it
                mask, states = mask[: len(states)], states[: len(mask)]
            shares = torch.ones(states.shape[:2], device=states.device) if mask is None else mask.float()
            total = torch.einsum("bt,btd->bd", shares, states.float())
            self._vectors = (total / shares.sum(1, keepdim=True).clamp(min=1)).half()
