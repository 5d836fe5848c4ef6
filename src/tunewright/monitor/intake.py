"""From what a user logs to rows: one Arrow table with ids, checked against the schema that the first batch gave."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError, did_you_mean, listed
from tunewright.monitor.store import is_vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RESERVED", "contents", "fitted", "require_types", "schema_of", "table_of"]

RESERVED = frozenset({"corrects", "digest", "logged", "reasons", "scores", "step"})
"""Columns that the monitor adds."""

_IDS_NAMED = 3


def table_of(batch: Any) -> pa.Table:
    """A batch as a table: embeddings as fixed-size lists of float32, texts as strings, ``id`` as strings if there.

    Args:
        batch: a dictionary of columns (lists or arrays, [n] or [n, dimensions]), a pandas DataFrame, an Arrow table or
            record batch, a ``datasets.Dataset``, or a list of dictionaries.

    Raises:
        DataError: if it is something else, columns differ in length, or an embedding has no numbers or several lengths.
    """
    table = _as_arrow(batch)
    if taken := RESERVED & set(table.column_names):
        raise DataError(f"expected other names than {listed(sorted(taken))}, which the monitor adds", fix="rename them")
    names, columns = table.column_names, [_tidy(name, table[name]) for name in table.column_names]
    return pa.table(dict(zip(names, columns, strict=True)))


def schema_of(table: pa.Table) -> pa.Schema:
    """The schema that later batches must fit: columns but ``id``; a column of nothing but nulls holds texts."""
    fields = [column for column in table.schema if column.name != "id"]
    return pa.schema([pa.field(it.name, pa.string() if pa.types.is_null(it.type) else it.type) for it in fields])


def fitted(table: pa.Table, schema: pa.Schema, *, optional: frozenset[str] = frozenset()) -> pa.Table:
    """The rows in the columns and types of a schema, ``id`` first.

    Args:
        table: from `table_of`.
        schema: from `schema_of`.
        optional: further columns that a batch may have.

    Raises:
        DataError: one that names every column that is missing, new, or of another type or dimension.
    """
    table = _with_whole_numbers(table, schema)
    found = set(table.column_names) - {"id"}
    missing = [name for name in schema.names if name not in found]
    new = sorted(found - {*schema.names, *optional})
    wrong = [_mismatch(table, column) for column in schema if column.name in found]
    problems = [f"column {name!r} is missing" for name in missing] + [f"column {name!r} is new" for name in new]
    problems += [problem for problem in wrong if problem]
    if problems:
        hint = did_you_mean(missing[0], new) if missing and new else "give every batch the columns of the first one"
        raise DataError(f"the batch was not taken: {'; '.join(problems)}", fix=hint)
    extra = [column for column in schema_of(table) if column.name in optional and column.name not in schema.names]
    columns = {column.name: _cast(table, column) for column in (*schema, *extra)}
    return pa.table({"id": table["id"], **columns})


def require_types(table: pa.Table, fields: Sequence[pa.Field]) -> pa.Table:
    """The table with these of its columns in these types.

    Raises:
        DataError: one that names every column of another type or dimension.
    """
    if problems := [problem for column in fields if (problem := _mismatch(table, column))]:
        raise DataError(
            f"the batch was not taken: {'; '.join(problems)}", fix="give them the type that they had before"
        )
    for column in fields:
        table = table.set_column(table.column_names.index(column.name), column.name, _cast(table, column))
    return table


def contents(table: pa.Table) -> list[int]:
    """[n] a 63-bit hash of the texts of each row, or of all its values if it has no texts; ids do not count."""
    texts = [name for name in table.column_names if name != "id" and pa.types.is_string(table.schema.field(name).type)]
    others = [name for name in table.column_names if name != "id" and not is_vector(table.schema.field(name).type)]
    columns = [table[name].to_pylist() for name in texts or others]
    if not columns:
        return [0] * table.num_rows
    return [_hash(repr(values)) for values in zip(*columns, strict=True)]


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def _as_arrow(batch: Any) -> pa.Table:
    match batch:
        case pa.Table():
            return batch
        case pa.RecordBatch():
            return pa.Table.from_batches([batch])
        case Mapping():
            return _of_columns(batch)
        case [*rows] if all(isinstance(row, Mapping) for row in rows):
            names = list(dict.fromkeys(name for row in rows for name in row))
            return _of_columns({name: [row.get(name) for row in rows] for name in names})
    if hasattr(batch, "with_format") and hasattr(batch, "column_names"):
        return _plain_table(batch.with_format("arrow")[:])
    if type(batch).__module__.partition(".")[0] == "pandas":
        return _of_columns({name: batch[name].to_numpy() for name in batch.columns})
    raise DataError(
        f"expected columns, a DataFrame, an Arrow table, a Dataset or a list of dictionaries, found {type(batch).__name__}",
        fix='log({"id": [...], "text": [...]})',
    )


def _plain_table(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata(None)


def _of_columns(columns: Mapping[str, Any]) -> pa.Table:
    arrays = {str(name): _array(str(name), values) for name, values in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            f"expected columns of one length, found {lengths}", fix="give each row a value, None if it has none"
        )
    return pa.table(arrays)


def _array(name: str, values: Any) -> pa.Array:
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        raise DataError(f"expected a list of values for column {name!r}, found {values!r:.60}", fix=f"{name}=[...]")
    if isinstance(values, np.ndarray) and values.ndim == 2:
        return _vectors(np.ascontiguousarray(values, dtype=np.float32))
    try:
        if isinstance(values, np.ndarray):
            return pa.array(values.tolist() if values.dtype == object else values, from_pandas=values.dtype == object)
        return pa.array(_listed(values))
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise DataError(f"expected values of one type in column {name!r}, found others ({error})") from error


def _listed(values: Any) -> list[Any]:
    """Arrays of one embedding each become lists; so do tensors."""
    return [value.tolist() if hasattr(value, "tolist") else value for value in values]


def _vectors(matrix: NDArray[np.float32]) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])


def _tidy(name: str, column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or name == "id":
        return _as_text(name, array)
    if _holds_lists_of_floats(array.type) and len(array):
        return _embedding(name, array)
    return array


def _as_text(name: str, array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.string())
    except pa.ArrowException as error:
        raise DataError(f"expected texts or numbers in column {name!r}, found {array.type}") from error


def _holds_lists_of_floats(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and pa.types.is_floating(kind.value_type))


def _embedding(name: str, array: pa.Array) -> pa.FixedSizeListArray:
    lengths = pc.unique(pc.list_value_length(array)).to_pylist()
    if len(lengths) > 1 or None in lengths:
        raise DataError(
            f"expected vectors of one length in column {name!r}, found lengths {listed(sorted(map(str, lengths)))}",
            fix="embed all rows with one model; leave out rows that have no vector",
        )
    values = array.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    matrix = values.reshape(len(array), lengths[0])
    if wrong := int((~np.isfinite(matrix)).any(axis=1).sum()):
        raise DataError(
            f"expected finite numbers in column {name!r}, found NaN or infinity in {wrong} of {len(array)} vectors",
            fix="look for empty texts or overflows in what makes the vectors",
        )
    return _vectors(matrix)


def _with_whole_numbers(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """With vectors where the schema has them, and a batch has none but whole numbers, as JSON writes them."""
    for place, column in enumerate(table.schema):
        lists = pa.types.is_list(column.type) and pa.types.is_integer(column.type.value_type)
        if lists and column.name in schema.names and is_vector(schema.field(column.name).type):
            vectors = _embedding(column.name, table[column.name].combine_chunks())
            table = table.set_column(place, column.name, vectors)
    return table


def _mismatch(table: pa.Table, column: pa.Field) -> str:
    found, wanted = table.schema.field(column.name).type, column.type
    if _fits(found, wanted):
        return ""
    if is_vector(found) and is_vector(wanted):
        return f"column {column.name!r} has {found.list_size} dimensions, expected {wanted.list_size}"
    return f"column {column.name!r} is {found}, expected {wanted}"


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of a type may stand where others of the wanted type stand, without being read as something else."""
    numbers = (pa.types.is_integer, pa.types.is_floating)
    return (
        found == wanted
        or pa.types.is_null(found)
        or (pa.types.is_integer(found) and any(is_number(wanted) for is_number in numbers))
        or (pa.types.is_floating(found) and pa.types.is_floating(wanted))
        or (pa.types.is_timestamp(found) and pa.types.is_timestamp(wanted))
        or (pa.types.is_list(found) and pa.types.is_list(wanted) and _fits(found.value_type, wanted.value_type))
    )


def _cast(table: pa.Table, column: pa.Field) -> pa.Array:
    try:
        return table[column.name].combine_chunks().cast(column.type)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"the batch was not taken: column {column.name!r} does not fit {column.type} ({error})"
        ) from error
