"""One input of a model, varied: its tokens replaced or its embeddings moved, and the loss each time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tunewright.errors import TrainError
from tunewright.observe.predict import on_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Feature, Task

__all__ = ["Probe", "Shares", "gradient_x_input", "integrated_gradients", "probe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One feature as a batch of one on the model's device, and what it takes to vary it.

    Args:
        model: with dropout off.
        layer: embeds the tokens that are explained: of models that write, the encoder's.
        measure: the task's.
        inputs: of the model.
        targets: of ``measure``.
        text: bool [tokens], False for special tokens, which stay as they are.
        blank: id of the token that stands for "no text".
        copies: how many variants are in memory at a time.
    """

    model: PreTrainedModel
    layer: torch.nn.Module
    measure: Callable[[Any, Any], dict[str, torch.Tensor]]
    inputs: Mapping[str, Any]
    targets: Any
    text: NDArray[np.bool_]
    blank: int
    copies: int

    def losses(self, hidden: NDArray[np.bool_]) -> NDArray[np.float64]:
        """[variants] the loss in nats with some tokens blank; hidden [variants, tokens] says which."""
        with torch.no_grad():
            parts = [
                self._losses(self._blanked(hidden[start : start + self.copies]))
                for start in range(0, len(hidden), self.copies)
            ]
        return torch.cat(parts).double().cpu().numpy()

    def losses_at(self, vectors: torch.Tensor) -> torch.Tensor:
        """[variants] the loss with vectors [variants, tokens, d] instead of the embedded tokens; differentiable."""
        with _first_call(self.layer, lambda _: vectors):
            return self._losses(self.inputs["input_ids"].expand(len(vectors), -1))

    def vectors(self, hidden: NDArray[np.bool_]) -> torch.Tensor:
        """[1, tokens, d] the embedded tokens, some of them blank; hidden [tokens] says which."""
        seen: list[torch.Tensor] = []
        with torch.no_grad(), _first_call(self.layer, seen.append):
            self._losses(self._blanked(hidden[None]))
        if not seen:
            raise TrainError(
                f"{type(self.model).__name__} does not embed its tokens with its input embeddings",
                fix="gradients at the words need get_input_embeddings() to be the layer that the model calls",
            )
        return seen[0].detach()

    def _blanked(self, hidden: NDArray[np.bool_]) -> torch.Tensor:
        ids = self.inputs["input_ids"]
        return torch.where(torch.from_numpy(hidden).to(ids.device), self.blank, ids)

    def _losses(self, ids: torch.Tensor) -> torch.Tensor:
        outputs = self.model(**{**_copied(self.inputs, len(ids)), "input_ids": ids})
        return self.measure(outputs, _copied(self.targets, len(ids)))["loss"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Scores [tokens] of a loss, in nats, and the loss with and without what they are the scores of."""

    scores: NDArray[np.float64]
    loss: float
    baseline_loss: float


def probe(
    model: PreTrainedModel, task: Task, tokenizer: PreTrainedTokenizerBase, feature: Feature, *, copies: int
) -> Probe:
    """A feature, encoded with offsets, ready to be varied."""
    inputs = on_device(task.collator(tokenizer)([feature]), model.device)
    targets = inputs.pop("labels")
    reader = model.get_encoder() if model.config.is_encoder_decoder else model
    text = np.zeros(inputs["input_ids"].shape[1], dtype=bool)
    text[: len(feature["fields"])] = [field is not None for field in feature["fields"]]
    return Probe(
        model=model,
        layer=reader.get_input_embeddings(),
        measure=task.measure,
        inputs=inputs,
        targets=targets,
        text=text,
        blank=_blank(tokenizer),
        copies=copies,
    )


def integrated_gradients(probe: Probe, *, steps: int) -> Shares:
    """Gradients along the straight line from the blank text to the text, times the way (Sundararajan et al. 2017).

    Exact in the limit of many steps: the scores add up to the loss minus the loss of the blank text.
    """
    from captum.attr import IntegratedGradients

    nothing = np.zeros_like(probe.text)
    scores = IntegratedGradients(probe.losses_at).attribute(
        probe.vectors(nothing).requires_grad_(),
        baselines=probe.vectors(probe.text),
        n_steps=steps,
        internal_batch_size=probe.copies,
    )
    loss, baseline_loss = probe.losses(np.stack([nothing, probe.text]))
    return _shares(scores, float(loss), float(baseline_loss))


def gradient_x_input(probe: Probe) -> Shares:
    """The gradient at the text times its embeddings (Shrikumar et al. 2016); the blank text is all zeros."""
    from captum.attr import InputXGradient

    vectors = probe.vectors(np.zeros_like(probe.text))
    scores = InputXGradient(probe.losses_at).attribute(vectors.requires_grad_())
    with torch.no_grad():
        loss, baseline_loss = (float(probe.losses_at(at)) for at in (vectors, torch.zeros_like(vectors)))
    return _shares(scores, loss, baseline_loss)


def _shares(scores: torch.Tensor, loss: float, baseline_loss: float) -> Shares:
    """[1, tokens, d] scores, summed over the embedding."""
    summed = scores.detach()[0].double().sum(-1).cpu().numpy()
    return Shares(scores=summed, loss=loss, baseline_loss=baseline_loss)


def _blank(tokenizer: PreTrainedTokenizerBase) -> int:
    """The mask token where there is one: a model has learnt that it stands for a word unknown."""
    known = (tokenizer.mask_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id)
    return next((int(code) for code in known if code is not None), 0)


def _copied(value: Any, copies: int) -> Any:
    """Tensors [1, ...] as [copies, ...], in a batch and the mappings in it, without using memory."""
    if isinstance(value, Mapping):
        return {name: _copied(inner, copies) for name, inner in value.items()}
    if isinstance(value, torch.Tensor) and value.ndim:
        return value.expand(copies, *value.shape[1:])
    return value


@contextmanager
def _first_call(layer: torch.nn.Module, replace: Callable[[torch.Tensor], torch.Tensor | None]) -> Iterator[None]:
    """Show what a layer gives to a function, which may give something else; once.

    An encoder and its decoder may share the layer, and the encoder comes first.
    """
    calls = iter((True,))

    def hook(_module: torch.nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor | None:
        return replace(output) if next(calls, False) else None

    handle = layer.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
