"""``rows``: the rows of a run that fulfil conditions, how well the model does on them, all about them, a file of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from tunewright.curate import fulfilling
from tunewright.errors import DataError, did_you_mean
from tunewright.files import whole
from tunewright.project import find_run
from tunewright.verbs.explore.detail import Example
from tunewright.verbs.explore.explorer import MOST_ROWS, Explorer
from tunewright.verbs.explore.exporting import Format
from tunewright.verbs.explore.measuring import Measured, measure
from tunewright.verbs.explore.told import SeenAt
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["Selected", "rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected(Result):
    """Rows of a run that fulfil all conditions: ``total`` of them, and the first.

    Attributes:
        run: whose rows they are.
        total: how many there are.
        rows: the first, in the order of the run; texts are cut to 300 characters.
        examples: all about each of these, if asked for.
        measured: how well the model does on all of them, against the others of the same splits, if asked for.
        file: with all of them, if asked for.
    """

    run: str
    total: int
    rows: tuple[SeenAt, ...]
    examples: tuple[Example, ...]
    measured: Measured | None
    file: Path | None


def rows(
    project: Project,
    run: Run | str | None = None,
    *,
    ids: Sequence[str] = (),
    search: str | None = None,
    rule: str | None = None,
    most: int = 20,
    details: bool = False,
    measured: bool = False,
    path: str | Path | None = None,
) -> Selected:
    """The rows of a run that fulfil every condition that is given.

    Args:
        project: whose run it is.
        run: by default the last training run.
        ids: of rows; none: any.
        search: words that the texts hold, see `tunewright.verbs.explore.text_index.TextIndex.search`.
        rule: a condition in DuckDB's SQL over the columns of the rows, such as ``loss > 2 AND label = 'neg'``.
        most: rows that are told, at most 500.
        details: tell all about each of them, too.
        measured: compare the main score of all of them with that of the others.
        path: file for all of them with all columns: ``.csv``, ``.jsonl`` or ``.parquet``.

    Raises:
        DataError: if an id is unknown, the query is too long, or the file is of another kind.
        EditError: if the rule cannot be followed.
        RunError: if there is no such run.
    """
    found = find_run(project, run)
    explorer = Explorer(project, elsewhere=[found])
    numbers = _numbers(explorer, found.id, ids=ids, search=search, rule=rule)
    first = numbers[: min(most, MOST_ROWS)].tolist()
    return Selected(
        run=found.id,
        total=len(numbers),
        rows=explorer.rows(found.id, first).rows,
        examples=tuple(explorer.example(found.id, row) for row in first) if details else (),
        measured=measure(project, explorer.snapshot(found.id), numbers.tolist()) if measured else None,
        file=None if path is None else _written(explorer, found.id, numbers, Path(path)),
    )


def _numbers(
    explorer: Explorer, run: str, *, ids: Sequence[str], search: str | None, rule: str | None
) -> NDArray[np.int64]:
    """Numbers of the rows that fulfil every condition, ascending."""
    size = explorer.snapshot(run).rows.num_rows
    conditions = _conditions(explorer, run, ids=ids, search=search, rule=rule)
    return reduce(np.intersect1d, conditions, np.arange(size, dtype=np.int64))


def _conditions(
    explorer: Explorer, run: str, *, ids: Sequence[str], search: str | None, rule: str | None
) -> Iterator[NDArray[np.int64]]:
    shot = explorer.snapshot(run)
    if ids:
        places = shot.numbers(ids)
        if unknown := [id for id, place in zip(ids, places, strict=True) if place < 0]:
            known = shot.rows["id"].to_pylist()
            raise DataError(f"no row of run {run} is called {unknown[0]!r}", fix=did_you_mean(unknown[0], known))
        yield places
    if search is not None:
        yield np.array(explorer.search(run, search, most=shot.rows.num_rows).rows, np.int64)
    if rule is not None:
        yield shot.places(fulfilling(shot.rows, rule))


def _written(explorer: Explorer, run: str, numbers: NDArray[np.int64], path: Path) -> Path:
    """The file, which appears whole or not at all."""
    formats: tuple[Format, ...] = get_args(Format)
    for format in formats:
        if path.suffix == f".{format}":
            with whole(path) as unfinished, unfinished.open("wb") as file:
                file.writelines(explorer.exported(run, numbers.tolist(), format))
            return path
    raise DataError(
        f"expected a file that ends in one of {', '.join(f'.{name}' for name in formats)}, found {path.name!r}"
    )
