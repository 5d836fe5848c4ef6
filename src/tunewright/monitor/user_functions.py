"""Signals that a user writes as functions.

Three kinds are taken: a function of one row, a function of the batch's columns, and, unchanged, UpTrain's
``fn(inputs, outputs, gts, extra_args)``, which is told by the names of its first two parameters.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from tokenize import TokenError
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import ColumnError, DataError, did_you_mean
from tunewright.monitor.expressions import Signal, node, of
from tunewright.monitor.operations import operation
from tunewright.monitor.operators import column
from tunewright.monitor.vectors import matrix

__all__ = ["Function", "revived", "user"]

Per = Literal["batch", "row", "arrow"]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the user's that is part of a signal.

    Attributes:
        name: as formulas call it.
        content: the function.
        version: what its fingerprint is of besides the name; without one, its source.
    """

    name: str
    content: Callable[..., Any]
    version: str = ""

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of its name and version or source; what it closes over, or calls, is not seen."""
        return hashlib.sha256(f"{self.name}\n{self.version or _source(self.content)}".encode()).hexdigest()[:16]

    @classmethod
    def of(cls, function: Callable[..., Any], *, name: str | None = None) -> Function:
        """A function under its own name or another; a tokenizer under the name of its model, with its size."""
        size = getattr(function, "vocab_size", None)
        return cls(name or _called(function), function, "" if size is None else f"{size} tokens")

    def to_json(self) -> dict[str, Any]:
        """Its name and fingerprint, never its code."""
        return {"function": self.name, "fingerprint": self.fingerprint}


def revived(document: Mapping[str, Any], named: Mapping[str, Any]) -> Function:
    """The function that a document names.

    Raises:
        DataError: if it was not given, or its source is another one than when the document was written.
    """
    name = document["function"]
    if name not in named:
        raise DataError(
            f"expected the function {name!r} beside the JSON form, found none", fix=f"pass `named={{{name!r}: ...}}`"
        )
    function = Function.of(named[name], name=name)
    if function.fingerprint != document["fingerprint"]:
        raise DataError(
            f"the function {name!r} is another one than when the signal was written", fix="give it another name"
        )
    return function


def user(
    function: Callable[..., Any],
    *columns: str | Signal,
    name: str | None = None,
    per: Per = "batch",
    outputs: str | None = None,
    gts: str | None = None,
    extra_args: Mapping[str, Any] | None = None,
) -> Signal:
    """A signal of the user's own.

    Args:
        function: returns one value per row (``per="row"``: the value): a truth value, a number, a text, or None.
        columns: what it is called with; none are the columns called like its parameters. With ``per="row"`` they may
            be signals, rows with a missing value are null without a call, and in ``a & b`` only undecided rows are
            computed. Else it sees the whole batch.
        name: as formulas call it; None is its own name.
        per: "batch" calls it with NumPy arrays ([n], of vectors [n, dimensions], None or NaN where missing), "arrow"
            with Arrow arrays, "row" with Python values of one row.
        outputs: for ``fn(inputs, outputs, gts, extra_args)``: the column passed as outputs; None is "output", and None
            is passed where there is no such column. ``inputs`` is a dict of the columns as lists, all of the batch
            where none are named.
        gts: for the same: the column of ground truth; rows without it are null, and the function does not see them.
        extra_args: for the same: JSON values; ``id`` is added. Bind other objects with ``functools.partial``.

    Raises:
        TypeError: if the columns are not known.
    """
    known = Function.of(function, name=name)
    if _takes_inputs(function):
        names = tuple(_only_name(part) for part in columns)
        given = None if extra_args is None else _json(extra_args)
        options = {"columns": names or None, "outputs": outputs, "gts": gts, "extra_args": given}
        return node("user.inputs", node("rows"), function=known, **options)
    columns = columns or _parameters(function)
    if per == "row":
        return node("user.row", *map(of, columns), function=known, per=per)
    names = tuple(_only_name(part) for part in columns)
    return node("user.batch", node("rows"), function=known, per=per, columns=names)


def _takes_inputs(function: Callable[..., Any]) -> bool:
    return [*inspect.signature(function).parameters][:2] == ["inputs", "outputs"]


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the parameters without a default, which are columns."""
    parameters = inspect.signature(function).parameters.values()
    names = tuple(item.name for item in parameters if item.default is item.empty and item.kind != item.VAR_POSITIONAL)
    if not names:
        raise TypeError(
            f"expected columns for {_called(function)!r}, found none\n  fix: name them: user(fn, 'dialogue')"
        )
    return names


def _only_name(part: str | Signal) -> str:
    signal = of(part)
    if signal.op != "col":
        raise TypeError(f"expected names of columns, found `{signal}`\n  fix: functions of signals need per='row'")
    return str(signal.option("name"))


def _json(values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(json.dumps(dict(values)))
    except TypeError as error:
        raise TypeError(f"expected JSON values in extra_args ({error})\n  fix: use functools.partial") from error
    return kept


def _called(function: Callable[..., Any]) -> str:
    inner = function.func if isinstance(function, partial) else function
    return str(getattr(inner, "name_or_path", "") or getattr(inner, "__name__", type(inner).__name__))


def _source(function: Callable[..., Any]) -> str:
    if isinstance(function, partial):
        bound = [
            value for value in (*function.args, *function.keywords.values()) if isinstance(value, str | int | float)
        ]
        return f"{_source(function.func)}\n{bound}"
    try:
        return inspect.getsource(function if inspect.isroutine(function) else type(function))
    except (OSError, TypeError, TokenError):  # typed at a prompt, built in, or its file was changed since
        code = getattr(function, "__code__", None)
        return repr((code.co_code, code.co_names)) if code else _called(function)


@operation("user.row", gives="any", cost=5000)
def _per_row(*columns: pa.Array, function: Function, **_: Any) -> Any:
    return [function.content(*row) for row in zip(*(values.to_pylist() for values in columns), strict=True)]


@operation("user.batch", gives="any", cost=1000, dense=False, whole=True)
def _per_batch(rows: pa.Table, *, function: Function, per: str, columns: Iterable[str]) -> Any:
    values = [_column(rows, name) for name in columns]
    return _flat(function.content(*(map(_as_numpy, values) if per == "batch" else values)))


@operation("user.inputs", gives="any", cost=1000, dense=False, whole=True)
def _with_inputs(rows: pa.Table, *, gts: str | None = None, **options: Any) -> Any:
    """Call ``fn(inputs, outputs, gts, extra_args)`` on the rows that have what it needs."""
    if gts is None:
        return _called_with(rows, None, **options)
    if gts not in rows.column_names:
        return pa.nulls(rows.num_rows)
    there = rows[gts].is_valid().combine_chunks()
    known = rows.filter(there)
    if not known.num_rows:
        return pa.nulls(rows.num_rows)
    found = pa.array(_called_with(known, known[gts].to_pylist(), **options), from_pandas=True)
    return pc.replace_with_mask(pa.nulls(rows.num_rows, found.type), there, found)


def _called_with(
    rows: pa.Table,
    gts: list[Any] | None,
    *,
    function: Function,
    columns: Iterable[str] | None = None,
    outputs: str = "output",
    extra_args: Mapping[str, Any] | None = None,
) -> Any:
    inputs = {name: _column(rows, name).to_pylist() for name in columns or rows.column_names}
    said = rows[outputs].to_pylist() if outputs in rows.column_names else None
    extra = dict(extra_args or {})
    if "id" in rows.column_names:
        extra["id"] = rows["id"].to_pylist()
    return _flat(_by_name(function.content, inputs=inputs, outputs=said, gts=gts, extra_args=extra))


def _by_name(function: Callable[..., Any], **values: Any) -> Any:
    """Call with those of the values that the function takes."""
    parameters = inspect.signature(function).parameters
    if any(item.kind == item.VAR_KEYWORD for item in parameters.values()):
        return function(**values)
    return function(**{name: value for name, value in values.items() if name in parameters})


def _column(rows: pa.Table, name: str) -> pa.Array:
    if name not in rows.column_names:
        raise ColumnError(f"expected a column {name!r}, found none", fix=did_you_mean(name, rows.column_names))
    return column(rows, name)


def _as_numpy(values: pa.Array) -> Any:
    lists = pa.types.is_fixed_size_list(values.type) and not values.null_count
    return matrix(values) if lists else values.to_numpy(zero_copy_only=False)


def _flat(values: Any) -> Any:
    """[n, 1], as some functions give, is [n]."""
    return values.reshape(-1) if isinstance(values, np.ndarray) and values.ndim > 1 else values
