"""Trained models of runs, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunewright.errors import RunError

if TYPE_CHECKING:
    import pyarrow as pa
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.project import Project
    from tunewright.run import Run

__all__ = ["embeddings", "load"]


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


def embeddings(project: Project, run: Run) -> pa.Table:
    """Mean-pooled embeddings of the rows a training run saw; computed once, kept in the run."""
    if not run.has("embeddings"):
        from tunewright.observe.embed import embed

        model, tokenizer = load(project, run)
        run.write("embeddings", embed(model, project.task, tokenizer, run.table("examples")))
    return run.table("embeddings")
