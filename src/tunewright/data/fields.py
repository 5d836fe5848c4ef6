"""Which columns of a table are what."""

from __future__ import annotations

from dataclasses import dataclass

from tunewright.columns import COLUMNS
from tunewright.errors import DataError

__all__ = ["RESERVED", "Fields", "stored_as"]

RESERVED = ("id", "content", "split", "label", "weight")
"""Columns every dataset has, and whose meaning is ours."""
_MOST_TARGETS = 2


@dataclass(frozen=True, slots=True)
class Fields:
    """Columns of a table by their role.

    Args:
        text: the content, one column or two for a pair.
        label: column of the gold label, or None where there is none. A dataset stores it under ``label``.
        metadata: further columns to keep; no model reads them.
        target: columns of lists that hold the target of a span in the last text: the texts of all answers, and where
            each starts, in characters. The label, which is one of the texts, may come from one of them.
    """

    text: tuple[str, ...]
    label: str | None = None
    metadata: tuple[str, ...] = ()
    target: tuple[str, ...] = ()

    @property
    def passage(self) -> str | None:
        """The text in which targets lie; None without targets. Rows about one passage belong into one split."""
        return self.text[-1] if self.target else None

    @property
    def stored(self) -> Fields:
        """As a dataset has them: the label under ``label``, and metadata under names of their own (`stored_as`)."""
        return Fields(self.text, self.label and "label", tuple(map(stored_as, self.metadata)), self.target)

    def __post_init__(self) -> None:
        label = [self.label] if self.label and self.label not in self.target else []
        named = [*self.text, *self.metadata, *self.target, *label]
        twice = sorted({name for name in named if named.count(name) > 1})
        if not self.text or twice:
            found = f"these twice: {twice}" if twice else "no text column"
            raise DataError(f"expected every column in one role, and at least one text; found {found}")
        if len(self.target) > _MOST_TARGETS:
            raise DataError(f"expected at most two target columns, texts and where they start; found {self.target}")
        taken = sorted({*self.text, *self.metadata, *self.target} & set(RESERVED))
        if taken:
            raise DataError(
                f"texts, metadata and targets must not be called {taken}: these names have a meaning of their own",
                fix=f"rename the column, for example to 'original_{taken[0]}'",
            )


def stored_as(name: str) -> str:
    """What a dataset calls a column of metadata: one called like a computed column would hide it.

    >>> stored_as("shop"), stored_as("confidence")
    ('shop', 'original_confidence')
    """
    return f"original_{name}" if name in COLUMNS else name
