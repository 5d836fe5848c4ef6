"""Monitors: folds over batches of rows, with a state that is plain data.

A fold starts from the reference, takes batch after batch and reports at any time. One that can also merge two states
may be run on partitions, in windows and in slices that come and go; one that cannot is sequential.

A fold keeps four laws, which `tunewright.monitor.laws` tests: merging is associative and commutative; rows in any
batches give what they give in one; a state that is written and read goes on as if it had not been; and a batch
without rows changes nothing.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import reduce
from tokenize import TokenError
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from tunewright.errors import ColumnError, ProjectError, did_you_mean
from tunewright.monitor.reference import Reference
from tunewright.monitor.state import State

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "Arguments",
    "Fold",
    "Merge",
    "Report",
    "UserFold",
    "as_fold",
    "fingerprint",
    "merged",
    "merges",
    "require",
    "scalars",
]

Report: TypeAlias = dict[str, Any]
"""Numbers, texts, lists and tables by name; None where there is nothing to say yet."""

_FUNCTIONS = (("init", "initialize"), ("check", "check"))

Merge: TypeAlias = Callable[[State, State], State]


@runtime_checkable
class Fold(Protocol):
    """A monitor. Besides these it may have ``merge(a, b) -> state``; None, or no such name, is a sequential one.

    Attributes:
        name: what it is called, unique in its monitor.
        needs: columns of the rows that it reads.
        fingerprint: changes with its settings and its code; a state is read by folds of the same fingerprint only.
    """

    @property
    def name(self) -> str: ...

    @property
    def needs(self) -> frozenset[str]: ...

    @property
    def fingerprint(self) -> str: ...

    def start(self, reference: Reference | None) -> State:
        """The state before the first row."""
        ...

    def update(self, state: State, rows: pa.Table) -> State:
        """The state after more rows. The one that is given belongs to the fold, and may be changed and returned."""
        ...

    def report(self, state: State) -> Report:
        """What the state says; it is not changed."""
        ...


def merges(fold: Fold) -> Merge | None:
    """How a fold merges two states, which it changes neither of; None if it is sequential."""
    merge: Merge | None = getattr(fold, "merge", None)
    return merge


def merged(fold: Fold, states: Iterable[State]) -> State:
    """One state of the states of partitions.

    Raises:
        ProjectError: if there are several, and the fold is sequential.
    """
    states = list(states)
    merge = merges(fold)
    if len(states) > 1 and merge is None:
        raise ProjectError(
            f"expected a fold that merges, as there are {len(states)} partitions; {fold.name!r} has no `merge`, so its "
            "rows must come one after the other",
            fix=f"log all rows from one process, or give {fold.name!r} a function merge(a, b) -> state",
        )
    return reduce(merge, states) if merge else states[0]


def require(fold: Fold, rows: pa.Table) -> None:
    """Raises ColumnError if the rows lack a column that a fold needs."""
    for name in sorted(fold.needs):
        if name not in rows.column_names:
            raise ColumnError(
                f"{fold.name!r} needs column {name!r}, which the rows lack", fix=did_you_mean(name, rows.column_names)
            )


def scalars(report: Report) -> Report:
    """The numbers and texts of a report, without its lists and tables."""
    return {
        name: value for name, value in report.items() if value is None or isinstance(value, bool | int | float | str)
    }


def fingerprint(fold: Any, *, version: int = 1) -> str:
    """Of a fold that is a dataclass: hash of its class, the version of its state, and its settings."""
    settings = {field.name: _setting(getattr(fold, field.name)) for field in fields(fold)}
    told = json.dumps([type(fold).__name__, version, settings], sort_keys=True)
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _setting(value: Any) -> Any:
    """As JSON; of a function its source, of a fold or a signal its fingerprint."""
    if isinstance(known := getattr(value, "fingerprint", None), str):
        return known
    if callable(value):
        return _source(value)
    if is_dataclass(value):
        return {field.name: _setting(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [_setting(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _setting(item) for key, item in value.items()}
    return sorted(value) if isinstance(value, frozenset) else value


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError, TokenError):  # typed at a prompt, built in, or its file was changed since
        return getattr(function, "__qualname__", repr(type(function)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """Which columns a user's function gets as ``inputs``, ``outputs`` and ``gts``.

    Attributes:
        inputs: columns, by name, that arrive as a dictionary of lists; empty is all columns.
        output: column that arrives as a list.
        truth: column with the ground truth, that arrives as a list; missing where there is none yet.
    """

    inputs: tuple[str, ...] = ()
    output: str | None = None
    truth: str | None = None

    def of(self, rows: pa.Table) -> tuple[dict[str, list[Any]], list[Any] | None, list[Any] | None, dict[str, Any]]:
        """inputs, outputs, gts and extra_args of a batch; the last are the ids of the rows."""
        names = self.inputs or tuple(name for name in rows.column_names if name not in {self.output, self.truth})
        outputs, truths = (rows[name].to_pylist() if name else None for name in (self.output, self.truth))
        extra = {"id": rows["id"].to_pylist()} if "id" in rows.column_names else {}
        return {name: rows[name].to_pylist() for name in names}, outputs, truths, extra


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFold:
    """Two functions of a user as a sequential fold: ``init(self)`` and ``check(self, inputs, outputs, gts, extra_args)``.

    ``self`` is an object of attributes, which are the state. What ``check`` returns for the last batch, a number or a
    dictionary of numbers, is reported, or else what it gave to ``self.log_handler.add_scalars``, and so are the attributes
    that are numbers or texts. ``init`` may also take the
    reference after ``self``.
    """

    name: str
    init: Callable[..., Any]
    check: Callable[..., Any]
    arguments: Arguments = Arguments()
    reads: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[str]:
        named = {name for name in (*self.arguments.inputs, self.arguments.output, self.arguments.truth) if name}
        return self.reads | named

    @property
    def fingerprint(self) -> str:
        return fingerprint(self)

    def start(self, reference: Reference | None) -> State:
        own = SimpleNamespace(log_handler=_Logged())
        self.init(own, reference) if len(inspect.signature(self.init).parameters) > 1 else self.init(own)
        return {"rows": 0, "own": _attributes(own), "returned": None}

    def update(self, state: State, rows: pa.Table) -> State:
        if rows.num_rows == 0:
            return state
        logged = _Logged()
        own = SimpleNamespace(**state["own"], log_handler=logged)
        inputs, outputs, truths, extra = self.arguments.of(rows)
        returned = self.check(own, inputs, outputs, truths, extra)
        said = returned if returned is not None else logged.last or None
        return {"rows": state["rows"] + rows.num_rows, "own": _attributes(own), "returned": _plain(said)}

    def report(self, state: State) -> Report:
        own = {name: value for name, value in state["own"].items() if isinstance(value, bool | int | float | str)}
        returned = state["returned"]
        said = returned if isinstance(returned, dict) else {} if returned is None else {"value": returned}
        return {"rows": state["rows"], **own, **said}


class _Logged:
    """What stands for the logger of a dashboard: the last numbers are what is reported."""

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}

    def add_scalars(self, name: str, values: Mapping[str, Any], *_: Any, **__: Any) -> None:
        self.last |= values


def _attributes(own: SimpleNamespace) -> dict[str, Any]:
    return {name: value for name, value in vars(own).items() if name != "log_handler"}


def as_fold(check: Any, *, name: str | None = None, arguments: Arguments | None = None) -> Fold:
    """A fold of what a user gives as a monitor: a fold, a class of a fold or an object with ``init`` and ``check``.

    Args:
        check: a fold as it is; or an object, module, class or mapping with functions ``init`` and ``check``, also
            called ``initialize_func`` and ``check_func``, that take ``self`` as their first argument.
        name: of the fold; the name of the object otherwise.
        arguments: which columns the functions get.

    Raises:
        ProjectError: if it is neither.
    """
    if isinstance(check, Fold):
        return check
    init, update = (_part(check, part) or _part(check, f"{long}_func") for part, long in _FUNCTIONS)
    if init is None or update is None:
        raise ProjectError(
            f"expected a fold, or an object with functions `init` and `check`, found a {type(check).__name__}",
            fix="give it start(reference), update(state, rows) and report(state), or init(self) and "
            "check(self, inputs, outputs, gts, extra_args)",
        )
    called = name or _part(check, "name") or getattr(check, "__name__", type(check).__name__)
    return UserFold(name=str(called), init=init, check=update, arguments=arguments or Arguments())


def _part(check: Any, name: str) -> Any:
    """A function of a class, unbound, so that its ``self`` is the state; of anything else what goes by the name."""
    if isinstance(check, Mapping):
        return check.get(name)
    owner = check if isinstance(check, type) else type(check)
    if inspect.isfunction(found := inspect.getattr_static(owner, name, None)):
        return found
    return getattr(check, name, None)


def _plain(returned: Any) -> Any:
    """What a function returned, as JSON: NumPy scalars become numbers, everything that is no number is left out."""
    if isinstance(returned, Mapping):
        plain = {str(name): _plain(value) for name, value in returned.items()}
        return {name: value for name, value in plain.items() if value is not None}
    if isinstance(returned, bool | int | float | str):
        return returned
    item = getattr(returned, "item", None)
    return item() if item is not None and getattr(returned, "size", 0) == 1 else None
