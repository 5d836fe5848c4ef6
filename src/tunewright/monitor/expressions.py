"""Signals: expressions over the columns of rows.

An expression is a tree of nodes. Each knows the columns it needs, its formula as Python would write it, and a
fingerprint made of its own name and options and of its inputs' fingerprints, so that equal parts are found and
computed once. What is missing stays missing (Kleene 1952, §64): ``null & False`` is False, ``null & True`` is null.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from tunewright.errors import DataError
from tunewright.monitor.operations import Kind, find

__all__ = ["Edge", "Scalar", "Signal", "col", "node", "of", "truth"]

Scalar: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """An expression over rows; immutable.

    Operators build larger ones: ``+ - * /`` of numbers, ``> >= < <= == !=`` of numbers and texts, ``& | ^ ~`` of
    conditions. ``==`` builds a signal too: compare fingerprints to learn whether two signals are the same.

    Attributes:
        op: name of the operation.
        inputs: signals it is computed from.
        options: names and values of what else it takes, sorted by name.
        fingerprint: 16 hexadecimal digits; the same for the same expression, in every process.
        needs: names of the columns it is computed from.
        needs_truth: whether ground truth is among them, so that it is null until labels arrive.
    """

    op: str
    inputs: tuple[Signal, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    fingerprint: str = field(init=False)
    needs: frozenset[str] = field(init=False)
    needs_truth: bool = field(init=False)

    def __post_init__(self) -> None:
        own = frozenset(_own_columns(self))
        object.__setattr__(self, "fingerprint", _fingerprint(self))
        object.__setattr__(self, "needs", own.union(*(part.needs for part in self.inputs)))
        object.__setattr__(self, "needs_truth", _reads_truth(self))

    @property
    def gives(self) -> Kind:
        """What its values are: bool, number, text, or any where only the data tells."""
        return find(self.op).gives

    def option(self, name: str) -> Any:
        """The value of an option.

        Raises:
            KeyError: if there is none of that name.
        """
        return dict(self.options)[name]

    def isin(self, values: Iterable[Scalar]) -> Signal:
        """Whether it is one of some values; null where it is missing."""
        listed = tuple(_constant(value) for value in values)
        return node("isin", self, values=listed)

    def between(self, low: float | str, high: float | str) -> Signal:
        """Whether ``low <= it <= high``."""
        return node("between", self, low=_constant(low), high=_constant(high))

    def is_null(self) -> Signal:
        """Whether it is missing; never null itself."""
        return node("is_null", self)

    def edge(self, name: str) -> Edge:
        """A check that marks the rows where the signal is True.

        Raises:
            TypeError: if its values are numbers or texts.
        """
        return Edge(name, self)

    def to_json(self) -> dict[str, Any]:
        """The expression as JSON values; see `Signal.from_json`."""
        from tunewright.monitor.forms import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any], *, named: Mapping[str, Any] | None = None) -> Signal:
        """The expression that ``to_json`` wrote.

        Args:
            document: what it gave.
            named: functions of the user by name; a document holds their names and fingerprints, never code.

        Raises:
            DataError: if the document is no signal, or a function is missing or another one.
        """
        from tunewright.monitor.forms import from_json

        return from_json(document, named or {})

    @classmethod
    def parse(cls, formula: str, *, named: Mapping[str, Any] | None = None) -> Signal:
        """The expression that a formula stands for: ``Signal.parse(str(signal), named=signal.named)`` is the same.

        Only the built-in signals, operators and constants are read; nothing is executed.

        Args:
            formula: as ``str()`` writes it.
            named: what formulas call by name: functions of the user, arrays of points.

        Raises:
            DataError: if it is no formula of a signal.
        """
        from tunewright.monitor.forms import parse

        return parse(formula, named or {})

    @property
    def named(self) -> dict[str, Any]:
        """What its formula calls by name: functions of the user, arrays of points."""
        own = {value.name: value.content for _, value in self.options if hasattr(value, "content")}
        return {name: value for part in self.inputs for name, value in part.named.items()} | own

    def __str__(self) -> str:
        from tunewright.monitor.forms import formula

        return formula(self)

    def __repr__(self) -> str:
        return f"Signal({self})"

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"whether `{self}` is true is known row by row, not now\n  fix: write `(a > 1) & (b < 2)` instead of "
            "`a > 1 and b < 2`, `|` instead of `or`, `~` instead of `not`, "
            "and `a.between(1, 2)` instead of `1 <= a <= 2`"
        )

    def __contains__(self, value: object) -> NoReturn:
        raise TypeError(f"`{self}` is one value per row, and no list\n  fix: use `.isin([...])` instead of `in`")

    def __and__(self, other: object) -> Signal:
        return _logic("&", self, other)

    def __rand__(self, other: object) -> Signal:
        return _logic("&", other, self)

    def __or__(self, other: object) -> Signal:
        return _logic("|", self, other)

    def __ror__(self, other: object) -> Signal:
        return _logic("|", other, self)

    def __xor__(self, other: object) -> Signal:
        return _logic("^", self, other)

    def __rxor__(self, other: object) -> Signal:
        return _logic("^", other, self)

    def __invert__(self) -> Signal:
        return node("~", _condition(self, "~"))

    def __add__(self, other: object) -> Signal:
        return _arithmetic("+", self, other)

    def __radd__(self, other: object) -> Signal:
        return _arithmetic("+", other, self)

    def __sub__(self, other: object) -> Signal:
        return _arithmetic("-", self, other)

    def __rsub__(self, other: object) -> Signal:
        return _arithmetic("-", other, self)

    def __mul__(self, other: object) -> Signal:
        return _arithmetic("*", self, other)

    def __rmul__(self, other: object) -> Signal:
        return _arithmetic("*", other, self)

    def __truediv__(self, other: object) -> Signal:
        return _arithmetic("/", self, other)

    def __rtruediv__(self, other: object) -> Signal:
        return _arithmetic("/", other, self)

    def __neg__(self) -> Signal:
        return node("neg", _number(self, "-"))

    def __gt__(self, other: object) -> Signal:
        return node(">", self, _lifted(other))

    def __ge__(self, other: object) -> Signal:
        return node(">=", self, _lifted(other))

    def __lt__(self, other: object) -> Signal:
        return node("<", self, _lifted(other))

    def __le__(self, other: object) -> Signal:
        return node("<=", self, _lifted(other))

    def __eq__(self, other: object) -> Signal:  # type: ignore[override]
        return node("==", self, _lifted(other))

    def __ne__(self, other: object) -> Signal:  # type: ignore[override]
        return node("!=", self, _lifted(other))


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A check that marks the rows where a signal is True; where it is null, nothing is marked, and that is counted.

    Attributes:
        name: of the reason why a row was marked.
        signal: a condition.

    Raises:
        TypeError: if the signal's values are numbers or texts.
    """

    name: str
    signal: Signal

    def __post_init__(self) -> None:
        _condition(self.signal, f"edge({self.name!r})")

    @property
    def fingerprint(self) -> str:
        """Of its signal."""
        return self.signal.fingerprint

    @property
    def needs(self) -> frozenset[str]:
        """Names of the columns that its signal is computed from."""
        return self.signal.needs


def _own_columns(signal: Signal) -> Iterator[str]:
    """Names of the columns that a node reads by itself, and not through its inputs."""
    for name, value in signal.options:
        match signal.op, name:
            case ("col" | "truth", "name") | ("user.inputs", "outputs" | "gts"):
                yield value
            case "user.batch" | "user.inputs", "columns":
                yield from value


def _reads_truth(signal: Signal) -> bool:
    own = signal.op == "truth" or (signal.op == "user.inputs" and "gts" in dict(signal.options))
    return own or any(part.needs_truth for part in signal.inputs)


def col(name: str) -> Signal:
    """A column of the rows; NaN is missing.

    >>> (col("score") + 1 > 2) & ~col("seen")
    Signal((col("score") + 1 > 2) & ~col("seen"))
    """
    return node("col", name=str(name))


def truth(name: str) -> Signal:
    """A column of ground truth: null until labels arrive, also where no row has it yet."""
    return node("truth", name=str(name))


def node(op: str, *inputs: Signal, **options: Any) -> Signal:
    """A node of an expression; options that are None are left out."""
    kept = tuple(sorted((name, value) for name, value in options.items() if value is not None))
    return Signal(op, inputs, kept)


def of(column: str | Signal) -> Signal:
    """A signal; a name stands for the column.

    Raises:
        TypeError: if it is neither.
    """
    match column:
        case Signal():
            return column
        case str():
            return col(column)
    raise TypeError(f"expected the name of a column or a signal, found {column!r}")


def _constant(value: object) -> Scalar:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"expected a finite number in a signal, found {value}", fix="missing values: use `.is_null()`")
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"expected a signal, a number, a text or a truth value, found {value!r}")


def _lifted(value: object) -> Signal:
    return value if isinstance(value, Signal) else node("value", value=_constant(value))


def _logic(op: str, left: object, right: object) -> Signal:
    return node(op, _condition(_lifted(left), op), _condition(_lifted(right), op))


def _arithmetic(op: str, left: object, right: object) -> Signal:
    return node(op, _number(_lifted(left), op), _number(_lifted(right), op))


def _condition(signal: Signal, user: str) -> Signal:
    kind = _kind(signal)
    if kind in {"number", "text"}:
        raise TypeError(
            f"`{user}` needs a condition, found the {kind} `{signal}`\n  fix: compare it, as in `({signal} > ...)`; "
            "`&` and `|` bind tighter than comparisons, so put comparisons in brackets"
        )
    return signal


def _number(signal: Signal, user: str) -> Signal:
    if _kind(signal) == "text":
        raise TypeError(f"`{user}` needs numbers, found the text `{signal}`\n  fix: compare it with `==` or `.isin`")
    return signal


def _kind(signal: Signal) -> Kind:
    if signal.op != "value":
        return signal.gives
    value = signal.option("value")
    return "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _fingerprint(signal: Signal) -> str:
    options = [[name, getattr(value, "fingerprint", value)] for name, value in signal.options]
    parts = json.dumps([signal.op, [part.fingerprint for part in signal.inputs], options], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
