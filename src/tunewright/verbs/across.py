"""``map`` of several runs: the same rows under several seeds, with how sure each place is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze import across as analysis
from tunewright.errors import RunError, listed
from tunewright.plot import datamap
from tunewright.project import Project, find_run
from tunewright.table import left_join
from tunewright.verbs.chart import facts, page
from tunewright.verbs.dynamics import arrays, coverage, learnt
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["COLUMNS_OF", "AcrossMap", "UncertainRow", "across", "combined"]

COLUMNS_OF = "columns/across"
"""Where the last of the runs keeps the table."""

_FEWEST = 2
_FIRST = 10
_NUMBERS = ("confidence", "variability", "aum", "correctness", "suspicion")
_ERRORS = ("variability_error", "confidence_error")
_VIEW = "layout=across&colour=across_correctness&size=confidence_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainRow:
    """A row that the runs place far apart: its mean confidence, and the standard error of that mean."""

    id: str
    label: str | None
    confidence: float
    confidence_error: float
    agreement: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AcrossMap(Result):
    """The data map of several runs; ``rows`` has the combined columns, one row for each that a run was trained on.

    ``notes`` say which file was not written, or lacks rows, and why.
    """

    runs: tuple[str, ...]
    shared: int
    median_error: float
    suspects: int
    unanimous: int
    uncertain: tuple[UncertainRow, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    rows: pa.Table


def across(project: Project, runs: Sequence[Run | str]) -> AcrossMap:
    """Draw the data map of several runs of one version: means over the runs, whiskers where they disagree most.

    The table is kept as a table of columns of the last run named, so that `focus`, `plot` and SQL can use it; the HTML
    file is the page of that run, which opens at the map of all of them.

    Args:
        project: whose runs they are.
        runs: two or more, alike but for the seed.

    Raises:
        RunError: if there are fewer than two, one is named twice, or they are of different versions or tasks.
    """
    found = [find_run(project, run) for run in runs]
    _alike(found)
    last = found[-1]
    table = combined(found)
    with last.making(COLUMNS_OF, {"runs": [run.id for run in found]}):
        last.write(COLUMNS_OF, table)
    rows = left_join(table, _examples(found))
    suspect = rows["across_suspect"].to_numpy(zero_copy_only=False)
    pages, notes = page(project, last, "map-across.html", view=_VIEW)
    return AcrossMap(
        runs=tuple(run.id for run in found),
        shared=int(pc.sum(pc.equal(rows["runs_seen"], len(found))).as_py() or 0),
        median_error=float(np.nanmedian(rows["confidence_error"].to_numpy())),
        suspects=int(suspect.sum()),
        unanimous=int((suspect & (rows["agreement"].to_numpy() == 1)).sum()),
        uncertain=_uncertain(rows),
        files=_draw(found, rows) + pages,
        notes=notes or tuple(_absent(rows, last)),
        rows=rows,
    )


def combined(runs: Sequence[Run]) -> pa.Table:
    """What the dynamics of several runs say about each row that any of them was trained on, matched by id.

    Returns:
        columns id and `tunewright.analyze.across.GIVES`.
    """
    tables = [learnt(run) for run in runs]
    ids = pa.chunked_array([chunk for table in tables for chunk in table["id"].chunks]).unique()
    places = [pc.index_in(ids, value_set=table["id"].combine_chunks()) for table in tables]
    stacked = [table.take(rows) for table, rows in zip(tables, places, strict=True)]
    numbers = {name: np.stack([_floats(table[name]) for table in stacked]) for name in _NUMBERS}
    flags = np.stack([np.equal(arrays(table.select(["suspect"]))["suspect"], True) for table in stacked])
    given = analysis.across(**numbers, suspect=flags.astype(bool))
    return pa.table({"id": ids} | {name: pa.array(given[name]) for name in analysis.GIVES})


def _absent(rows: pa.Table, last: Run) -> Iterator[str]:
    """Whether the page of the last run lacks rows of the others, as it may where dynamics were imported."""
    there = pc.is_in(rows["id"], value_set=last.table("examples", ["id"])["id"].combine_chunks())
    if count := rows.num_rows - int(pc.sum(there).as_py() or 0):
        yield f"map-across.html has not the {count:,} of {rows.num_rows:,} rows that {last.id} does not know"


def _alike(runs: Sequence[Run]) -> None:
    ids = [run.id for run in runs]
    if len(set(ids)) < max(_FEWEST, len(ids)):
        raise RunError(f"expected two runs or more, each once, found {listed(ids)}", fix="name different runs")
    for what, of in (
        ("version", lambda run: (run.meta.get("dataset"), run.meta.get("version"))),
        ("task", lambda run: run.meta["config"].get("task")),
    ):
        if len({of(run) for run in runs}) > 1:
            told = "; ".join(f"{run.id}: {of(run)}" for run in runs)
            raise RunError(
                f"expected runs of one {what}, found several ({told})",
                fix="train each seed on the same version: tunewright train --version VERSION --set seed=1",
            )


def _examples(runs: Sequence[Run]) -> pa.Table:
    """The rows of all runs, each once."""
    every = pa.concat_tables([run.table("examples") for run in runs], promote_options="permissive")
    first = np.sort(np.unique(every["id"].to_numpy(zero_copy_only=False), return_index=True)[1])
    return every.take(pa.array(first))


def _uncertain(rows: pa.Table) -> tuple[UncertainRow, ...]:
    known = rows.filter(pc.is_finite(rows["confidence_error"]))
    first = known.sort_by([("confidence_error", "descending"), ("id", "ascending")]).slice(0, _FIRST)
    return tuple(
        UncertainRow(
            id=row["id"],
            label=row.get("label"),
            confidence=row["across_confidence"],
            confidence_error=row["confidence_error"],
            agreement=row["agreement"],
        )
        for row in first.to_pylist()
    )


def _draw(runs: Sequence[Run], rows: pa.Table) -> tuple[Path, ...]:
    folder = runs[-1].folder / "figures"
    about: dict[str, Any] = facts(runs[-1]) | {"title": f"Data map of {len(runs)} runs"}
    about |= {"coverage": reduce(_less, map(coverage, runs)), "when": runs[-1].meta.get("recorded")}
    columns = arrays(rows)
    numbers = {name: columns[f"across_{name}"] for name in ("confidence", "variability", "correctness")}
    errors = {name: columns[name] for name in _ERRORS}
    flags = {"suspect": columns["across_suspect"]}
    sheet = datamap.figure(numbers | errors | flags, ring="suspect", whiskers=_ERRORS, **about)
    return tuple(datamap.save(sheet, folder / f"map-across.{kind}") for kind in ("png", "svg"))


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else min(one, other)


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values
