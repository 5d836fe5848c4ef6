"""States of folds as bytes: one line of JSON, then the arrays as ``.npy`` blocks. No pickle, so reading runs no code.

A state is a dictionary of JSON values and NumPy arrays, nested as deep as wanted. Sets, tuples, counters and
dictionaries whose keys are no strings come back as they went, as the states of plain user functions have them.

The entry ``reference`` of a state is what it took from the reference: nothing changes it after the start, all states
that are merged have the same, and whoever keeps many states of a fold keeps it once (`split`, `joined`).
"""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tunewright.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CONSTANT", "State", "copied", "from_bytes", "joined", "split", "to_bytes"]

State: TypeAlias = dict[str, Any]
"""JSON values and NumPy arrays by name."""

CONSTANT = "reference"
"""The entry of a state that only `Fold.start` writes."""

_FORMAT = "tunewright-state-1"


def to_bytes(state: Mapping[str, Any], version: str) -> bytes:
    """A state, and the version of the fold that it belongs to, as bytes; equal states give equal bytes.

    Raises:
        DataError: if the state holds something else.
    """
    arrays: list[NDArray[Any]] = []
    tree = _packed(dict(state), arrays, "state")
    head = json.dumps({"format": _FORMAT, "version": version, "state": tree}, allow_nan=False)
    stream = io.BytesIO()
    stream.write(head.encode() + b"\n")
    for array in arrays:
        np.lib.format.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def from_bytes(data: bytes, version: str) -> State:
    """The state that `to_bytes` wrote; its arrays can be written to.

    Raises:
        DataError: if these are no bytes of a state, they are cut, or the state is of another version of its fold.
    """
    stream = io.BytesIO(data)
    try:
        head = json.loads(stream.readline())
        if head["format"] != _FORMAT:
            raise DataError(f"expected a state of format {_FORMAT}, found {head['format']!r}")
        if head["version"] != version:
            raise DataError(
                f"expected a state of version {version!r}, found {head['version']!r}: the monitor or its settings changed",
                fix="start the monitor anew under another name, or give it the settings it had",
            )
        state: State = _unpacked(head["state"], stream)
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise DataError(f"expected the bytes of a state, found something else ({error})") from error
    return state


def copied(state: State) -> State:
    """A state that shares nothing that changes with the one it is copied from."""
    constant, rest = split(state)
    copy: State = _copy(rest)
    return joined(constant, copy)


def split(state: State) -> tuple[Any, State]:
    """What a state took from the reference, None if nothing, and what changes."""
    return state.get(CONSTANT), {name: value for name, value in state.items() if name != CONSTANT}


def joined(constant: Any, state: State) -> State:
    """The state that `split` took apart."""
    return state if constant is None else {CONSTANT: constant, **state}


def _copy(value: Any) -> Any:
    match value:
        case Counter():
            return Counter(value)
        case dict():
            return {key: _copy(item) for key, item in value.items()}
        case list():
            return [_copy(item) for item in value]
        case np.ndarray():
            return value.copy()
        case set():
            return set(value)
        case _:
            return value


def _packed(value: Any, arrays: list[NDArray[Any]], where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return _array(value, arrays, where)
    if isinstance(value, list):
        return [_packed(item, arrays, f"{where}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, dict) and _is_object(value):
        return {key: _packed(item, arrays, f"{where}[{key!r}]") for key, item in value.items()}
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    kind, items = _parts(value, where)
    return {"$": kind, "items": _packed(items, arrays, where)}


def _is_object(value: dict[Any, Any]) -> bool:
    """Whether a dictionary can stand in JSON as it is."""
    return not isinstance(value, Counter) and "$" not in value and all(isinstance(key, str) for key in value)


def _parts(value: Any, where: str) -> tuple[str, Any]:
    """What JSON has no word for: its kind, and what it is made of again."""
    match value:
        case float():
            return "float", repr(value)
        case Counter():
            return "counter", [list(pair) for pair in value.items()]
        case dict():
            return "pairs", [list(pair) for pair in value.items()]
        case tuple():
            return "tuple", list(value)
        case set() | frozenset():
            return "set", sorted(value, key=repr)
    raise DataError(
        f"expected JSON values and arrays in a state, found a {type(value).__name__} at {where}",
        fix="keep numbers, texts, lists, dictionaries, sets and arrays; make the rest anew from them",
    )


_MADE: dict[str, Callable[[Any], Any]] = {
    "counter": lambda pairs: Counter(dict(pairs)),
    "float": float,
    "pairs": dict,
    "set": set,
    "tuple": tuple,
}


def _array(array: NDArray[Any], arrays: list[NDArray[Any]], where: str) -> dict[str, str]:
    if array.dtype.hasobject:
        raise DataError(
            f"expected an array of numbers or texts, found one of objects at {where}", fix="keep a list instead"
        )
    arrays.append(array)
    return {"$": "array"}


def _unpacked(value: Any, stream: io.BytesIO) -> Any:
    """The arrays lie in the order in which the tree names them, which is the order in which it is walked."""
    if isinstance(value, list):
        return [_unpacked(item, stream) for item in value]
    if not isinstance(value, dict):
        return value
    if "$" not in value:
        return {key: _unpacked(item, stream) for key, item in value.items()}
    if value["$"] == "array":
        return np.lib.format.read_array(stream, allow_pickle=False)
    return _MADE[value["$"]](_unpacked(value["items"], stream))
