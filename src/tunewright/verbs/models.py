"""Trained models of runs, and what they say about the rows of the version they learnt from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError, EditError, RunError, did_you_mean
from tunewright.project import open_dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.observe.embed import Pooling
    from tunewright.project import Project
    from tunewright.run import Run

__all__ = [
    "Advance",
    "Dtype",
    "counting",
    "digest",
    "embedding_settings",
    "embeddings",
    "load",
    "predictions",
    "rows_of",
    "unweighted",
    "vectors",
]

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

    If the settings of the task have changed since, all that it has been asked is asked again.

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

    every = rows_of(project, run)
    rows = every if rows is None else rows
    settings = repr(project.task)
    known = run.table("predictions") if run.has("predictions") else None
    # those that a training ends with are made with the task it was trained on
    if known is not None and run.made_with("predictions", run.meta["config"].get("task", settings)) != settings:
        wanted = [*known["id"].to_pylist(), *rows["id"].to_pylist()]
        rows, known = every.filter(pc.is_in(every["id"], pa.array(wanted))), None
    if known is not None:
        kept = pc.is_in(known["id"], rows["id"].combine_chunks())
        known = known.filter(pc.invert(kept)) if force else known
        rows = rows.filter(pc.invert(pc.is_in(rows["id"], known["id"].combine_chunks())))
    if known is None or rows.num_rows:
        model, tokenizer = load(project, run)
        asked = unweighted(rows)
        said = predict(model, project.task, tokenizer, asked, advance=counting("predicting", asked.num_rows, advance))
        together = said if known is None else pa.concat_tables([known, said], promote_options="permissive")
        with run.making("predictions", settings):
            run.write("predictions", together)
    return run.table("predictions")


def embeddings(
    project: Project,
    run: Run,
    *,
    layer: int | None = None,
    pooling: Pooling | None = None,
    dtype: Dtype | None = None,
    force: bool = False,
    advance: Advance | None = None,
) -> pa.Table:
    """Vectors of all rows of the version a run was trained on, from its final model; kept in the run.

    They are made again for other settings, of the task too, and for other rows.

    Args:
        project: whose run it is.
        run: a training run.
        layer: of the hidden states, see `tunewright.observe.embed.Embedder`; None: the one in use, at first the last.
        pooling: as there; None: the one in use, at first the task's.
        dtype: of the vectors; None: the one in use, at first float16.
        force: make them again.
        advance: told how far it is.

    Raises:
        DataError: if the pooling or dtype is unknown.
        RunError: if the model has no such layer, or a vector does not fit the dtype.
    """
    from tunewright.observe.embed import Pooling, write_embeddings

    asked = {"layer": layer, "pooling": pooling, "dtype": dtype}
    settings = embedding_settings(run) | {name: value for name, value in asked.items() if value is not None}
    for name, known in (("pooling", get_args(Pooling)), ("dtype", get_args(Dtype))):
        if settings[name] not in known:
            raise DataError(f"no {name} is called {settings[name]!r}", fix=did_you_mean(settings[name], known))
    rows = rows_of(project, run)
    wanted = {**settings, "task": repr(project.task), "rows": digest(rows)}
    if force or run.made_with("embeddings") != wanted:
        model, tokenizer = load(project, run)
        path = run.folder / "embeddings.parquet"
        count = counting("embedding", rows.num_rows, advance)
        with run.making("embeddings", wanted):
            write_embeddings(path, model, project.task, tokenizer, rows, advance=count, **settings)
    return run.table("embeddings")


def embedding_settings(run: Run) -> dict[str, Any]:
    """Layer, pooling and dtype of a run's embeddings, so that other rows can be placed among them."""
    usual = {"layer": -1, "pooling": "task", "dtype": "float16"}
    return usual | {name: value for name, value in (run.made_with("embeddings") or {}).items() if name in usual}


def digest(rows: pa.Table) -> str:
    """Stands for the ids of rows, in order: what was made of other rows is known by it."""
    return hashlib.blake2b("\n".join(rows["id"].to_pylist()).encode(), digest_size=8).hexdigest()


def vectors(table: pa.Table, column: str = "vector") -> NDArray[np.floating]:
    """A column of vectors as an array [n, dimensions]."""
    flat = table[column].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    stacked: NDArray[np.floating] = flat.reshape(table.num_rows, table[column].type.list_size)
    return stacked


def unweighted(rows: pa.Table) -> pa.Table:
    """Rows without ``weight``, which counts in training only."""
    return rows.drop_columns(["weight"]) if "weight" in rows.column_names else rows


def counting(what: str, total: int, advance: Advance | None) -> Callable[[int], None] | None:
    """From rows done since the last call to rows done in all."""
    if advance is None:
        return None
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        advance(what, done, total)

    return count
