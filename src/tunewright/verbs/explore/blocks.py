"""What a page shows of a row, block by block; texts are texts, never markup."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tunewright.bindings import shown
from tunewright.errors import TunewrightError

if TYPE_CHECKING:
    from tunewright.bindings import Visualiser
    from tunewright.tasks import Task, Text

__all__ = ["Block", "Span", "TableBlock", "TextBlock", "blocks_of", "is_rtl"]

_TITLES = {"label": "gold", "predicted": "predicted"}
_FIRST = 1_000  # characters that say in which direction a text is read


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, in characters as Python counts them (code points), end exclusive; ``kind`` is gold or predicted."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """A text; ``rtl``: it is read from right to left."""

    type: Literal["text"] = "text"
    title: str
    text: str
    spans: tuple[Span, ...] = ()
    rtl: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBlock:
    """A small table."""

    type: Literal["table"] = "table"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]


Block = TextBlock | TableBlock


def blocks_of(task: Task, visualisers: Sequence[Visualiser], row: Mapping[str, Any]) -> tuple[Block, ...]:
    """The texts of a row with their marks, what else the model thought of, and what the user's own visualisers say."""
    texts = (_text_block(text) for text in task.texts(row))
    return (*texts, *_other_answers(row), *(_own(made, row) for made in visualisers))


def is_rtl(text: str) -> bool:
    """Whether the first letter that has a direction is of a script that is read from right to left.

    >>> is_rtl("(1) שלום"), is_rtl("hello")
    (True, False)
    """
    directions = (unicodedata.bidirectional(letter) for letter in text[:_FIRST])
    return next((one in {"R", "AL"} for one in directions if one in {"L", "R", "AL"}), False)


def _text_block(text: Text) -> TextBlock:
    spans = (Span(mark.start, mark.end, mark.kind) for mark in text.marks)
    title = _TITLES.get(text.field, text.field)
    return TextBlock(title=title, text=text.text, spans=tuple(spans), rtl=is_rtl(text.text))


def _other_answers(row: Mapping[str, Any]) -> tuple[TableBlock, ...]:
    """The answers that a model found most probable, where it kept several."""
    found = row.get("n_best") or ()
    if not found:
        return ()
    rows = tuple((answer["text"] or "(no answer)", answer["probability"]) for answer in found)
    return (TableBlock(title="most probable answers", columns=("answer", "probability"), rows=rows),)


def _own(made: Visualiser, row: Mapping[str, Any]) -> TextBlock:
    try:
        text = shown([made], row)[made.name]
    except TunewrightError as error:
        text = f"This visualiser failed: {error.message}"
    return TextBlock(title=made.name, text=text, rtl=is_rtl(text))
