"""From a table as it was read to the base table of a dataset: checked, named, split, identified."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunewright.data.fields import Fields, stored_as
from tunewright.data.labels import UNKNOWN, LabelNames, describe_unknown, name_labels, sort_names
from tunewright.data.notes import notes_of
from tunewright.data.problems import OnBad, Problem, count_rows, settle
from tunewright.data.splits import FRACTIONS, UNLABELLED, carve, make_splits, split_name
from tunewright.data.targets import find_flaws, first_value, read_lists, types_of
from tunewright.errors import DataError, did_you_mean

__all__ = ["Intake", "content_of", "is_open", "take_in"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Intake:
    """A checked base table (columns id, content, split, texts, targets, label, weight, metadata) and what was learnt."""

    table: pa.Table
    label_names: tuple[str, ...]
    skipped: tuple[Problem, ...]


def take_in(
    table: pa.Table,
    *,
    fields: Fields,
    label_names: LabelNames | None = None,
    on_bad: OnBad = "error",
    splits: Mapping[str, float] | None = None,
    seed: int = 0,
    id: str | None = "id",
    split: str | None = "split",
    longest: int = 100_000,
    name: str = "the table",
) -> Intake:
    """Check every row, then name labels, make splits where they are missing, and give ids.

    The arguments are those of `Dataset.create`.

    Raises:
        DataError: if a column is missing, or rows are bad and ``on_bad`` is ``error``.
    """
    _require(table, fields)
    texts = {field: _strings(table[field], field) for field in fields.text}
    given_ids = _ids(table[id]) if id in table.column_names else None
    given_splits = _split_names(table[split]) if split in table.column_names else None
    noted = notes_of(table).label_names.get(fields.label or "")
    names = label_names if label_names is not None else noted
    decode = noted if _only_reordered(names, noted) else names  # the file knows what its codes mean
    if is_open(fields, decode):
        labels, label_flaws = _open_labels(table, fields, longest)
    else:
        labels, label_flaws = _labels(table, fields.label, decode, codes=decode == noted)
    targets, target_flaws = _targets(table, fields, texts)
    reasons = [
        *_text_flaws(texts, longest),
        *_reasons(target_flaws),
        *_reasons(label_flaws),
        *_id_flaws(given_ids),
        *([("no split", pc.is_null(given_splits))] if given_splits is not None else []),
    ]
    flaws = _first_reason(reasons, table.num_rows)
    rows = _Rows(table, text=texts, target=targets, label=labels, split=given_splits, id=given_ids)

    def where(row: int) -> str:
        unknown = fields.label is not None and flaws[row] == UNKNOWN
        value = f" {describe_unknown(table[fields.label][row].as_py(), decode)}" if unknown else ""
        return rows.place(row) + value

    skipped = settle(count_rows(flaws.tolist(), where), on_bad=on_bad, name=name, rows=table.num_rows)
    base = _assemble(
        rows.filter(flaws == ""), fields=fields, splits=splits, seed=seed, stratify=not is_open(fields, decode)
    )
    return Intake(base, _names(base["label"], names), (*notes_of(table).skipped, *skipped))


def is_open(fields: Fields, names: LabelNames | None) -> bool:
    """Whether labels are texts as they stand rather than one of a few names."""
    return fields.label is not None and names is not None and not names


def content_of(texts: Sequence[pa.ChunkedArray]) -> pa.Array:
    """[n] hashes of the text fields; two fields are kept apart by the length of the first."""
    columns = [column.to_pylist() for column in texts]
    return pa.array([_digest(parts) for parts in zip(*columns, strict=True)], pa.string())


def _digest(parts: Sequence[str]) -> str:
    written = parts[0] if len(parts) == 1 else "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(written.encode(), digest_size=12).hexdigest()


class _Rows:
    """Columns under construction, filtered together; ``position`` is each row's place in its given split."""

    def __init__(
        self,
        table: pa.Table,
        *,
        text: Mapping[str, pa.ChunkedArray],
        target: Mapping[str, pa.Array],
        label: pa.Array,
        split: pa.Array | None,
        id: pa.Array | None,
        position: NDArray[np.int64] | None = None,
    ) -> None:
        self.table, self.text, self.target = table, text, target
        self.label, self.split, self.id = label, split, id
        self.position = _places_in_split(split, table.num_rows) if position is None else position

    def place(self, row: int) -> str:
        """How a person finds a row: by its number in its split, counted from 0, and its id."""
        of = f"{self.split[row].as_py()} " if self.split is not None and self.split[row].is_valid else ""
        name = f" (id {self.id[row].as_py()})" if self.id is not None and self.id[row].is_valid else ""
        return f"{of}row {self.position[row] if of else row}{name}"

    def filter(self, mask: Mask) -> _Rows:
        chosen = pa.array(mask)
        return _Rows(
            self.table.filter(chosen),
            text={field: column.filter(chosen) for field, column in self.text.items()},
            target={field: column.filter(chosen) for field, column in self.target.items()},
            label=self.label.filter(chosen),
            split=None if self.split is None else self.split.filter(chosen),
            id=None if self.id is None else self.id.filter(chosen),
            position=self.position[mask],
        )


def _require(table: pa.Table, fields: Fields) -> None:
    wanted = [*fields.text, *([fields.label] if fields.label else []), *fields.metadata, *fields.target]
    missing = [name for name in wanted if name not in table.column_names]
    if missing:
        raise DataError(
            f"expected the columns {wanted}, found {table.column_names}: {missing[0]!r} is missing",
            fix=did_you_mean(missing[0], table.column_names),
        )
    if table.num_rows == 0:
        raise DataError("expected rows, found an empty table")


def _strings(column: pa.ChunkedArray, field: str) -> pa.Array:
    column = column.combine_chunks()
    if pa.types.is_floating(column.type) and pc.all(pc.equal(pc.floor(column), column)).as_py():
        column = pc.cast(column, pa.int64())
    if pa.types.is_float64(column.type):  # 1.0 beside 1.5 stays 1.0; Arrow would write 1
        return pa.array([None if value is None else repr(value) for value in column.to_pylist()], pa.string())
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise DataError(f"expected texts in {field!r}, found {column.type}", fix="name another column") from error


def _ids(column: pa.ChunkedArray) -> pa.Array:
    ids = pc.utf8_trim_whitespace(_strings(column, "id"))
    return pc.if_else(pc.equal(ids, ""), pa.scalar(None, pa.string()), ids)


def _split_names(column: pa.ChunkedArray) -> pa.Array:
    encoded = _ids(column).dictionary_encode()
    names = pa.array([split_name(name) for name in encoded.dictionary.to_pylist()], pa.string())
    return names.take(encoded.indices)


def _only_reordered(names: LabelNames | None, noted: Sequence[str] | None) -> bool:
    """Whether somebody gave the file's own label names, if in another order: that is the order of the logits."""
    return noted is not None and isinstance(names, Sequence) and set(names) == set(noted)


def _labels(table: pa.Table, label: str | None, names: LabelNames | None, *, codes: bool) -> tuple[pa.Array, pa.Array]:
    if label is None:
        nothing = pa.nulls(table.num_rows, pa.string())
        return nothing, nothing
    return name_labels(table[label], names, codes=codes)


def _open_labels(table: pa.Table, fields: Fields, longest: int) -> tuple[pa.Array, pa.Array]:
    """Texts as they stand, and what is wrong with them; a list gives its first one, and a blank text is unlabelled."""
    label = fields.label or ""
    lists = label in fields.target or pa.types.is_list(table[label].type)
    values = [first_value(value) for value in read_lists(table[label])] if lists else []
    texts = pa.array(map(_text, values), pa.string()) if lists else _strings(table[label], label)
    if not lists:
        texts = pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), pa.scalar(None, pa.string()), texts)
    too_long = f"label longer than {longest:,} characters"
    return texts, pc.if_else(pc.greater(pc.utf8_length(texts), longest), too_long, pa.scalar(None, pa.string()))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _targets(table: pa.Table, fields: Fields, texts: Mapping[str, pa.Array]) -> tuple[dict[str, pa.Array], pa.Array]:
    """Target columns (null where there is none, or a flaw), and what is wrong with each row's."""
    nothing = pa.nulls(table.num_rows, pa.string())
    if fields.passage is None:
        return {}, nothing
    lists = {name: read_lists(table[name]) for name in fields.target}
    flaws = find_flaws(lists, texts[fields.passage].to_pylist())
    columns = {
        name: pa.array([None if flaw else value for value, flaw in zip(lists[name], flaws, strict=True)], kind)
        for name, kind in types_of(fields.target).items()
    }
    return columns, pa.array([flaw or None for flaw in flaws], pa.string())


def _text_flaws(texts: Mapping[str, pa.Array], longest: int) -> Iterator[tuple[str, pa.Array]]:
    for field, column in texts.items():
        of = f" in {field!r}" if len(texts) > 1 else ""
        yield f"empty text{of}", pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)
        yield f"text{of} longer than {longest:,} characters", pc.greater(pc.utf8_length(column), longest)


def _reasons(flaws: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    for reason in pc.unique(pc.drop_null(flaws)).to_pylist():
        yield reason, pc.equal(flaws, reason)


def _id_flaws(ids: pa.Array | None) -> Iterator[tuple[str, pa.Array]]:
    if ids is None:
        return
    yield "no id", pc.is_null(ids)
    codes = ids.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False)
    repeated = np.ones(len(codes), bool)
    repeated[np.unique(codes, return_index=True)[1]] = False
    yield "id that an earlier row has", pa.array(repeated)


def _first_reason(reasons: Sequence[tuple[str, pa.Array]], rows: int) -> NDArray[np.object_]:
    """[n] the first reason that holds for each row; empty where none does."""
    flaws = np.full(rows, "", object)
    for reason, mask in reasons:
        here = pc.fill_null(mask, False).to_numpy(zero_copy_only=False).astype(bool)
        flaws[here & (flaws == "")] = reason
    return flaws


def _places_in_split(splits: pa.Array | None, rows: int) -> NDArray[np.int64]:
    """[n] the number of each row among those of its split, from 0."""
    if splits is None:
        return np.arange(rows)
    codes = splits.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    places = np.empty(rows, np.int64)
    places[order] = np.arange(rows) - np.repeat(starts, np.diff(starts, append=rows))
    return places


def _assemble(
    rows: _Rows, *, fields: Fields, splits: Mapping[str, float] | None, seed: int, stratify: bool
) -> pa.Table:
    content = content_of(list(rows.text.values()))
    together = content if fields.passage is None else content_of([rows.text[fields.passage]])
    split = _splits(together, rows, splits, seed=seed, label="label" if stratify else None)
    columns = {
        "id": rows.id if rows.id is not None else _made_ids(split, rows.position),
        "content": content,
        "split": split,
        **rows.text,
        **rows.target,
        "label": rows.label,
        "weight": pa.array(np.ones(len(content), np.float32)),
        **{stored_as(name): rows.table[name] for name in fields.metadata},
    }
    return pa.table(columns)


def _splits(
    together: pa.Array, rows: _Rows, fractions: Mapping[str, float] | None, *, seed: int, label: str | None
) -> pa.Array:
    """Fractions that were asked for, else the given splits, else the default ones; unlabelled rows keep their own."""
    stratify = pa.table({"content": together, "label": rows.label})
    if rows.split is None:
        return make_splits(stratify, fractions=fractions or FRACTIONS, seed=seed, label=label)
    others = pc.not_equal(rows.split, UNLABELLED)
    stratify = stratify.append_column("split", rows.split).filter(others)
    given = set(pc.unique(stratify["split"]).to_pylist())
    if fractions is not None or given <= {"train"}:
        made = make_splits(stratify, fractions=fractions or FRACTIONS, seed=seed, label=label)
    elif {"train", "test"} <= given and "validation" not in given:
        made = carve(stratify, seed=seed, label=label)
    else:
        return rows.split
    return pc.replace_with_mask(rows.split, others, made)


def _made_ids(split: pa.Array, position: NDArray[np.int64]) -> pa.Array:
    width = max(6, len(str(position.max(initial=0))))
    numbers = pa.array([f"{number:0{width}d}" for number in position.tolist()], pa.string())
    return pc.binary_join_element_wise(split, numbers, "-")


def _names(labels: pa.ChunkedArray, names: LabelNames | None) -> tuple[str, ...]:
    match names:
        case None:
            return sort_names(pc.unique(labels.drop_null()).to_pylist())
        case Mapping():
            return tuple(dict.fromkeys(names.values()))
        case _:
            return tuple(str(name) for name in names)
