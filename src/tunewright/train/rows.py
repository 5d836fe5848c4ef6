"""The rows of a run that are trained on, and their inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from transformers import PreTrainedTokenizerBase

    from tunewright.tasks import Feature, Task

__all__ = ["count", "inputs_of", "labelled", "taught", "untaught", "unweighted"]


def taught(examples: pa.Table) -> pa.Table:
    """The rows that are trained on: labelled, and of a weight above 0."""
    rows = labelled(examples, "train")
    return rows.filter(pc.greater(rows["weight"], 0)) if "weight" in rows.column_names else rows


def unweighted(rows: pa.Table) -> pa.Table:
    """Rows that all count alike."""
    return rows.drop_columns(["weight"]) if "weight" in rows.column_names else rows


def labelled(examples: pa.Table, split: str) -> pa.Table:
    """The rows of a split that have a label, or that need none."""
    rows = examples.filter(pc.equal(examples["split"], split))
    return rows.filter(pc.is_valid(rows["label"])) if "label" in rows.column_names else rows


def count(examples: pa.Table, split: str) -> int:
    """Number of rows of a split."""
    return int(pc.sum(pc.equal(examples["split"], split)).as_py() or 0)


def inputs_of(task: Task, rows: pa.Table, tokenizer: PreTrainedTokenizerBase) -> list[Feature]:
    """The inputs that hold their target: those that can be trained on."""
    features = task.encode(rows.to_pydict(), tokenizer) if rows.num_rows else []
    return [feature for feature in features if feature["teaches"]]


def untaught(rows: pa.Table, features: Sequence[Feature]) -> tuple[list[str], list[str]]:
    """Ids of training rows that no input teaches: those whose target was cut off, and those whose target is empty."""
    taught = {feature["id"] for feature in features}
    labels = rows["label"].to_pylist() if "label" in rows.column_names else [""] * rows.num_rows
    silent = [(name, label) for name, label in zip(rows["id"].to_pylist(), labels, strict=True) if name not in taught]
    return [name for name, label in silent if label], [name for name, label in silent if not label]
