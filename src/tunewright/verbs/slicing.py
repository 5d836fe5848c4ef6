"""``slices``: where the loss is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.slices import Slice, slices as find_slices
from tunewright.errors import ColumnError, DataError, did_you_mean
from tunewright.project import Project
from tunewright.verbs.described import arrays_of, metadata_names, text_columns
from tunewright.verbs.evaluations import trained
from tunewright.verbs.models import Advance, predictions, rows_of
from tunewright.verbs.population import of_split, population
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from tunewright.run import Run

__all__ = ["FoundSlice", "Sliced", "slices"]

_FEWEST = 2
_NO_CLUSTER = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlice:
    """Rows with one value, or one range of values, whose loss is significantly higher than that of all others.

    Losses are in nats; ``difference`` is ``mean_loss`` minus ``rest_loss``, with its 95 % ``interval``; ``p_corrected``
    is corrected for everything that was tested. ``also`` are other descriptions of nearly the same rows, or of a part
    of them; ``ids`` are the rows.
    """

    description: str
    column: str
    n: int
    mean_loss: float
    rest_loss: float
    difference: float
    interval: tuple[float, float]
    p: float
    p_corrected: float
    also: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced(Result):
    """The slices with a higher loss, the surest difference first, and in what they were looked for.

    ``split`` None is every split but test; ``tested`` counts the slices that were tried, None if none stood out.
    """

    run: str
    split: str | None
    rows: int
    mean_loss: float
    by: tuple[str, ...]
    smallest: int
    tested: int | None
    slices: tuple[FoundSlice, ...]


def slices(
    project: Project,
    run: Run | str | None = None,
    *,
    by: Sequence[str] = (),
    split: str | None = None,
    smallest: int = 20,
    advance: Advance | None = None,
) -> Sliced:
    """Find the values, ranges and clusters whose rows have a significantly higher loss than all other rows.

    The model is asked about the rows first if it has not been. The slices are also kept in the run, as a table.

    Args:
        project: whose run it is.
        run: by default the last training run.
        by: columns to slice by; by default the metadata of the dataset, the label if it is a class, statistics of
            texts and answers, whether the input is cut, and the cluster if `analyze` has found clusters.
        split: which rows; None: all but the test split, which is for the last word.
        smallest: fewest rows of a slice.
        advance: told how far the model is.

    Raises:
        ColumnError: if a column to slice by is unknown.
        DataError: if the split has no rows, or none of them a loss.
        RunError: if there is no such run, or it has no model.
    """
    run = trained(project, run)
    if smallest < _FEWEST:
        raise DataError(f"expected slices of {_FEWEST} rows or more, found smallest={smallest}")
    predictions(project, run, of_split(rows_of(project, run), split), advance=advance)
    text_columns(project, run)
    rows = of_split(_with_clusters(population(project, run)), split)
    rows = rows.filter(pc.is_valid(rows["loss"]))
    if rows.num_rows == 0:
        raise DataError("none of the rows has a gold label, so none has a loss", fix="slice a labelled split")
    names = _known(by, rows) if by else _usual(project, run, rows)
    loss = rows["loss"].to_numpy().astype(np.float64)
    found = find_slices(loss, arrays_of(rows, names), smallest=smallest)
    made = Sliced(
        run=run.id,
        split=split,
        rows=rows.num_rows,
        mean_loss=float(loss.mean()),
        by=names,
        smallest=smallest,
        tested=found[0].tested if found else None,
        slices=tuple(_found(one, rows) for one in found),
    )
    if found:
        run.write("slices", _table(made))
    return made


def _with_clusters(rows: pa.Table) -> pa.Table:
    """Clusters by name, as people know them."""
    if "cluster_name" not in rows.column_names:
        return rows
    names = pc.fill_null(rows["cluster_name"], _NO_CLUSTER)
    return rows.set_column(rows.column_names.index("cluster"), "cluster", names)


def _usual(project: Project, run: Run, rows: pa.Table) -> tuple[str, ...]:
    label = ("label",) if run.labels else ()
    clusters = ("cluster",) if "cluster" in rows.column_names else ()
    texts = tuple(name for name in text_columns(project, run).column_names if name != "id")
    return (*metadata_names(project, rows), *label, *clusters, *texts)


def _known(by: Sequence[str], rows: pa.Table) -> tuple[str, ...]:
    for name in by:
        if name not in rows.column_names:
            fix = did_you_mean(name, rows.column_names)
            raise ColumnError(f"no column is called {name!r}, so there is nothing to slice by", fix=fix)
    return tuple(dict.fromkeys(by))


def _found(one: Slice, rows: pa.Table) -> FoundSlice:
    return FoundSlice(
        description=one.description,
        column=one.column,
        n=one.n,
        mean_loss=one.mean_loss,
        rest_loss=one.rest_loss,
        difference=one.difference,
        interval=one.interval,
        p=one.p,
        p_corrected=one.p_corrected,
        also=one.also,
        ids=tuple(rows["id"].take(pa.array(one.rows)).to_pylist()),
    )


def _table(made: Sliced) -> pa.Table:
    rows: list[dict[str, Any]] = made.to_json()["slices"]
    return pa.Table.from_pylist(rows)
