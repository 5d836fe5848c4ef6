"""How suspicious each label of a run is: one table that map, focus, suspects and trials read."""

from __future__ import annotations

import hashlib
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tunewright.analyze import confident, label_votes, mislabel, opinions
from tunewright.verbs.frozen import FROZEN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["COLUMNS_OF", "Evidence", "codes_of", "evidence", "stored", "suspicion"]

COLUMNS_OF = "columns/suspicion"
"""Where the run keeps the table."""

Evidence = dict[str, "NDArray[np.floating] | None"]

_DYNAMICS = {"margin": "margin", "gold_probability": "gold_probability", "other": "other"}
_PASSES = {"passes_margin": "margin", "passes_other": "other"}
_SPACES = {"features": "features", "frozen": FROZEN}


def suspicion(run: Run) -> pa.Table:
    """What the detectors say about each label, from all the evidence there is on disk; kept in the run.

    It is computed anew when evidence is added (`tunewright.verbs.frozen.freeze`) or a detector changes. Where targets
    are no list of labels, it is what `tunewright.verbs.suspects` has found, and before that the dynamics alone.

    Returns:
        columns id, suspicion, suspect, suggested; and of classes suggested_probability, votes and those of each
        detector (vote_...), see `tunewright.analyze.mislabel.mislabelled`.

    Raises:
        RunError: if the run has no dynamics.
    """
    if not run.labels:
        return run.table(COLUMNS_OF) if run.has(COLUMNS_OF) else run.compute(mislabel.suspects, labels=[])
    made_with = {"evidence": _written(run), "code": _code()}
    if run.made_with(COLUMNS_OF) == made_with:
        return run.table(COLUMNS_OF)
    ids, label = codes_of(run)
    found = mislabel.mislabelled(label=label, labels=run.labels, **evidence(run, ids))
    return stored(run, pa.table({"id": ids} | {name: _array(values) for name, values in found.items()}), made_with)


def stored(run: Run, found: pa.Table, made_with: Any) -> pa.Table:
    """Keep a table of suspicions in the run."""
    with run.making(COLUMNS_OF, made_with):
        run.write(COLUMNS_OF, found)
    return found


def codes_of(run: Run) -> tuple[pa.Array, NDArray[np.int64]]:
    """The ids of the rows that were trained on, and the codes of their labels; -1: no label of the run's, as soft ones."""
    ids, found = run.inputs(["dynamics.margin", "examples.label"])
    code = {name: place for place, name in enumerate(run.labels)}
    return ids, np.array([code.get(str(label), -1) for label in found["label"]], dtype=np.int64)


def evidence(run: Run, ids: pa.Array) -> Evidence:
    """The arrays that `mislabelled` and the estimate of its trust read; None for what the run does not have."""
    found: Evidence = dict.fromkeys((*_DYNAMICS, *_PASSES, *_SPACES))
    for name, columns in (("dynamics", _DYNAMICS), ("passes", _PASSES)):
        if run.has(name):
            _, arrays = run.inputs(["dynamics.epoch", *(f"{name}.{column}" for column in columns.values())])
            found |= {key: arrays[column].astype(np.float64) for key, column in columns.items()}
    return found | {key: _vectors(run, name, ids) for key, name in _SPACES.items() if run.has(name)}


def _vectors(run: Run, name: str, ids: pa.Array) -> NDArray[np.floating]:
    """[n, dimensions] in the order of the ids; NaN for rows that have none."""
    table = run.table(name, ["id", "vector"])
    flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    vectors = flat.reshape(table.num_rows, -1).astype(np.float32)
    place = {id: row for row, id in enumerate(table["id"].to_pylist())}
    rows = np.array([place.get(id, -1) for id in ids.to_pylist()])
    padded = np.concatenate([vectors, np.full((1, vectors.shape[1]), np.nan, np.float32)])
    aligned: NDArray[np.floating] = padded[rows]
    return aligned


def _written(run: Run) -> dict[str, int]:
    """When each table of evidence was written."""
    names = ("examples", "dynamics", "passes", *_SPACES.values())
    return {name: max(path.stat().st_mtime_ns for path in run.parts(name)) for name in names if run.has(name)}


def _code() -> str:
    texts = (inspect.getsource(module) for module in (mislabel, confident, label_votes, opinions))
    return hashlib.blake2b("".join(texts).encode(), digest_size=4).hexdigest()


def _array(values: NDArray[np.generic]) -> pa.Array:
    return pa.array(values.tolist(), pa.string()) if values.dtype == object else pa.array(values)
