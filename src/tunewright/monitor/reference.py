"""What production is compared with: rows of the training run, their vectors, and a version that names both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright import table as tables
from tunewright.errors import ColumnError, DataError, RunError, did_you_mean, listed
from tunewright.files import whole, write_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["Reference"]

_META = "reference.json"
_ALIASES = {"embedding": "vector", "vector": "embedding"}


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Rows that production is compared with, which are those that the model was trained on.

    Attributes:
        rows: one row per example; column ``id`` and others.
        arrays: vectors by name, [n, dimensions] float32 each; a name may have fewer rows than ``rows``.
        labels: names of the classes in the order of the logits; empty if there are none.
        version: hash of the rows, the vectors and the labels.
        origin: where they are from, such as the run and its dataset version; JSON values.
    """

    rows: pa.Table
    arrays: Mapping[str, NDArray[np.float32]]
    labels: tuple[str, ...] = ()
    version: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_run(cls, run: Run, *, split: str = "train") -> Reference:
        """The rows of a split that a run saw, with their predictions and embeddings where the run has them.

        Raises:
            RunError: if the run has no rows of the split.
        """
        examples = run.examples()
        rows = examples.filter(pc.equal(examples["split"], split))
        if rows.num_rows == 0:
            have = listed([str(name) for name in pc.unique(examples["split"]).to_pylist()])
            raise RunError(f"expected rows of split {split!r} in run {run.id}, found none", fix=f"splits: {have}")
        vectors = {"vector": _of(run.table("embeddings"), rows["id"])} if run.has("embeddings") else {}
        origin = {"run": run.id, "dataset": run.meta.get("dataset"), "split": split}
        return cls.from_table(rows, vectors=vectors, labels=run.labels, origin=origin)

    @classmethod
    def from_table(
        cls,
        rows: pa.Table,
        *,
        vectors: Mapping[str, NDArray[np.floating[Any]]] | None = None,
        labels: Sequence[str] = (),
        origin: Mapping[str, Any] | None = None,
    ) -> Reference:
        """Any rows as a reference.

        Args:
            rows: one row per example.
            vectors: by name, [n, dimensions]; lists of numbers among the columns of the rows are vectors as well.
            labels: names of the classes.
            origin: where the rows are from; JSON values.

        Raises:
            DataError: if there are no rows, or vectors are not finite or not in two dimensions.
        """
        if rows.num_rows == 0:
            raise DataError("expected a reference of one row or more, found none")
        arrays = {name: _checked(name, array) for name, array in (vectors or {}).items()}
        version = _digest(rows, arrays, labels)
        return cls(rows, arrays, tuple(labels), version, dict(origin or {}))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.rows.column_names)

    @property
    def held_out(self) -> bool:
        """Whether the origin says that the model did not learn from the rows whose predictions are compared."""
        return self.origin.get("compared", self.origin.get("split")) not in (None, "train")

    def has(self, column: str) -> bool:
        """Whether the rows have a column."""
        return column in self.rows.column_names

    def column(self, name: str) -> pa.ChunkedArray:
        """One column of the rows.

        Raises:
            ColumnError: if there is no such column.
        """
        if not self.has(name):
            raise ColumnError(f"the reference has no column {name!r}", fix=did_you_mean(name, self.columns))
        return self.rows[name]

    def texts(self, column: str) -> list[str]:
        """The texts of a column, without those that are missing.

        Raises:
            ColumnError: if there is no such column, or it holds no texts.
        """
        values = self.column(column)
        if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
            raise ColumnError(f"expected texts in column {column!r} of the reference, found {values.type}")
        texts: list[str] = values.drop_null().to_pylist()
        return texts

    def vectors(self, name: str = "vector") -> NDArray[np.float32]:
        """[n, dimensions] the vectors of a name; those of a run are called ``vector``, or ``embedding``.

        Raises:
            ColumnError: if there are none of that name.
        """
        for known in (name, _ALIASES.get(name, name)):
            if known in self.arrays:
                return self.arrays[known]
        if self.has(name) and _is_vector(self.rows.schema.field(name).type):
            return _checked(name, _stacked(self.rows[name].drop_null()))
        raise ColumnError(
            f"the reference has no vectors {name!r}",
            fix=f"{did_you_mean(name, self.arrays)}; or give them with `Reference.from_table(rows, vectors=...)`",
        )

    def save(self, folder: str | Path) -> None:
        """Write the reference; a folder without ``reference.json``, which comes last, holds none."""
        folder = Path(folder)
        tables.write(folder / "rows.parquet", self.rows)
        for number, array in enumerate(self.arrays.values()):
            with whole(folder / f"vectors-{number}.npy") as part, part.open("wb") as file:
                np.save(file, array, allow_pickle=False)
        meta = {"version": self.version, "vectors": [*self.arrays], "labels": self.labels, "origin": dict(self.origin)}
        write_json(folder / _META, meta)

    @classmethod
    def open(cls, folder: str | Path) -> Reference:
        """Read what `save` wrote.

        Raises:
            DataError: if the folder holds no reference, or not the one that was saved.
        """
        folder = Path(folder)
        try:
            meta = json.loads((folder / _META).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError) as error:
            raise DataError(f"expected a reference at {folder}, found none ({error})") from error
        arrays = {
            name: np.load(folder / f"vectors-{number}.npy", allow_pickle=False)
            for number, name in enumerate(meta["vectors"])
        }
        read = cls.from_table(
            tables.read(folder / "rows.parquet"), vectors=arrays, labels=meta["labels"], origin=meta["origin"]
        )
        if read.version != meta["version"]:
            raise DataError(
                f"expected reference {meta['version']} at {folder}, found {read.version}: its files were changed",
                fix="save the reference again",
            )
        return read


def _of(embeddings: pa.Table, ids: pa.ChunkedArray) -> NDArray[np.float32]:
    """The vectors of the ids that have one, in the order of the ids."""
    rows = pc.index_in(ids.combine_chunks(), value_set=embeddings["id"].combine_chunks()).drop_null()
    return _stacked(embeddings["vector"].take(rows))


def _stacked(vectors: pa.ChunkedArray) -> NDArray[np.float32]:
    flat: NDArray[np.floating[Any]] = pc.list_flatten(vectors).to_numpy()
    return flat.reshape(len(vectors), -1).astype(np.float32)


def _is_vector(kind: pa.DataType) -> bool:
    nested = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(nested and pa.types.is_floating(kind.value_type))


def _checked(name: str, array: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    if array.ndim != 2:
        raise DataError(f"expected vectors {name!r} of shape [rows, dimensions], found {list(array.shape)}")
    if not np.isfinite(array).all():
        rows = int((~np.isfinite(array).all(axis=1)).sum())
        raise DataError(f"expected finite vectors {name!r}, found {rows} rows with others", fix="leave those rows out")
    return np.ascontiguousarray(array, dtype=np.float32)


def _content(values: pa.ChunkedArray) -> bytes:
    if _is_vector(values.type):
        return bytes(pc.list_flatten(values).to_numpy().tobytes())
    return json.dumps(values.to_pylist(), default=str).encode()


def _digest(rows: pa.Table, arrays: Mapping[str, NDArray[np.float32]], labels: Sequence[str]) -> str:
    """Of the content, whatever the chunks and the order of the columns."""
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(rows.column_names):
        digest.update(name.encode() + _content(rows[name]))
    for name in sorted(arrays):
        digest.update(json.dumps([name, *arrays[name].shape]).encode() + arrays[name].tobytes())
    digest.update(json.dumps(list(labels)).encode())
    return digest.hexdigest()
