"""Edits: what can be done to the rows of a dataset, as values that say why.

`apply` is pure: a table and an edit give another table, or an error when the edit no longer fits.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.data.fields import RESERVED
from tunewright.data.intake import content_of
from tunewright.errors import EditError, did_you_mean

__all__ = [
    "Add",
    "Drop",
    "Edit",
    "Evidence",
    "Keep",
    "Relabel",
    "Reweight",
    "apply",
    "from_json",
    "splits_touched",
    "to_json",
    "version_after",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a decision comes from: run id, analysis, the rule that chose the ids, author, ISO 8601 time."""

    run: str = ""
    analysis: str = ""
    rule: str = ""
    author: str = ""
    time: str = ""


_NOTHING = Evidence()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Rows of one split that are not named go away; other splits stay as they are."""

    ids: tuple[str, ...]
    split: str = "train"
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(map(str, self.ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The named rows go away."""

    ids: tuple[str, ...]
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(map(str, self.ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabel:
    """Rows get another label; ``changes`` are (id, old, new), where None is unlabelled.

    ``field`` is ``label``, or a metadata column of strings.
    """

    changes: tuple[tuple[str, str | None, str | None], ...]
    field: str = "label"
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", tuple((str(name), old, new) for name, old, new in self.changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reweight:
    """Rows count more or less in the loss; ``weights`` are (id, weight), finite; 0 does not count."""

    weights: tuple[tuple[str, float], ...]
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", tuple((str(name), float(weight)) for name, weight in self.weights))


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """New rows: JSON values by column; ``id`` and the text fields are needed.

    ``split`` is ``train`` by default, and ``weight`` 1; weights are those of `Reweight`.
    """

    rows: tuple[Mapping[str, Any], ...]
    reason: str = ""
    evidence: Evidence = _NOTHING

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(dict(row) for row in self.rows))


Edit = Keep | Drop | Relabel | Reweight | Add
_KINDS: dict[str, type[Edit]] = {kind.__name__: kind for kind in (Add, Drop, Keep, Relabel, Reweight)}
_NAMED = 3  # ids in a message


def to_json(edit: Edit) -> dict[str, Any]:
    """As JSON values, with the name of the edit under ``kind``."""
    return {"kind": type(edit).__name__, **asdict(edit)}


def from_json(value: Mapping[str, Any]) -> Edit:
    """The inverse of `to_json`.

    Raises:
        EditError: if the value is no edit.
    """
    fields = dict(value)
    kind = fields.pop("kind", None)
    if kind not in _KINDS:
        raise EditError(f"no edit is called {kind!r}", fix=did_you_mean(str(kind), _KINDS))
    try:
        return _KINDS[kind](**fields | {"evidence": Evidence(**fields.get("evidence", {}))})
    except (TypeError, ValueError) as error:
        raise EditError(f"expected the fields of {kind}, found others ({error})") from error


def version_after(parent: str, edit: Edit) -> str:
    """The version that an edit makes of its parent: 12 hexadecimal digits.

    Only what the edit does counts, not who wanted it when and why: equal edits of equal data are equal versions.
    """
    does = {name: value for name, value in to_json(edit).items() if name not in ("reason", "evidence")}
    written = json.dumps(does, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(f"{parent}\n{written}".encode(errors="surrogatepass"), digest_size=6).hexdigest()


def apply(table: pa.Table, edit: Edit, *, text: Sequence[str]) -> pa.Table:
    """The table after an edit; nothing is matched by position.

    Args:
        table: columns id, content, split, the text fields, label, weight, metadata.
        edit: what to do.
        text: the text fields, which the hash of an added row's content is made of.

    Raises:
        EditError: if the edit is stale: an id is missing (or, for `Add`, there already), or an old value is another.
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


def splits_touched(table: pa.Table, edit: Edit) -> set[str]:
    """Names of the splits whose rows an edit changes, takes away or adds to."""
    match edit:
        case Keep(split=split):
            return {split}
        case Add(rows=rows):
            return {str(row.get("split", "train")) for row in rows}
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


def _refuse_weights(weights: Iterable[tuple[str, float]]) -> None:
    wrong = [name for name, weight in weights if not math.isfinite(weight) or weight < 0]
    if wrong:
        raise EditError(f"expected finite weights that are not negative, found others for {wrong[:_NAMED]}")


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
    there = pc.is_in(pa.array(ids), value_set=table["id"].combine_chunks())
    if pc.any(there).as_py() or len(set(ids)) < len(ids):
        twice = [name for name, times in Counter(ids).items() if times > 1]
        _stale("ids that are there already", [*pa.array(ids).filter(there).to_pylist(), *twice])
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
