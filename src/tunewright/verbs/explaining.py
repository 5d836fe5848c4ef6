"""``explain``: which words drive the loss of a row, and whether such explanations hold for this model."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.scores import Grade, grade
from tunewright.bindings import shown
from tunewright.errors import DataError
from tunewright.project import Project, find_run
from tunewright.verbs.evaluations import trained
from tunewright.verbs.models import load, rows_of
from tunewright.verbs.population import of_split, one_row
from tunewright.verbs.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tunewright.observe.attribute import Attribution, Method
    from tunewright.run import Run
    from tunewright.tasks import Task

__all__ = ["Explained", "Faithfulness", "evidence_of", "explain", "faithfulness", "with_answer"]

_FEWEST = 2  # rows that an interval needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained(Result):
    """The loss of one row, shared out among its words; what the model says about it (probability in [0, 1]).

    ``evidence`` says in words how far to believe the scores; ``shown`` is what each of the project's visualisers says
    about the row; ``file`` is the heatmap.
    """

    run: str
    attribution: Attribution
    probability: float
    evidence: Mapping[str, str]
    shown: Mapping[str, str]
    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Faithfulness(Result):
    """The deletion test over a sample of rows: does masking the words with large scores change the loss most?

    ``top`` and ``random`` are mean changes of the loss in nats, ``difference`` is top - random, ``wins`` the share of
    rows where top is larger; ``completeness_error`` is the median. Rows that cannot be explained are ``skipped``.
    """

    run: str
    method: Method
    split: str
    top: Grade
    random: Grade
    difference: Grade
    wins: float
    completeness_error: float
    skipped: int


def explain(
    project: Project,
    run: Run | str | None,
    id: str,
    *,
    method: Method = "integrated_gradients",
    steps: int | None = None,
    token: int | None = None,
    path: str | Path | None = None,
) -> Explained:
    """Say which words of a row drive the loss of its gold target, and draw them as one HTML file.

    Args:
        project: whose run it is.
        run: a training run, or an evaluation of one; None is the last training run.
        id: of a labelled row of the version of the dataset that the run was made from.
        method: integrated gradients, or the faster and rougher gradient x input.
        steps: of the integral; see `tunewright.observe.attribute.attribute`.
        token: explain one token of a written target, counted from 0.
        path: of the HTML file; by default in the figures of the run, one file for each id, method and token.

    Raises:
        RunError: if there is no such run, or it has no model.
        DataError: if there is no such row, or it has no label or no words.
        ProjectError: if one of the project's visualisers raises.
    """
    from tunewright.observe.attribute import attribute

    named = find_run(project, run)
    row = one_row(rows_of(project, named), id)
    model, tokenizer = load(project, trained(project, named))
    said = with_answer(model, project.task, tokenizer, row)
    views = shown(project.visualisers, said.to_pylist()[0])
    found = attribute(model, project.task, tokenizer, said, method=method, steps=steps, token=token, seed=project.seed)
    evidence = evidence_of(found)
    file = Path(path) if path is not None else named.folder / "figures" / _file_name(id, method, token)
    _draw(file, found, evidence, views, run=named.id)
    return Explained(
        run=named.id,
        attribution=found,
        probability=float(said["probability"][0].as_py()),
        evidence=evidence,
        shown=views,
        file=file,
    )


def faithfulness(
    project: Project,
    run: Run | str | None = None,
    *,
    rows: int = 100,
    split: str = "validation",
    method: Method = "integrated_gradients",
    steps: int | None = None,
) -> Faithfulness:
    """Test explanations on a random sample of labelled rows: top words masked against random words masked.

    Args:
        project: whose run it is; its seed draws the sample.
        run: a training run, or an evaluation of one; by default the last training run.
        rows: how many, two or more; all of the split if it has fewer.
        split: which rows of the version that the run was made from; an evaluation has one split, which is taken.
        method: how the scores are computed.
        steps: of the integral; see `tunewright.observe.attribute.attribute`.

    Raises:
        RunError: if there is no such run, or it has no model.
        DataError: if fewer than two of the rows can be explained.
    """
    named = find_run(project, run)
    split = named.meta.get("split") or split
    sample = _sample(of_split(rows_of(project, named), split), rows, seed=project.seed)
    model, tokenizer = load(project, trained(project, named))
    found = _attributions(model, project, tokenizer, sample, method=method, steps=steps)
    if len(found) < _FEWEST:
        raise DataError(
            f"expected two or more rows that can be explained, found {len(found)} of {sample.num_rows}",
            fix="take a larger sample, or a split that has labels",
        )
    top, random = np.array([(one.deletion.change, one.deletion.random_change) for one in found]).T
    return Faithfulness(
        run=named.id,
        method=method,
        split=split,
        top=grade(top, name="top words", seed=project.seed),
        random=grade(random, name="random words", seed=project.seed),
        difference=grade(top - random, name="difference", seed=project.seed),
        wins=float(np.mean(top > random)),
        completeness_error=float(np.median([one.completeness_error for one in found])),
        skipped=sample.num_rows - len(found),
    )


def with_answer(model: PreTrainedModel, task: Task, tokenizer: PreTrainedTokenizerBase, row: pa.Table) -> pa.Table:
    """A row with what the model says about it."""
    from tunewright.observe.predict import predict

    answer = predict(model, task, tokenizer, row)
    return pa.table({name: table[name] for table in (row, answer) for name in table.column_names})


def _sample(rows: pa.Table, count: int, *, seed: int) -> pa.Table:
    """Random labelled rows of a split, in its order."""
    if count < _FEWEST:
        raise DataError(f"a sample has two rows or more, asked for are {count}", fix="ask for 100")
    known = rows.filter(pc.is_valid(rows["label"]))
    chosen = np.random.default_rng(seed).permutation(known.num_rows)[:count]
    return known.take(pa.array(np.sort(chosen)))


def _attributions(
    model: PreTrainedModel,
    project: Project,
    tokenizer: PreTrainedTokenizerBase,
    sample: pa.Table,
    **options: Any,
) -> list[Attribution]:
    """Of all rows that can be explained."""
    from tunewright.observe.attribute import attribute

    found = []
    for number in range(sample.num_rows):
        row = sample.slice(number, 1)
        try:
            found.append(attribute(model, project.task, tokenizer, row, seed=project.seed + number, **options))
        except DataError:  # no words, or no window that holds the target: the rows left out are counted
            continue
    return found


def evidence_of(found: Attribution) -> dict[str, str]:
    """The figures that say how far to believe the scores, as sentences."""
    tested = found.deletion
    total = sum(word.score for word in found.words) + found.rest
    which = "strongest word" if tested.masked == 1 else f"{tested.masked} strongest words"
    said = {
        "deletion test": f"masking the {which} changes the loss by {tested.change:.3f} (to {tested.loss:.3f}); "
        f"as many random words change it by {tested.random_change:.3f}, mean of {tested.draws} draws",
        "completeness error": f"{100 * found.completeness_error:.1f} %: the scores add up to {total:+.3f}; the loss is "
        f"{found.loss:.3f} with the text and {found.baseline_loss:.3f} without it",
    }
    window = {"window": f"{found.window + 1} of {found.windows}, where the model is surest of the gold target"}
    return said | (window if found.windows > 1 else {})


def _draw(file: Path, found: Attribution, evidence: dict[str, str], views: dict[str, str], *, run: str) -> None:
    from tunewright.plot.heatmap import ScoredWord, Span, write_heatmap

    strongest = set(found.strongest)
    words = [
        ScoredWord(field=word.field, start=word.start, end=word.end, score=word.score, strong=word in strongest)
        for word in found.words
    ]
    facts = (f"row {found.id}", f"run {run}", found.method.replace("_", " "), f"loss {found.loss:.3f}")
    write_heatmap(
        file,
        texts=found.texts,
        words=words,
        spans=[Span(kind=mark.kind, field=mark.field, start=mark.start, end=mark.end) for mark in found.marks],
        title="What drives the loss",
        facts=facts,
        answers={"gold": found.label, "predicted": found.predicted or ""},
        evidence=evidence,
        shown=views,
        target=found.target,
        token=found.token,
    )


def _file_name(id: str, method: Method, token: int | None) -> str:
    """Says the method and the token where they are not the usual ones."""
    how = "" if method == "integrated_gradients" else f"-{method}"
    which = "" if token is None else f"-token-{token}"
    return f"explain-{_slug(id)}{how}{which}.html"


def _slug(id: str) -> str:
    """An id as part of a file name, different for different ids."""
    kept = re.sub(r"[^\w-]+", "-", id)[:60]
    return kept if kept == id else f"{kept}-{hashlib.blake2b(id.encode(), digest_size=4).hexdigest()}"
