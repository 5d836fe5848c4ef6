"""What people write beside rows: tags and notes, in columns that no model reads and no score depends on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

from tunewright.errors import EditError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunewright.data.fields import Fields

__all__ = ["NOTE", "TAGS", "annotated", "require_annotation", "with_tag"]

TAGS = "tags"
"""Column of the tags of a row, in alphabetical order, with ``, `` between them; null: none."""

NOTE = "note"
"""Column of the note of a row; null: none."""

_TAG = re.compile(r"[^\s,]([^,\r\n]{0,98}[^\s,])?")


def require_annotation(column: str, value: str, *, fields: Fields) -> None:
    """Refuse what cannot stand in a column of tags or notes.

    Raises:
        EditError: if the column is a text or a target of the dataset, or a tag is empty, long, or has a comma.
    """
    if column in (*fields.text, *fields.target):
        raise EditError(f"the dataset has a column {column!r} that the model reads", fix="rename it in the source")
    if column == TAGS and not _TAG.fullmatch(value):
        raise EditError(
            f"expected a tag of 1 to 100 characters in one line, without commas, found {value[:120]!r}",
            fix="give one tag at a time",
        )


def annotated(table: pa.Table, column: str) -> pa.Table:
    """The table with a column of strings, which is empty where there was none.

    Raises:
        EditError: if there is one of another type.
    """
    if column not in table.column_names:
        return table.append_column(column, pa.nulls(table.num_rows, pa.string()))
    found = table.schema.field(column).type
    if not pa.types.is_string(found):
        raise EditError(f"expected text in the column {column!r}, found {found}", fix="rename it in the source")
    return table


def with_tag(tags: Sequence[str | None], tag: str) -> list[str]:
    """Cells of the column of tags with one tag more.

    >>> with_tag([None, "odd", "b, a"], "b")
    ['b', 'b, odd', 'a, b']
    """
    return [", ".join(sorted({*filter(None, (cell or "").split(", ")), tag})) for cell in tags]
