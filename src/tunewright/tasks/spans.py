"""The scores of all spans of tokens that could be an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from tunewright.tasks.passages import Span

__all__ = ["best_other", "context_mask", "cut", "span_scores"]


def context_mask(ranges: Sequence[Span], tokens: int) -> torch.Tensor:
    """Bool [batch, tokens]: True from the first of each range to before its second."""
    import torch

    places, limits = torch.arange(tokens), torch.tensor(ranges)
    return (places >= limits[:, :1]) & (places < limits[:, 1:])


def span_scores(start: torch.Tensor, end: torch.Tensor, allowed: torch.Tensor | None, longest: int) -> torch.Tensor:
    """Start plus end logit of every span, shifted instead of squared: [batch, tokens, longest].

    Args:
        start: logits [batch, tokens].
        end: logits [batch, tokens].
        allowed: bool [batch, tokens], where spans may begin and end; None is everywhere.
        longest: tokens in the longest span.

    Returns:
        at [b, i, d] the score of the tokens i to i + d, both included; minus infinity where there is no such span.
    """
    from torch.nn.functional import pad

    nowhere = float("-inf")
    if allowed is not None:
        start, end = start.masked_fill(~allowed, nowhere), end.masked_fill(~allowed, nowhere)
    return start.unsqueeze(-1) + pad(end, (0, longest - 1), value=nowhere).unfold(1, longest, 1)


def best_other(scores: torch.Tensor, first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """[batch] the largest of `span_scores` without some spans.

    Args:
        scores: [batch, tokens, longest].
        first: int64 [batch, spans], the first token of each span to leave out.
        last: int64 [batch, spans], its last token; what is no span of `scores` changes nothing.
    """
    _, tokens, longest = scores.shape
    length = last - first
    inside = (first >= 0) & (last < tokens) & (length >= 0) & (length < longest)
    place = (first * longest + length).where(inside, 0)
    ceiling = scores.new_full((), float("inf")).where(~inside, float("-inf"))
    return scores.flatten(1).scatter_reduce(1, place, ceiling, "amin").amax(1)


def cut(text: str, span: Span) -> tuple[str, int]:
    """What stands at a span of characters, without outer blanks, and where it starts.

    Accents that are characters of their own go with the letter before; tokenizers that fold accents leave them out.

    >>> cut("to be or not", (2, 5))
    ('be', 3)
    """
    start, end = span
    while end < len(text) and category(text[end]).startswith("M"):
        end += 1
    piece = text[start:end]
    return piece.strip(), start + len(piece) - len(piece.lstrip())
