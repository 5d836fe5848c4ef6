"""What the lints look at and what they find; which of them there are is said in ``lints``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "TRAIN", "Lint", "Mask", "Rows", "Severity", "Values", "cells", "codes", "finding", "labelled", "members", "varied",
]  # fmt: skip

Values = NDArray[np.generic]
Mask = NDArray[np.bool_]
Severity = Literal["error", "warning", "note"]

TRAIN = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the lints look at: columns [n], and what is known about them. What is not given is not linted.

    Always given:
        id, split, content: names, splits and content hashes.
        label: gold targets as a person writes them, None where there is none. With ``classes`` False they are answers
            or summaries, of which each may be the only one of its kind.
        texts: text columns by name.

    Known from the data:
        metadata: columns by name; numbers as numeric arrays.
        context, answers, starts: the text answers are taken from, lists of gold answers, and lists of the characters
            where these begin in the context.
        duplicate_of: id of the first row with nearly the same text, None without one (see ``duplicates``).
        synthetic: True for rows that were made up or derived from others, not collected.

    Known from encoding:
        lengths, max_length: length in tokens before cutting, and where inputs are cut; only of use together.
        lost: ids of the rows whose gold answer lies in none of their windows.
        cut_targets: ids of the rows whose gold target is longer than the task reads.
        unmasked: True if padded batches have no attention mask.

    Known from a run:
        trained: ids that the model was trained on.
        predicted: what the model says, None where it was not asked.
        correct: score of the prediction in [0, 1] by the task's metric, NaN where unknown.
        scores: what each of the project's own metrics says of the prediction, NaN where unknown.
        stop_reason: why generation ended: "eos", "length" or None.
    """

    id: Values
    split: Values
    content: Values
    label: Values
    texts: Mapping[str, Values]
    classes: bool = True
    metadata: Mapping[str, Values] = field(default_factory=dict)
    context: Values | None = None
    answers: Values | None = None
    starts: Values | None = None
    duplicate_of: Values | None = None
    synthetic: Mask | None = None
    lengths: NDArray[np.integer] | None = None
    max_length: int | None = None
    lost: Collection[str] | None = None
    cut_targets: Collection[str] | None = None
    unmasked: bool = False
    trained: Collection[str] | None = None
    predicted: Values | None = None
    correct: Values | None = None
    scores: Mapping[str, Values] = field(default_factory=dict)
    stop_reason: Values | None = None


@dataclass(frozen=True, slots=True)
class Lint:
    """One finding: how bad, how many rows (``rows`` are their ids; empty if it is about a whole column), and what to do."""

    name: str
    severity: Severity
    count: int
    message: str
    rows: tuple[str, ...]
    what_to_do: str


def finding(rows: Rows, found: Mask, kind: tuple[str, Severity], message: str, what_to_do: str) -> Iterable[Lint]:
    """A finding about the rows that were found, if there are any; their number precedes the message."""
    count = int(found.sum())
    if count:
        name, severity = kind
        yield Lint(name, severity, count, f"{count} {message}", tuple(map(str, rows.id[found])), what_to_do)


def labelled(rows: Rows) -> Mask:
    """[n] rows with a gold target."""
    return np.array([label is not None for label in rows.label], dtype=bool)


def cells(values: Values) -> list[object]:
    """[n] the values, None where one is missing, as None or NaN."""
    return [None if isinstance(cell, float) and isnan(cell) else cell for cell in values.tolist()]


def varied(values: Values) -> bool:
    """Whether there are two different values; missing is one."""
    return len(set(cells(values))) > 1


def codes(*columns: Values) -> NDArray[np.int64]:
    """[n] one number per distinct combination of values, counted from 0; missing is a value."""
    seen: dict[object, int] = {}
    rows = zip(*map(cells, columns), strict=True)
    return np.array([seen.setdefault(row, len(seen)) for row in rows], dtype=np.int64)


def members(groups: NDArray[np.int64], wanted: Callable[[NDArray[np.intp]], bool]) -> Mask:
    """[n] rows of the groups of two or more that are wanted."""
    found = np.zeros(len(groups), dtype=bool)
    order = np.argsort(groups, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(group) > 1 and wanted(group):
            found[group] = True
    return found
