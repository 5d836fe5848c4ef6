"""Rows of production as a project's model reads them, with what it says about them; and what they are compared with."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.bindings import as_metadata
from tunewright.data.fields import stored_as
from tunewright.errors import DataError, did_you_mean
from tunewright.monitor.reference import Reference
from tunewright.source import with_metadata, with_preprocessing
from tunewright.table import left_join
from tunewright.verbs.models import Advance, embedding_settings, embeddings, load, predictions, rows_of, vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["INPUT", "OUTPUT", "Model", "as_production", "production_rows", "reference_of", "truth_of", "vector_columns"]

INPUT, OUTPUT = "vector", "output_vector"
"""Embeddings of what a model reads, and of what it writes."""

_SAID = ("predicted", "probability", "logits", "stop_reason", "generated_tokens")
"""Columns of predictions, which a sender may have made."""

_FEWEST_HELD_OUT = 100
"""Held-out rows that are enough to compare with; with fewer, it is the training rows."""


def truth_of(project: Project) -> tuple[str, ...]:
    """Columns of ground truth, as a dataset calls them."""
    return tuple(dict.fromkeys(("label", *project.task.target_fields)))


def vector_columns(project: Project) -> tuple[str, ...]:
    """Embeddings that production rows get: of the inputs, and of outputs that are texts as the inputs are."""
    writes = not project.task.labels and len(project.task.text_fields) == 1
    return (INPUT, OUTPUT) if writes else (INPUT,)


def production_rows(project: Project, source: str | Path) -> pa.Table:
    """The rows of a file under the names that a dataset would give their columns; without labels, too.

    A file without a column of ids gets them: made of its name, the texts, and how often these came before, so that
    the same file gives the same ids, and so does one to which rows were added.

    Raises:
        DataError: if the file cannot be read or lacks a text field, or two rows have one id.
        ProjectError: if a function of the project fails.
    """
    from tunewright.data.read import read_rows

    return as_production(project, read_rows(source, on_bad=project.on_bad), source=Path(source).name)


def as_production(project: Project, rows: pa.Table, *, source: str | None = None) -> pa.Table:
    """Rows under the names that a dataset would give their columns; what the project does not name is left out.

    Args:
        project: whose functions are called.
        rows: raw ones.
        source: name of a file, from which ids are made if there are none. Rows of no file may come again under their
            id, get random ones if there are none, and keep predictions and vectors that a sender made.

    Raises:
        DataError: if a text field is missing, or two rows of a file have one id.
        ProjectError: if a function of the project fails.
    """
    rows = with_preprocessing(rows, project.preprocess)
    rows = with_metadata(rows, [as_metadata(function) for function in project.metadata])
    texts = {name: _texts(rows, name) for name in project.task.text_fields}
    ids = _sent_ids(rows, project.id) if source is None else _ids(rows, project.id, texts, source)
    made = tuple(name for function in project.metadata for name in as_metadata(function).makes)
    others = {stored_as(name): rows[name] for name in (*project.fields, *made) if name in rows.column_names}
    sent = (*_SAID, *vector_columns(project)) if source is None else ()
    said = {name: rows[name] for name in sent if name in rows.column_names}
    named = {"label": project.label or "label"} | {name: name for name in project.task.target_fields}
    truth = {name: _truth(rows[column]) for name, column in named.items() if column in rows.column_names}
    return pa.table({"id": ids, **others, **texts, **truth, **said})


@dataclass(frozen=True)
class Model:
    """A run's final model, loaded when it is first asked."""

    project: Project
    run: Run
    batch_size: int = 64

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load(self.project, self.run)

    def ready(self) -> None:
        """Load it now, so that who asks first does not wait."""
        _ = self._loaded

    def says(self, rows: pa.Table) -> pa.Table:
        """The rows with what the model predicts, and vectors of what it reads and writes; what is there, stays."""
        asked = rows.drop_columns([name for name in truth_of(self.project) if name in rows.column_names])
        said = asked if "predicted" in asked.column_names else self._predicted(asked)
        rows = left_join(rows, said)
        embedded = {INPUT: lambda: self.vectors(asked), OUTPUT: lambda: self.vectors(self.written(said))}
        for name in vector_columns(self.project):
            if name not in rows.column_names:
                rows = rows.append_column(name, embedded[name]())
        return rows

    def _predicted(self, rows: pa.Table) -> pa.Table:
        from tunewright.observe.predict import predict

        said = predict(self._loaded[0], self.project.task, self._loaded[1], rows, batch_size=self.batch_size)
        return said.drop_columns([name for name in ("split",) if name in said.column_names])

    def vectors(self, rows: pa.Table) -> pa.FixedSizeListArray:
        """[n] embeddings of rows, as the run embeds its own."""
        from tunewright.observe.embed import embed

        settings = embedding_settings(self.run) | {"batch_size": self.batch_size, "dtype": "float32"}
        made: NDArray[Any] = vectors(embed(self._loaded[0], self.project.task, self._loaded[1], rows, **settings))
        return pa.FixedSizeListArray.from_arrays(pa.array(made.reshape(-1), pa.float32()), made.shape[1])

    def written(self, said: pa.Table) -> pa.Table:
        """What the model wrote, in place of what it read."""
        (text,) = self.project.task.text_fields
        return pa.table({"id": said["id"], text: pc.fill_null(said["predicted"], "")})


def reference_of(model: Model, *, advance: Advance | None = None) -> Reference:
    """What production is compared with: the texts that a run learnt from, and what its model makes of others.

    A model is surer of rows that it learnt from, and embeds them farther apart, so predictions and vectors are those of
    the validation rows, unless these are fewer than 100. Of the rows, those have texts that were learnt from, and
    those have predictions that are compared.
    """
    project, run = model.project, model.run
    rows = rows_of(project, run)
    train, held_out = (rows.filter(pc.equal(rows["split"], split)) for split in ("train", "validation"))
    compared = held_out if held_out.num_rows >= _FEWEST_HELD_OUT else train
    said = _said(predictions(project, run, compared, advance=advance), compared)
    texts = train.select(["id", *project.task.text_fields])
    joined = left_join(texts, said) if compared is train else pa.concat_tables([texts, said], promote_options="default")
    arrays = {INPUT: _of(embeddings(project, run, advance=advance), compared["id"])}
    if OUTPUT in vector_columns(project):
        arrays[OUTPUT] = _stacked(model.vectors(model.written(said)))
    split = "train" if compared is train else "validation"
    origin = {"run": run.id, "dataset": run.meta.get("dataset"), "version": run.meta.get("version"), "compared": split}
    return Reference.from_table(joined, vectors=arrays, labels=run.labels, origin=origin)


def _said(predicted: pa.Table, rows: pa.Table) -> pa.Table:
    """What is known of the rows alone, in their order."""
    names = [name for name in ("id", "label", "predicted", "probability") if name in predicted.column_names]
    places = pc.index_in(rows["id"].combine_chunks(), value_set=predicted["id"].combine_chunks())
    return predicted.select(names).take(places)


def _of(embedded: pa.Table, ids: pa.ChunkedArray) -> NDArray[np.float32]:
    places = pc.index_in(ids.combine_chunks(), value_set=embedded["id"].combine_chunks()).drop_null()
    return _stacked(embedded["vector"].combine_chunks().take(places))


def _stacked(column: pa.FixedSizeListArray) -> NDArray[np.float32]:
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), np.float32).reshape(len(column), -1)


def _texts(rows: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in rows.column_names:
        raise DataError(
            f"production rows need the text field {name!r}, and have none", fix=did_you_mean(name, rows.column_names)
        )
    return pc.fill_null(rows[name].cast(pa.string()), "")


def _truth(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as the texts that labels are; what is empty is missing."""
    if pa.types.is_nested(column.type):
        return column
    told = column.cast(pa.string())
    return pc.if_else(pc.equal(told, ""), pa.scalar(None, pa.string()), told)


def _ids(rows: pa.Table, column: str, texts: dict[str, pa.ChunkedArray], name: str) -> pa.Array:
    if column in rows.column_names:
        ids = rows[column].cast(pa.string())
        if ids.null_count or len(pc.unique(ids)) < len(ids):
            raise DataError(
                f"expected a different id in each row, found {len(ids) - len(pc.unique(ids.drop_null()))} others",
                fix=f"make {column!r} unique, or leave the column out, and ids are made",
            )
        return ids
    return pa.array(
        _made_ids(list(zip(*(texts[field].to_pylist() for field in texts), strict=True)), name), pa.string()
    )


def _sent_ids(rows: pa.Table, column: str) -> pa.ChunkedArray | pa.Array:
    given = next((name for name in (column, "id") if name in rows.column_names), None)
    if given is None:
        return pa.array([uuid.uuid4().hex for _ in range(rows.num_rows)], pa.string())
    ids = rows[given].cast(pa.string())
    if ids.null_count or pc.any(pc.equal(ids, "")).as_py():
        raise DataError(
            f"expected an id in each row, found rows whose {given!r} is empty",
            fix=f"give each one, or leave {given!r} out of all, and ids are made",
        )
    return ids


def _made_ids(contents: list[tuple[str, ...]], name: str) -> list[str]:
    before: Counter[tuple[str, ...]] = Counter()
    made = []
    for content in contents:
        told = repr((name, content, before[content])).encode("utf-8", "surrogatepass")
        made.append(hashlib.blake2b(told, digest_size=10).hexdigest())
        before[content] += 1
    return made
