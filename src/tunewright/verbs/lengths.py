"""How long inputs are in tokens, and which of them are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

    from tunewright.tasks import Feature, Task

__all__ = ["token_lengths"]

_BLOCK = 1000


def token_lengths(
    task: Task, tokenizer: PreTrainedTokenizerBase, rows: pa.Table
) -> tuple[NDArray[np.int64], int | None]:
    """Tokens of each row's whole input, special tokens included, and where longer ones are cut.

    Args:
        task: knows the text fields, and cuts.
        tokenizer: of the model.
        rows: column ``id`` and the text fields, [n].

    Returns:
        [n] lengths, and the longest input that is not cut; None if nothing is cut.
    """
    lengths = np.zeros(rows.num_rows, dtype=np.int64)
    kept = np.zeros(rows.num_rows, dtype=np.int64)
    columns = rows.select(["id", *task.text_fields])
    for start in range(0, rows.num_rows, _BLOCK):
        block = columns.slice(start, _BLOCK).to_pydict()
        texts = [block[field] for field in task.text_fields]
        whole = tokenizer(*texts, truncation=False, verbose=False)["input_ids"]
        lengths[start : start + _BLOCK] = [len(tokens) for tokens in whole]
        kept[start : start + _BLOCK] = _kept(task.encode(block, tokenizer), lengths[start : start + _BLOCK])
    cut = kept[kept < lengths]
    return lengths, int(cut.max()) if len(cut) else None


def _kept(features: Sequence[Feature], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n] tokens of each row that the model reads; of a row in several windows, all."""
    from tunewright.observe.windows import examples_of

    example = examples_of([feature["id"] for feature in features])
    kept = np.array([feature["length"] for feature in features])[np.flatnonzero(np.diff(example, prepend=-1))]
    return np.where(np.bincount(example, minlength=len(lengths)) > 1, lengths, kept)
