"""Targets that are lists: the texts of answers, and where each of them starts in the passage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

__all__ = ["find_flaws", "first_value", "read_lists", "types_of"]

Lists = Mapping[str, Sequence[Any]]
"""Target columns by name, in the order of `Fields.target`: a list per row, or None for a row without a target."""
_KINDS = (("texts", str, pa.string()), ("whole numbers", int, pa.int64()))


def read_lists(column: pa.ChunkedArray) -> list[Any]:
    """[n] the values of a column; in a column of strings (of a CSV, or beside values of another kind), each is JSON.

    >>> read_lists(pa.chunked_array([['["Rome"]', "Rome", None]]))
    [['Rome'], 'Rome', None]
    """
    values: list[Any] = column.to_pylist()
    return [_parsed(value) for value in values] if pa.types.is_string(column.type) else values


def types_of(names: Sequence[str]) -> dict[str, pa.DataType]:
    """How target columns are stored: lists of strings first, then lists of integers."""
    return {name: pa.list_(kind) for name, (_, _, kind) in zip(names, _KINDS, strict=False)}


def find_flaws(targets: Lists, passages: Sequence[str | None]) -> list[str]:
    """[n] the first thing that is wrong with each row's targets; empty where nothing is.

    Args:
        targets: lists of texts, and lists of where each starts, in characters of the passage.
        passages: [n] what the offsets count in.
    """
    rows = zip(*targets.values(), strict=True)
    return [
        next(_flaws(dict(zip(targets, row, strict=True)), passage), "")
        for row, passage in zip(rows, passages, strict=True)
    ]


def first_value(value: Any) -> Any:
    """What stands for a list: its first value, an empty text where it is empty; anything else stands for itself.

    >>> first_value(["Rome", "in Rome"]), first_value([]), first_value(None)
    ('Rome', '', None)
    """
    return next(iter(value), "") if isinstance(value, list) else value


def _flaws(row: Mapping[str, Any], passage: str | None) -> Iterator[str]:
    given = {name: value for name, value in row.items() if value is not None}
    yield from (f"{name!r} is missing" for name in row if given and name not in given)
    for (name, value), (called, kind, _) in zip(row.items(), _KINDS, strict=False):
        if name in given and not (isinstance(value, list) and all(type(item) is kind for item in value)):
            yield f"{name!r} is no list of {called}"
    if len({len(value) for value in given.values()}) > 1:
        yield f"{' and '.join(map(repr, row))} of different lengths"
    texts, *starts = given.values() or ((),)
    if not all(text.strip() for text in texts):
        yield f"empty text in {next(iter(row))!r}"
    if starts and not all(_fits(start, text, passage or "") for text, start in zip(texts, starts[0], strict=True)):
        yield f"{list(row)[1]!r} outside the text"


def _fits(start: int, text: str, passage: str) -> bool:
    return 0 <= start <= len(passage) - len(text)


def _parsed(cell: str | None) -> Any:
    try:
        return None if cell is None else json.loads(cell)
    except ValueError:
        return cell
