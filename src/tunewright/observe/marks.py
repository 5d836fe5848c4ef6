"""Places in the text that a reader wants to see: gold answers and the predicted one, where answers are places."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Mark", "marks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Characters from start to before end of a text field; what they are."""

    kind: Literal["gold", "predicted"]
    field: str
    start: int
    end: int


def marks(row: Mapping[str, Any], texts: Mapping[str, str], target_fields: Sequence[str]) -> tuple[Mark, ...]:
    """Where the answers of a row stand; nothing if its targets are no places.

    A place counts only if the text there is the answer.

    Args:
        row: ``predicted`` and ``predicted_start`` where known, and the target fields.
        texts: the text fields.
        target_fields: a column of answers and one of their first characters; anything else gives no gold places.
    """
    answers = zip_longest(*(row.get(name) or () for name in target_fields)) if len(target_fields) == 2 else ()
    gold = (_places("gold", answer, start, texts) for answer, start in answers)
    predicted = _places("predicted", row.get("predicted"), row.get("predicted_start"), texts)
    return tuple(dict.fromkeys(mark for found in (*gold, predicted) for mark in found))


def _places(kind: Literal["gold", "predicted"], answer: Any, start: Any, texts: Mapping[str, str]) -> Iterator[Mark]:
    """The field, if any, that has the answer at that place."""
    if not isinstance(answer, str) or not answer or start is None or start < 0:
        return
    for field, text in texts.items():
        if text.startswith(answer, int(start)):
            yield Mark(kind=kind, field=field, start=int(start), end=int(start) + len(answer))
