"""The two written forms of a signal: the formula that a person reads, and JSON."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol, cast

from tunewright.errors import DataError, TunewrightError, did_you_mean
from tunewright.monitor.expressions import Signal, col, node, truth
from tunewright.monitor.operations import find

__all__ = ["Stored", "formula", "from_json", "parse", "to_json"]

_COMPARE, _UNARY, _ATOM = 1, 7, 9
_BINDS = {"|": 2, "^": 3, "&": 4, "+": 5, "-": 5, "*": 6, "/": 6} | dict.fromkeys(
    (">", ">=", "<", "<=", "==", "!="), _COMPARE
)
_PREFIXES = {"~": "~", "neg": "-"}
_METHODS = frozenset({"isin", "between", "is_null"})
_STORED = frozenset({"points", "centers", "scale", "tokenizer"})  # options that formulas call by name

_READ: dict[type[ast.AST], Callable[..., Any]] = {
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Invert: operator.invert,
    ast.USub: operator.neg,
}


class Stored(Protocol):
    """An option that is more than a JSON value: it is called by name in formulas, and writes itself to JSON."""

    name: str
    fingerprint: str

    @property
    def content(self) -> Any: ...

    def to_json(self) -> dict[str, Any]: ...


def formula(signal: Signal) -> str:
    """The expression as Python writes it.

    >>> formula(~(col("a") > 1) & col("b").isin([1, 2]))
    '~(col("a") > 1) & col("b").isin([1, 2])'
    """
    return _written(signal)[0]


def _written(signal: Signal) -> tuple[str, int]:
    """The text, and how tightly its outermost operator binds."""
    op, inputs, options = signal.op, signal.inputs, dict(signal.options)
    if op == "value":
        text = _literal(options["value"])
        return text, _UNARY if text.startswith("-") else _ATOM
    if op in _BINDS:
        binds = _BINDS[op]
        left = _within(inputs[0], binds + (binds == _COMPARE))
        return f"{left} {op} {_within(inputs[1], binds + 1)}", binds
    if op in _PREFIXES:
        return f"{_PREFIXES[op]}{_within(inputs[0], _UNARY)}", _UNARY
    if op in _METHODS:
        arguments = [_literal(options[name]) for name in ("values", "low", "high") if name in options]
        return f"{_within(inputs[0], _ATOM)}.{op}({', '.join(arguments)})", _ATOM
    return f"{_maker(op)}({', '.join(_arguments(op, inputs, options))})", _ATOM


def _within(signal: Signal, tighter_than: int) -> str:
    text, binds = _written(signal)
    return text if binds >= tighter_than else f"({text})"


def _arguments(op: str, inputs: tuple[Signal, ...], options: dict[str, Any]) -> list[str]:
    """Columns first, then what differs from the defaults; what is called by name comes first of all."""
    defaults = _defaults(op)
    head = [_literal(options.pop(name)) for name in ("name", "function") if name in options]
    columns = [_literal(part.option("name")) if part.op == "col" else str(part) for part in inputs if part.op != "rows"]
    columns += [_literal(name) for name in options.pop("columns", ())]
    if "vectors" in options and columns == [_literal(options["vectors"])]:
        del options["vectors"]
    if op == "text.truncated" and len(columns) > 1:
        columns[1] = f"stop_reason={columns[1]}"
    rest = [f"{name}={_literal(value)}" for name, value in options.items() if value != defaults.get(name, _NOTHING)]
    return [*head, *columns, *rest]


_NOTHING = object()


@cache
def _defaults(op: str) -> dict[str, Any]:
    return {name: item.default for name, item in inspect.signature(_makers()[_maker(op)]).parameters.items()}


def _maker(op: str) -> str:
    """Name of the function that makes nodes of an operation."""
    return "user" if op.startswith("user.") else op


def _literal(value: Any) -> str:
    match value:
        case str():
            return f'"{value}"' if value.isprintable() and not set(value) & {'"', "\\"} else repr(value)
        case tuple() | list():
            return f"[{', '.join(map(_literal, value))}]"
        case dict():
            return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
        case None | bool() | int() | float():
            return repr(value)
    return _literal(value.name)


@cache
def _makers() -> dict[str, Callable[..., Signal]]:
    """What formulas may call."""
    from tunewright.monitor import embedding_signals, metric_signals, text_signals, user_functions

    spaces = {"text": text_signals, "emb": embedding_signals, "metric": metric_signals}
    makers = {f"{space}.{name}": getattr(module, name) for space, module in spaces.items() for name in module.SIGNALS}
    return makers | {"col": col, "truth": truth, "user": user_functions.user}


def parse(text: str, named: Mapping[str, Any]) -> Signal:
    """See `Signal.parse`."""
    try:
        signal = _read(ast.parse(text.strip(), mode="eval").body, named)
    except TunewrightError:
        raise
    except (SyntaxError, TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(f"expected the formula of a signal, found {text!r} ({error})") from error
    if not isinstance(signal, Signal):
        raise DataError(f"expected the formula of a signal, found {text!r}", fix='call columns `col("name")`')
    return signal


def _read(tree: ast.expr, named: Mapping[str, Any]) -> Any:
    """A signal, or what it takes: a constant, a list, a dict."""
    match tree:
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _READ:
            return _READ[type(sign)](_read(operand, named))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _READ:
            return _READ[type(sign)](_read(left, named), _read(right, named))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _READ:
            return _compared(type(sign), _read(left, named), _read(right, named))
        case ast.Call(func=function, args=arguments, keywords=keywords):
            values = [_read(item, named) for item in arguments]
            options = {str(word.arg): _read(word.value, named) for word in keywords}
            return _called(function, values, options, named)
    return _constant(tree)


def _constant(tree: ast.expr) -> Any:
    match tree:
        case ast.Constant(value=bool() | int() | float() | str() | None) | ast.List() | ast.Dict():
            return ast.literal_eval(tree)
    raise DataError(
        f"a formula has no `{ast.unparse(tree)}`",
        fix='formulas are made of signals such as `col("a")`, constants and operators; `a < b < c` is `.between`',
    )


def _compared(sign: type[ast.AST], left: Any, right: Any) -> Signal:
    if not isinstance(left, Signal) and not isinstance(right, Signal):
        raise DataError("a formula compares two constants")
    return cast("Signal", _READ[sign](left, right))


def _called(function: ast.expr, values: list[Any], options: dict[str, Any], named: Mapping[str, Any]) -> Signal:
    if isinstance(function, ast.Attribute) and function.attr in _METHODS:
        return cast("Signal", getattr(_read(function.value, named), function.attr)(*values, **options))
    name = ast.unparse(function)
    if name not in _makers():
        raise DataError(f"no signal is called {name!r}", fix=did_you_mean(name, _makers()))
    stored = {key: _content(options[key], named) for key in _STORED & options.keys()}
    if name != "user":
        return _makers()[name](*values, **options | stored)
    return _makers()[name](_content(values[0], named), *values[1:], name=values[0], **options)


def _content(name: str, named: Mapping[str, Any]) -> Any:
    if name not in named:
        raise DataError(
            f"the formula calls {name!r}, which was not given", fix=f"pass `named={{{name!r}: ...}}` to read it"
        )
    return named[name]


def to_json(signal: Signal) -> dict[str, Any]:
    """See `Signal.to_json`."""
    document: dict[str, Any] = {"op": signal.op}
    if signal.inputs:
        document["inputs"] = [to_json(part) for part in signal.inputs]
    if signal.options:
        document["options"] = {name: _plain(value) for name, value in signal.options}
    return document


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return cast("Stored", value).to_json() if hasattr(value, "to_json") else value


def from_json(document: Mapping[str, Any], named: Mapping[str, Any]) -> Signal:
    """See `Signal.from_json`."""
    _makers()
    try:
        op, inputs, options = document["op"], document.get("inputs", ()), document.get("options", {})
        find(op)
        read = {name: _revived(value, named) for name, value in options.items()}
        return node(op, *(from_json(part, named) for part in inputs), **read)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"expected the JSON form of a signal, found {str(document)[:200]} ({error!r})") from error


def _revived(value: Any, named: Mapping[str, Any]) -> Any:
    from tunewright.monitor import embedding_signals, user_functions

    match value:
        case list():
            return tuple(value)
        case {"function": _}:
            return user_functions.revived(value, named)
        case {"points": _}:
            return embedding_signals.revived(value)
    return value
