"""``similar``: the rows most like a row, or like a text of one's own, as the model sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.neighbours import Index, nearest
from tunewright.errors import DataError
from tunewright.project import Project
from tunewright.verbs.evaluations import trained
from tunewright.verbs.models import Advance, embedding_settings, embeddings, load, predictions, rows_of, vectors
from tunewright.verbs.population import of_split, one_row, population
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["SeenRow", "Similar", "similar"]

_ASKED = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRow:
    """A row and what the model says about it.

    ``similarity`` is the cosine to the row that was asked for, in [-1, 1]; ``loss`` is in nats. What has no gold label
    has neither loss nor ``correct``.
    """

    id: str
    split: str
    similarity: float
    texts: Mapping[str, str]
    label: str | None
    predicted: str | None
    loss: float | None
    correct: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar(Result):
    """The rows most like one, most similar first; of a text of one's own ``query`` has neither split nor label.

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
    says about them unless it has been asked before.

    Args:
        project: whose run it is.
        run: by default the last training run.
        id: of a row of any split. It is not among its own answers.
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
    asked = _asked(project, texts) if id is None else one_row(rows, id)
    stored = embeddings(project, run, advance=advance)
    base = stored if split is None else of_split(stored, split)
    own = base["id"].index(id).as_py() if id is not None else -1
    if not 1 <= k <= base.num_rows - (own >= 0):
        others = base.num_rows - (own >= 0)
        raise DataError(
            f"expected k from 1 to {others}, the rows of split {split or 'any'} there are to find, found {k}",
            fix="ask for fewer rows, or name another split",
        )
    index = Index.build(vectors(base))
    found, similarity = _nearest(index, _vector(project, run, stored, asked), own, k)
    ids = [base["id"][int(place)].as_py() for place in found]
    seen = _seen(project, run, rows, asked, ids)
    return Similar(
        run=run.id,
        query=_row(project, seen[0], 1.0),
        split=split,
        recall=index.recall,
        rows=tuple(_row(project, row, float(near)) for row, near in zip(seen[1:], similarity, strict=True)),
    )


def _asked(project: Project, texts: Sequence[str]) -> pa.Table:
    fields = project.task.text_fields
    if len(texts) > len(fields):
        raise DataError(f"expected at most one text for each of {list(fields)}, found {len(texts)}")
    given = dict(zip(fields, [*texts, *[""] * len(fields)], strict=False))
    return pa.table({"id": [_ASKED], **{field: [text] for field, text in given.items()}})


def _vector(project: Project, run: Run, stored: pa.Table, asked: pa.Table) -> NDArray[np.floating]:
    """[1, dimensions] as stored, or made now."""
    from tunewright.observe.embed import embed

    known = stored.filter(pc.is_in(stored["id"], asked["id"].combine_chunks()))
    if known.num_rows:
        return vectors(known)
    model, tokenizer = load(project, run)
    return vectors(embed(model, project.task, tokenizer, asked, **embedding_settings(run)))


def _nearest(
    index: Index, query: NDArray[np.floating], own: int, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """[k] row numbers and similarities, without the row itself."""
    import numpy as np

    found, similarity = nearest(query, index, k=k, exclude=None if own < 0 else np.array([own]))
    return found[0], similarity[0]


def _seen(project: Project, run: Run, rows: pa.Table, asked: pa.Table, ids: Sequence[str]) -> list[dict[str, Any]]:
    """What was asked for, and the found rows in order, with what the model says about each."""
    from tunewright.observe.predict import predict

    wanted = pa.array([*asked["id"].to_pylist(), *ids])
    predictions(project, run, rows.filter(pc.is_in(rows["id"], wanted)))
    known = population(project, run)
    places = pc.index_in(wanted, value_set=known["id"].combine_chunks())
    if places[0].is_valid:
        return list(known.take(places).to_pylist())
    model, tokenizer = load(project, run)
    answer = predict(model, project.task, tokenizer, asked).to_pylist()[0]
    return [asked.to_pylist()[0] | answer, *known.take(places[1:]).to_pylist()]


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
    )
