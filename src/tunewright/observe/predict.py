"""Model and rows -> predictions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Feature, Task

__all__ = ["Latency", "batches", "latency", "predict"]

Advance = "Callable[[int], None]"


def predict(
    model: PreTrainedModel,
    task: Task,
    tokenizer: PreTrainedTokenizerBase,
    rows: pa.Table,
    *,
    batch_size: int = 64,
    advance: Callable[[int], None] | None = None,
) -> pa.Table:
    """One prediction per row, in the order of the rows, with dropout off.

    Args:
        rows: columns ``id``, the task's text fields, and optionally ``label`` and ``split``.
        batch_size: examples per forward pass; similar lengths share a batch.
        advance: called with the number of rows done after each batch.

    Returns:
        columns id, split and label where given, predicted, probability, logits, and, where labels are given,
        gold_probability, loss, margin (null for unlabelled rows) and correct (null likewise).
    """
    plain = rows.drop_columns(["weight"]) if "weight" in rows.column_names else rows
    features = task.encode(plain.to_pydict(), tokenizer)
    collected: dict[str, list[Any]] = {}
    order: list[int] = []
    for positions, batch in batches(features, task.collator(tokenizer), batch_size=batch_size):
        targets = batch.pop("labels").to(model.device)
        with _evaluating(model):
            outputs = model(**_on(batch, model.device))
        columns = task.decode(outputs) | {
            name: value.cpu().numpy() for name, value in task.measure(outputs, targets).items()
        }
        for name, values in columns.items():
            collected.setdefault(name, []).append(values)
        order += positions
        if advance is not None:
            advance(len(positions))
    back = np.argsort(order)
    return _table(rows, {name: np.concatenate(parts)[back] for name, parts in collected.items()})


def batches(
    features: Sequence[Feature], collator: Any, *, batch_size: int
) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Batches of similar length, longest first, with the positions of their features."""
    order = sorted(range(len(features)), key=lambda position: -features[position]["length"])
    for start in range(0, len(order), batch_size):
        positions = order[start : start + batch_size]
        yield positions, collator([features[position] for position in positions])


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Warm latency of one input, in milliseconds: median and 95th percentile, tokenising and forward apart."""

    tokenise_p50: float
    tokenise_p95: float
    forward_p50: float
    forward_p95: float
    repeats: int


def latency(
    model: PreTrainedModel, task: Task, tokenizer: PreTrainedTokenizerBase, row: pa.Table, *, repeats: int = 30
) -> Latency:
    """Time one row again and again, after three passes that do not count."""
    collator, columns = task.collator(tokenizer), row.to_pydict()
    tokenising, forward = [], []
    for turn in range(-3, repeats):
        start = time.perf_counter()
        batch = collator(task.encode(columns, tokenizer))
        middle = time.perf_counter()
        batch.pop("labels")
        with _evaluating(model):
            task.decode(model(**_on(batch, model.device)))
        end = time.perf_counter()
        if turn >= 0:
            tokenising.append(1000 * (middle - start))
            forward.append(1000 * (end - middle))
    return Latency(
        tokenise_p50=float(np.percentile(tokenising, 50)),
        tokenise_p95=float(np.percentile(tokenising, 95)),
        forward_p50=float(np.percentile(forward, 50)),
        forward_p95=float(np.percentile(forward, 95)),
        repeats=repeats,
    )


def _evaluating(model: PreTrainedModel) -> Any:
    model.eval()
    return torch.inference_mode()


def _on(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    return {name: value.to(device) for name, value in batch.items()}


def _table(rows: pa.Table, columns: dict[str, np.ndarray[Any, Any]]) -> pa.Table:
    kept = {name: rows[name] for name in ("id", "split", "label") if name in rows.column_names}
    predicted = {
        "predicted": pa.array(columns["predicted"].tolist(), pa.string()),
        "probability": pa.array(columns["probability"]),
        "logits": pa.array(list(columns["logits"]), pa.list_(pa.float32())),
    }
    if "label" not in kept:
        return pa.table(kept | predicted)
    unlabelled = np.isnan(columns["margin"])
    measured = {
        name: pa.array(columns[name], mask=unlabelled) for name in ("gold_probability", "loss", "margin", "correct")
    }
    return pa.table(kept | predicted | measured)
