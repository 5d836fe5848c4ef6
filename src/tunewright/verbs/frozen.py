"""Embeddings of the rows a run was trained on, by the model it started from: what was there before any label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import RunError
from tunewright.project import find_run
from tunewright.verbs.models import Advance, counting, digest, unweighted

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["FROZEN", "freeze", "source_of"]

FROZEN = "frozen"
"""The run's table of these vectors."""


def freeze(project: Project, run: Run, *, advance: Advance | None = None) -> None:
    """Embed the rows that were trained on with the model that training started from; once, as table ``frozen``.

    Raises:
        RunError: if the run does not say which model that was.
        TrainError: if it cannot be loaded.
        MissingDependencyError: if it is the embedded one and not installed.
    """
    source, rows = source_of(project, run), _trained_on(run)
    wanted = {"model": source, "task": repr(project.task), "rows": digest(rows)}
    if run.made_with(FROZEN) == wanted:
        return
    if advance is not None:
        advance("embedding", 0, rows.num_rows)  # before the model is loaded, which takes a while, too
    from tunewright.observe.embed import write_embeddings

    model, tokenizer = _load(project, source)
    count = counting("embedding", rows.num_rows, advance)
    with run.making(FROZEN, wanted):
        path = run.folder / f"{FROZEN}.parquet"
        write_embeddings(path, model, project.task, tokenizer, rows, advance=count, dtype="float16")


def source_of(project: Project, run: Run) -> str:
    """The model that the first training of a chain started from: the later ones have learnt the labels already.

    Raises:
        RunError: if no run says so, as those that were imported.
    """
    parent = run.meta.get("parent")
    if parent is not None:
        return source_of(project, find_run(project, str(parent)))
    source = run.meta["config"].get("model")
    if not source:
        raise RunError(f"run {run.id} does not say which model it started from")
    return str(source)


def _trained_on(run: Run) -> pa.Table:
    seen = pc.unique(run.table("dynamics", ["id"])["id"])
    examples = run.table("examples")
    return unweighted(examples.filter(pc.is_in(examples["id"], seen)))


def _load(project: Project, source: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    import torch

    from tunewright.tasks.source import load_tokenizer, quiet

    trusted = project.train.trust_remote_code
    with quiet():
        model = project.task.load_model(source, trust_remote_code=trusted)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device), load_tokenizer(source, trust_remote_code=trusted)  # type: ignore[arg-type, unused-ignore]
