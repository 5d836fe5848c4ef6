"""Rows as a file, piece by piece, so that a selection of a million takes little memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tunewright.verbs.results import encode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Format", "exported", "guarded"]

Format = Literal["csv", "jsonl", "parquet"]

_PIECE = 10_000  # rows
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUL = "\u2400"


def exported(rows: pa.Table, at: NDArray[np.int64], format: Format) -> Iterator[bytes]:
    """Rows with all their columns.

    CSV is for people and their spreadsheets: lists are JSON, and texts are `guarded`. JSON lines and Parquet keep every
    value as it is.

    Args:
        rows: all rows.
        at: [n] numbers of those that are wanted, in the order in which they shall come.
        format: of the file.
    """
    pieces = (rows.take(at[start : start + _PIECE]) for start in range(0, max(len(at), 1), _PIECE))
    match format:
        case "csv":
            return _csv(rows.column_names, pieces)
        case "jsonl":
            return _jsonl(pieces)
        case "parquet":
            return _parquet(rows.schema, pieces)


def guarded(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula, and at which no reader of CSV stops: NUL becomes its picture, ␀.

    >>> guarded("=1+1"), guarded("a=b"), guarded(-1.5), guarded(["a"]), guarded(f"a{chr(0)}b")
    ("'=1+1", 'a=b', -1.5, '["a"]', 'a␀b')
    """
    if isinstance(cell, list | dict):
        return json.dumps(encode(cell), ensure_ascii=False)
    if not isinstance(cell, str):
        return cell
    shown = cell.replace("\0", _NUL)
    return f"'{shown}" if shown.lstrip(" ").startswith(_FORMULA) else shown


def _csv(names: list[str], pieces: Iterable[pa.Table]) -> Iterator[bytes]:
    yield _lines([[guarded(name) for name in names]])
    for piece in pieces:
        columns = [map(guarded, piece[name].to_pylist()) for name in names]
        yield _lines(zip(*columns, strict=True))


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _jsonl(pieces: Iterable[pa.Table]) -> Iterator[bytes]:
    for piece in pieces:
        lines = (json.dumps(encode(row), ensure_ascii=False, allow_nan=False) for row in piece.to_pylist())
        yield "".join(f"{line}\n" for line in lines).encode()


def _parquet(schema: pa.Schema, pieces: Iterable[pa.Table]) -> Iterator[bytes]:
    sink = _Pipe()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for piece in pieces:
            writer.write_table(piece)
            yield sink.taken()
    yield sink.taken()


class _Pipe(io.RawIOBase):
    """A file that forgets what was taken from it."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
