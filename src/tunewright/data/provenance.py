"""What was done to each row, by whom and why; and in what two tables differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.annotating import NOTE, TAGS, annotated, with_tag
from tunewright.data.applying import apply
from tunewright.data.edits import Add, Drop, Edit, Keep, Mix, Note, Relabel, Reweight, Tag
from tunewright.data.log import Entry

__all__ = ["as_text", "changes", "provenance", "touched"]

_EVIDENCE = ("rule", "run", "author", "time")
_COLUMNS = ("id", "version", "kind", "field", "old", "new", "reason", *_EVIDENCE)
_CHANGES = ("id", "kind", "field", "old", "new")
Change = tuple[str, str, str | None, str | None]
"""Id, field, old and new value as text; None is nothing."""


def provenance(base: pa.Table, entries: Iterable[Entry], *, text: Sequence[str]) -> pa.Table:
    """Every edit that touched a row, oldest first.

    Args:
        base: the rows before all edits.
        entries: versions and the edits that made them, in order.
        text: the text fields.

    Returns:
        columns id, version (that the edit made), kind, field, old, new (as text; null: nothing), reason (with what
        the evidence says of the row), rule, run, author, time. A row that goes or comes changes its ``split`` to or from null; a recipe is a new ``recipe``, and
        for each of its parents a new share of it in ``mixed``.
    """
    rows: list[tuple[str | None, ...]] = []
    table = base
    for entry in entries:
        edit = entry.edit
        evidence = tuple(getattr(edit.evidence, name) for name in _EVIDENCE)
        for name, *change in touched(table, edit):
            rows.append((name, entry.version, type(edit).__name__, *change, _reason(edit, name), *evidence))
        table = apply(table, edit, text=text)
    return _strings(_COLUMNS, rows)


def touched(table: pa.Table, edit: Edit) -> Iterator[Change]:  # noqa: C901  one case per kind of edit
    """What an edit changes in the rows of a table it fits: an item per row, and for a recipe also one per parent."""
    match edit:
        case Keep(ids=ids, split=split):
            kept = pc.is_in(table["id"], value_set=pa.array(ids, pa.string()))
            gone = table.filter(pc.and_(pc.equal(table["split"], split), pc.invert(kept)))
            yield from ((name, "split", split, None) for name in gone["id"].to_pylist())
        case Drop(ids=ids):
            yield from ((name, "split", split, None) for name, split in zip(ids, _at(table, "split", ids), strict=True))
        case Relabel(changes=changed, field=field):
            yield from ((name, field, old, new) for name, old, new in changed)
        case Reweight(weights=weights):
            before = _at(table, "weight", [name for name, _ in weights])
            for (name, new), old in zip(weights, before, strict=True):
                yield name, "weight", as_text(old), as_text(new)
        case Add(rows=rows):
            yield from ((str(row["id"]), "split", None, str(row.get("split", "train"))) for row in rows)
        case Tag() | Note():
            yield from _written(table, edit)
        case Mix(recipes=recipes, layer=layer):
            for name, a, b, weight in recipes:
                yield name, "recipe", None, f"{weight:g} of {a} and {1 - weight:g} of {b}, at {layer}"
                for parent, share in ((a, weight), (b, 1 - weight)):
                    yield parent, "mixed", None, f"{share:g} of {name}"


def _written(table: pa.Table, edit: Tag | Note) -> Iterator[Change]:
    column = TAGS if isinstance(edit, Tag) else NOTE
    before = _at(annotated(table, column), column, edit.ids)
    after = with_tag(before, edit.tag) if isinstance(edit, Tag) else [edit.text or None] * len(before)
    yield from ((name, column, old, new) for name, old, new in zip(edit.ids, before, after, strict=True))


def changes(before: pa.Table, after: pa.Table) -> pa.Table:
    """In what two tables of one dataset differ, whatever edits lie between them.

    Args:
        before: rows with a column ``id``, each id once.
        after: rows with the same columns; one that only one of them has is null in the other.

    Returns:
        columns id, kind (``dropped``, ``added`` or ``changed``), field, old, new (as text; null: nothing). Rows that
        went or came change their ``split`` to or from null, as far as they have one. In the order of ``before``, by
        field; then what was added, in the order of ``after``.
    """
    before, after = _with_columns(before, of=after), _with_columns(after, of=before)
    first, second = (table["id"].combine_chunks() for table in (before, after))
    gone = before.filter(pc.invert(pc.is_in(first, value_set=second)))
    come = after.filter(pc.invert(pc.is_in(second, value_set=first)))
    stayed = before.filter(pc.is_in(first, value_set=second))
    there = after.take(pc.index_in(stayed["id"].combine_chunks(), value_set=second))
    rows: list[tuple[str | None, ...]] = [(name, "dropped", "split", split, None) for name, split in _splits(gone)]
    for field in before.column_names:
        rows += [(name, "changed", field, old, new) for name, old, new in _differing(stayed, there, field)]
    rows += [(name, "added", "split", None, split) for name, split in _splits(come)]
    return _strings(_CHANGES, rows)


def as_text(value: Any) -> str | None:
    """A value of a table for people; None is nothing.

    >>> as_text(0.10000000149), as_text("odd"), as_text([1, 2]), as_text(None)
    ('0.1', 'odd', '[1, 2]', None)
    """
    match value:
        case None | str():
            return value
        case float():
            return f"{value:g}"
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def _reason(edit: Edit, row: str) -> str:
    """Why an edit touches a row: that of the edit, and what is known of the row alone."""
    own = edit.evidence.rows.get(row, {})
    told = (f"{name} {as_text(value)}" for name, value in own.items() if value not in (None, {}, []))
    return "; ".join(filter(None, (edit.reason, *told)))


def _with_columns(table: pa.Table, *, of: pa.Table) -> pa.Table:
    for field in of.schema:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table


def _differing(before: pa.Table, after: pa.Table, field: str) -> Iterator[tuple[str, str | None, str | None]]:
    if before[field].equals(after[field]):
        return
    columns = (column.to_pylist() for column in (before["id"], before[field], after[field]))
    for name, old, new in zip(*columns, strict=True):
        both_nan = old != old and new != new  # noqa: PLR0124  NaN is the one value that is not itself
        if old != new and not both_nan:
            yield name, as_text(old), as_text(new)


def _splits(table: pa.Table) -> Iterator[tuple[str, str | None]]:
    splits = table["split"].to_pylist() if "split" in table.column_names else [None] * table.num_rows
    yield from zip(table["id"].to_pylist(), splits, strict=True)


def _at(table: pa.Table, field: str, ids: Sequence[str]) -> list[Any]:
    rows = pc.index_in(pa.array(ids, pa.string()), value_set=table["id"].combine_chunks())
    values: list[Any] = table[field].take(rows).to_pylist()
    return values


def _strings(names: Sequence[str], rows: Sequence[tuple[str | None, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pa.table({name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=True)})
