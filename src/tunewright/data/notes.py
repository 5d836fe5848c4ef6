"""What is known about a table besides its rows: label names and skipped rows, kept in the schema's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunewright.data.problems import Problem, problem_from_json, problem_to_json
from tunewright.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Notes", "annotate", "foreign_label_names", "merge", "notes_of"]

_KEY = b"tunewright"


@dataclass(frozen=True, slots=True)
class Notes:
    """Names of the codes of columns, and what reading left out."""

    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: tuple[Problem, ...] = ()


def annotate(table: pa.Table, notes: Notes) -> pa.Table:
    """The table with these notes, and no other metadata."""
    value = {
        "label_names": {column: list(names) for column, names in notes.label_names.items()},
        "skipped": [problem_to_json(problem) for problem in notes.skipped],
    }
    return table.replace_schema_metadata({_KEY: json.dumps(value).encode()})


def notes_of(table: pa.Table) -> Notes:
    """The notes of a table; empty where there are none."""
    stored = _json(table, _KEY)
    return Notes(
        {column: tuple(names) for column, names in stored.get("label_names", {}).items()},
        tuple(problem_from_json(problem) for problem in stored.get("skipped", ())),
    )


def foreign_label_names(table: pa.Table) -> dict[str, tuple[str, ...]]:
    """Names of codes that other tools left in a Parquet file's metadata.

    Read are ``huggingface`` (class labels of the ``datasets`` library) and ``dataset_info``, an object in which
    ``<column>_names`` lists the names of a column's codes.
    """
    features = _json(table, b"huggingface").get("info", {}).get("features", {})
    names = {column: feature.get("names") for column, feature in features.items() if isinstance(feature, dict)}
    names |= {key.removesuffix("_names"): value for key, value in _json(table, b"dataset_info").items()}
    return {
        column: tuple(map(str, value))
        for column, value in names.items()
        if column in table.column_names and isinstance(value, list) and value
    }


def merge(all_notes: Sequence[Notes]) -> Notes:
    """The notes of tables that become one.

    Raises:
        DataError: if two tables name the codes of a column differently.
    """
    names: dict[str, tuple[str, ...]] = {}
    for column, found in (item for notes in all_notes for item in notes.label_names.items()):
        if names.setdefault(column, found) != found:
            raise DataError(
                f"expected one list of names for the codes of {column!r}, found {list(names[column])} and {list(found)}",
                fix="write the names instead of codes into the files",
            )
    return Notes(names, tuple(problem for notes in all_notes for problem in notes.skipped))


def _json(table: pa.Table, key: bytes) -> dict[str, Any]:
    try:
        value = json.loads((table.schema.metadata or {}).get(key, b"{}"))
    except ValueError:  # somebody else's metadata under this key
        return {}
    return value if isinstance(value, dict) else {}
