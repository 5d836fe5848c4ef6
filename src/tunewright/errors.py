"""Every error of the library, one tree.

TunewrightError                 catch this one for "anything a user can mend"
├── DataError                   a file, a row or a field is not what was promised
├── EditError                   an edit does not fit the table it is applied to
│   └── ConflictError           somebody else was faster; nothing is done, and the present state is told
├── ColumnError                 a column is unknown, or not there yet
├── ProjectError                project.py is missing, broken or contradicts the data
├── RunError                    a run is unknown, unfinished or lacks a table
├── RecorderError               training dynamics cannot be recorded completely
├── TrainError                  a training cannot start, or cannot be resumed
├── ComparisonError             two things that must not be compared
├── MonitorError                a monitor cannot go on, or cannot keep what it is given
└── MissingDependencyError      an optional package is needed

A message says what was expected, what was found and what to do; ``fix`` is the last of the three.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ColumnError",
    "ComparisonError",
    "ConflictError",
    "DataError",
    "EditError",
    "MissingDependencyError",
    "MonitorError",
    "ProjectError",
    "RecorderError",
    "RunError",
    "TrainError",
    "TunewrightError",
    "did_you_mean",
    "listed",
]


class TunewrightError(Exception):
    """A mistake that its reader can mend.

    Args:
        message: what was expected and what was found, with values and shapes.
        fix: what to do about it, in the imperative.
    """

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  fix: {self.fix}" if self.fix else self.message


class DataError(TunewrightError):
    """A file, a row or a field is not what was promised."""


class EditError(TunewrightError):
    """An edit does not fit the table it is applied to."""


class ConflictError(EditError):
    """Somebody else was faster, so that nothing is done.

    Args:
        message: what was expected and what was found.
        fix: what to do about it.
        state: a result that tells how things are now.
    """

    def __init__(self, message: str, *, fix: str = "", state: object = None) -> None:
        super().__init__(message, fix=fix)
        self.state = state


class ColumnError(TunewrightError):
    """A column is unknown, or has not been computed yet."""


class ProjectError(TunewrightError):
    """``project.py`` is missing, broken or contradicts the data."""


class RunError(TunewrightError):
    """A run is unknown, unfinished or lacks a table."""


class RecorderError(TunewrightError):
    """Training dynamics cannot be recorded completely."""


class TrainError(TunewrightError):
    """A training cannot start, or cannot be resumed."""


class ComparisonError(TunewrightError):
    """Two things that must not be compared."""


class MonitorError(TunewrightError):
    """A monitor cannot go on as it is asked to, or cannot keep what it is given."""


class MissingDependencyError(TunewrightError):
    """An optional package is needed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known names, or lists what there is.

    >>> did_you_mean("confidense", ["confidence", "variability"])
    "did you mean 'confidence'?"
    >>> did_you_mean("zzz", ["a", "b"])
    'known: a, b'
    >>> did_you_mean("zzz", ["good, film", "bad"])
    "known: 'bad', 'good, film'"
    """
    known = sorted(known)
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    shown = [repr(one) for one in known] if any("," in one for one in known) else known
    return f"known: {listed(shown)}" if known else "there are none"


def listed(names: Sequence[str], *, most: int = 8) -> str:
    """Names with commas; of many, the last ones, which are the newest where names begin with a date.

    >>> listed(["a", "b", "c"], most=2)
    'b, c (and 1 more)'
    """
    shown = ", ".join(names[-most:])
    return shown if len(names) <= most else f"{shown} (and {len(names) - most} more)"
