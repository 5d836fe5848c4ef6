"""Tables of text from wherever they are: a file, files per split, a folder, or a data set of the Hub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright import table as tables
from tunewright.data import hub
from tunewright.data.notes import Notes, annotate, foreign_label_names, merge, notes_of
from tunewright.data.problems import OnBad, count, settle
from tunewright.data.splits import split_name
from tunewright.data.structs import flatten
from tunewright.data.textfiles import decode, read_delimited, read_json, read_json_lines
from tunewright.errors import DataError

__all__ = ["SUFFIXES", "read_rows"]

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
"""Kinds of files that can be read; all but Parquet also with ``.gz``."""
_OURS = ("content", "weight")  # columns of a dataset that a source may have in another meaning
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?(:[\w.-]+)?")


def read_rows(
    source: str | Path | Mapping[str, str | Path] | Any, *, split: str | None = None, on_bad: OnBad = "error"
) -> pa.Table:
    """Read a table of rows.

    Structs become one column per field (see `tunewright.data.structs`), and SQuAD's own JSON one row per question.
    Columns called ``content`` or ``weight`` come back as ``original_content`` and ``original_weight``, because a
    dataset uses these names itself.

    Args:
        source: a CSV, TSV, JSON, JSON Lines (each also ``.gz``) or Parquet file; a folder of them, or one that
            ``datasets`` saved; a name on the Hub (``owner/name`` or ``owner/name:configuration``); an object of
            ``datasets``; or a mapping from split names to any of these.
        split: of a source that has splits, read only this one; of any other, the split all rows belong to.
        on_bad: what becomes of rows that cannot be read (undecodable, of another number of cells, not JSON):
            ``error`` raises one error that lists them, ``skip`` leaves them out and lists them in the table's notes.

    Returns:
        The rows as they are in the source, with a column ``split`` where the source has splits.

    Raises:
        DataError: if the source is missing, empty, damaged or of an unknown kind.
    """
    parts = _parts(source, split=split, on_bad=on_bad)
    table = _together([_with_split(flatten(part), name) for name, part in parts])
    if table.num_rows == 0:
        raise DataError(f"expected rows in {_named(source)}, found none", fix="check how it was written")
    return table


Part = tuple[str | None, pa.Table]


def _parts(source: Any, *, split: str | None, on_bad: OnBad) -> list[Part]:
    if isinstance(source, Mapping) and not hub.is_from_datasets(source):
        chosen = {name: path for name, path in source.items() if split in (None, name)}
        if not chosen:
            raise DataError(f"expected a file for {split!r}, found only {sorted(source)}")
        return [(name, read_rows(path, split=None, on_bad=on_bad)) for name, path in chosen.items()]
    if hub.is_from_datasets(source):
        return _named_as_ours(hub.from_memory(source, split=split))
    path = Path(source)
    if path.is_dir():
        return _folder(path, split=split, on_bad=on_bad)
    if path.is_file():
        return [(split, _file(path, on_bad=on_bad))]
    if _kind(path) in SUFFIXES or not _HUB_NAME.fullmatch(str(source)):
        raise DataError(f"there is no file or folder {source}", fix="check the path")
    return _named_as_ours(hub.from_memory(hub.load(str(source)), split=split))


def _folder(folder: Path, *, split: str | None, on_bad: OnBad) -> list[Part]:
    if hub.is_saved(folder):
        return _named_as_ours(hub.from_memory(hub.load_saved(folder), split=split))
    files = sorted(path for path in folder.iterdir() if path.is_file() and _kind(path) in SUFFIXES)
    if not files:
        raise DataError(f"expected files in {folder} that end in {', '.join(SUFFIXES)}; found none")
    splits = _splits_of(files)
    chosen = {path: name for path, name in splits.items() if split is None or name in (None, split)}
    if not chosen:
        known = sorted({name for name in splits.values() if name})
        raise DataError(f"{folder} has no file for the split {split!r}; it has {known}")
    return [(name or split, _file(path, on_bad=on_bad)) for path, name in chosen.items()]


def _splits_of(files: Sequence[Path]) -> dict[Path, str | None]:
    """The split of each file by its name (``train-00001.parquet``); none where no name is known as a split's."""
    stems = {path: re.sub(r"[-_.]\d+.*$", "", path.name.partition(".")[0]) for path in files}
    known = {"train", "validation", "test"}
    if not known & set(map(split_name, stems.values())):
        return dict.fromkeys(files)
    return {path: split_name(stem) for path, stem in stems.items()}


def _kind(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _file(path: Path, *, on_bad: OnBad) -> pa.Table:
    kind = _kind(path)
    if kind not in SUFFIXES or (kind == ".parquet" and path.suffix == ".gz"):
        raise DataError(
            f"{path.name} is of no kind that can be read",
            fix=f"write it as one of {', '.join(SUFFIXES)} (text also .gz)",
        )
    if path.stat().st_size == 0:
        raise DataError(f"expected rows in {path.name}, found an empty file", fix="check how the file was written")
    if kind == ".parquet":
        return _parquet(path)
    table, flaws = _text_table(decode(path), kind, path.name)
    rows = table.num_rows + len(flaws)
    problems = settle(
        count((reason, f"{path.name} {where}") for reason, where in flaws), on_bad=on_bad, name=path.name, rows=rows
    )
    return annotate(table, Notes(skipped=problems))


def _text_table(text: str, kind: str, name: str) -> tuple[pa.Table, list[tuple[str, str]]]:
    try:
        match kind:
            case ".csv":
                return read_delimited(text)
            case ".tsv":
                return read_delimited(text, delimiter="\t")
            case ".json":
                return read_json(text)
            case _:
                return read_json_lines(text)
    except DataError as error:
        raise DataError(f"{name}: {error.message}", fix=error.fix) from error


def _parquet(path: Path) -> pa.Table:
    table = tables.read(path)
    notes = notes_of(table)
    names = {**foreign_label_names(table), **notes.label_names}
    index = [name for name in table.column_names if name.startswith("__index_level_")]  # of pandas
    return annotate(_plain(table.drop_columns(index)), replace(notes, label_names=names))


def _plain(table: pa.Table) -> pa.Table:
    """Categories and other encodings of strings as plain strings."""
    for position, column in enumerate(table.schema):
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        if kind != column.type:
            table = table.set_column(position, column.name, pc.cast(table[column.name], kind))
    return table


def _named_as_ours(parts: list[Part]) -> list[Part]:
    return [(split_name(name) if name else name, _plain_with_notes(part)) for name, part in parts]


def _plain_with_notes(table: pa.Table) -> pa.Table:
    return annotate(_plain(table), notes_of(table))


def _with_split(table: pa.Table, split: str | None) -> pa.Table:
    if split is None:
        return table
    column = pa.array([split] * table.num_rows, pa.string())
    if "split" in table.column_names:
        return table.set_column(table.schema.get_field_index("split"), "split", column)
    return table.append_column("split", column)


def _together(parts: Sequence[pa.Table]) -> pa.Table:
    notes = merge([notes_of(part) for part in parts])
    plain = [part.replace_schema_metadata(None) for part in parts]
    try:
        table = pa.concat_tables(plain, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        table = pa.concat_tables(_with_equal_types(plain), promote_options="permissive")
    names = {name: f"original_{name}" if name in _OURS else name for name in table.column_names}
    return annotate(table.rename_columns(list(names.values())), notes)


def _with_equal_types(parts: Sequence[pa.Table]) -> list[pa.Table]:
    """Columns whose type differs between the parts (codes here, names there) as strings."""
    kinds: dict[str, set[pa.DataType]] = {}
    for column in (column for part in parts for column in part.schema):
        kinds.setdefault(column.name, set()).add(column.type)
    differing = {name for name, found in kinds.items() if len(found - {pa.null()}) > 1}
    try:
        return [
            pa.table(
                {
                    name: pc.cast(part[name], pa.string()) if name in differing else part[name]
                    for name in part.column_names
                }
            )
            for part in parts
        ]
    except pa.ArrowNotImplementedError as error:
        raise DataError(f"the files disagree about the type of {sorted(differing)}") from error


def _named(source: Any) -> str:
    return str(source) if isinstance(source, str | Path) else f"the {type(source).__name__}"
