"""Trained models of runs, and what they say about the rows of the version they learnt from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import EditError, RunError
from tunewright.project import open_dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.observe.embed import Pooling
    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["Advance", "embedding_settings", "embeddings", "load", "predictions", "rows_of", "vectors"]

Advance = Callable[[str, int, int], None]
"""Called now and then with what is being done, how many rows are done, and how many there are."""

Dtype = Literal["float16", "float32"]


def load(project: Project, run: Run) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model a training run ended with, on a GPU if there is one, and its tokenizer.

    Raises:
        RunError: if the run has no model, or one for other labels.
    """
    import torch

    from tunewright.tasks.source import load_tokenizer

    if not run.model_folder.is_dir():
        raise RunError(
            f"run {run.id} has no model: it is of kind {run.kind!r}, status {run.meta.get('status')!r}",
            fix="name a finished training run (`tunewright runs` lists them); a script of your own saves its model with "
            "trainer.model.save_pretrained(recorder.run.model_folder)",
        )
    if run.labels and run.labels != project.task.labels:
        raise RunError(
            f"run {run.id} was trained on the labels {list(run.labels)}, the project has {list(project.task.labels)}",
            fix="put the project's labels back, or train again",
        )
    trusted = project.train.trust_remote_code
    source = str(run.model_folder)
    model = project.task.load_model(source, trust_remote_code=trusted)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device), load_tokenizer(source, trust_remote_code=trusted)  # type: ignore[arg-type, unused-ignore]


def rows_of(project: Project, run: Run) -> pa.Table:
    """The rows of the dataset version a run was trained on, of all splits; of a run that names none, its own examples."""
    version = run.meta.get("version")
    if run.meta.get("dataset") != project.name or not version:
        return run.table("examples")
    try:
        return open_dataset(project).table(version)
    except EditError:  # the dataset was imported anew since
        return run.table("examples")


def predictions(
    project: Project, run: Run, rows: pa.Table | None = None, *, force: bool = False, advance: Advance | None = None
) -> pa.Table:
    """What a run's final model says about rows; what it has said before is kept in the run and not asked again.

    Args:
        project: whose run it is.
        run: a training run.
        rows: of the version it was trained on; by default all of them.
        force: ask again.
        advance: told how far it is.

    Returns:
        the run's predictions, those of the rows among them.
    """
    from tunewright.observe.predict import predict

    rows = rows_of(project, run) if rows is None else rows
    known = run.table("predictions") if run.has("predictions") else None
    if known is not None:
        kept = pc.is_in(known["id"], rows["id"].combine_chunks())
        known = known.filter(pc.invert(kept)) if force else known
        rows = rows.filter(pc.invert(pc.is_in(rows["id"], known["id"].combine_chunks())))
    if known is None or rows.num_rows:
        model, tokenizer = load(project, run)
        asked = _unweighted(rows)
        said = predict(model, project.task, tokenizer, asked, advance=_counting("predicting", asked.num_rows, advance))
        together = said if known is None else pa.concat_tables([known, said], promote_options="permissive")
        run.write("predictions", together)
    return run.table("predictions")


def embeddings(
    project: Project,
    run: Run,
    *,
    layer: int | None = None,
    pooling: Pooling | None = None,
    dtype: Dtype = "float16",
    force: bool = False,
    advance: Advance | None = None,
) -> pa.Table:
    """Vectors of all rows of the version a run was trained on, from its final model; computed once, kept in the run.

    Args:
        project: whose run it is.
        run: a training run.
        layer: of the hidden states, see `tunewright.observe.embed.Embedder`; None: the one in use, at first the last.
        pooling: as there; None: the one in use, at first the task's.
        dtype: of the vectors.
        force: make them again.
        advance: told how far it is.
    """
    from tunewright.observe.embed import write_embeddings

    used = embedding_settings(run)
    wanted = {
        "layer": used["layer"] if layer is None else layer,
        "pooling": used["pooling"] if pooling is None else pooling,
    }
    if force or not run.has("embeddings") or run.meta.get("embedding") != wanted:
        rows = rows_of(project, run)
        model, tokenizer = load(project, run)
        run.update(embedding=None)  # until the new ones are there, nobody knows what the old ones are
        path = run.folder / "embeddings.parquet"
        counting = _counting("embedding", rows.num_rows, advance)
        write_embeddings(path, model, project.task, tokenizer, rows, advance=counting, dtype=dtype, **wanted)
        run.update(embedding=wanted)
    return run.table("embeddings")


def embedding_settings(run: Run) -> dict[str, Any]:
    """Layer and pooling of a run's embeddings, so that other rows can be placed among them."""
    return dict(run.meta.get("embedding") or {"layer": -1, "pooling": "task"})


def vectors(table: pa.Table) -> NDArray[np.floating]:
    """The column ``vector`` as an array [n, dimensions]."""
    flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    stacked: NDArray[np.floating] = flat.reshape(table.num_rows, table["vector"].type.list_size)
    return stacked


def _unweighted(rows: pa.Table) -> pa.Table:
    return rows.drop_columns(["weight"]) if "weight" in rows.column_names else rows


def _counting(what: str, total: int, advance: Advance | None) -> Callable[[int], None] | None:
    """From rows done since the last call to rows done in all."""
    if advance is None:
        return None
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        advance(what, done, total)

    return count
