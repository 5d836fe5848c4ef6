"""What a page asks a model: why it loses on a row, what it says of an edited text, and which rows are like one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from tunewright.errors import DataError, did_you_mean
from tunewright.project import find_run
from tunewright.verbs.evaluations import trained
from tunewright.verbs.explaining import evidence_of, with_answer
from tunewright.verbs.explore.blocks import Block, blocks_of
from tunewright.verbs.explore.detail import Probability
from tunewright.verbs.explore.notes import METHODS
from tunewright.verbs.models import load
from tunewright.verbs.results import Result
from tunewright.verbs.score import probabilities_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.observe.attribute import Attribution, Method
    from tunewright.project import Project
    from tunewright.run import Run
    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = ["Asker", "Deleted", "Heat", "Predicted", "Token", "heat_of", "model_of", "written"]

_ASKED = "asked"  # id of a text that is no row


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word that the model read: where it stands in a text field, and its share of the loss in nats."""

    text: str
    score: float
    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """The deletion test of one row: change of the loss in nats with the strongest words masked.

    ``random`` is the same with as many random words, the mean of ``n`` draws.
    """

    value: float
    random: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat(Result):
    """The loss of a row, shared out among its words in reading order; positive scores drive it up.

    ``target`` is the gold target whose loss it is; ``evidence`` says in words how far to believe the scores.
    """

    method: str
    tokens: tuple[Token, ...]
    target: str
    loss: float
    faithfulness: Deleted
    evidence: Mapping[str, str]
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted(Result):
    """What a model says of a text of one's own, the likeliest first; ``ms`` is what the model took, warm."""

    predicted: str
    probabilities: tuple[Probability, ...]
    blocks: tuple[Block, ...]
    ms: float


class Asker:
    """Keeps one model loaded, the last that was asked. One call at a time: who shares it among threads takes turns."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._held: tuple[object, PreTrainedModel, PreTrainedTokenizerBase] | None = None

    def loaded(self, run: Run) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
        """The model that a run is about, and its tokenizer.

        Raises:
            RunError: if there is none, or it has other labels than the project.
        """
        source = model_of(self.project, run)
        key = (source.id, source.model_folder.stat().st_mtime_ns if source.model_folder.is_dir() else 0)
        if self._held is None or self._held[0] != key:
            self._held = None  # two models may not fit
            self._held = (key, *load(self.project, source))
        return self._held[1], self._held[2]

    def explain(self, shot: Snapshot, row: int, method: Method) -> Heat:
        """Which words of a row drive its loss.

        Args:
            shot: the rows.
            row: number of a labelled one.
            method: one of `tunewright.verbs.explore.notes.METHODS`.

        Raises:
            DataError: if there is no such method or row, it has no label or no words, or no window holds its target.
            RunError: if the run has no model.
        """
        from tunewright.observe.attribute import attribute

        if method not in METHODS:
            raise DataError(f"no method is called {method!r}", fix=did_you_mean(method, METHODS))
        asked = _row(self.project, shot, row)
        model, tokenizer = self.loaded(shot.run)
        began = time.perf_counter()
        said = with_answer(model, self.project.task, tokenizer, asked)
        found = attribute(model, self.project.task, tokenizer, said, method=method, seed=self.project.seed)
        return heat_of(found, ms=_since(began))

    def predict(self, run: Run, fields: Mapping[str, str]) -> Predicted:
        """What the model says of texts that somebody wrote.

        Args:
            run: whose model is asked.
            fields: a text, not empty, for each text field of the task.

        Raises:
            DataError: if a field is missing, unknown or empty.
            RunError: if the run has no model.
        """
        from tunewright.observe.predict import predict

        row = written(self.project, fields)
        model, tokenizer = self.loaded(run)
        began = time.perf_counter()
        said = predict(model, self.project.task, tokenizer, row).to_pylist()[0]
        ms = _since(began)
        shares = probabilities_of(self.project.task.labels, said)
        return Predicted(
            predicted=said["predicted"],
            probabilities=tuple(Probability(label=label, probability=share) for label, share in shares.items()),
            blocks=blocks_of(self.project.task, self.project.visualisers, {**fields, "id": "", **said}),
            ms=ms,
        )


def model_of(project: Project, run: Run) -> Run:
    """The training run whose model a run is about: itself, the one it evaluates, or the one that is in production.

    Raises:
        RunError: if there is none, as of an ensemble.
    """
    if run.kind != "production":
        return trained(project, run)
    return find_run(project, str(run.meta.get("model")))


def written(project: Project, fields: Mapping[str, str]) -> pa.Table:
    """Texts as one row.

    Raises:
        DataError: if one is missing, unknown or empty.
    """
    names = project.task.text_fields
    unknown = sorted(set(fields) - set(names))
    if unknown:
        raise DataError(f"no text is called {unknown[0]!r}", fix=did_you_mean(unknown[0], names))
    empty = [name for name in names if not fields.get(name, "").strip()]
    if empty:
        raise DataError(f"{' and '.join(empty)}: expected a text, found none", fix="write something")
    return pa.table({"id": [_ASKED], **{name: [fields[name]] for name in names}})


def _row(project: Project, shot: Snapshot, row: int) -> pa.Table:
    """One row as it was given: id, split, label, texts and targets.

    Raises:
        DataError: if there is no such row.
    """
    if not 0 <= row < shot.rows.num_rows:
        raise DataError(f"expected a row number from 0 to {shot.rows.num_rows - 1}, found {row}")
    task = project.task
    names = ("id", "split", "label", *task.text_fields, *task.target_fields)
    return shot.rows.select([name for name in dict.fromkeys(names) if name in shot.rows.column_names]).slice(row, 1)


def heat_of(found: Attribution, *, ms: float) -> Heat:
    """The words of a row and their scores as a page is told them; ``ms`` is what it took to find them."""
    tested = found.deletion
    return Heat(
        method=found.method,
        tokens=tuple(
            Token(text=word.text, score=word.score, field=word.field, start=word.start, end=word.end)
            for word in found.words
        ),
        target=found.label,
        loss=found.loss,
        faithfulness=Deleted(value=tested.change, random=tested.random_change, n=tested.draws),
        evidence=evidence_of(found),
        ms=ms,
    )


def _since(began: float) -> float:
    return 1000 * (time.perf_counter() - began)
