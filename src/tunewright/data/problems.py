"""Rows that cannot be used: counted, listed, and either an error or a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tunewright.errors import DataError

__all__ = ["Flaw", "OnBad", "Problem", "count", "count_rows", "problem_from_json", "problem_to_json", "settle"]

OnBad = Literal["error", "skip"]
Flaw = tuple[str, str]
"""(reason, where) of one row."""
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """Why rows cannot be used, how many there are, and where the first ones (at most five) are."""

    reason: str
    count: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.first) else ""
        return f"{self.count} x {self.reason}: {', '.join(self.first)}{more}"


def count(flaws: Iterable[Flaw]) -> tuple[Problem, ...]:
    """Group flaws by reason, in the order of first occurrence.

    >>> print(*count([("empty text", "row 1"), ("no label", "row 2"), ("empty text", "row 7")]), sep="; ")
    2 x empty text: row 1, row 7; 1 x no label: row 2
    """
    places: dict[str, list[str]] = {}
    for reason, where in flaws:
        places.setdefault(reason, []).append(where)
    return tuple(Problem(reason, len(found), tuple(found[:_LISTED])) for reason, found in places.items())


def count_rows(reasons: Sequence[str], where: Callable[[int], str]) -> tuple[Problem, ...]:
    """As `count`, with one reason per row (empty: none); only places that are listed are asked for.

    >>> print(*count_rows(["", "no label", "no label"], lambda row: f"row {row}"), sep="; ")
    2 x no label: row 1, row 2
    """
    rows: dict[str, list[int]] = {}
    for row, reason in enumerate(reasons):
        if reason:
            rows.setdefault(reason, []).append(row)
    return tuple(
        Problem(reason, len(found), tuple(where(row) for row in found[:_LISTED])) for reason, found in rows.items()
    )


def settle(problems: Sequence[Problem], *, on_bad: OnBad, name: str, rows: int) -> tuple[Problem, ...]:
    """Raise what was found as one error, or hand it back as the report of what is skipped.

    Args:
        problems: what was found.
        on_bad: ``error`` or ``skip``.
        name: of the file or dataset, for the message.
        rows: how many there are, the bad ones included.

    Raises:
        DataError: if there are problems and ``on_bad`` is ``error``, or nothing would be left.
    """
    if on_bad not in ("error", "skip"):
        raise DataError(f"on_bad is 'error' or 'skip', found {on_bad!r}")
    bad = sum(problem.count for problem in problems)
    if bad and (on_bad == "error" or bad == rows):
        listed = "".join(f"\n  {problem}" for problem in problems)
        fix = "mend them, or skip them (--skip-bad, on_bad='skip'): this list is then kept with the dataset"
        raise DataError(f"{name}: {bad} of {rows} rows cannot be used{listed}", fix=fix if bad < rows else "mend them")
    return tuple(problems)


def problem_to_json(problem: Problem) -> dict[str, Any]:
    """As JSON values."""
    return asdict(problem)


def problem_from_json(value: dict[str, Any]) -> Problem:
    """The inverse of `problem_to_json`."""
    return Problem(value["reason"], value["count"], tuple(value["first"]))
