"""Which columns of a table are what."""

from __future__ import annotations

from dataclasses import dataclass

from tunewright.errors import DataError

__all__ = ["RESERVED", "Fields"]

RESERVED = ("id", "content", "split", "label", "weight")
"""Columns every dataset has, and whose meaning is ours."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Columns of a table by their role.

    Args:
        text: the content, one column or two for a pair.
        label: column of the gold label, or None where there is none. A dataset stores it under ``label``.
        metadata: further columns to keep; no model reads them.
    """

    text: tuple[str, ...]
    label: str | None = None
    metadata: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = [*self.text, *self.metadata, *([self.label] if self.label else [])]
        twice = sorted({name for name in named if named.count(name) > 1})
        if not self.text or twice:
            found = f"these twice: {twice}" if twice else "no text column"
            raise DataError(f"expected every column in one role, and at least one text; found {found}")
        taken = sorted({*self.text, *self.metadata} & set(RESERVED))
        if taken:
            raise DataError(
                f"texts and metadata must not be called {taken}: these names have a meaning of their own",
                fix=f"rename the column, for example to 'original_{taken[0]}'",
            )
