"""Model and rows -> embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import torch

from tunewright.errors import RunError
from tunewright.observe.predict import batches, evaluating, on_device
from tunewright.observe.windows import examples_of
from tunewright.table import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Feature, Task

__all__ = ["Embedder", "Pooling", "embed", "write_embeddings"]

Pooling = Literal["task", "mean", "cls"]
_BLOCK = 1024  # rows that are in memory at a time


def embed(
    model: PreTrainedModel,
    task: Task,
    tokenizer: PreTrainedTokenizerBase,
    rows: pa.Table,
    *,
    advance: Callable[[int], None] | None = None,
    **settings: Any,
) -> pa.Table:
    """Pooled hidden states, one vector per row, in the order of the rows, with dropout off.

    Of an encoder-decoder it is the encoder that embeds. A row of several windows gets their mean.

    Args:
        rows: columns ``id``, the task's text fields, and optionally ``split``.
        advance: called with the number of rows done, now and then.
        settings: fields of `Embedder`.

    Returns:
        columns id, split where given, and vector (fixed-size list [dimensions]).

    Raises:
        RunError: if the model has no such layer, or a value does not fit the dtype.
    """
    embedder = Embedder(model, task, tokenizer, **settings)
    return pa.concat_tables(embedder.blocks(rows, advance=advance))


def write_embeddings(
    path: Path,
    model: PreTrainedModel,
    task: Task,
    tokenizer: PreTrainedTokenizerBase,
    rows: pa.Table,
    *,
    advance: Callable[[int], None] | None = None,
    **settings: Any,
) -> None:
    """`embed`, streamed to a Parquet file, which appears whole or not at all; memory does not grow with the rows."""
    embedder = Embedder(model, task, tokenizer, **settings)
    with writing(path) as write:
        for block in embedder.blocks(rows, advance=advance):
            write(block)


@dataclass(frozen=True, slots=True)
class Embedder:
    """How rows become vectors.

    Args:
        model: fine-tuned or not.
        task: encodes the rows.
        tokenizer: of the model.
        layer: index into the hidden states; -1 is the last layer, 0 the word embeddings.
        pooling: ``mean`` over the real tokens, ``cls`` for the first token, or ``task``: the mean over the tokens that
            the task says stand for the row (a question's, without its context), which are all where it says nothing.
        batch_size: inputs per forward pass; similar lengths share a batch.
        dtype: of the stored vectors.
    """

    model: PreTrainedModel
    task: Task
    tokenizer: PreTrainedTokenizerBase
    layer: int = -1
    pooling: Pooling = "task"
    batch_size: int = 64
    dtype: Literal["float16", "float32"] = "float32"

    def blocks(self, rows: pa.Table, *, advance: Callable[[int], None] | None = None) -> Iterator[pa.Table]:
        """Tables of id, split where given, and vector."""
        for start in range(0, max(rows.num_rows, 1), _BLOCK):
            block = rows.slice(start, _BLOCK)
            vectors = _cast(self.vectors(block), self.dtype)
            kept = {name: block[name] for name in ("id", "split") if name in block.column_names}
            flat = pa.array(vectors.reshape(-1), pa.from_numpy_dtype(vectors.dtype))
            yield pa.table(kept | {"vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})
            if advance is not None:
                advance(block.num_rows)

    def vectors(self, rows: pa.Table) -> NDArray[np.float32]:
        """float32 [rows, dimensions]"""
        inputs = rows.select([name for name in ("id", *self.task.text_fields) if name in rows.column_names])
        features = self.task.encode(inputs.to_pydict(), self.tokenizer)
        encoder: Any = self.model.get_encoder() if self.model.config.is_encoder_decoder else self.model
        pooled: NDArray[np.float32] = np.zeros((len(features), _width(encoder)), dtype=np.float32)
        collator = self.task.collator(self.tokenizer)
        for positions, batch in batches(features, collator, batch_size=self.batch_size):
            read = [features[place] for place in positions]
            weights = _weights(read, batch["attention_mask"], self.pooling)
            pooled[positions] = self._pooled(encoder, weights, _encoder_inputs(batch))
        return _mean_of_windows(pooled, [feature["id"] for feature in features])

    def _pooled(self, encoder: Any, weights: torch.Tensor, batch: dict[str, Any]) -> NDArray[np.float32]:
        inputs = on_device(batch, self.model.device)
        with evaluating(self.model):
            states = encoder(**inputs, output_hidden_states=True).hidden_states
        if not -len(states) <= self.layer < len(states):
            raise RunError(f"expected a layer from {-len(states)} to {len(states) - 1}, found {self.layer}")
        pooled: NDArray[np.float32] = _mean(states[self.layer].float(), weights.to(self.model.device)).cpu().numpy()
        return pooled


def _cast(vectors: NDArray[np.float32], dtype: Literal["float16", "float32"]) -> NDArray[np.floating]:
    largest = np.abs(vectors[np.isfinite(vectors)]).max(initial=0)
    if largest > np.finfo(dtype).max:
        raise RunError(
            f"expected vectors that fit {dtype}, up to {np.finfo(dtype).max:g}; found a value of {largest:g}",
            fix="ask for --dtype float32",
        )
    return vectors.astype(dtype)


def _encoder_inputs(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in batch.items() if name != "labels" and not name.startswith("decoder_")}


def _width(encoder: Any) -> int:
    """Of the hidden states; BART and T5 call it d_model."""
    config = encoder.config
    return int(getattr(config, "hidden_size", None) or config.d_model)


def _weights(features: list[Feature], mask: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """[batch, tokens] 1 for the tokens whose mean is the embedding"""
    weights = mask.clone()
    if pooling == "cls":
        weights[:, 1:] = 0
    if pooling == "task":
        for row, feature in enumerate(features):
            if any(feature.get("pool", ())):
                weights[row, : len(feature["pool"])] = torch.tensor(feature["pool"])
                weights[row, len(feature["pool"]) :] = 0
    return weights


def _mean(hidden: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """[batch, tokens, d] and [batch, tokens] -> [batch, d]"""
    shares = weights.unsqueeze(-1).to(hidden.dtype)
    return (hidden * shares).sum(1) / shares.sum(1)


def _mean_of_windows(vectors: NDArray[np.float32], ids: list[str]) -> NDArray[np.float32]:
    example = examples_of(ids)
    starts = np.flatnonzero(np.diff(example, prepend=-1))
    if len(starts) == len(vectors):
        return vectors
    sums = np.add.reduceat(vectors, starts)
    return (sums / np.diff(starts, append=len(vectors))[:, None]).astype(np.float32)
