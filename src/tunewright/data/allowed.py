"""Which edits a dataset takes: its labels, its targets, and a test split that does not change unasked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunewright.data.annotating import NOTE, TAGS, require_annotation
from tunewright.data.applying import splits_touched
from tunewright.data.edits import Add, Edit, Mix, Note, Relabel, Tag
from tunewright.data.fields import Fields
from tunewright.data.intake import is_open
from tunewright.data.targets import find_flaws
from tunewright.errors import EditError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["GUARDED", "require_allowed", "require_changeable"]

GUARDED = "test"
"""The split that models are judged by: it changes only when that is asked for, and then both scores are shown."""


def require_allowed(
    table: pa.Table, edit: Edit, *, fields: Fields, label_names: Sequence[str], allow_test: bool = False
) -> None:
    """Refuse an edit that the dataset does not take, whatever its rows are.

    Args:
        table: the rows before the edit.
        edit: what to do.
        fields: which columns are what.
        label_names: the labels there are; empty where they are open.
        allow_test: whether rows of the test split may change.

    Raises:
        EditError: if it changes the test split unasked, has an unknown label, or changes a text or half a target.
    """
    if not allow_test and GUARDED in splits_touched(table, edit):
        raise EditError(
            f"{type(edit).__name__} changes rows of the test split, and scores before and after would not compare",
            fix="leave test rows out, or allow it (--allow-test, allow_test=True) and get both scores",
        )
    if not is_open(fields, label_names):
        _require_known_labels(edit, label_names)
    elif isinstance(edit, Mix):
        raise EditError("expected labels that can be mixed, found open texts", fix="mix rows of a classification")
    if isinstance(edit, Relabel) and edit.field in fields.text:
        raise EditError(f"expected a label or metadata to change, found the text {edit.field!r}")
    match edit:
        case Tag(tag=value):
            require_annotation(TAGS, value, fields=fields)
        case Note(text=value):
            require_annotation(NOTE, value, fields=fields)
    if fields.target:
        _check_targets(edit, fields)


def require_changeable(field: str, fields: Fields) -> None:
    """Refuse to change a label, or one of the columns beside it, where they say the same: half of it would be wrong.

    Raises:
        EditError: if other columns say what the target is, too.
    """
    if fields.target and field in ("label", *fields.target):
        raise EditError(
            f"{field!r} cannot change alone: the columns {list(fields.target)} say what the target is, too",
            fix="drop the rows instead (--action drop, or drop in a reviewed list); where the right targets are known, "
            "add rows with other ids and those targets (tunewright.data.edits.Add)",
        )


def _require_known_labels(edit: Edit, label_names: Sequence[str]) -> None:
    unknown = sorted(_labels_given(edit) - set(label_names))
    if unknown:
        raise EditError(f"no label is called {unknown[0]!r}", fix=did_you_mean(unknown[0], label_names))


def _labels_given(edit: Edit) -> set[str]:
    match edit:
        case Relabel(changes=changes, field="label"):
            return {new for _, _, new in changes if new is not None}
        case Add(rows=rows):
            return {row["label"] for row in rows if row.get("label") is not None}
        case _:
            return set()


def _check_targets(edit: Edit, fields: Fields) -> None:
    """Label and targets say the same and must change together, which only new rows can."""
    match edit:
        case Relabel(field=field):
            require_changeable(field, fields)
        case Add(rows=rows):
            wrong = [f"{row.get('id')}: {flaw}" for row in rows if (flaw := _target_flaw(row, fields))]
            if wrong:
                raise EditError(f"{len(wrong)} new rows have wrong targets; the first is {wrong[0]}")


def _target_flaw(row: Mapping[str, Any], fields: Fields) -> str:
    targets = {name: [row.get(name)] for name in fields.target}
    (flaw,) = find_flaws(targets, [str(row.get(fields.passage or "") or "")])
    half = (row.get("label") is None) != (row.get(fields.target[0]) is None)
    return flaw or (f"{fields.target[0]!r} without a label, or the reverse" if half else "")
