"""``evaluate`` and ``predict``: how good it is, where it is wrong, and what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.mistakes import explain, mistakes, to_csv
from tunewright.analyze.neighbours import neighbours
from tunewright.analyze.scores import Grade, Scores
from tunewright.analyze.text import evidence, vocabulary
from tunewright.errors import DataError
from tunewright.files import write_text
from tunewright.project import Project
from tunewright.table import left_join
from tunewright.verbs.dynamics import arrays
from tunewright.verbs.evaluations import grades, predict_split, scores, trained
from tunewright.verbs.lengths import token_lengths, truncated
from tunewright.verbs.models import embedding_settings, embeddings, load, vectors
from tunewright.verbs.original import original
from tunewright.verbs.population import joined_texts
from tunewright.verbs.results import Result
from tunewright.verbs.suspicion import suspicion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.observe.predict import Latency
    from tunewright.run import Run

__all__ = ["Evaluation", "Original", "Prediction", "evaluate", "predict", "probabilities_of"]

Columns = dict[str, "NDArray[np.generic]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """Scores of the same model on the test rows as they were imported, as of the run of this id."""

    run: str
    scores: Scores | None
    grades: tuple[Grade, ...]
    own: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Result):
    """Scores of a model on a split; ``causes`` counts what the evidence says about the wrong rows.

    ``scores`` are those of a task with labels, ``grades`` means of what else rows are graded by (exact match, F1, ROUGE,
    the project's own metrics); ``own`` are the project's metrics, one number each, ``failed`` the errors of those that
    gave none. Where the test rows of the version were edited, ``original`` has the scores on the rows as they were
    imported; None says that there are no others.
    """

    run: str
    model: str
    split: str
    scores: Scores | None
    grades: tuple[Grade, ...]
    own: Mapping[str, float]
    failed: Mapping[str, str]
    unlabelled: int
    mistakes: int
    causes: Mapping[str, int]
    table: Path
    figure: Path | None
    version: str
    original: Original | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction(Result):
    """What a model says about one input, how sure it is (probabilities in [0, 1]), and how long it takes (ms).

    ``label`` is what it says: a class, an answer, a summary; ``probabilities`` are those of all classes, or of the best
    answers. ``stop_reason`` says why a generated text ends (``eos``, or ``length`` where it was cut).
    """

    run: str
    label: str
    probability: float
    probabilities: Mapping[str, float]
    tokens: int
    cut_at: int | None
    stop_reason: str | None
    latency: Latency


def evaluate(
    project: Project, run: Run | str | None = None, *, split: str = "test", version: str | None = None
) -> Evaluation:
    """Predict a split, score it with intervals, and list what went wrong with the evidence for its causes.

    Args:
        project: whose run it is.
        run: by default the last training run.
        split: which rows.
        version: of the dataset; by default the one the run was trained on.

    Raises:
        RunError: if there is no such run, or it has no model.
        DataError: if the split has no labelled rows.
    """
    parent = trained(project, run)
    made = predict_split(project, parent, split=split, version=version)
    columns = _evidence(project, parent, made)
    kind: dict[str, Any] = {"labels": made.labels or None, "overlap": "" if made.labels else project.task.metric}
    kinds = explain(columns, **kind)
    made.write("columns/evidence", _table(columns, kinds))
    wrong = mistakes(columns, columns, text=project.task.text_fields, **kind)
    write_text(made.folder / "incorrect_predictions.csv", to_csv(wrong))
    causes = Counter(cause for causes in wrong["Error Cause"] for cause in str(causes).split("; "))
    return Evaluation(
        run=made.id,
        model=parent.id,
        split=split,
        scores=scores(made) if made.labels else None,
        grades=grades(made),
        own=made.meta["own_metrics"],
        failed=made.meta["failed_metrics"],
        unlabelled=made.table("predictions", ["label"])["label"].null_count,
        mistakes=len(wrong["id"]),
        causes=dict(causes.most_common()),
        table=made.folder / "incorrect_predictions.csv",
        figure=_draw(made, columns) if made.labels else None,
        version=made.meta["version"],
        original=_original(project, made),
    )


def predict(project: Project, run: Run | str | None, *texts: str, repeats: int = 30) -> Prediction:
    """What a model says about one text, or one pair of texts.

    Args:
        project: whose run it is.
        run: None is the last training run.
        texts: one for each text field of the task.
        repeats: how many warm calls the latency is measured on.

    Raises:
        DataError: if the number of texts is not that of the task's fields, or one is empty.
        RunError: if there is no such run, or it has no model.
    """
    from tunewright.observe.predict import latency, predict as predict_rows

    fields = project.task.text_fields
    if len(texts) != len(fields) or not all(text.strip() for text in texts):
        raise DataError(
            f"expected {len(fields)} text(s), one for each of {list(fields)}, none empty; found {list(texts)}",
            fix="quote each text",
        )
    parent = trained(project, run)
    model, tokenizer = load(project, parent)
    row = pa.table({"id": ["asked"], **{field: [text] for field, text in zip(fields, texts, strict=True)}})
    answer = predict_rows(model, project.task, tokenizer, row).to_pylist()[0]
    lengths, limit = token_lengths(project.task, tokenizer, row)
    return Prediction(
        run=parent.id,
        label=answer["predicted"],
        probability=answer["probability"],
        probabilities=probabilities_of(project.task.labels, answer),
        tokens=int(lengths[0]),
        cut_at=limit,
        stop_reason=answer.get("stop_reason"),
        latency=latency(model, project.task, tokenizer, row, repeats=repeats),
    )


def _original(project: Project, made: Run) -> Original | None:
    found = original(project, made)
    if found is None:
        return None
    return Original(
        run=found.id,
        scores=scores(found) if found.labels else None,
        grades=grades(found),
        own=found.meta["own_metrics"],
    )


def _evidence(project: Project, parent: Run, made: Run) -> Columns:
    """Predictions of the evaluated rows beside all that may explain a mistake, each [n]."""
    from tunewright.observe.embed import embed

    rows, known = made.table("examples"), parent.table("examples")
    training = known.filter(pc.equal(known["split"], "train"))
    model, tokenizer = load(project, parent)
    columns = arrays(left_join(left_join(made.table("predictions"), rows), _suspected(parent)))
    texts, learnt = (joined_texts(table, project.task.text_fields) for table in (rows, training))
    columns |= evidence(texts, known=vocabulary(learnt))
    columns["truncated"] = truncated(project.task, tokenizer, rows)
    stored = embeddings(project, parent)
    own = embed(model, project.task, tokenizer, rows, **embedding_settings(parent))
    near = _near(parent, stored, own, rows)
    if not made.labels:  # neighbours with another answer are no evidence: they ask something else
        near.pop("neighbour_label", None)
    return columns | near


def _suspected(parent: Run) -> pa.Table:
    """Suspects of the training run: evidence when rows it was trained on are evaluated."""
    if parent.has("dynamics"):
        return suspicion(parent).select(["id", "suspicion", "suspect", "suggested"])
    return pa.table({"id": pa.array([], pa.string())})


def _near(parent: Run, stored: pa.Table, own: pa.Table, rows: pa.Table) -> Columns:
    """Nearest training rows of the evaluated ones; nothing if there are fewer than two training rows."""
    stored = stored.filter(pc.equal(stored["split"], "train"))
    stored = stored.filter(pc.invert(pc.is_in(stored["id"], rows["id"].combine_chunks())))
    training = left_join(stored, parent.table("examples", ["id", "label"]))
    both = pa.concat_tables([table.select(["id", "split", "label"]) for table in (left_join(own, rows), training)])
    split = np.array(both["split"].to_pylist(), dtype=object)
    if (split == "train").sum() < 2:
        return {}
    found = neighbours(
        vector=np.concatenate([vectors(own), vectors(training)]),
        id=np.array(both["id"].to_pylist(), dtype=object),
        split=split,
        label=np.array(both["label"].to_pylist(), dtype=object),
    )
    return {name: values[: own.num_rows] for name, values in found.items()}


_EVIDENCE = (
    *("density", "neighbour", "neighbour_similarity", "neighbour_label"),
    *("negation", "rare_share", "words", "truncated"),
)


def _table(columns: Columns, kinds: Mapping[str, NDArray[np.object_]]) -> pa.Table:
    kept: dict[str, Any] = {name: columns[name] for name in ("id", *_EVIDENCE) if name in columns}
    return pa.table({name: pa.array(values.tolist()) for name, values in (kept | dict(kinds)).items()})


def _draw(made: Run, columns: Columns) -> Path:
    from tunewright.plot import errors

    pair = {name: columns[name] for name in ("label", "predicted")}
    sheet = errors.figure(pair, labels=made.labels, dataset=f"{made.meta['dataset']} {made.meta['split']}")
    return errors.save(sheet, made.folder / "figures" / "confusion.png")


def probabilities_of(labels: tuple[str, ...], answer: Mapping[str, Any]) -> dict[str, float]:
    """Of each label, the most probable first; of the answers that were kept, where labels are open."""
    if not labels:
        others = answer.get("n_best") or [{"text": answer["predicted"], "probability": answer["probability"]}]
        return {other["text"]: float(other["probability"]) for other in others}
    weights = np.exp(np.array(answer["logits"]) - max(answer["logits"]))
    shares = (weights / weights.sum()).tolist()
    ranked = sorted(zip(labels, shares, strict=True), key=lambda pair: -pair[1])
    return {label: float(share) for label, share in ranked}
