"""Operators, columns and constants: what they compute, on whole columns in Arrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    def compute(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
        left, right = map(truth_value, inputs) if op in _LOGIC else inputs
        try:
            return function(left, right)
        except pa.ArrowNotImplementedError as error:
            raise DataError(f"`{op}` does not take {left.type} and {right.type}") from error


for _op, _function in _BINARY.items():
    _declare(_op, _function)


@operation("/", gives="number", dense=False)
def _divide(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    """Null where the divisor is 0: there is no such number."""
    above, below = (pc.cast(part, pa.float64()) for part in inputs)
    return pc.divide(above, pc.if_else(pc.equal(below, 0.0), pa.scalar(None, pa.float64()), below))


@operation("neg", gives="number", dense=False)
def _negative(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    return pc.negate_checked(inputs[0])


@operation("~", gives="bool", dense=False)
def _not(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    return pc.invert(truth_value(inputs[0]))


@operation("isin", gives="bool", dense=True)
def _isin(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    found, values = inputs[0], pa.array(options["values"])
    common = pa.float64() if pa.float64() in {found.type, values.type} else found.type
    return pc.is_in(found.cast(common), value_set=values.cast(common))


@operation("between", gives="bool", dense=False)
def _between(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    above, below = pc.greater_equal(inputs[0], options["low"]), pc.less_equal(inputs[0], options["high"])
    return pc.and_kleene(above, below)


@operation("is_null", gives="bool", dense=False)
def _is_null(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    return pc.is_null(inputs[0])


@operation("value", gives="any", cost=0, dense=False)
def _value(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    return pa.scalar(options["value"])


@operation("col", gives="any", dense=False, cost=0.1)
def _column(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    (rows,) = inputs
    name = options["name"]
    if name not in rows.column_names:
        raise ColumnError(f"expected a column {name!r}, found none", fix=did_you_mean(name, rows.column_names))
    return column(rows, name)


@operation("rows", gives="any", dense=False, cost=0)
def _rows(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    """The whole batch, for functions that say only when they run what they read."""
    return inputs[0]


@operation("truth", gives="any", dense=False, cost=0.1)
def _truth(inputs: list[Any], options: Mapping[str, Any], reference: Any) -> Any:
    (rows,) = inputs
    name = options["name"]
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
