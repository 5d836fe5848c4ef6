"""The rows of a run as a page of points sees them: numbered, every column described, and encoded for the wire."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.columns import COLUMNS
from tunewright.errors import ColumnError, did_you_mean
from tunewright.verbs.explore.beside import files_beside, other_rows
from tunewright.verbs.explore.wide import wide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["ColumnInfo", "Layout", "Snapshot", "etag", "snapshot"]

MOST_CATEGORIES = 1_000
"""Distinct values above which a column of names is a text."""

_LAYOUTS = (
    ("map", "Data map", "variability", "confidence"),
    ("across", "Several runs", "across_variability", "across_confidence"),
    ("umap", "UMAP", "umap1", "umap2"),
    ("pca", "PCA", "pc1", "pc2"),
    ("said", "Loss", "probability", "loss"),
)
_BASE = ("region", "correctness", "correct", "label", "predicted", "split", "loss")
_NAMED = frozenset({"cluster"})  # numbers that are names: none is more than another
_LABELS = frozenset({"label", "predicted", "suggested", "other", "neighbour_label"})
_HIDDEN = frozenset({"content", "digest"})  # hashes, which say nothing to people
_LONG = frozenset({"id", "duplicate_of", "neighbour"})  # ids: no categories, however few the rows


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """One column of a snapshot.

    Attributes:
        kind: ``number``: float32, NaN where missing; ``category``: codes into ``categories``; ``flag``: 0 or 1;
            missing codes and flags are the largest number of their type. ``text`` is not sent in bulk.
        categories: most frequent first; of labels in the order of the task.
        min: smallest value of a number; None if there is none.
        missing: rows without a value.
        base: whether it is among those that come first.
    """

    name: str
    kind: Literal["number", "category", "flag", "text"]
    meaning: str
    unit: str
    low: float | None
    high: float | None
    direction: str
    categories: tuple[str, ...]
    min: float | None
    max: float | None
    missing: int
    base: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Where points lie: the columns of their horizontal and vertical position."""

    name: str
    title: str
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rows of a run at one moment. Row k is the same in every column, until the etag changes.

    Attributes:
        rows: all columns, texts and lists too, see `wide`.
        own: how many of the rows, from the first on, are those of `Run.examples`; after them come rows of other splits
            that the analysis of a training knows, without dynamics.
        columns: those that a page shows, by name.
        epochs: whose dynamics were recorded; 0: none.
    """

    run: Run
    etag: str
    rows: pa.Table
    own: int
    columns: Mapping[str, ColumnInfo]
    epochs: int

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Those that the run has columns for, the data map first."""
        return tuple(Layout(*one) for one in _LAYOUTS if {one[2], one[3]} <= set(self.columns))

    def base(self) -> pa.Table:
        """`encoded` columns that a page needs at once: positions, labels, split, loss."""
        return self.encoded(name for name, info in self.columns.items() if info.base)

    def encoded(self, names: Iterable[str]) -> pa.Table:
        """Columns as plain arrays without nulls, in one chunk, see `ColumnInfo`.

        Raises:
            ColumnError: if there is no such column, or it is a text.
        """
        return pa.table({name: pa.array(self._array(name)) for name in names})

    def numbers(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Row numbers of ids, [n]; -1 where there is none."""
        return self.places(pa.array([one if _has_utf8(one) else None for one in ids], pa.string()))

    def places(self, ids: pa.Array) -> NDArray[np.int64]:
        """Row numbers of ids, [n]; -1 where there is none."""
        found = pc.index_in(ids, value_set=self.rows["id"].combine_chunks())
        return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64)

    def _array(self, name: str) -> NDArray[np.generic]:
        info = self.columns.get(name)
        if info is None or info.kind == "text":
            known = [one.name for one in self.columns.values() if one.kind != "text"]
            raise ColumnError(f"no column of points is called {name!r}", fix=did_you_mean(name, known))
        column = self.rows[name].combine_chunks()
        match info.kind:
            case "number":
                return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float32)
            case "flag":
                return np.asarray(pc.fill_null(column.cast(pa.uint8()), 255).to_numpy(zero_copy_only=False), np.uint8)
        return _codes(_names(column), info.categories)


def etag(project: Project, run: Run) -> str:
    """Changes whenever a table of the run does, or one beside it that its rows are made of."""
    parts = [path for name in (*run.tables(), "labels") for path in run.parts(name)]
    parts += [path for path in [run.folder / "catalogue.sqlite"] if path.is_file()] + files_beside(project, run)
    stamps = sorted(f"{path.name}:{path.stat().st_mtime_ns}:{path.stat().st_size}" for path in parts)
    return hashlib.blake2b("\n".join(stamps).encode(), digest_size=8).hexdigest()


def snapshot(project: Project, run: Run) -> Snapshot:
    """Read all columns of a run, and describe them. Lists, such as logits, are left to the details of a row."""
    stamp = etag(project, run)
    others = other_rows(project, run)
    rows = wide(run, others)
    labels = run.labels or project.task.labels
    texts = _LONG | {*project.task.text_fields, *project.task.target_fields} | (frozenset() if labels else _LABELS)
    found = (
        _info(name, rows[name], labels=labels, is_text=name in texts)
        for name in rows.column_names
        if name not in _HIDDEN
    )
    columns = {info.name: info for info in found if info is not None}
    own = rows.num_rows - (0 if others is None else others.num_rows)
    return Snapshot(run, stamp, rows, own, columns, epochs=_epochs(run))


def _epochs(run: Run) -> int:
    return int(pc.max(run.table("dynamics", ["epoch"])["epoch"]).as_py() or 0) + 1 if run.has("dynamics") else 0


def _has_utf8(text: str) -> bool:
    """Whether it can be stored at all: half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _info(name: str, column: pa.ChunkedArray, *, labels: Sequence[str], is_text: bool) -> ColumnInfo | None:
    type_ = column.type
    if pa.types.is_boolean(type_):
        return _described(name, column, "flag")
    if name in _NAMED:
        return _named(name, column, ())
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return _described(name, column, "number")
    if not (pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_dictionary(type_)):
        return None
    if is_text:
        return _described(name, column, "text")
    return _named(name, column, labels if name in _LABELS else ())


def _named(name: str, column: pa.ChunkedArray, labels: Sequence[str]) -> ColumnInfo:
    """A column of names: categories, unless these are too many, or one per row."""
    counted = pc.value_counts(_names(column.combine_chunks())).to_pylist()
    counts = {one["values"]: one["counts"] for one in counted if one["values"] is not None}
    is_free = len(counts) > MOST_CATEGORIES or (len(counts) > 50 and len(counts) > 0.5 * len(column))
    if is_free and not labels:
        return _described(name, column, "text")
    others = sorted(set(counts) - set(labels), key=lambda value: (-counts[value], value))
    return _described(name, column, "category", categories=(*labels, *others))


def _described(
    name: str,
    column: pa.ChunkedArray,
    kind: Literal["number", "category", "flag", "text"],
    categories: tuple[str, ...] = (),
) -> ColumnInfo:
    known = COLUMNS.get(name)
    low, high = _ends(column) if kind == "number" else (None, None)
    return ColumnInfo(
        name=name,
        kind=kind,
        meaning=known.meaning if known else "",
        unit=known.unit if known else "",
        low=known.low if known else None,
        high=known.high if known else None,
        direction=known.direction if known else "",
        categories=categories,
        min=low,
        max=high,
        missing=_missing(column),
        base=kind != "text" and (name in _BASE or any(name in one for one in _LAYOUTS)),
    )


def _ends(column: pa.ChunkedArray) -> tuple[float | None, float | None]:
    numbers = column.cast(pa.float64(), safe=False).to_numpy()  # beyond 2**53 the nearest number will do
    finite = numbers[np.isfinite(numbers)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (None, None)


def _missing(column: pa.ChunkedArray) -> int:
    if pa.types.is_floating(column.type):
        return int(pc.sum(pc.is_null(column, nan_is_null=True)).as_py() or 0)
    return int(column.null_count)


def _names(column: pa.Array) -> pa.Array:
    return column.cast(pa.string())


def _codes(names: pa.Array, categories: Sequence[str]) -> NDArray[np.generic]:
    """Codes in the smallest type that has a number left for what is missing."""
    found = pc.index_in(names, value_set=pa.array(categories, pa.string()))
    small = np.uint8 if len(categories) < 255 else np.uint16
    missing = np.iinfo(small).max
    return np.asarray(pc.fill_null(found, int(missing)).to_numpy(zero_copy_only=False)).astype(small)
