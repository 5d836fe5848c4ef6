"""Tables on disk: the only module that knows their format (Parquet, zstd)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tunewright.errors import DataError, RunError
from tunewright.files import whole

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "append",
    "array",
    "column_names",
    "left_join",
    "one_window",
    "parts",
    "pivot",
    "query",
    "read",
    "rows_of",
    "speaking",
    "write",
    "writing",
]


def write(path: str | Path, table: pa.Table) -> None:
    """Write a table as one Parquet file, whole or not at all."""
    with whole(path) as part:
        pq.write_table(table, part, compression="zstd")


@contextmanager
def writing(path: str | Path) -> Iterator[Callable[[pa.Table], None]]:
    """Write a Parquet file block by block; it appears when the block of code ends well, or not at all."""
    with whole(path) as part:
        writer: pq.ParquetWriter | None = None

        def write_block(block: pa.Table) -> None:
            nonlocal writer
            writer = writer or pq.ParquetWriter(part, block.schema, compression="zstd")
            writer.write_table(block)

        try:
            yield write_block
        finally:
            if writer is not None:
                writer.close()


def parts(path: str | Path) -> list[Path]:
    """The Parquet files behind a path: the file itself, or the sorted parts of a folder."""
    path = Path(path)
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []


def append(folder: str | Path, name: str, table: pa.Table) -> Path:
    """Write one part of a table that lies in a folder of parts; the same name replaces the same part."""
    path = Path(folder) / f"{name}.parquet"
    write(path, table)
    return path


def column_names(path: str | Path) -> list[str]:
    """Of a file, or of the first of its parts."""
    return [name for file in parts(path)[:1] for name in pq.read_schema(file).names]


def read(path: str | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file, or all parts of a folder as one table.

    Raises:
        DataError: if there is nothing to read, or a file is not a complete Parquet file.
    """
    files = parts(path)
    if not files:
        raise DataError(f"expected a Parquet file or a folder of them at {path}, found nothing")
    return pa.concat_tables([_read_file(file, columns) for file in files], promote_options="default")


def rows_of(files: Sequence[Path], ids: pa.Array, columns: Collection[str]) -> pa.Table:
    """Rows of some ids in Parquet files, file by file, so that little is held at once.

    Args:
        files: at least one.
        ids: of the rows.
        columns: those that a file lacks are left out.

    Raises:
        DataError: if a file is not a complete Parquet file.
    """
    return pa.concat_tables([_rows_of(file, ids, columns) for file in files], promote_options="default")


def _rows_of(file: Path, ids: pa.Array, columns: Collection[str]) -> pa.Table:
    places = pc.indices_nonzero(pc.is_in(_read_file(file, ["id"])["id"], value_set=ids))
    wanted = [name for name in column_names(file) if name in columns]
    return _read_file(file, wanted).take(places)


def _read_file(path: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        # partitioning=None: a folder called "a=b" above the file must not become a column
        return pq.read_table(path, columns=list(columns) if columns else None, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"expected a complete Parquet file at {path}, found something else ({error})",
            fix="restore the file, or write it again",
        ) from error


def array(column: pa.Array) -> NDArray[np.generic]:
    """A column as an array [n], or of lists of one length [n, length]."""
    import numpy as np

    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        if len(column) == 0:
            return np.zeros((0, 0), dtype=np.float32)
        flat: NDArray[np.generic] = column.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(column), -1)
    values: NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
    return values


def pivot(table: pa.Table, value: str, *, ids: pa.Array) -> NDArray[np.float64]:
    """Long to wide: one row per id, one column per epoch, NaN where there is no value.

    Args:
        table: columns ``id``, ``epoch`` and ``value``; where an id was seen twice in an epoch, the first row counts.
        value: name of a numeric or boolean column.
        ids: [n] the ids that the rows of the result stand for.

    Returns:
        [n, epochs] with epochs counted from 0 to the largest one in the table.
    """
    import numpy as np

    rows = pc.index_in(table["id"], value_set=ids)
    keep = pc.is_valid(rows)
    # last first, so that the first row of an example and epoch is written last; copied, because NumPy walks a
    # reversed view in memory order
    rows = pc.filter(rows, keep).to_numpy()[::-1].copy()
    epochs = pc.filter(table["epoch"], keep).to_numpy()[::-1].copy()
    values = pc.cast(pc.filter(table[value], keep), pa.float64()).to_numpy()[::-1].copy()
    wide = np.full((len(ids), int(epochs.max()) + 1 if len(epochs) else 0), np.nan)
    wide[rows, epochs] = values
    return wide


def one_window(dynamics: pa.Table) -> pa.Table:
    """Of the windows of an example in an epoch, the one that is `speaking` for its gold target.

    Args:
        dynamics: columns ``id``, ``epoch``, ``gold_probability``, perhaps ``gold_everywhere``, and others.

    Returns:
        one row per id and epoch.
    """
    import numpy as np

    ids = dynamics["id"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    epochs = dynamics["epoch"].to_numpy()
    everywhere = None
    if "gold_everywhere" in dynamics.column_names:
        everywhere = pc.fill_null(dynamics["gold_everywhere"], False).to_numpy()
    rows = speaking(
        ids * (epochs.max(initial=0) + 1) + epochs, dynamics["gold_probability"].to_numpy(), everywhere=everywhere
    )
    return dynamics.take(pa.array(np.sort(rows)))


def speaking(
    example: NDArray[np.integer[Any]],
    score: NDArray[np.floating[Any]],
    *,
    everywhere: NDArray[np.bool_] | None = None,
) -> NDArray[np.intp]:
    """[examples] for each example the window that speaks for it, examples in the order of their numbers.

    It is the window with the largest score, for it is enough that one window holds a target. Where the target is held
    ``everywhere``, as "no answer" is, each window must agree, and the one with the smallest score speaks. A window
    where the target stands at a place comes before windows that hold it everywhere, NaN comes last, and of equals the
    first.

    Args:
        example: [n] the number of the example that each window is of.
        score: [n].
        everywhere: [n]; None is nowhere.
    """
    import numpy as np

    opposed = np.zeros(len(example), dtype=bool) if everywhere is None else everywhere
    order = np.lexsort((np.where(opposed, score, -score), opposed, np.isnan(score), example))
    chosen: NDArray[np.intp] = order[np.flatnonzero(np.diff(example[order], prepend=-1))]
    return chosen


def left_join(left: pa.Table, right: pa.Table) -> pa.Table:
    """Columns of ``right`` that ``left`` lacks, matched by ``id``; rows and order of ``left`` stay."""
    rows = pc.index_in(left["id"].combine_chunks(), value_set=right["id"].combine_chunks())
    for name in right.column_names:
        if name not in left.column_names:
            left = left.append_column(name, right[name].combine_chunks().take(rows))
    return left


def query(sql: str, tables: Mapping[str, pa.Table], *, seconds: float = 30.0) -> pa.Table:
    """Run one SQL query over read-only views, without access to files, network or settings.

    Args:
        sql: one DuckDB query.
        tables: view name -> table.
        seconds: the query is interrupted after this long.

    Raises:
        RunError: if the query is wrong, writes, or takes too long.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    for name, table in tables.items():
        connection.register(name, _registrable(table))
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        relation = connection.sql(sql)
        if relation is None:
            raise RunError("the statement returns no rows", fix="write a SELECT over the views")
        return relation.to_arrow_table()
    except duckdb.InterruptException as error:
        raise RunError(f"the query took longer than {seconds:g} s", fix="narrow it, or allow more seconds") from error
    except duckdb.Error as error:
        raise RunError(f"the query failed: {error}", fix=f"views: {', '.join(sorted(tables))}") from error
    finally:
        timer.cancel()
        connection.close()


def _registrable(table: pa.Table) -> pa.Table:
    """With half floats as single ones: DuckDB does not read the former."""
    schema = pa.schema([field.with_type(_single(field.type)) for field in table.schema])
    return table if schema == table.schema else table.cast(schema)


def _single(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_single(kind.value_type), kind.list_size)
    return pa.float32() if pa.types.is_float16(kind) else kind
