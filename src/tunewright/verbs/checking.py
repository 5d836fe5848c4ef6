"""``check``: is the project right, and is the data sound?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.lints import Lint, Rows, lint
from tunewright.data.fields import stored_as
from tunewright.errors import DataError, TunewrightError
from tunewright.project import Project, open_dataset
from tunewright.verbs.lengths import token_lengths
from tunewright.verbs.results import Result

__all__ = ["Binding", "Checked", "check"]

_ROWS = 8


@dataclass(frozen=True, slots=True)
class Binding:
    """One thing the project promises, tried: what came out of it (shapes), or why it failed."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Result):
    """The bindings that were tried, in order, and the lints of all rows; after a failure nothing else is tried."""

    bindings: tuple[Binding, ...]
    lints: tuple[Lint, ...]
    rows: int

    @property
    def passed(self) -> bool:
        """Whether every binding works."""
        return all(binding.passed for binding in self.bindings)


State = dict[str, Any]
"""What the steps hand on to each other."""


def check(project: Project, *, version: str = "main") -> Checked:
    """Run every binding of the project on eight rows, and the artifact lints on all.

    A binding that fails is a result, not an error: whatever a model or a task raises is reported with its name.

    Args:
        project: what to check.
        version: of the dataset; imported first if that has not happened.
    """
    state: State = {"project": project, "version": version}
    bindings: list[Binding] = []
    for name, step in _STEPS.items():
        bindings.append(_tried(name, step, state))
        if not bindings[-1].passed:
            break
    table = state.get("table")
    lints = () if table is None else tuple(lint(_lint_rows(state)))
    return Checked(bindings=tuple(bindings), lints=lints, rows=0 if table is None else table.num_rows)


def _tried(name: str, step: Callable[[State], str], state: State) -> Binding:
    try:
        return Binding(name, passed=True, detail=step(state))
    except TunewrightError as error:
        return Binding(name, passed=False, detail=str(error))
    except Exception as error:  # noqa: BLE001  finding out what a model or a task raises is what this is for
        return Binding(name, passed=False, detail=f"{type(error).__name__}: {error}")


def _data(state: State) -> str:
    dataset = open_dataset(state["project"])
    state["table"] = table = dataset.table(state["version"])
    state["dataset"] = dataset
    counts = ", ".join(f"{name} {rows}" for name, rows in dataset.describe(state["version"])["rows"].items())
    left_out = sum(problem.count for problem in dataset.skipped)
    return f"{table.num_rows} rows ({counts})" + (f", {left_out} left out at import" if left_out else "")


def _sample(state: State) -> str:
    table: pa.Table = state["table"]
    labelled = table.filter(pc.and_(pc.equal(table["split"], "train"), pc.is_valid(table["label"])))
    if labelled.num_rows == 0:
        raise DataError("expected labelled rows in split 'train', found none", fix="look at the labels and the splits")
    # spread over the table, which may be sorted by label
    places = np.unique(np.linspace(0, labelled.num_rows - 1, _ROWS).astype(int))
    state["rows"] = labelled.take(places)
    return f"{len(places)} labelled training rows"


def _metadata(state: State) -> str:
    columns = state["rows"].to_pydict()
    made = [(function.__name__, columns[stored_as(function.__name__)]) for function in state["project"].metadata]
    return "; ".join(f"{name}: {values[:3]!r}" for name, values in made) or "none"


def _tokenizer(state: State) -> str:
    from tunewright.tasks.source import load_tokenizer

    project: Project = state["project"]
    state["tokenizer"] = tokenizer = load_tokenizer(
        project.model_source, trust_remote_code=project.train.trust_remote_code
    )
    return f"{type(tokenizer).__name__}, {len(tokenizer)} tokens, inputs up to {tokenizer.model_max_length}"


def _encode(state: State) -> str:
    state["features"] = features = state["project"].task.encode(state["rows"].to_pydict(), state["tokenizer"])
    lengths = [feature["length"] for feature in features]
    return f"{len(features)} features, {min(lengths)} to {max(lengths)} tokens"


def _collate(state: State) -> str:
    state["batch"] = batch = state["project"].task.collator(state["tokenizer"])(state["features"])
    return ", ".join(f"{name} {list(value.shape)}" for name, value in batch.items())


def _load_model(state: State) -> str:
    project: Project = state["project"]
    state["model"] = model = project.task.load_model(
        project.model_source, trust_remote_code=project.train.trust_remote_code
    )
    return f"{type(model).__name__}, {model.num_parameters() / 1e6:.1f} million parameters"


def _forward(state: State) -> str:
    import torch

    inputs = dict(state["batch"])
    state["targets"] = inputs.pop("labels")
    with torch.inference_mode():
        state["outputs"] = outputs = state["model"].eval()(**inputs)
    return f"logits {list(outputs.logits.shape)}"


def _measure(state: State) -> str:
    measured = state["project"].task.measure(state["outputs"], state["targets"])
    return f"{', '.join(measured)}: each {list(measured['gold_probability'].shape)}"


def _decode(state: State) -> str:
    state["decoded"] = decoded = state["project"].task.decode(state["outputs"])
    return ", ".join(f"{name} {list(value.shape)}" for name, value in decoded.items())


def _score(state: State) -> str:
    labels, predicted = state["rows"]["label"].to_pylist(), state["decoded"]["predicted"].tolist()
    scores = state["project"].task.score({"label": labels, "predicted": predicted})
    shown = ", ".join(f"{name} {value:.2f}" for name, value in scores.items())
    return f"{shown} (untrained: this says nothing yet)"


_STEPS: dict[str, Callable[[State], str]] = {
    "data": _data,
    "sample": _sample,
    "metadata": _metadata,
    "tokenizer": _tokenizer,
    "encode": _encode,
    "collate": _collate,
    "load_model": _load_model,
    "forward": _forward,
    "measure": _measure,
    "decode": _decode,
    "score": _score,
}


def _lint_rows(state: State) -> Rows:
    table: pa.Table = state["table"]
    fields = state["dataset"].fields
    columns: State = {
        name: np.array(table[name].to_pylist(), dtype=object) for name in ("id", "split", "content", "label")
    }
    metadata = {name: _values(table[name]) for name in fields.metadata}
    texts = {name: np.array(table[name].to_pylist(), dtype=object) for name in fields.text}
    if "tokenizer" not in state:
        return Rows(**columns, texts=texts, metadata=metadata)
    lengths, limit = token_lengths(state["project"].task, state["tokenizer"], table)
    return Rows(**columns, texts=texts, metadata=metadata, lengths=lengths, max_length=limit)


def _values(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Metadata as an array: numbers keep their type, because a lint may cut them into tenths; lists become strings."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers: np.ndarray[Any, Any] = column.to_numpy()
        return numbers
    values = column.to_pylist()
    return np.array([str(value) if isinstance(value, list | dict) else value for value in values], dtype=object)
