"""Model and rows -> embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import torch

from tunewright.observe.predict import batches

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Task

__all__ = ["embed"]


def embed(
    model: PreTrainedModel,
    task: Task,
    tokenizer: PreTrainedTokenizerBase,
    rows: pa.Table,
    *,
    layer: int = -1,
    batch_size: int = 64,
    dtype: Literal["float16", "float32"] = "float32",
    advance: Callable[[int], None] | None = None,
) -> pa.Table:
    """Mean-pooled hidden states, one vector per row, in the order of the rows, with dropout off.

    Args:
        rows: columns ``id``, the task's text fields, and optionally ``split``.
        layer: index into the hidden states; -1 is the last layer, 0 the word embeddings.
        batch_size: examples per forward pass; similar lengths share a batch.
        dtype: of the stored vectors.
        advance: called with the number of rows done after each batch.

    Returns:
        columns id, split where given, and vector (fixed-size list [dimensions]).
    """
    plain = rows.drop_columns([name for name in ("weight", "label") if name in rows.column_names])
    features = task.encode(plain.to_pydict(), tokenizer)
    vectors = np.empty((len(features), model.config.hidden_size), dtype=dtype)
    model.eval()
    for positions, batch in batches(features, task.collator(tokenizer), batch_size=batch_size):
        batch.pop("labels")
        inputs = {name: value.to(model.device) for name, value in batch.items()}
        with torch.inference_mode():
            hidden = model(**inputs, output_hidden_states=True).hidden_states[layer]
        vectors[positions] = _mean(hidden, inputs["attention_mask"]).cpu().numpy().astype(dtype)
        if advance is not None:
            advance(len(positions))
    kept = {name: rows[name] for name in ("id", "split") if name in rows.column_names}
    flat = pa.array(vectors.reshape(-1), pa.from_numpy_dtype(vectors.dtype))
    return pa.table(kept | {"vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})


def _mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """[batch, tokens, d] and [batch, tokens] -> [batch, d], over real tokens."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)
