"""How long inputs are in tokens, which of them are cut, and which lose their target that way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

    from tunewright.tasks import Feature, Task

__all__ = ["Encoded", "encoded", "token_lengths", "truncated"]

_BLOCK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What encoding does to rows [n].

    Attributes:
        lengths: tokens of each row's whole input, special tokens included, before anything is cut.
        limit: the longest input that is not cut; None if nothing is cut.
        lost: ids of the labelled rows whose target is in none of their windows.
        cut_targets: ids of the rows whose gold target is longer than the task reads.
    """

    lengths: NDArray[np.int64]
    limit: int | None
    lost: tuple[str, ...]
    cut_targets: tuple[str, ...]


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
    found = encoded(task, tokenizer, rows.select(["id", *task.text_fields]))
    return found.lengths, found.limit


def truncated(task: Task, tokenizer: PreTrainedTokenizerBase, rows: pa.Table) -> NDArray[np.bool_]:
    """[n] whether a row's input is cut; arguments as of `token_lengths`."""
    lengths, limit = token_lengths(task, tokenizer, rows)
    return lengths > (lengths.max(initial=0) if limit is None else limit)


def encoded(task: Task, tokenizer: PreTrainedTokenizerBase, rows: pa.Table) -> Encoded:
    """Encode rows block by block, and keep what it does to them.

    A row that is read in several windows is not cut.

    Args:
        task: knows the text fields, and cuts.
        tokenizer: of the model.
        rows: columns ``id``, the text fields, and optionally ``label`` and the target fields, [n].
    """
    wanted = {"id", "label", *task.text_fields, *task.target_fields}
    columns = rows.select([name for name in rows.column_names if name in wanted])
    lengths, cut, lost, cut_targets = [], [], [], []
    for start in range(0, rows.num_rows, _BLOCK):
        block = columns.slice(start, _BLOCK).to_pydict()
        texts = [block[field] for field in task.text_fields]
        whole = [len(tokens) for tokens in tokenizer(*texts, truncation=False, verbose=False)["input_ids"]]
        windows: dict[str, list[Feature]] = {example: [] for example in block["id"]}
        for feature in task.encode(block, tokenizer):
            windows[feature["id"]].append(feature)
        kept = [sum(feature["length"] for feature in features) for features in windows.values()]
        cut += [have for have, needed in zip(kept, whole, strict=True) if have < needed]
        lengths += whole
        lost += _lost(block, windows)
        cut_targets += [
            example
            for example, features in windows.items()
            if any(feature.get("target_truncated", False) for feature in features)
        ]
    return Encoded(
        lengths=np.array(lengths, dtype=np.int64),
        limit=int(max(cut)) if cut else None,
        lost=tuple(lost),
        cut_targets=tuple(cut_targets),
    )


def _lost(block: dict[str, list[str]], windows: dict[str, list[Feature]]) -> list[str]:
    labels = block.get("label", [""] * len(block["id"]))
    return [
        example
        for (example, features), label in zip(windows.items(), labels, strict=True)
        if label and not any(feature["teaches"] for feature in features)
    ]
