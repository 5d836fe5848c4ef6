"""Every row of the version a run was trained on, with everything that is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError, did_you_mean
from tunewright.verbs.models import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["joined_texts", "of_split", "one_row", "population"]


def population(project: Project, run: Run) -> pa.Table:
    """One table of every row of all splits.

    Args:
        project: whose run it is.
        run: a training run.

    Returns:
        id, content, split, the text fields, label, weight and metadata of the dataset, and what has been computed:
        predictions with loss and grades, the data map's columns, coordinates, clusters, duplicates, text statistics.
        What was computed for some rows only is null for the others.
    """
    return run.widened(rows_of(project, run))


def joined_texts(rows: pa.Table, fields: Sequence[str]) -> list[str]:
    """[n] the text of each row; of several fields, one after the other with a blank between."""
    return [" ".join(texts) for texts in zip(*(rows[field].to_pylist() for field in fields), strict=True)]


def one_row(rows: pa.Table, id: str) -> pa.Table:
    """The row of an id.

    Raises:
        DataError: if there is none; the nearest ids are named.
    """
    found = rows.filter(pc.equal(rows["id"], id))
    if found.num_rows == 0:
        raise DataError(f"no row has the id {id!r}", fix=did_you_mean(id, rows["id"].to_pylist()))
    return found.slice(0, 1)


def of_split(rows: pa.Table, split: str | None) -> pa.Table:
    """The rows of a split; for None those of all splits but the test split, which is for the last word.

    Raises:
        DataError: if there are none.
    """
    wanted = pc.not_equal(rows["split"], "test") if split is None else pc.equal(rows["split"], split)
    found = rows.filter(wanted)
    if found.num_rows == 0:
        known = pc.unique(rows["split"]).to_pylist()
        raise DataError(
            f"expected rows in split {'all but test' if split is None else repr(split)}, found none",
            fix=did_you_mean(split or "", known),
        )
    return found
