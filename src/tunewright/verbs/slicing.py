"""``slices``: where the loss is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.sentiment import sentiment
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

__all__ = ["FEWEST", "FoundSlice", "Sliced", "named_clusters", "sliced", "slices", "usual_columns"]

FEWEST = 2
"""Rows that a slice has at least, whatever is asked for."""
_NO_CLUSTER = "none"
_SENTIMENT, _SENTIMENTS = "sentiment", "columns/sentiment"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlice:
    """Rows with one value, or one range of values, whose loss is significantly higher than that of all others.

    Losses are in nats; ``rest_loss`` is that of the other rows of the same splits, mixed like the slice; ``difference``
    is ``mean_loss`` minus ``rest_loss``, with its 95 % ``interval``; ``p_corrected`` is corrected for everything that
    was tested. Rows with the same last text, such as the questions about one passage, are a group, and not taken for
    independent; ``groups`` counts them. ``also`` are other descriptions of nearly the same rows, or of a part of them;
    ``ids`` are the rows.
    """

    description: str
    column: str
    n: int
    groups: int
    mean_loss: float
    rest_loss: float
    difference: float
    interval: tuple[float, float]
    p: float
    p_corrected: float
    also: tuple[str, ...]
    ids: tuple[str, ...]


_SCHEMA = pa.schema(
    [("description", pa.string()), ("column", pa.string()), ("n", pa.int64()), ("groups", pa.int64())]
    + [(name, pa.float64()) for name in ("mean_loss", "rest_loss", "difference")]
    + [("interval", pa.list_(pa.float64())), ("p", pa.float64()), ("p_corrected", pa.float64())]
    + [("also", pa.list_(pa.string())), ("ids", pa.list_(pa.string()))]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced(Result):
    """The slices with a higher loss, the surest difference first, and in what they were looked for.

    ``split`` None is every split but test; ``tested`` counts the slices that were tried.
    """

    run: str
    split: str | None
    rows: int
    mean_loss: float
    by: tuple[str, ...]
    smallest: int
    tested: int
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

    The model is asked about the rows first if it has not been. Rows of several splits are compared within each split,
    as losses of rows that were learnt are lower. Slices of more than half of the rows are not looked at. The slices are
    also kept in the run, as a table; what they were looked for in is its ``run.meta["slices"]``.

    Args:
        project: whose run it is.
        run: by default the last training run.
        by: columns to slice by; by default the metadata of the dataset, the label if it is a class, statistics of
            texts and answers, whether the input is cut, and the cluster if `analyze` has found clusters. "sentiment",
            if no column is called so, is the polarity and subjectivity of each English text.
        split: which rows; None: all but the test split, which is for the last word.
        smallest: fewest rows of a slice.
        advance: told how far the model is.

    Raises:
        ColumnError: if a column to slice by is unknown.
        DataError: if the split has no rows, or none of them a loss.
        MissingDependencyError: if sentiment is asked for, and the package for it is not installed.
        RunError: if there is no such run, or it has no model.
    """
    run = trained(project, run)
    found = sliced(project, run, by=by, split=split, smallest=smallest, advance=advance)
    run.write("slices", pa.Table.from_pylist(found.to_json()["slices"], _SCHEMA))
    run.update(slices={"split": split, "by": list(found.by), "smallest": smallest, "tested": found.tested})
    return found


def sliced(
    project: Project,
    run: Run,
    *,
    by: Sequence[str] = (),
    split: str | None = None,
    smallest: int = 20,
    advance: Advance | None = None,
) -> Sliced:
    """What `slices` finds, without keeping it; arguments and errors are the same."""
    if smallest < FEWEST:
        raise DataError(f"expected slices of {FEWEST} rows or more, found smallest={smallest}")
    predictions(project, run, of_split(rows_of(project, run), split), advance=advance)
    text_columns(project, run)
    if _SENTIMENT in by:
        by = _with_sentiment(project, run, by)
    rows = of_split(named_clusters(population(project, run)), split)
    rows = rows.filter(pc.is_valid(rows["loss"]))
    if rows.num_rows == 0:
        raise DataError("none of the rows has a gold label, so none has a loss", fix="slice a labelled split")
    names = _known(by, rows) if by else usual_columns(project, run, rows)
    loss = rows["loss"].to_numpy().astype(np.float64)
    last = project.task.text_fields[-1]  # of a text alone, that is the text itself
    apart = arrays_of(rows, ["split", last])
    found = find_slices(loss, arrays_of(rows, names), strata=apart["split"], groups=apart[last], smallest=smallest)
    return Sliced(
        run=run.id,
        split=split,
        rows=rows.num_rows,
        mean_loss=float(loss.mean()),
        by=names,
        smallest=smallest,
        tested=found.tested,
        slices=tuple(_found(one, rows) for one in found.found),
    )


def named_clusters(rows: pa.Table) -> pa.Table:
    """Rows with their clusters by name, as people know them, if there are any."""
    if "cluster_name" not in rows.column_names:
        return rows
    names = pc.fill_null(rows["cluster_name"], _NO_CLUSTER)
    return rows.set_column(rows.column_names.index("cluster"), "cluster", names)


def usual_columns(project: Project, run: Run, rows: pa.Table) -> tuple[str, ...]:
    """What rows are described by: metadata, label of a class, cluster, and statistics of texts and answers."""
    label = ("label",) if run.labels else ()
    clusters = ("cluster",) if "cluster" in rows.column_names else ()
    texts = tuple(name for name in text_columns(project, run).column_names if name != "id")
    return (*metadata_names(project, rows), *label, *clusters, *texts)


def _with_sentiment(project: Project, run: Run, by: Sequence[str]) -> tuple[str, ...]:
    """The columns to slice by, with those of the sentiment, which the run then has, in place of its name."""
    rows = rows_of(project, run)
    if _SENTIMENT in rows.column_names:
        return tuple(by)
    columns = sentiment({name: rows[name].to_pylist() for name in project.task.text_fields})
    run.write(_SENTIMENTS, pa.table({"id": rows["id"], **{name: pa.array(one) for name, one in columns.items()}}))
    return tuple(made for name in by for made in (columns if name == _SENTIMENT else (name,)))


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
        groups=one.groups,
        mean_loss=one.mean_loss,
        rest_loss=one.rest_loss,
        difference=one.difference,
        interval=one.interval,
        p=one.p,
        p_corrected=one.p_corrected,
        also=one.also,
        ids=tuple(rows["id"].take(pa.array(one.rows)).to_pylist()),
    )
