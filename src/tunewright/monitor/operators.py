"""Operators, columns and constants: what they compute, on whole columns in Arrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ColumnError, DataError, did_you_mean
from tunewright.monitor.operations import operation

__all__ = ["column", "plain", "truth_value"]

_BINARY: dict[str, Callable[..., Any]] = {
    "&": pc.and_kleene,
    "|": pc.or_kleene,
    "^": pc.xor,
    "+": pc.add_checked,
    "-": pc.subtract_checked,
    "*": pc.multiply_checked,
    ">": pc.greater,
    ">=": pc.greater_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    "==": pc.equal,
    "!=": pc.not_equal,
}
_LOGIC, _ARITHMETIC = frozenset("&|^"), frozenset("+-*")


def _declare(op: str, function: Callable[..., Any]) -> None:
    @operation(op, gives="number" if op in _ARITHMETIC else "bool", dense=False)
    def compute(left: Any, right: Any) -> Any:
        sides = (truth_value(left), truth_value(right)) if op in _LOGIC else (left, right)
        try:
            return function(*sides)
        except pa.ArrowNotImplementedError as error:
            raise DataError(f"`{op}` does not take {left.type} and {right.type}") from error


for _op, _function in _BINARY.items():
    _declare(_op, _function)


@operation("/", gives="number", dense=False)
def _divide(left: Any, right: Any) -> Any:
    """Null where the divisor is 0: there is no such number."""
    above, below = (pc.cast(part, pa.float64()) for part in (left, right))
    return pc.divide(above, pc.if_else(pc.equal(below, 0.0), pa.scalar(None, pa.float64()), below))


@operation("neg", gives="number", dense=False)
def _negative(values: Any) -> Any:
    return pc.negate_checked(values)


@operation("~", gives="bool", dense=False)
def _not(values: Any) -> Any:
    return pc.invert(truth_value(values))


@operation("isin", gives="bool", dense=True)
def _isin(found: pa.Array, *, values: Sequence[Any]) -> Any:
    wanted = pa.array(values)
    common = pa.float64() if pa.float64() in {found.type, wanted.type} else found.type
    return pc.is_in(found.cast(common), value_set=wanted.cast(common))


@operation("between", gives="bool", dense=False)
def _between(values: Any, *, low: Any, high: Any) -> Any:
    return pc.and_kleene(pc.greater_equal(values, low), pc.less_equal(values, high))


@operation("is_null", gives="bool", dense=False)
def _is_null(values: Any) -> Any:
    return pc.is_null(values)


@operation("value", gives="any", cost=0, dense=False)
def _value(_: pa.Table, *, value: Any) -> Any:
    return pa.scalar(value)


@operation("col", gives="any", dense=False, cost=0.1)
def _column(rows: pa.Table, *, name: str) -> Any:
    if name not in rows.column_names:
        raise ColumnError(f"expected a column {name!r}, found none", fix=did_you_mean(name, rows.column_names))
    return column(rows, name)


@operation("rows", gives="any", dense=False, cost=0)
def _rows(rows: pa.Table) -> Any:
    """The whole batch, for functions that say only when they run what they read."""
    return rows


@operation("truth", gives="any", dense=False, cost=0.1)
def _truth(rows: pa.Table, *, name: str) -> Any:
    return column(rows, name) if name in rows.column_names else pa.nulls(rows.num_rows)


def column(rows: pa.Table, name: str) -> pa.Array:
    """A column as one array, `plain`."""
    return plain(rows[name].combine_chunks())


def plain(values: pa.Array) -> pa.Array:
    """Integers as int64, other numbers as float64 with NaN as null, texts as string; all else as it is."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return plain(values.cast(kind.value_type))
    if pa.types.is_integer(kind):
        return values.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = values.cast(pa.float64())
        return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
    return values.cast(pa.string()) if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else values


def truth_value(values: Any) -> Any:
    """As booleans; a column without any value has no type of its own.

    Raises:
        DataError: if they are something else.
    """
    if pa.types.is_null(values.type):
        return values.cast(pa.bool_())
    if not pa.types.is_boolean(values.type):
        raise DataError(f"expected truth values, found {values.type}", fix="compare the values, as in `... > 0`")
    return values
