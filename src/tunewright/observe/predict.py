"""Model and rows -> predictions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch

from tunewright.errors import DataError
from tunewright.observe.windows import merge
from tunewright.tasks import Forward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.tasks import Feature, Task

__all__ = ["Latency", "batches", "evaluating", "latency", "on_device", "predict"]

_BLOCK = 2048  # rows that are in memory as tokens and answers at a time
_SHOWN = ("gold_probability", "loss", "margin")
_MEASURED = {
    *_SHOWN,
    "gold_logit",
    "other_logit",
    "log_sum_exp",
    "sum_of_squares",
    "other",
    "correct",
    "gold_everywhere",
}


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
        rows: columns ``id``, the task's text fields, and optionally ``label``, the target fields and ``split``.
        batch_size: inputs per forward pass; similar lengths share a batch.
        advance: called with the number of rows done, now and then.

    Returns:
        columns id, split and label where given; predicted, probability and what else the task says; and, where
        labels are given, gold_probability, loss, margin and the task's grades (null for unlabelled rows).

    Raises:
        DataError: if there are no rows.
    """
    if rows.num_rows == 0:
        raise DataError("expected rows to predict, found none")
    blocks = []
    for start in range(0, rows.num_rows, _BLOCK):
        block = rows.slice(start, _BLOCK)
        blocks.append(_predict_block(model, task, tokenizer, block, batch_size))
        if advance is not None:
            advance(block.num_rows)
    return pa.concat_tables(blocks, promote_options="default")


def _predict_block(
    model: PreTrainedModel, task: Task, tokenizer: PreTrainedTokenizerBase, rows: pa.Table, batch_size: int
) -> pa.Table:
    plain = rows.drop_columns(["weight"]) if "weight" in rows.column_names else rows
    features = task.encode(plain.to_pydict(), tokenizer)
    said: dict[str, list[Any]] = {}
    measured: dict[str, list[Any]] = {}
    order: list[int] = []
    for positions, batch in batches(features, task.collator(tokenizer), batch_size=batch_size):
        inputs = on_device(batch, model.device)
        targets = inputs.pop("labels")
        with evaluating(model):
            outputs = model(**inputs)
            columns = task.measure(outputs, targets)
            read = [features[position] for position in positions]
            answers = task.decode(
                Forward(outputs=outputs, features=read, inputs=inputs, model=model, tokenizer=tokenizer)
            )
        _extend(said, answers)
        _extend(measured, {name: values.cpu().numpy() for name, values in columns.items()})
        order += positions
    back = np.argsort(order)
    ids = [feature["id"] for feature in features]
    in_order = {name: [values[row] for row in back] for name, values in said.items()}
    return _table(rows, task, merge(ids, in_order, {name: np.array(values)[back] for name, values in measured.items()}))


def _extend(columns: dict[str, list[Any]], more: Mapping[str, Any]) -> None:
    for name, values in more.items():
        columns.setdefault(name, []).extend(values)


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
        features = task.encode(columns, tokenizer)
        batch = collator(features)
        middle = time.perf_counter()
        inputs = on_device(batch, model.device)
        del inputs["labels"]
        with evaluating(model):
            outputs = model(**inputs)
            task.decode(Forward(outputs=outputs, features=features, inputs=inputs, model=model, tokenizer=tokenizer))
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


def evaluating(model: PreTrainedModel) -> Any:
    """Dropout off, no gradients, for a block."""
    model.eval()
    return torch.inference_mode()


def on_device(value: Any, device: torch.device) -> Any:
    """A batch, and the mappings in it, moved to a device."""
    if isinstance(value, Mapping):
        return {name: on_device(inner, device) for name, inner in value.items()}
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _table(rows: pa.Table, task: Task, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    kept = {name: rows[name] for name in ("id", "split", "label") if name in rows.column_names}
    said = {name: pa.array(list(values)) for name, values in columns.items() if name not in _MEASURED}
    if "label" not in kept:
        return pa.table(kept | said)
    targets = {name: rows[name].to_pylist() for name in ("label", *task.target_fields) if name in rows.column_names}
    grades = task.grade({"predicted": columns["predicted"], **targets})
    numbers = {name: np.asarray(columns[name]) for name in _SHOWN} | grades
    measured = {name: pa.array(values, mask=np.isnan(values)) for name, values in numbers.items()}
    measured["correct"] = measured["correct"].cast(pa.bool_())
    return pa.table(kept | said | measured)
