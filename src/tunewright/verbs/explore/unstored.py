"""Columns that a run has the numbers for, and has not stored: a page shows them, and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.dynamics import data_map
from tunewright.analyze.regions import name_regions
from tunewright.errors import ColumnError
from tunewright.verbs.dynamics import last, last_answers

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["unstored"]

_SAID = ("predicted", "probability", "correct")
_MEASURED = ("loss", "gold_probability", "margin")


def unstored(run: Run, rows: pa.Table) -> dict[str, pa.Array]:
    """By name: the data map of a run that never drew it, and what the model last said of rows it was not asked about.

    Args:
        run: whose rows they are.
        rows: with the columns that it has stored.
    """
    if not run.has("dynamics"):
        return {}
    return {**_map(run, rows), **_said(run, rows)}


def _map(run: Run, rows: pa.Table) -> dict[str, pa.Array]:
    if "confidence" in rows.column_names:
        return {}
    ids, inputs = run.inputs(data_map.needs)
    found = dict(data_map(**inputs))
    regions = pa.array(name_regions(found | {"id": np.array(ids.to_pylist(), object)}).tolist(), pa.string())
    columns = {name: pa.array(values) for name, values in found.items()} | {"region": regions}
    places = _places(rows, ids)
    return {name: column.take(places) for name, column in columns.items() if name not in rows.column_names}


def _said(run: Run, rows: pa.Table) -> dict[str, pa.Array]:
    """The columns of what a model says, with what it said last where it was never asked."""
    if "predicted" in rows.column_names and not rows["predicted"].null_count:
        return {}
    try:
        answers = last_answers(run)
        ids, seen = run.inputs([f"dynamics.{name}" for name in _MEASURED])
    except ColumnError:  # dynamics that were imported may say less
        return {}
    said = {name: answers[name].combine_chunks().take(_places(rows, answers["id"].combine_chunks())) for name in _SAID}
    places = _places(rows, ids)
    measured = {
        name: pa.array(last(values.astype(np.float64)), from_pandas=True).take(places) for name, values in seen.items()
    }
    return {name: _filled(rows, name, column) for name, column in (said | measured).items()}


def _filled(rows: pa.Table, name: str, late: pa.Array) -> pa.Array:
    if name not in rows.column_names:
        return late
    return pc.coalesce(rows[name].combine_chunks(), late.cast(rows[name].type))


def _places(rows: pa.Table, ids: pa.Array) -> pa.Array:
    return pc.index_in(rows["id"].combine_chunks(), value_set=ids)
