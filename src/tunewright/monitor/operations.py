"""What a signal can be made of: one table of named operations, which the modules of built-ins fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from tunewright.errors import DataError, did_you_mean

__all__ = ["ARROW_TYPES", "OPERATIONS", "Compute", "Kind", "Operation", "find", "operation"]

Kind = Literal["bool", "number", "text", "any"]

Compute = Callable[..., Any]
"""``compute(*inputs, **options)``: from the inputs' values on the rows that matter to one value per row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """How one kind of node of an expression is computed.

    Attributes:
        name: as it is called in formulas.
        gives: what its values are; any where only the data tells.
        compute: one value per row.
        cost: of one row, in units of comparing two numbers; decides which side of ``&`` and ``|`` comes first.
        dense: computed only where no input is null, and null elsewhere.
        whole: a function of the whole batch, so that it never sees only a part of the rows.
        compares: it takes the reference as well, as ``reference=``.
    """

    name: str
    gives: Kind
    compute: Compute
    cost: float = 1.0
    dense: bool = True
    whole: bool = False
    compares: bool = False


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str,
    *,
    gives: Kind,
    cost: float = 1.0,
    dense: bool = True,
    whole: bool = False,
    compares: bool = False,
) -> Callable[[Compute], Compute]:
    """Declare how the nodes of a name are computed."""

    def declare(compute: Compute) -> Compute:
        OPERATIONS[name] = Operation(
            name=name, gives=gives, compute=compute, cost=cost, dense=dense, whole=whole, compares=compares
        )
        return compute

    return declare


def find(name: str) -> Operation:
    """The operation of a name.

    Raises:
        DataError: if there is none.
    """
    try:
        return OPERATIONS[name]
    except KeyError:
        raise DataError(f"no signal is called {name!r}", fix=did_you_mean(name, OPERATIONS)) from None


ARROW_TYPES: dict[Kind, pa.DataType] = {"bool": pa.bool_(), "number": pa.float64(), "text": pa.string()}
"""Of values that are all missing."""
