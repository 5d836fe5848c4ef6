"""MixUp in the forward pass of a stock Hugging Face ``Trainer``: vectors of two rows become those of a third.

    mixup = MixUp("embeddings")
    Trainer(..., data_collator=Blending(collator, classes), callbacks=[mixup])

Zhang et al. (2018) mix inputs, and labels with them: share x a + (1 - share) x b. Texts are mixed where they are
vectors: at the output of the embeddings (Guo et al. 2019, wordMixup; here with position and token type in it), after
an encoder layer, or as the sentence vector that the classifier reads (senMixup; Sun et al. 2020). The collator puts
the inputs of both parents into the batch; a forward pre-hook takes off what says how they are mixed, and a hook at
the layer makes [rows] of [sources]. Where a parent has no token it counts as 0, as in Guo et al., and what comes after
attends to the tokens of both parents. Rows that are not mixed go through as they are.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback

from tunewright.errors import TrainError
from tunewright.train.pairs import BLEND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.utils.hooks import RemovableHandle
    from transformers import TrainerControl, TrainerState, TrainingArguments

__all__ = ["MixUp", "blended", "united"]

_STACKS = ("encoder.layer", "transformer.layer", "encoder.albert_layer_groups")
"""Where encoders have their layers: BERT, ELECTRA and RoBERTa; DistilBERT; ALBERT, which goes through one many times."""


class MixUp(TrainerCallback):
    """Mixes where a batch says so, while the Trainer trains.

    Args:
        layer: ``embeddings``, ``hidden:K`` (the output of encoder layer K, counted from 1) or ``pooled`` (what the
            model's ``classifier`` reads; of DistilBERT, after its pre-classifier).
    """

    def __init__(self, layer: str) -> None:
        self.layer = layer
        self.depth = int(layer.removeprefix("hidden:")) if layer.startswith("hidden:") else 0
        self._blend: Mapping[str, torch.Tensor] | None = None
        self._mask: torch.Tensor | None = None
        self._passed = 0
        self._handles: list[RemovableHandle] = []

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        if self.depth and args.gradient_checkpointing:
            raise TrainError(
                f"layer={self.layer!r} expects layers that run once, found gradient checkpointing, which runs them again",
                fix="mix at the embeddings or at the pooled vector, or train without gradient_checkpointing",
            )
        self.attach(trainer["model"])

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **trainer: Any
    ) -> None:
        self.detach()

    def attach(self, model: torch.nn.Module) -> None:
        """Put the hooks on a model.

        Raises:
            TrainError: if the model has no such layer.
        """
        self.detach()
        base: Any = getattr(model, "base_model", model)
        match self.layer:
            case "embeddings":
                at = [self._part(base, "embeddings").register_forward_hook(self._after_embeddings)]
            case "pooled":
                at = [self._part(model, "classifier").register_forward_pre_hook(self._before_head)]
            case _:
                at = [
                    handle
                    for layer in self._layers(base)
                    for handle in (
                        layer.register_forward_pre_hook(self._before_layer, with_kwargs=True),
                        layer.register_forward_hook(self._after_layer),
                    )
                ]
        self._handles = [model.register_forward_pre_hook(self._take_key, with_kwargs=True), *at]

    def detach(self) -> None:
        """Take the hooks off again; the Trainer's end does this by itself."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _part(self, module: torch.nn.Module, name: str) -> torch.nn.Module:
        found = getattr(module, name, None)
        if not isinstance(found, torch.nn.Module):
            raise self._impossible(module, f"no part called {name!r}")
        return found

    def _layers(self, base: Any) -> list[torch.nn.Module]:
        for path in _STACKS:
            try:
                layers = list(base.get_submodule(path))
            except AttributeError:
                continue
            if self.depth > base.config.num_hidden_layers:
                raise self._impossible(base, f"{base.config.num_hidden_layers} layers")
            return layers
        raise self._impossible(base, f"none of {', '.join(_STACKS)}")

    def _impossible(self, module: torch.nn.Module, found: str) -> TrainError:
        return TrainError(
            f"{type(module).__name__} cannot be mixed at layer={self.layer!r}: found {found}",
            fix="mix elsewhere: embeddings, hidden:1 to the last layer, or pooled",
        )

    # --- hooks ----------------------------------------------------------------------------------------------------

    def _take_key(self, module: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        self._blend, self._passed = kwargs.pop(BLEND, None), 0
        self._mask = kwargs.get("attention_mask")
        if self._blend is not None and self._mask is not None and self.layer == "embeddings":
            kwargs["attention_mask"] = united(self._mask, self._blend)
        return args, kwargs

    def _after_embeddings(self, module: torch.nn.Module, args: Any, states: torch.Tensor) -> torch.Tensor | None:
        return None if self._blend is None else blended(states, self._blend, mask=self._mask)

    def _before_layer(self, module: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        if self._blend is None or self._passed < self.depth:
            return None
        # layers take the mask by position or by name, whose order is their own
        given = inspect.signature(module.forward).bind(*args, **kwargs)
        if given.arguments.get("attention_mask") is not None:
            given.arguments["attention_mask"] = united(given.arguments["attention_mask"], self._blend)
        return given.args, given.kwargs

    def _after_layer(self, module: torch.nn.Module, args: Any, states: torch.Tensor) -> torch.Tensor | None:
        self._passed += 1
        if self._blend is None or self._passed != self.depth:
            return None
        return blended(states, self._blend, mask=self._mask)

    def _before_head(self, module: torch.nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        # no mask: a head that gets all tokens reads the first, which no row lacks
        return None if self._blend is None else (blended(args[0], self._blend), *args[1:])


def blended(
    states: torch.Tensor, blend: Mapping[str, torch.Tensor], *, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Vectors of sources [sources, ...] -> of rows [rows, ...]; rows that are not mixed are their sources' own.

    Args:
        states: [sources, tokens, d] or [sources, d].
        blend: see `Blending`.
        mask: [sources, tokens] 1 where a source has a token; elsewhere its share of the mixture is 0.
    """
    rows = blend["mixed"]
    first, second = blend["first"][rows], blend["second"][rows]
    shown = states if mask is None else states * mask.unsqueeze(-1).to(states.dtype)
    share = blend["share"][rows].to(states.dtype).reshape(-1, *[1] * (states.ndim - 1))
    mixed = share * shown[first] + (1 - share) * shown[second]
    return states[blend["first"]].index_copy(0, rows, mixed)


def united(mask: torch.Tensor, blend: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """A mask of sources [sources, ...] -> of rows [rows, ...], open where that of either parent is.

    In every form that a mask takes, the larger value is the open one: 1 and 0, True and False, 0 and minus infinity.
    """
    return torch.maximum(mask[blend["first"]], mask[blend["second"]])
