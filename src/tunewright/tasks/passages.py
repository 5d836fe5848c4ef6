"""Long contexts as overlapping windows, and where in them an answer is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from tunewright.errors import DataError
from tunewright.tasks import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from transformers import BatchEncoding, PreTrainedTokenizerBase

__all__ = ["Span", "character_spans", "held", "marked_answers", "token_span", "windows"]

Span = tuple[int, int]


def windows(
    questions: Sequence[str],
    contexts: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int,
    stride: int,
) -> BatchEncoding:
    """Each question with as much of its context as fits, again and again until the context's end.

    A window shares ``stride`` tokens with the one before, at most a third of its length. A question that would
    leave the context less than two strides loses its end, so that every window is a step ahead.

    Args:
        max_length: tokens in a window, all counted; the tokenizer's own limit if that is less.

    Raises:
        DataError: if the tokenizer keeps no offsets.
    """
    if not tokenizer.is_fast:
        raise DataError(
            f"{type(tokenizer).__name__} does not say where its tokens are in the text",
            fix="use a model with a fast tokenizer (tokenizer.json)",
        )
    limit = min(max_length, tokenizer.model_max_length)
    shared = min(stride, limit // 3)
    room = limit - tokenizer.num_special_tokens_to_add(pair=True) - 2 * max(shared, 1)
    encoded: BatchEncoding = tokenizer(
        _beginnings(list(questions), tokenizer, room),
        list(contexts),
        truncation="only_second",
        max_length=limit,
        stride=shared,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    return encoded


def _beginnings(questions: list[str], tokenizer: PreTrainedTokenizerBase, room: int) -> list[str]:
    """Questions, those with more tokens than there is room for cut after the last token that fits."""
    places = tokenizer(questions, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return [
        question if len(tokens) <= room else question[: tokens[room - 1][1]]
        for question, tokens in zip(questions, places, strict=True)
    ]


def character_spans(texts: Iterable[str], starts: Iterable[int]) -> list[Span]:
    """(start, end) in characters of each different answer, end exclusive, outer blanks and empty answers left out.

    >>> character_spans([" Paris", "Paris", ""], [9, 10, 0])
    [(10, 15)]
    """
    spans: dict[Span, None] = {}
    for text, start in zip(texts, starts, strict=True):
        first = start + len(text) - len(text.lstrip())
        spans[first, first + len(text.strip())] = None
    return [(first, end) for first, end in spans if end > first]


def marked_answers(
    context: str,
    *,
    gold: tuple[Sequence[str], Sequence[int]],
    predicted: tuple[str | None, int | None],
) -> tuple[Mark, ...]:
    """Gold and predicted answers, each a text and where it starts, as marks of their context.

    >>> marked_answers("in Paris", gold=(["Paris"], [3]), predicted=("in", 0))
    (Mark(start=3, end=8, kind='gold'), Mark(start=0, end=2, kind='predicted'))
    """
    texts, starts = gold
    answer, start = predicted
    golds = character_spans(texts, starts) if len(texts) == len(starts) else []
    said = character_spans([answer], [start]) if answer and start is not None else []
    marks = [*(Mark(*span, "gold") for span in golds), *(Mark(*span, "predicted") for span in said)]
    return tuple(mark for mark in marks if 0 <= mark.start < mark.end <= len(context))


def held(golds: Iterable[Span], offsets: Sequence[Span], *, first: bool, last: bool) -> list[Span]:
    """The answers that lie wholly in a window, as (first, last) of its context's tokens.

    Args:
        golds: the answers in characters of the context, end exclusive.
        offsets: characters of each of the window's context tokens.
        first: whether it is the first window, which also holds what stands before its first token and is no token.
        last: whether it is the last window, likewise.

    >>> held([(0, 5), (4, 11)], [(4, 7), (8, 11)], first=False, last=True)
    [(0, 1)]
    """
    if not offsets:
        return []
    starts, ends = zip(*offsets, strict=True)
    inside = (gold for gold in golds if (first or gold[0] >= starts[0]) and (last or gold[1] <= ends[-1]))
    spans = (token_span(starts, ends, gold) for gold in inside)
    return [span for span in spans if span is not None]


def token_span(starts: Sequence[int], ends: Sequence[int], span: Span) -> Span | None:
    """The first and the last token that share a character with a span; None if none does.

    Args:
        starts: the first character of each token, never falling.
        ends: the character after each token, never falling.
        span: characters, end exclusive.

    >>> token_span([0, 4, 8], [3, 7, 11], (4, 11))
    (1, 2)
    """
    first, last = bisect_right(ends, span[0]), bisect_left(starts, span[1]) - 1
    return (first, last) if first <= last else None
