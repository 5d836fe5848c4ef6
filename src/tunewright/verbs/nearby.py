"""``similar``: the rows most like a row, or like a text of one's own, as the model sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.neighbours import Index, nearest
from tunewright.errors import DataError
from tunewright.project import Project, open_dataset
from tunewright.verbs.evaluations import trained
from tunewright.verbs.grouping import clusters_of
from tunewright.verbs.models import (
    Advance,
    embedding_settings,
    embeddings,
    load,
    predictions,
    rows_of,
    unweighted,
    vectors,
)
from tunewright.verbs.population import of_split, one_row, population
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["SeenRow", "Similar", "similar"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRow:
    """A row and what the model says about it.

    ``similarity`` is the cosine to the row that was asked for, in [-1, 1]; ``loss`` is in nats. What has no gold label
    has neither loss nor ``correct``. ``cluster`` is a name, None in no cluster and before `analyze` has found any.
    """

    id: str
    split: str
    similarity: float
    texts: Mapping[str, str]
    label: str | None
    predicted: str | None
    loss: float | None
    correct: bool | None
    cluster: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar(Result):
    """The rows most like one, most similar first; of a text of one's own ``query`` has neither id, split nor label.

    ``recall`` is the share of the nearest rows that the index finds; 1 unless there are very many rows.
    """

    run: str
    query: SeenRow
    split: str | None
    recall: float
    rows: tuple[SeenRow, ...]


def similar(
    project: Project,
    run: Run | str | None = None,
    id: str | None = None,
    *,
    texts: Sequence[str] = (),
    k: int = 10,
    split: str | None = "train",
    advance: Advance | None = None,
) -> Similar:
    """Rows with the most similar embedding, by cosine, in the latent space of the run's final model.

    The embeddings of all rows are made once and kept in the run; of the rows that are found, the model is asked what it
    says about them unless it has been asked before. A text of one's own, and a row that came into the dataset after the
    training, are told the cluster they would be assigned to.

    The index is built anew in each call; up to 200,000 rows the search is exact.

    Args:
        project: whose run it is.
        run: by default the last training run.
        id: of a row of any split, of the version the run was trained on or the dataset's present one. It is not among
            its own answers.
        texts: instead of an id, one text for each text field of the task, in order; fields left out are empty.
        k: how many.
        split: rows to find; None: any.
        advance: told how far the embedding is.

    Raises:
        DataError: if there is no such row, nothing or both are asked for, or there are fewer rows than k.
        RunError: if there is no such run, or it has no model.
    """
    run = trained(project, run)
    if (id is None) == (not any(text.strip() for text in texts)):
        raise DataError("expected an id or a text to look for, found neither or both", fix="give one of them")
    rows = rows_of(project, run)
    is_new = id is None or not _has(rows, id)
    asked = _written(project, texts) if id is None else one_row(_later(project, run, id) if is_new else rows, id)
    stored = embeddings(project, run, advance=advance)
    base = stored if split is None else of_split(stored, split)
    own = -1 if is_new else base["id"].index(id).as_py()
    if not 1 <= k <= base.num_rows - (own >= 0):
        others = base.num_rows - (own >= 0)
        raise DataError(
            f"expected k from 1 to {others}, the rows of split {split or 'any'} there are to find, found {k}",
            fix="ask for fewer rows, or name another split",
        )
    index = Index.build(vectors(base))
    met, vector = _met(project, run, asked) if is_new else ([], _of_id(stored, asked))
    found, similarity = nearest(vector, index, k=k, exclude=None if own < 0 else np.array([own]))
    ids = base["id"].take(pa.array(found[0])).to_pylist()
    first, *seen = [*met, *_seen(project, run, rows, ids if is_new else [*asked["id"].to_pylist(), *ids])]
    return Similar(
        run=run.id,
        query=_row(project, first, 1.0),
        split=split,
        recall=index.recall,
        rows=tuple(_row(project, row, float(near)) for row, near in zip(seen, similarity[0], strict=True)),
    )


def _has(rows: pa.Table, id: str) -> bool:
    return bool(pc.any(pc.equal(rows["id"], id)).as_py())


def _written(project: Project, texts: Sequence[str]) -> pa.Table:
    """The texts as a row, which has no id."""
    fields = project.task.text_fields
    if len(texts) > len(fields):
        raise DataError(f"expected at most one text for each of {list(fields)}, found {len(texts)}")
    given = dict(zip(fields, [*texts, *[""] * len(fields)], strict=False))
    return pa.table({"id": [""], **{field: [text] for field, text in given.items()}})


def _later(project: Project, run: Run, id: str) -> pa.Table:
    """The dataset's present rows if an id came into it after the training; else the run's, which do not have it."""
    if run.meta.get("dataset") == project.name:
        present = open_dataset(project).table()
        if _has(present, id):
            return unweighted(present)
    return rows_of(project, run)


def _of_id(stored: pa.Table, asked: pa.Table) -> NDArray[np.floating]:
    return vectors(one_row(stored, asked["id"][0].as_py()))


def _met(project: Project, run: Run, asked: pa.Table) -> tuple[list[dict[str, Any]], NDArray[np.floating]]:
    """A row the run does not know, with what its model says about it; and its vector [1, dimensions]."""
    from tunewright.observe.embed import embed
    from tunewright.observe.predict import predict

    model, tokenizer = load(project, run)
    vector = vectors(embed(model, project.task, tokenizer, asked, **embedding_settings(run)))
    said = predict(model, project.task, tokenizer, asked).to_pylist()[0]
    return [asked.to_pylist()[0] | said | {"cluster_name": clusters_of(run, vector)[0]}], vector


def _seen(project: Project, run: Run, rows: pa.Table, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Rows the run knows, in order, with what its model says about each."""
    wanted = pa.array(ids)
    predictions(project, run, rows.filter(pc.is_in(rows["id"], wanted)))
    known = population(project, run)
    return list(known.take(pc.index_in(wanted, value_set=known["id"].combine_chunks())).to_pylist())


def _row(project: Project, row: Mapping[str, Any], similarity: float) -> SeenRow:
    return SeenRow(
        id=row["id"],
        split=row.get("split") or "",
        similarity=similarity,
        texts={field: row[field] for field in project.task.text_fields},
        label=row.get("label"),
        predicted=row.get("predicted"),
        loss=row.get("loss"),
        correct=row.get("correct"),
        cluster=row.get("cluster_name"),
    )
