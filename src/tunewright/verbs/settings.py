"""Changes to a configuration as a person types them: ``epochs=2``, ``trackers=wandb,mlflow``."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tunewright.errors import TrainError, did_you_mean
from tunewright.train.config import TrainConfig

__all__ = ["parse"]

_ARGUMENTS = "arguments."
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse(settings: Sequence[str]) -> dict[str, Any]:
    """``NAME=VALUE`` strings as fields of `TrainConfig`, each of its field's type.

    ``arguments.NAME=VALUE`` reaches any field of ``transformers.TrainingArguments``.

    >>> parse(["epochs=2", "class_weights=1,2.5", "patience=none", "arguments.max_grad_norm=0.5"])
    {'epochs': 2.0, 'class_weights': (1.0, 2.5), 'patience': None, 'arguments': {'max_grad_norm': 0.5}}

    Raises:
        TrainError: if there is no such field, or the value is not of its type.
    """
    hints = get_type_hints(TrainConfig)
    changes: dict[str, Any] = {}
    for setting in settings:
        name, is_pair, text = setting.partition("=")
        if not is_pair:
            raise TrainError(f"expected NAME=VALUE, found {setting!r}", fix="write for example: --set epochs=2")
        if name.startswith(_ARGUMENTS):
            changes.setdefault("arguments", {})[name.removeprefix(_ARGUMENTS)] = _literal(text)
        elif name in hints:
            changes[name] = _typed(name, text, hints[name])
        else:
            raise TrainError(f"TrainConfig has no field {name!r}", fix=did_you_mean(name, hints))
    return changes


def _typed(name: str, text: str, hint: Any) -> Any:
    options = [hint] if get_origin(hint) in {None, Literal, tuple, Mapping} else list(get_args(hint))
    for option in options:
        try:
            return _as(text, option)
        except (KeyError, ValueError):
            continue
    raise TrainError(f"{name} expects {' or '.join(map(_spoken, options))}, found {text!r}")


def _as(text: str, kind: Any) -> Any:
    """A text as one type.

    Raises:
        ValueError, KeyError: if it is not of that type.
    """
    if kind is NoneType:
        return {"none": None}[text.lower()]
    if kind is bool:
        return _TRUTH[text.lower()]
    if get_origin(kind) is Literal:
        return {str(choice): choice for choice in get_args(kind)}[text]
    if get_origin(kind) is tuple:
        return tuple(_as(part.strip(), get_args(kind)[0]) for part in text.split(",") if part.strip())
    if get_origin(kind) is Mapping:
        return json.loads(text)
    return kind(text)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return _TRUTH.get(text.lower(), text)


def _spoken(kind: Any) -> str:
    """A type in words.

    >>> _spoken(int), _spoken(Literal["a", "b"]), _spoken(tuple[float, ...])
    ('int', "'a' or 'b'", 'float,float,...')
    """
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    if get_origin(kind) is tuple:
        return "{0},{0},...".format(_spoken(get_args(kind)[0]))
    return "none" if kind is NoneType else str(getattr(kind, "__name__", kind))
