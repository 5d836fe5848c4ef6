"""The rows most like a row of a page, or like a text that somebody wrote, from the embeddings that a run has stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.neighbours import Index
from tunewright.errors import DataError, RunError
from tunewright.monitor.store import vector_columns
from tunewright.verbs.explore.asking import model_of, written
from tunewright.verbs.explore.production import reference_vectors
from tunewright.verbs.models import embedding_settings, rows_of, vectors
from tunewright.verbs.population import joined_texts
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run
    from tunewright.verbs.explore.asking import Asker
    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = ["Near", "Neighbour", "Neighbours"]

_KEPT = 2  # indices in memory
_CUT = 300  # characters of a text


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A row like the one that was asked for; ``similarity`` is the cosine, in [-1, 1].

    ``row`` is -1 for rows that the run does not show, such as those of the reference beside production.
    """

    row: int
    id: str
    similarity: float
    label: str | None
    split: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours(Result):
    """Most similar first; ``recall`` is the share of the nearest that the index finds, 1 unless there are very many."""

    neighbours: tuple[Neighbour, ...]
    recall: float


@dataclass(frozen=True, slots=True)
class _Space:
    """Embeddings of one run, [n, dimensions], the ids of their rows, and an index of them.

    The first ``own`` are of rows that belong to the run; those after them are of the reference of production.
    """

    stamp: object
    ids: pa.Array
    vectors: NDArray[np.floating]
    index: Index
    own: int


class Near:
    """Searches what is stored. Safe to use from several threads."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._lock = threading.Lock()
        self._spaces: OrderedDict[str, _Space] = OrderedDict()

    def of_row(self, shot: Snapshot, row: int, *, k: int = 10) -> Neighbours:
        """Rows of any split that are most like one, without itself; of production, those of its reference, too.

        Raises:
            DataError: if there is no such row, it has no embedding, or k is less than 1.
            RunError: if the run has no embeddings.
        """
        if not 0 <= row < shot.rows.num_rows or k < 1:
            raise DataError(f"expected a row number from 0 to {shot.rows.num_rows - 1} and a k of 1 or more")
        space = self._space(shot.run)
        id = shot.rows["id"][row].as_py()
        own = pc.index(space.ids.slice(0, space.own), id).as_py()
        if own < 0:
            raise DataError(f"row {id!r} has no embedding: {_lack(shot.run)}", fix="search by its text instead")
        similarity, found = space.index.search(space.vectors[own : own + 1], min(k + 1, len(space.ids)))
        pairs = [(near, at) for near, at in zip(similarity[0], found[0].tolist(), strict=True) if at != own]
        return self._told(shot, space, pairs[:k])

    def of_text(self, shot: Snapshot, fields: Mapping[str, str], asker: Asker, *, k: int = 50) -> Neighbours:
        """Rows that the run shows and that are most like a text.

        Args:
            shot: the rows.
            fields: a text for each text field of the task; others are left out of the search if there is one of them.
            asker: embeds it; one call at a time.
            k: how many; all there are, if they are fewer.

        Raises:
            DataError: if a text is missing or empty.
            RunError: if the run has no embeddings, or none of its model, or no model.
        """
        from tunewright.observe.embed import embed

        row = written(self.project, fields)
        space = self._space(shot.run)
        model, tokenizer = asker.loaded(shot.run)
        settings = embedding_settings(model_of(self.project, shot.run))
        vector = vectors(embed(model, self.project.task, tokenizer, row, **settings))
        if vector.shape[1] != space.vectors.shape[1]:
            raise RunError(
                f"the embeddings of run {shot.run.id} have {space.vectors.shape[1]} dimensions, those of its model "
                f"{vector.shape[1]}",
                fix="look for rows like one of its rows",
            )
        return self._told(shot, space, list(_first(shot, space, vector, k)))

    def _space(self, run: Run) -> _Space:
        source = run if run.kind == "production" else model_of(self.project, run)
        if not source.has("embeddings"):
            raise RunError(f"run {source.id} has no embeddings, so nothing is known to be near", fix=_remedy(source))
        stamp = [path.stat().st_mtime_ns for path in source.parts("embeddings")]
        with self._lock:
            kept = self._spaces.get(source.id)
            if kept is None or kept.stamp != stamp:
                kept = self._made(source, stamp)
            self._spaces[source.id] = kept
            self._spaces.move_to_end(source.id)
            while len(self._spaces) > _KEPT:
                self._spaces.popitem(last=False)
            return kept

    def _made(self, run: Run, stamp: object) -> _Space:
        table = run.table("embeddings")
        name = vector_columns(table.schema)[0]
        table = table.filter(pc.is_valid(table[name]))  # production may have rows without
        ids, known = table["id"].combine_chunks(), vectors(table, name)
        beside = reference_vectors(run, name) if run.kind == "production" and self._has_model(run) else None
        if beside is not None and beside[1].shape[1] == known.shape[1]:
            ids = pa.concat_arrays([ids, beside[0]])
            known = np.concatenate([known, beside[1].astype(known.dtype)])
        return _Space(stamp, ids, known, Index.build(known), own=table.num_rows)

    def _has_model(self, run: Run) -> bool:
        """Whether the version is known that the rows of the reference are of."""
        try:
            model_of(self.project, run)
        except RunError:
            return False
        return True

    def _told(self, shot: Snapshot, space: _Space, pairs: list[tuple[float, int]]) -> Neighbours:
        at = np.array([place for _, place in pairs], np.int64)
        ids = space.ids.take(pa.array(at))
        places = np.where(at < space.own, shot.places(ids), -1)
        found = self._rows(shot, ids, places)
        return Neighbours(
            neighbours=tuple(
                _neighbour(row, id, place, float(similarity))
                for (similarity, _), row, id, place in zip(pairs, found, ids.to_pylist(), places.tolist(), strict=True)
            ),
            recall=space.index.recall,
        )

    def _rows(self, shot: Snapshot, ids: pa.Array, places: NDArray[np.int64]) -> list[dict[str, Any]]:
        """What is shown of rows, in order: id, split, label and text; nothing of those that are gone."""
        shown = iter(_read(shot.rows.take(pa.array(places[places >= 0])), self.project))
        others: dict[str, dict[str, Any]] = {}
        if (places < 0).any():
            every = rows_of(self.project, model_of(self.project, shot.run))
            wanted = every.filter(pc.is_in(every["id"], ids.filter(pa.array(places < 0))))
            others = {row["id"]: row for row in _read(wanted, self.project)}
        return [
            next(shown) if place >= 0 else others.get(id, {})
            for id, place in zip(ids.to_pylist(), places.tolist(), strict=True)
        ]


def _lack(run: Run) -> str:
    if run.kind == "production":
        return "it was logged without one"
    return "it is of another version than the run was trained on"


def _remedy(run: Run) -> str:
    if run.kind == "production":
        return "log a vector with each row, as `tunewright monitor run` does"
    return f"make them: tunewright analyze {run.id}"


def _first(shot: Snapshot, space: _Space, vector: NDArray[np.floating], k: int) -> Iterator[tuple[float, int]]:
    """The k most similar rows that the snapshot shows; more are asked for until there are so many."""
    wanted = min(k, len(space.ids))
    while True:
        similarity, found = space.index.search(vector, wanted)
        shown = (found[0] < space.own) & (shot.places(space.ids.take(pa.array(found[0]))) >= 0)
        if shown.sum() >= k or wanted == len(space.ids):
            return zip(similarity[0][shown][:k].tolist(), found[0][shown][:k].tolist(), strict=True)
        wanted = min(4 * wanted, len(space.ids))


def _read(rows: pa.Table, project: Project) -> list[dict[str, Any]]:
    names = [name for name in ("id", "split", "label") if name in rows.column_names]
    texts = _texts(rows, [name for name in project.task.text_fields if name in rows.column_names])
    return [row | {"text": text} for row, text in zip(rows.select(names).to_pylist(), texts, strict=True)]


def _texts(rows: pa.Table, fields: Sequence[str]) -> list[str]:
    return joined_texts(rows, fields) if fields else [""] * rows.num_rows  # a monitor need not keep texts


def _neighbour(row: Mapping[str, Any], id: str, place: int, similarity: float) -> Neighbour:
    text = str(row.get("text", ""))
    return Neighbour(
        row=place,
        id=id,
        similarity=similarity,
        label=row.get("label"),
        split=row.get("split"),
        text=text if len(text) <= _CUT else text[: _CUT - 1] + "…",
    )
