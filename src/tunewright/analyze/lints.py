"""Artifact lints: what is wrong with the data before any model is to blame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from tunewright.analyze.association import cramers_v
from tunewright.analyze.lint_outputs import (
    answers_elsewhere,
    lost_answers,
    no_attention_mask,
    punished_form,
    stopped_by_length,
    trained_on_evaluation,
    truncated,
    truncated_targets,
)
from tunewright.analyze.lint_rows import (
    TRAIN,
    Lint,
    Rows,
    Severity,
    Values,
    cells,
    codes,
    finding,
    labelled,
    members,
    varied,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LINTS", "Lint", "Rows", "Severity", "lint"]

_IMBALANCE = 10.0
"""Largest class over smallest, in training rows."""
_CONFOUNDED = 0.3
"""Cramér's V from which an association is usually called medium or more (Cohen 1988, for two splits)."""
_FEW_ROWS = 20
"""A split of fewer rows than this shares no value with another by chance."""
_FEW_VALUES = 50
"""A column with more distinct values than this is cut into tenths if numeric, and skipped if not."""


def lint(rows: Rows) -> list[Lint]:
    """All findings, errors first."""
    order = ("error", "warning", "note")
    found = [one for check in LINTS for one in check(rows)]
    return sorted(found, key=lambda one: order.index(one.severity))


def repeated_ids(rows: Rows) -> Iterable[Lint]:
    """The same id more than once, also in two splits."""
    yield from finding(
        rows,
        members(codes(rows.id), lambda _: True),
        ("repeated ids", "error"),
        "rows share their id with another row",
        "give every row an id of its own: training and evaluation rows cannot be told apart otherwise",
    )


def duplicates_across_splits(rows: Rows) -> Iterable[Lint]:
    """Equal content in more than one split."""
    yield from finding(
        rows,
        members(codes(rows.content), lambda group: varied(rows.split[group])),
        ("duplicates across splits", "error"),
        "rows have the same text as a row of another split",
        "drop them from the training split, or make the splits anew: the test score is too high otherwise",
    )


def duplicates_within_split(rows: Rows) -> Iterable[Lint]:
    """Equal content and equal label within a split; different labels are another lint's business."""
    keys = codes(codes(rows.split), codes(rows.content), codes(rows.label))
    yield from finding(
        rows,
        members(keys, lambda _: True),
        ("duplicates within a split", "warning"),
        "rows repeat the text and label of another row of their split",
        "keep one of each, unless the repetition is meant as a weight",
    )


def contradictions(rows: Rows) -> Iterable[Lint]:
    """Equal content with different labels; of open targets, several may be right."""
    named = labelled(rows)
    if rows.classes:
        kind: tuple[str, Severity] = ("same text, different labels", "error")
        advice = "decide on one label, or drop them: no model can be right about both"
    else:
        kind = ("same text, different targets", "note")
        advice = "look whether both are right; a metric that knows one of them punishes the other"
    yield from finding(
        rows,
        members(codes(rows.content), lambda group: varied(rows.label[group[named[group]]])),
        kind,
        f"rows have the same text as a row with another {'label' if rows.classes else 'target'}",
        advice,
    )


def empty_texts(rows: Rows) -> Iterable[Lint]:
    """A text field without anything but white space."""
    for name, texts in rows.texts.items():
        empty = np.array([text is None or not str(text).strip() for text in texts], dtype=bool)
        yield from finding(rows, empty, (f"empty {name}", "error"), f"rows have no {name}", "fill in or drop them")


def constant_fields(rows: Rows) -> Iterable[Lint]:
    """A text or metadata column with a single value."""
    if len(rows.id) < 2:
        return
    for name, values in {**rows.texts, **rows.metadata}.items():
        if not varied(values):
            message = f"all rows have the same {name}"
            yield Lint(f"constant {name}", "warning", len(values), message, (), "leave the column out")


def imbalance(rows: Rows) -> Iterable[Lint]:
    """Training classes that differ in size by a factor of ten or more."""
    if not rows.classes:
        return
    names, counts = np.unique(rows.label[labelled(rows) & (rows.split == TRAIN)].astype(str), return_counts=True)
    if len(counts) < 2 or counts.max() < _IMBALANCE * counts.min():
        return
    most, least = counts.argmax(), counts.argmin()
    message = f"{counts[most]} training rows are {str(names[most])!r}, {counts[least]} are {str(names[least])!r}"
    advice = "judge by recall per class or macro-F1; try class weights or focal loss"
    yield Lint("label imbalance", "note", int(counts[least]), message, (), advice)


def unlearnable_labels(rows: Rows) -> Iterable[Lint]:
    """Labels of other splits that no training row has."""
    named, training = labelled(rows), rows.split == TRAIN
    known = set(rows.label[named & training])
    if not rows.classes or not known:
        return
    unknown = named & np.array([label not in known for label in rows.label], dtype=bool)
    yield from finding(
        rows,
        unknown,
        ("labels missing from training", "error"),
        "rows have a label that no training row has",
        "add training rows of these labels, or leave the labels out",
    )


def unlabelled(rows: Rows) -> Iterable[Lint]:
    """Rows without a label."""
    yield from finding(
        rows,
        ~labelled(rows),
        ("unlabelled rows", "note"),
        "rows have no label",
        "they are neither trained on nor scored",
    )


def near_duplicates_across_splits(rows: Rows) -> Iterable[Lint]:
    """Nearly equal texts in more than one split; equal ones are another lint's business."""
    alike = _alike(rows)
    yield from finding(
        rows,
        members(alike, lambda group: varied(rows.split[group]) and varied(rows.content[group])),
        ("near-duplicates across splits", "warning"),
        "rows are in a group of nearly the same texts that spans splits",
        "keep such rows in one split: a test score with them says less about new texts",
    )


def near_duplicates_within_split(rows: Rows) -> Iterable[Lint]:
    """Nearly equal texts of one split; equal ones are another lint's business."""
    alike = _alike(rows)
    yield from finding(
        rows,
        members(alike, lambda group: not varied(rows.split[group]) and varied(rows.content[group])),
        ("near-duplicates within a split", "note"),
        "rows are in a group of nearly the same texts",
        "look at them: they count more than once",
    )


def synthetic_copies(rows: Rows) -> Iterable[Lint]:
    """Synthetic rows with the same, or nearly the same, text as another row."""
    if rows.synthetic is None:
        return
    copies = np.zeros(len(rows.id), dtype=bool)
    for row, other in (*_repeats(rows), *_near(rows)):
        copies[row if rows.synthetic[row] else other] = True
    yield from finding(
        rows,
        copies & rows.synthetic,
        ("synthetic copies", "warning"),
        "synthetic rows are the same, or nearly the same, as another row",
        "drop them: they add weight to that row, and nothing new",
    )


def splits_without_shared_values(rows: Rows) -> Iterable[Lint]:
    """A metadata column of which training and another split share no value, though values occur again and again."""
    for name, values in rows.metadata.items():
        for split in _apart(values, rows.split):
            message = f"no {name} of split {split!r} is in the training rows"
            advice = f"good if the model is meant for a new {name}; if not, split within it: the score is too low"
            yield Lint(
                f"{split} shares no {name} with train", "note", int((rows.split == split).sum()), message, (), advice
            )


def confounded_splits(rows: Rows) -> Iterable[Lint]:
    """A metadata column that tells the splits apart (Cramér's V, Cramér 1946)."""
    for name, values in rows.metadata.items():
        levels = _levels(values)
        strength = 0.0 if levels is None else cramers_v(levels, codes(rows.split))
        if strength >= _CONFOUNDED and not _apart(values, rows.split):
            message = f"{name} tells the splits apart (Cramér's V {strength:.2f})"
            advice = "split at random within it, or report the score per value: a difference may be due to it"
            yield Lint(f"splits confounded with {name}", "warning", len(values), message, (), advice)


LINTS: tuple[Callable[[Rows], Iterable[Lint]], ...] = (
    repeated_ids,
    trained_on_evaluation,
    duplicates_across_splits,
    contradictions,
    answers_elsewhere,
    no_attention_mask,
    empty_texts,
    unlearnable_labels,
    near_duplicates_across_splits,
    duplicates_within_split,
    synthetic_copies,
    constant_fields,
    truncated,
    truncated_targets,
    lost_answers,
    stopped_by_length,
    punished_form,
    confounded_splits,
    splits_without_shared_values,
    near_duplicates_within_split,
    imbalance,
    unlabelled,
)


def _near(rows: Rows) -> list[tuple[int, int]]:
    """Pairs of a row and the earlier one that it nearly repeats."""
    if rows.duplicate_of is None:
        return []
    places = {name: row for row, name in enumerate(rows.id.tolist())}
    pairs = ((row, places.get(name)) for row, name in enumerate(rows.duplicate_of.tolist()))
    return [(row, place) for row, place in pairs if place is not None]


def _repeats(rows: Rows) -> list[tuple[int, int]]:
    """Pairs of a row and the first collected one with the same content, or else the first one."""
    assert rows.synthetic is not None
    first: dict[object, int] = {}
    contents = rows.content.tolist()
    for row in np.argsort(rows.synthetic, kind="stable").tolist():
        first.setdefault(contents[row], row)
    return [(row, first[content]) for row, content in enumerate(contents) if first[content] != row]


def _alike(rows: Rows) -> NDArray[np.int64]:
    """[n] number of the group of rows that are linked as near-duplicates, directly or by others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, pairs = len(rows.id), np.array(_near(rows), dtype=np.int64).reshape(-1, 2)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1] if n else [], dtype=np.int64)


def _apart(values: Values, splits: Values) -> list[str]:
    """Splits that share no value with training; of few rows, or of values that hardly recur, that says nothing."""
    known = np.array([cell is not None for cell in cells(values)], dtype=bool)
    levels, splits = codes(values[known]), splits[known]
    training = levels[splits == TRAIN]
    others = ((name, levels[splits == name]) for name in sorted(set(splits.tolist()) - {TRAIN}))
    return [
        name
        for name, other in others
        if _recurring(training) and _recurring(other) and not np.isin(other, training).any()
    ]


def _recurring(levels: NDArray[np.int64]) -> bool:
    return len(levels) >= _FEW_ROWS and len(levels) >= 2 * len(np.unique(levels))


def _levels(values: Values) -> NDArray[np.int64] | None:
    """Codes of a column with few values, tenths of a numeric one with many, None for anything else; missing is a level."""
    levels = codes(values)
    if levels.max(initial=-1) < _FEW_VALUES:
        return levels
    if values.dtype.kind not in "iuf":
        return None
    numbers = values.astype(np.float64)
    tenths = np.searchsorted(np.nanquantile(numbers, np.arange(0.1, 1, 0.1)), numbers)
    return np.where(np.isnan(numbers), -1, tenths).astype(np.int64)
