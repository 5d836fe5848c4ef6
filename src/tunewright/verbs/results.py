"""What verbs return: frozen values with one JSON form, which the command line prints for ``--json``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tunewright.run import Run

__all__ = ["Result", "encode"]


class Result:
    """Base of what verbs return."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """JSON values; paths and runs by name, tables as lists of rows, what is not finite as null."""
        encoded: dict[str, Any] = encode(self)
        return encoded


def encode(value: Any) -> Any:  # noqa: PLR0911  one line per kind of value
    """Any value of a result as JSON values.

    >>> from pathlib import Path
    >>> encode({"a": (1, float("nan")), "b": Path("x")})
    {'a': [1, None], 'b': 'x'}
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Run():
            return value.id
        case np.generic() | np.ndarray():
            return encode(value.tolist())
        case pa.Table():
            return encode(value.to_pylist())
        case Mapping():
            return {str(key): encode(item) for key, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
        case _:
            return str(value)
