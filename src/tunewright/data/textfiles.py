"""Rows of text files: CSV, TSV, JSON and JSON Lines, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterator, Sequence, Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.problems import Flaw
from tunewright.data.squad import is_squad, squad_rows
from tunewright.data.structs import field_names
from tunewright.errors import DataError

__all__ = ["decode", "read_cells", "read_delimited", "read_json", "read_json_lines"]

_UNDECODABLE = re.compile("[\udc80-\udcff]")  # bytes that were no UTF-8, as `surrogateescape` writes them
_INTEGER = r"^(-?[1-9][0-9]{0,17}|0)$"
_NUMBER = r"^(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|nan|NaN)$"


def decode(path: Path) -> str:
    """Text of a file, UTF-8 (with or without a byte order mark) or UTF-16 with one.

    Bytes that are not UTF-8 come back as lone surrogates; the readers below report the rows that hold them.

    Raises:
        DataError: if the file is empty, or a gzip file is damaged.
    """
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path.name} cannot be read: {error}", fix="fetch or write the file again") from error
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding, "surrogateescape" if encoding == "utf-8-sig" else "replace")
    if not text.strip():
        raise DataError(f"expected rows in {path.name}, found an empty file", fix="check how the file was written")
    return text


def read_delimited(text: str, *, delimiter: str | None = None) -> tuple[pa.Table, list[Flaw]]:
    """Rows of a CSV or TSV text whose first record names the columns.

    Columns of numbers become numbers if that gives every cell back as it was written, so ``007``, ``1.10`` and
    ``1e5`` leave a column of strings; empty cells become null.

    Args:
        text: the whole file; quoted cells may hold line ends.
        delimiter: between cells; None looks at the first line for ``,``, ``;``, tab or ``|``.

    Returns:
        The good rows, and the flaws of the others (another number of cells, broken quotes, undecodable bytes).

    Raises:
        DataError: if the first record does not name every column once.
    """
    header, rows, flaws = read_cells(text, delimiter=delimiter)
    columns = list(zip(*(record for _, record in rows), strict=True)) if rows else [()] * len(header)
    return pa.table({name: _typed(cells) for name, cells in zip(header, columns, strict=True)}), flaws


def read_cells(text: str, *, delimiter: str | None = None) -> tuple[list[str], list[tuple[int, list[str]]], list[Flaw]]:
    """Cells of a CSV or TSV text as they are written, with the line each record begins in, counted from 1.

    The arguments are those of `read_delimited`.

    Returns:
        The names of the columns, the good records, and the flaws of the others.

    Raises:
        DataError: if the first record does not name every column once.
    """
    delimiter = delimiter or _delimiter(text)
    damaged = _UNDECODABLE.search(text) is not None
    with _cells_of_any_length():
        quoting = _quoting(text, delimiter)
        lines = io.StringIO(text, newline="")
        records = _records(csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True))
        header = _header(next(records, (1, []))[1])
        rows: list[tuple[int, list[str]]] = []
        flaws: list[Flaw] = []
        for line, record in records:
            flaw = _flaw(record, len(header), damaged=damaged)
            if isinstance(record, list) and not flaw:
                rows.append((line, record))
            else:
                flaws.append((flaw, f"line {line}"))
    return header, rows, flaws


def read_json_lines(text: str) -> tuple[pa.Table, list[Flaw]]:
    """Rows of JSON Lines: one object per line; blank lines do not count."""
    damaged = _UNDECODABLE.search(text) is not None
    rows: list[dict[str, Any]] = []
    flaws: list[Flaw] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        if damaged and _UNDECODABLE.search(line):
            flaws.append((_describe_bytes(line), f"line {number}"))
            continue
        row = _object(line)
        if isinstance(row, str):
            flaws.append((row, f"line {number}"))
        else:
            rows.append(row)
    return _from_rows(rows), flaws


def read_json(text: str) -> tuple[pa.Table, list[Flaw]]:
    """Rows of one JSON document: a list of objects, one list per column, one list of objects per split, or SQuAD's.

    Raises:
        DataError: if it is not JSON, or of another shape.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        if isinstance(_object(text.lstrip().split("\n", 1)[0]), dict):  # JSON Lines under the name .json
            return read_json_lines(text)
        raise DataError(f"expected JSON, found something else ({error})") from error
    rows = _rows(document)
    if _UNDECODABLE.search(text) is None:
        return _from_rows(rows), []
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    flaws = [(_describe_bytes(row), f"row {number}") for number, row in enumerate(texts) if _UNDECODABLE.search(row)]
    good = [row for row, written in zip(rows, texts, strict=True) if not _UNDECODABLE.search(written)]
    return _from_rows(good), flaws


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _delimiter(text: str) -> str:
    first = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return max(",;\t|", key=first.count)


def _quoting(text: str, delimiter: str) -> Literal[0, 3]:
    """Tab-separated files are often written without quoting; then a leading quotation mark is part of the text."""
    if delimiter != "\t" or '"' not in text:
        return csv.QUOTE_MINIMAL
    lines = [line.removesuffix("\r") for line in text.split("\n") if line.strip()]
    regular = len({line.count("\t") for line in lines}) == 1
    opened = (cell for line in lines for cell in line.split("\t") if cell.startswith('"'))
    broken = any(not re.fullmatch(r'"(?:[^"]|"")*"', cell) for cell in opened)
    return csv.QUOTE_NONE if regular and broken else csv.QUOTE_MINIMAL


def _header(names: list[str] | str) -> list[str]:
    if isinstance(names, str) or _UNDECODABLE.search("".join(names)):
        what = names if isinstance(names, str) else _describe_bytes("".join(names))
        raise DataError(f"expected the names of the columns in the first line, found it {what}")
    header = [name.strip() or "unnamed" for name in names]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"expected a first line that names every column once, found {twice} more than once")
    return header


def _records(reader: Any) -> Iterator[tuple[int, list[str] | str]]:
    """(line, record), or (line, what is wrong) where the quotes are broken; blank lines are left out."""
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"broken quotes ({error})"
        else:
            if record:
                yield line, record


def _flaw(record: list[str] | str, width: int, *, damaged: bool) -> str:
    if isinstance(record, str):
        return record
    if len(record) != width:
        return f"{len(record)} cells where the first line has {width}"
    if damaged and _UNDECODABLE.search(joined := "".join(record)):
        return _describe_bytes(joined)
    return ""


def _describe_bytes(text: str) -> str:
    """What the first undecodable bytes would be in the encoding that is most often mixed in."""
    data = re.search("[\udc80-\udcff]+", text)
    raw = data.group().encode("utf-8", "surrogateescape") if data else b""
    return f"not UTF-8 (byte 0x{raw[0]:02x}, in cp1252 {raw[:1].decode('cp1252', 'replace')!r})"


def _typed(cells: Sequence[str]) -> pa.Array:
    column = pa.array(cells, pa.string())
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    if column.null_count == len(column):
        return column
    if pc.all(pc.match_substring_regex(column, _INTEGER)).as_py():
        return pc.cast(column, pa.int64())
    if pc.all(pc.match_substring_regex(column, _NUMBER)).as_py() and all(map(_is_written_so, cells)):
        return pc.cast(column, pa.float64())
    return column


def _is_written_so(cell: str) -> bool:
    """Whether a number reads the same after it was a float; an empty cell and NaN say as much afterwards as before."""
    return cell in ("", "NaN") or repr(float(cell)) == cell


def _object(line: str) -> dict[str, Any] | str:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return f"not JSON ({error.msg})"
    return value if isinstance(value, dict) else "not a JSON object"


def _rows(document: Any) -> list[dict[str, Any]]:
    match document:
        case dict() if is_squad(document):
            return squad_rows(document)
        case list() if all(isinstance(row, dict) for row in document):
            return document
        case dict() if document and all(isinstance(values, dict) for values in document.values()):
            keys = dict.fromkeys(key for values in document.values() for key in values)
            return [{name: values.get(key) for name, values in document.items()} for key in keys]
        case dict() if document and all(_holds_objects(rows) for rows in document.values()):
            if len(document) == 1 and "train" not in document:
                return next(iter(document.values()))
            return [{**row, "split": split} for split, rows in document.items() for row in rows]
        case dict() if document and all(isinstance(values, list) for values in document.values()):
            if len({len(values) for values in document.values()}) == 1:
                return [dict(zip(document, row, strict=True)) for row in zip(*document.values(), strict=True)]
    raise DataError("expected a list of JSON objects, a list per column or a list per split, found another shape")


def _holds_objects(rows: Any) -> bool:
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) for row in rows)


def _from_rows(rows: Sequence[dict[str, Any]]) -> pa.Table:
    columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
    typed: dict[str, pa.Array] = {}
    for name, values in columns.items():
        typed |= _columns(name, values, taken=columns.keys() - {name})
    return pa.table(typed)


def _columns(name: str, values: list[Any], *, taken: AbstractSet[str]) -> dict[str, pa.Array]:
    """One column; several where the values are objects that have no type in common, named as structs would be."""
    column = _typed_alike(values)
    if column is not None:
        return {name: column}
    given = [value for value in values if value is not None]
    fields = list(dict.fromkeys(field for value in given if isinstance(value, dict) for field in value))
    names = field_names(name, fields)
    if not all(isinstance(value, dict) for value in given) or set(names) & taken:
        return {name: _as_strings(values)}
    parts = zip(names, ([value and value.get(field) for value in values] for field in fields), strict=True)
    return {inner: column for called, part in parts for inner, column in _columns(called, part, taken=taken).items()}


def _typed_alike(values: list[Any]) -> pa.Array | None:
    """The values as a column of one type; None where they have several."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
        return None


def _as_strings(values: list[Any]) -> pa.Array:
    """Lone surrogates, which JSON can write and UTF-8 cannot, become U+FFFD."""
    return pa.array([None if value is None else _written(value) for value in values], pa.string())


def _written(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
