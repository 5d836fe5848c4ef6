"""From a project's source to the rows its dataset is made of: read, preprocessed, with the metadata its functions make."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunewright.bindings import Metadata, as_metadata, computed, described, preprocessed
from tunewright.data.splits import UNLABELLED
from tunewright.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from tunewright.project import Project

__all__ = [
    "UNLABELLED",
    "describe_columns",
    "describe_sources",
    "prepare",
    "read",
    "with_metadata",
    "with_preprocessing",
]


def prepare(project: Project) -> pa.Table:
    """The rows of the project's source as its dataset takes them in.

    Raises:
        DataError: if they cannot be read, or a function gives other columns than it should.
        ProjectError: if a function raises.
    """
    rows = with_preprocessing(read(project), project.preprocess)
    return with_metadata(rows, [as_metadata(function) for function in project.metadata])


def read(project: Project) -> pa.Table:
    """The rows of the project's source as they stand; those without labels follow, in a split of their own.

    Raises:
        DataError: if they cannot be read.
    """
    from tunewright.data.read import read_rows

    source: Any = project.source
    if isinstance(source, Mapping):
        located: Any = {split: _located(path, project.folder) for split, path in source.items()}
    else:
        located = _located(source, project.folder)
    rows = read_rows(located, on_bad=project.on_bad)
    if project.unlabelled is None:
        return rows
    return _joined(rows, read_rows(_located(project.unlabelled, project.folder), on_bad=project.on_bad), project)


def with_preprocessing(rows: pa.Table, function: Callable[..., Any] | None) -> pa.Table:
    """The rows with the columns that a preprocess step changes or adds; others keep their type."""
    if function is None:
        return rows
    for name, values in preprocessed(function, rows.to_pydict(), rows.num_rows).items():
        rows = _with_column(rows, name, values)
    return rows


def with_metadata(rows: pa.Table, functions: Sequence[Metadata]) -> pa.Table:
    """The rows with the columns that metadata functions make."""
    columns = rows.to_pydict() if functions else {}
    for function in functions:
        given = {name: list(values) for name, values in columns.items()}  # to change as it likes
        for name, values in computed(function, given, rows.num_rows).items():
            if name in rows.column_names:
                raise DataError(
                    f"metadata function {function.name!r} makes the column {name!r}, which is there already",
                    fix="give the function or its column another name",
                )
            rows = _with_column(rows, name, values)
    return rows


def describe_columns(project: Project) -> str:
    """Source, column names and the functions that make columns, for people, and to notice that they have changed."""
    parts = [f"label: {project.label}", f"id: {project.id}", f"split: {project.split}"]
    parts += [f"preprocess: {described(project.preprocess)}"] if project.preprocess else []
    parts += [f"metadata: {described(as_metadata(function).function)}" for function in project.metadata]
    return f"{describe_sources(project)} ({', '.join(parts)})"


def describe_sources(project: Project) -> str:
    """The source for people."""
    more = {UNLABELLED: project.unlabelled} if project.unlabelled else {}
    if isinstance(project.source, str):
        return ", ".join([project.source, *(f"{split}: {path}" for split, path in more.items())])
    return ", ".join(f"{split}: {path}" for split, path in (dict(project.source) | more).items())


def _joined(rows: pa.Table, more: pa.Table, project: Project) -> pa.Table:
    """Both, one after the other; the second without labels, in a split of its own, and with ids where the first has."""
    import pyarrow as pa

    targets = {project.label, *project.task.target_fields, project.split}
    more = more.drop_columns([name for name in more.column_names if name in targets])
    if project.split not in rows.column_names:
        rows = rows.append_column(project.split, pa.array(["train"] * rows.num_rows))
    if project.id in rows.column_names and project.id not in more.column_names:
        more = more.append_column(project.id, pa.array([f"{UNLABELLED}-{row:06d}" for row in range(more.num_rows)]))
    elif project.id in more.column_names and project.id not in rows.column_names:
        more = more.drop_columns(project.id)
    more = more.append_column(project.split, pa.array([UNLABELLED] * more.num_rows))
    notes = rows.schema.metadata
    both = [part.replace_schema_metadata(None) for part in (rows, more)]
    return pa.concat_tables(both, promote_options="permissive").replace_schema_metadata(notes)


def _with_column(rows: pa.Table, name: str, values: list[Any]) -> pa.Table:
    import pyarrow as pa

    if name not in rows.column_names:
        return rows.append_column(name, pa.array(values))
    try:
        column = pa.array(values, type=rows.schema.field(name).type)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # the step has changed what kind of values these are
        column = pa.array(values)
    return rows.set_column(rows.schema.get_field_index(name), name, column)


def _located(source: str, folder: Path) -> str:
    path = os.path.normpath(folder / source)  # the folder need not exist yet for a path that leads out of it
    return path if os.path.exists(path) else source  # noqa: PTH110  it is a string already
