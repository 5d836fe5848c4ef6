"""What an edit does to a table: another table, or an error when the edit no longer fits."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.annotating import NOTE, TAGS, annotated, with_tag
from tunewright.data.edits import Add, Drop, Edit, Keep, Mix, Note, Relabel, Reweight, Tag
from tunewright.data.fields import RESERVED
from tunewright.data.intake import content_of
from tunewright.errors import EditError, did_you_mean

__all__ = ["apply", "splits_touched"]

_NAMED = 3  # ids in a message
_LAYER = re.compile(r"embeddings|pooled|hidden:[1-9]\d*")


def apply(table: pa.Table, edit: Edit, *, text: Sequence[str]) -> pa.Table:  # noqa: PLR0911  one per kind of edit
    """The table after an edit; nothing is matched by position.

    Args:
        table: columns id, content, split, the text fields, label, weight, metadata.
        edit: what to do. `Mix` leaves the table as it is: see `tunewright.data.recipes`.
        text: the text fields, which the hash of an added row's content is made of.

    Raises:
        EditError: if the edit is stale: an id is missing (or, for `Add`, there already), an old value is another, or
            the parents of a `Mix` are not labelled training rows.
    """
    match edit:
        case Keep():
            return _keep(table, edit)
        case Drop():
            _rows(table, edit.ids)
            return table.filter(pc.invert(_among(table, edit.ids)))
        case Relabel():
            return _relabel(table, edit)
        case Reweight():
            return _reweight(table, edit)
        case Add():
            return _add(table, edit, text)
        case Mix():
            _require_recipes(table, edit)
            return table
        case Tag():
            return _tag(table, edit)
        case Note():
            return _note(table, edit)


def splits_touched(table: pa.Table, edit: Edit) -> set[str]:
    """Names of the splits whose rows an edit changes, takes away or adds to; what people write beside a row is no part of it."""
    match edit:
        case Keep(split=split):
            return {split}
        case Add(rows=rows):
            return {str(row.get("split", "train")) for row in rows}
        case Mix():
            return {"train"}
        case Tag() | Note():
            return set()
        case Drop(ids=ids):
            named = ids
        case Relabel(changes=changes):
            named = tuple(name for name, _, _ in changes)
        case Reweight(weights=weights):
            named = tuple(name for name, _ in weights)
    return set(pc.unique(table.filter(_among(table, named))["split"]).to_pylist())


def _among(table: pa.Table, ids: Sequence[str]) -> pa.ChunkedArray:
    return pc.is_in(table["id"], value_set=pa.array(ids, pa.string()))


def _rows(table: pa.Table, ids: Sequence[str]) -> pa.Array:
    """[ids] the row of each id.

    Raises:
        EditError: if an id is missing or named twice.
    """
    rows = pc.index_in(pa.array(ids, pa.string()), value_set=table["id"].combine_chunks())
    if rows.null_count:
        _stale("rows that are not there", pa.array(ids, pa.string()).filter(pc.is_null(rows)).to_pylist())
    if pc.count_distinct(rows).as_py() < len(rows):
        _stale("ids named more than once", [name for name, times in Counter(ids).items() if times > 1])
    return rows


def _stale(what: str, ids: Iterable[str]) -> None:
    ids = list(ids)
    first = ", ".join(ids[:_NAMED]) + (", ..." if len(ids) > _NAMED else "")
    raise EditError(f"the edit does not fit: {len(ids)} {what}: {first}", fix="make the edit again from this version")


def _keep(table: pa.Table, edit: Keep) -> pa.Table:
    rows = _rows(table, edit.ids)
    elsewhere = pc.not_equal(table["split"].take(rows), edit.split)
    if pc.any(elsewhere).as_py():
        _stale(f"rows that are not in {edit.split}", pa.array(edit.ids).filter(elsewhere.combine_chunks()).to_pylist())
    return table.filter(pc.or_(pc.not_equal(table["split"], edit.split), _among(table, edit.ids)))


def _relabel(table: pa.Table, edit: Relabel) -> pa.Table:
    if edit.field in RESERVED and edit.field != "label":
        raise EditError(
            f"expected a label or metadata to change, found {edit.field!r}, which every row has for good",
            fix="drop the rows, and add others",
        )
    if edit.field not in table.column_names or not pa.types.is_string(table.schema.field(edit.field).type):
        raise EditError(f"expected a label or a column of strings, found {edit.field!r}")
    ids, old, new = ([change[part] for change in edit.changes] for part in range(3))
    rows = _rows(table, [str(name) for name in ids])
    found = table[edit.field].take(rows).to_pylist()
    changed = [name for name, expected, value in zip(ids, old, found, strict=True) if expected != value]
    if changed:
        _stale(f"rows whose {edit.field} is no longer the old one", map(str, changed))
    return _with_values(table, edit.field, rows, pa.array(new, pa.string()))


def _reweight(table: pa.Table, edit: Reweight) -> pa.Table:
    _refuse_weights(edit.weights)
    rows = _rows(table, [name for name, _ in edit.weights])
    weights = np.array([weight for _, weight in edit.weights], np.float32)
    return _with_values(table, "weight", rows, pa.array(weights))


def _tag(table: pa.Table, edit: Tag) -> pa.Table:
    table, rows = annotated(table, TAGS), _rows(table, edit.ids)
    tags = with_tag(table[TAGS].take(rows).to_pylist(), edit.tag)
    return _with_values(table, TAGS, rows, pa.array(tags, pa.string()))


def _note(table: pa.Table, edit: Note) -> pa.Table:
    rows = _rows(table, edit.ids)
    return _with_values(annotated(table, NOTE), NOTE, rows, pa.array([edit.text or None] * len(edit.ids), pa.string()))


def _refuse_weights(weights: Iterable[tuple[str, float]]) -> None:
    wrong = [name for name, weight in weights if not math.isfinite(weight) or weight < 0]
    if wrong:
        raise EditError(f"expected finite weights that are not negative, found others for {wrong[:_NAMED]}")


def _require_recipes(table: pa.Table, edit: Mix) -> None:
    if not _LAYER.fullmatch(edit.layer):
        raise EditError(f"expected the layer 'embeddings', 'hidden:K' (K from 1) or 'pooled', found {edit.layer!r}")
    wrong = [name for name, _, _, weight in edit.recipes if not 0 <= weight <= 1]
    if wrong:
        raise EditError(f"expected shares between 0 and 1, found others for {wrong[:_NAMED]}")
    names = [name for name, *_ in edit.recipes]
    _refuse_taken(table, names)
    parents = list(dict.fromkeys(parent for _, a, b, _ in edit.recipes for parent in (a, b)))
    rows = _rows(table, parents)
    split, label = (table[name].combine_chunks().take(rows) for name in ("split", "label"))
    unusable = pc.or_(pc.not_equal(split, "train"), pc.is_null(label))
    if pc.any(unusable).as_py():
        _stale("parents that are not labelled training rows", pa.array(parents).filter(unusable).to_pylist())


def _refuse_taken(table: pa.Table, ids: Sequence[str]) -> None:
    """Ids of new rows must be new, and each its own."""
    there = pc.is_in(pa.array(ids, pa.string()), value_set=table["id"].combine_chunks())
    twice = [name for name, times in Counter(ids).items() if times > 1]
    if pc.any(there).as_py() or twice:
        _stale("ids that are there already", [*pa.array(ids, pa.string()).filter(there).to_pylist(), *twice])


def _with_values(table: pa.Table, name: str, rows: pa.Array, values: pa.Array) -> pa.Table:
    """The table with ``values`` at ``rows`` of one column."""
    order = np.argsort(rows.to_numpy(zero_copy_only=False), kind="stable")
    mask = np.zeros(table.num_rows, bool)
    mask[rows.to_numpy(zero_copy_only=False)] = True
    column = pc.replace_with_mask(table[name].combine_chunks(), pa.array(mask), values.take(pa.array(order)))
    return table.set_column(table.schema.get_field_index(name), name, column)


def _add(table: pa.Table, edit: Add, text: Sequence[str]) -> pa.Table:
    if not edit.rows:
        return table
    unknown = sorted({name for row in edit.rows for name in row} - set(table.column_names))
    if unknown:
        raise EditError(f"no column is called {unknown[0]!r}", fix=did_you_mean(unknown[0], table.column_names))
    for name in ("id", *text):
        lacking = [str(row.get("id")) for row in edit.rows if not str(row.get(name) or "").strip()]
        if lacking:
            raise EditError(f"expected {name!r} in every new row, found none in {lacking[:_NAMED]}")
    ids = [str(row["id"]) for row in edit.rows]
    _refuse_taken(table, ids)
    rows = _new_rows(table.schema, edit.rows, text)
    _refuse_weights(zip(ids, rows["weight"].fill_null(math.nan).to_pylist(), strict=True))
    return pa.concat_tables([table, rows])


def _new_rows(schema: pa.Schema, rows: Sequence[Mapping[str, Any]], text: Sequence[str]) -> pa.Table:
    default = {"split": "train", "weight": 1.0}
    try:
        columns = {
            column.name: pa.array([row.get(column.name, default.get(column.name)) for row in rows], column.type)
            for column in schema
        }
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as error:
        raise EditError(f"expected values of the columns' types in the new rows ({error})") from error
    columns["content"] = content_of([columns[name] for name in text])
    return pa.table(columns, schema=schema)
