"""Suspected labels where targets are no list: answers and summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.span_labels import read, suspect_spans
from tunewright.analyze.summary_labels import claim_surprise, mean_log_probability, suspect_summaries
from tunewright.errors import RunError
from tunewright.verbs.models import Advance, embeddings, predictions, vectors
from tunewright.verbs.population import joined_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["open_suspects"]


def open_suspects(project: Project, run: Run, *, advance: Advance | None = None) -> pa.Table:
    """The rows that were trained on, by how likely their answer or summary is wrong.

    The run's model is asked about those rows that it has not been asked about. Which evidence there is, is decided by
    what it says: a list of answers, or the probability of each token of the gold summary.

    Args:
        project: whose run it is.
        run: a training run with dynamics.
        advance: told how far the model is.

    Returns:
        columns id, suspicion, suspect, suggested, suggested_probability, votes, those of each detector (vote_...) and
        evidence, in the order of the dynamics; see `tunewright.analyze.span_labels` and
        `tunewright.analyze.summary_labels`.

    Raises:
        RunError: if the run has no dynamics, no model, or a model that says neither.
    """
    ids, seen = run.inputs(["dynamics.margin", "dynamics.gold_probability"])
    examples = run.table("examples")
    rows = examples.take(pc.index_in(ids, value_set=examples["id"].combine_chunks()))
    said = predictions(project, run, rows, advance=advance)
    said = said.take(pc.index_in(ids, value_set=said["id"].combine_chunks()))
    if "n_best" in said.column_names:
        return _table(ids, _answers(rows, said, seen, project.task.target_fields))
    if "token_probability" in said.column_names:
        space = _vectors(embeddings(project, run, advance=advance), ids)
        return _table(ids, _summaries(rows, said, space, project.task.text_fields))
    raise RunError(
        f"expected answers or summaries in the predictions of run {run.id}, found {said.column_names}",
        fix="name a run of a task without a list of labels",
    )


def _answers(rows: pa.Table, said: pa.Table, seen: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """What the detectors of spans say; ``fields`` are the columns of the gold answers and of where they start."""
    texts, starts = (rows[name].to_pylist() if name in rows.column_names else None for name in (*fields, "", "")[:2])
    golds = [[label] for label in rows["label"].to_pylist()] if texts is None else texts
    places = [None] * rows.num_rows if texts is None or starts is None else starts
    lists = said["n_best"].to_pylist()
    readings = [read(*one) for one in zip(lists, golds, places, strict=True)]
    return suspect_spans(readings=readings, margin=seen["margin"], gold_probability=seen["gold_probability"])


def _summaries(rows: pa.Table, said: pa.Table, space: NDArray[np.floating], fields: tuple[str, ...]) -> dict[str, Any]:
    """What the detectors of summaries say; ``fields`` are the columns of the document."""
    summaries = [label or "" for label in rows["label"].to_pylist()]
    tokens, probability = said["tokens"].to_pylist(), said["token_probability"].to_pylist()
    return suspect_summaries(
        documents=joined_texts(rows, fields),
        summaries=summaries,
        log_probability=mean_log_probability(probability),
        vectors=space,
        surprising=np.array([claim_surprise(*one) for one in zip(summaries, tokens, probability, strict=True)]),
        said=said["predicted"].to_pylist(),
        said_probability=said["probability"].to_numpy(),
    )


def _vectors(every: pa.Table, ids: pa.Array) -> NDArray[np.floating]:
    return vectors(every.take(pc.index_in(ids, value_set=every["id"].combine_chunks())))


def _table(ids: pa.Array, found: dict[str, Any]) -> pa.Table:
    return pa.table({"id": ids} | {name: _array(np.asarray(values)) for name, values in found.items()})


def _array(values: NDArray[np.generic]) -> pa.Array:
    if values.dtype == object:
        return pa.array(values.tolist(), pa.string())
    return pa.array(values, mask=np.isnan(values)) if values.dtype.kind == "f" else pa.array(values)
