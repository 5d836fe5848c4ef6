"""What became of a batch that was logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Logged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What became of a batch.

    Attributes:
        ids: of all its rows, in their order; those that were made too.
        acknowledged: rows that were taken, and are on the disk.
        duplicates: rows that were not, because a row with their id was there.
        marked: rows that each edge marked.
        errors: failures that stopped one check or the writing of a segment, and nothing else, by name.
    """

    ids: tuple[str, ...]
    acknowledged: int
    duplicates: int = 0
    marked: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
