"""Columns of structs as columns of their own: ``answers: {text, answer_start}`` becomes two."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

__all__ = ["field_names", "flatten"]


def flatten(table: pa.Table) -> pa.Table:
    """The table with a column for each field of a struct, or of a list of structs, where the struct was.

    The names are joined with an underscore, and a field that repeats the column's name in the singular says it once:
    ``answers.text`` and ``answers.answer_start`` become ``answers_text`` and ``answers_start``. A struct stays as it is
    where a column is called so already. Metadata of the schema stay.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    for name in table.column_names:
        parts = _parts(name, table[name])
        free = not (parts.keys() - {name}) & set(table.column_names)
        columns |= parts if free else {name: table[name]}
    return pa.table(columns).replace_schema_metadata(table.schema.metadata)


def field_names(name: str, fields: Sequence[str]) -> list[str]:
    """What the fields of a struct are called as columns; see `flatten`.

    >>> field_names("answers", ["text", "answer_start"]), field_names("answers", ["start", "answer_start"])
    (['answers_text', 'answers_start'], ['answers_start', 'answers_answer_start'])
    """
    singular = f"{name.removesuffix('s')}_"
    short = [f"{name}_{field.removeprefix(singular)}" for field in fields]
    return short if len(set(short)) == len(fields) else [f"{name}_{field}" for field in fields]


def _parts(name: str, column: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    fields = _fields(column)
    if not fields:
        return {name: column}
    inner = dict(zip(field_names(name, list(fields)), fields.values(), strict=True))
    return {key: values for outer, part in inner.items() for key, values in _parts(outer, part).items()}


def _fields(column: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """Values by field; none for what is no struct."""
    if pa.types.is_struct(column.type):
        return dict(zip([field.name for field in column.type], column.flatten(), strict=True))
    if _is_list(column.type) and pa.types.is_struct(column.type.value_type):
        names = [field.name for field in column.type.value_type]
        rows = column.to_pylist()
        return {name: pa.chunked_array([pa.array([_each(row, name) for row in rows])]) for name in names}
    return {}


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _each(row: list[dict[str, object] | None] | None, name: str) -> list[object] | None:
    return None if row is None else [item and item[name] for item in row]
