"""Slices that a comparison is made on: classes, clusters, and values or quarters of what rows are described by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import RunError
from tunewright.verbs.described import metadata_names
from tunewright.verbs.evaluations import trained
from tunewright.verbs.population import population
from tunewright.verbs.slicing import named_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["slices_of"]

_FEWEST = 20  # rows
_MOST_VALUES = 20
_QUARTERS = (0.25, 0.5, 0.75)
_USUAL = ("label", "cluster", "truncated")


def slices_of(project: Project, run: Run, ids: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Rows of slices by name, such as ``label = World``, as positions in the ids.

    Args:
        project: whose run it is.
        run: a training run, or an evaluation.
        ids: of the rows that are compared.
    """
    rows = _described(project, run)
    rows = rows.take(pc.index_in(pa.array(ids, pa.string()), value_set=rows["id"].combine_chunks()))
    usual = [name for name in _USUAL if name in rows.column_names and (name != "label" or run.labels)]
    metadata = metadata_names(project, rows) if project.dataset_folder.exists() else ()
    names = dict.fromkeys([*usual, *metadata, *_statistics(project, rows)])
    found = ((name, where) for column in names for name, where in _parts(column, rows[column]))
    return {name: where for name, where in found if _FEWEST <= len(where) < len(ids)}


def _described(project: Project, run: Run) -> pa.Table:
    """All rows with what is stored about them."""
    try:
        return named_clusters(population(project, trained(project, run)))
    except RunError:  # an ensemble
        return run.examples()


def _statistics(project: Project, rows: pa.Table) -> list[str]:
    """Lengths of the texts, where they are known."""
    wanted = [f"{field}_words" for field in project.task.text_fields]
    return [name for name in wanted if name in rows.column_names]


def _parts(name: str, column: pa.ChunkedArray) -> Iterator[tuple[str, NDArray[np.int64]]]:
    if pa.types.is_nested(column.type):
        return
    count = pc.count_distinct(column).as_py()
    if 1 < count <= _MOST_VALUES:
        values = np.array([None if value is None else str(value) for value in column.to_pylist()], object)
        for value in sorted({one for one in values.tolist() if one is not None}):
            yield f"{name} = {value}", np.flatnonzero(values == value)
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        yield from _quarters(name, np.asarray(pc.cast(column, pa.float64()).to_numpy(), np.float64))


def _quarters(name: str, values: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    known = values[np.isfinite(values)]
    if not len(known):
        return
    cuts = np.unique(np.quantile(known, _QUARTERS))
    edges = [-np.inf, *cuts.tolist(), np.inf]
    for low, high in pairwise(edges):
        below = f"{name} < {high:.4g}"
        title = below if np.isinf(low) else f"{name} >= {low:.4g}" + ("" if np.isinf(high) else f" and < {high:.4g}")
        yield title, np.flatnonzero((values >= low) & (values < high))
