"""What detectors may read of a noisy run, and the truth they are scored by, kept apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.noisy import data_folder, frozen_of, run_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from tunewright.run import Run

PER_EPOCH = ("margin", "gold_probability", "other", "correct", "loss", "sum_of_squares")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Training rows of one condition, [n] each unless said.

    Attributes:
        label: codes of ``labels``.
        dynamics, passes: columns of ``PER_EPOCH``, [n, epochs].
        features, frozen: [n, dimensions].
        folds: [n, classes] probabilities of models that were fine-tuned without the row, None where there are none.
        seconds_of_folds: what training them took.
    """

    label: NDArray[np.int64]
    labels: tuple[str, ...]
    dynamics: dict[str, NDArray[np.float64]]
    passes: dict[str, NDArray[np.float64]]
    features: NDArray[np.floating]
    frozen: NDArray[np.floating]
    folds: NDArray[np.floating] | None
    seconds_of_folds: float


@dataclass(frozen=True, slots=True)
class Truth:
    """Which rows are wrong, what is right [names], and for which rows that is known."""

    wrong: NDArray[np.bool_]
    right: NDArray[np.object_]
    known: NDArray[np.bool_]


def load(folder: Path) -> tuple[Evidence, Truth]:
    """The run of a condition, as `common.noisy.collect` leaves it."""
    run = run_of(folder)
    ids, dynamics = run.inputs([f"dynamics.{name}" for name in PER_EPOCH])
    examples = _ordered(run.table("examples"), ids)
    labels = run.labels
    given = examples["label"].to_pylist()
    evidence = Evidence(
        np.array([labels.index(name) if name in labels else -1 for name in given]),
        labels,
        dynamics,
        _aligned(run, "passes", PER_EPOCH, ids),
        _aligned(run, "features", ("vector",), ids)["vector"],
        frozen_of(folder, ids.to_pylist()),
        *_folds(folder, ids.to_pylist()),
    )
    return evidence, _truth(folder, examples)


def _folds(folder: Path, ids: list[str]) -> tuple[NDArray[np.floating] | None, float]:
    """What `common.noisy.collect_folds` has left, in the order of the ids, and the seconds it took."""
    if not (folder / "folds.npz").exists():
        return None, 0.0
    with np.load(folder / "folds.npz") as stored:
        place = {name: row for row, name in enumerate(stored["id"].tolist())}
        return stored["probability"][[place[name] for name in ids]], float(stored["seconds"])


def _aligned(run: Run, table: str, columns: Sequence[str], ids: pa.Array) -> dict[str, Any]:
    own, found = run.inputs([f"{table}.{name}" for name in columns])
    place = pc.index_in(ids, value_set=own).to_numpy(zero_copy_only=False).astype(int)
    return {name: values[place] for name, values in found.items()}


def _ordered(table: pa.Table, ids: pa.Array) -> pa.Table:
    return table.take(pc.index_in(ids, value_set=table["id"].combine_chunks()))


def _truth(folder: Path, examples: pa.Table) -> Truth:
    given = np.array(examples["label"].to_pylist(), object)
    made = json.loads((folder / "done.json").read_text()) if (folder / "done.json").exists() else {}
    if (made.get("dataset"), made.get("noise")) == ("rotten_tomatoes", "natural"):
        return _crowd(examples["id"], given)
    right = np.array(examples["truth"].to_pylist(), object)
    known = np.array([name is not None for name in right])
    return Truth(known & (given != right), right, known)


def _crowd(ids: pa.ChunkedArray, given: NDArray[np.object_]) -> Truth:
    """Reviews whose polarity the crowd contradicts (wrong) or confirms (right); of the others nothing is known."""
    stored = _ordered(pq.read_table(data_folder() / "rotten_tomatoes.parquet", columns=["id", "sst_relation"]), ids)
    relation = np.array(stored["sst_relation"].to_pylist(), object)
    wrong = relation == "disagree"
    other = np.where(given == "neg", "pos", "neg").astype(object)
    return Truth(wrong, np.where(wrong, other, given), np.isin(relation, ["agree", "disagree"]))
