"""Everything that is known about one row, for whoever looks at it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.verbs.explore.blocks import Block, blocks_of
from tunewright.verbs.results import Result, encode

if TYPE_CHECKING:
    from tunewright.project import Project
    from tunewright.verbs.explore.seen import Seen
    from tunewright.verbs.explore.snapshot import Snapshot

__all__ = ["Decided", "Epoch", "Example", "Probability", "Suggestion", "example", "histories", "probabilities"]

MOST_LABELS = 20
"""Labels whose probability is told."""

_TOLD = frozenset({"id", "split", "label", "predicted", "suggested", "suggested_probability"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability:
    """How probable a model finds a label, in [0, 1]."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What the recorder saw of a row in one epoch, counted from 1; loss in nats, ``correct`` in [0, 1]."""

    epoch: int
    gold_probability: float | None
    loss: float | None
    margin: float | None
    correct: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What somebody did to a row, or decided about it: what, who, when (ISO 8601) and why."""

    action: str
    who: str
    when: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """The label that a row likely has instead, and how probable that is, if that is known."""

    label: str
    probability: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Result):
    """One row: its texts, what the model says, its dynamics, its scores, all other columns, and its history."""

    row: int
    id: str
    split: str | None
    blocks: tuple[Block, ...]
    label: Any
    predicted: Any
    probabilities: tuple[Probability, ...]
    epochs: tuple[Epoch, ...]
    scores: Mapping[str, float | None]
    values: Mapping[str, Any]
    history: tuple[Decided, ...]
    suggestion: Suggestion | None


def example(
    project: Project,
    shot: Snapshot,
    row: int,
    *,
    values: Mapping[str, Any],
    seen: Seen | None,
    known: Sequence[Decided],
) -> Example:
    """All about one row.

    Args:
        project: whose task and visualisers say how it is shown.
        shot: the rows.
        row: number of the row.
        values: of the row, by column.
        seen: what the recorder saw of all rows, if there was one.
        known: the row's history.
    """
    labels = shot.run.labels or project.task.labels
    return Example(
        row=row,
        id=values["id"],
        split=values.get("split"),
        blocks=blocks_of(project.task, project.visualisers, values),
        label=values.get("label"),
        predicted=values.get("predicted"),
        probabilities=probabilities(values, labels),
        epochs=_epochs(seen, row),
        scores=_scores(project, values),
        values=encode({name: values[name] for name in shot.columns if name not in _TOLD | {*project.task.text_fields}}),
        history=tuple(known),
        suggestion=_suggestion(values),
    )


def probabilities(row: Mapping[str, Any], labels: Sequence[str]) -> tuple[Probability, ...]:
    """Of each label, the most probable first; of what was predicted alone, where nothing else was kept."""
    logits = row.get("logits")
    if logits is not None and len(logits) == len(labels):
        raised = np.exp(np.asarray(logits, np.float64) - max(logits))
        shares = raised / raised.sum()
        first = np.argsort(-shares, kind="stable")[:MOST_LABELS]
        return tuple(Probability(label=labels[code], probability=float(shares[code])) for code in first)
    said, probability = row.get("predicted"), row.get("probability")
    if said is None or probability is None or not math.isfinite(probability):
        return ()
    return (Probability(label=str(said), probability=float(probability)),)


def histories(
    provenance: pa.Table | None, reviews: pa.Table | None, ids: Sequence[str]
) -> dict[str, tuple[Decided, ...]]:
    """Edits that touched rows and decisions about them, oldest first, by id; rows without any are left out.

    Args:
        provenance: of `Dataset.provenance`.
        reviews: of `Dataset.reviews`.
        ids: of the rows.
    """
    found: defaultdict[str, list[Decided]] = defaultdict(list)
    for one in _of(provenance, ids):
        found[one["id"]].append(
            Decided(action=_edited(one), who=one["author"] or "", when=one["time"] or "", why=one["reason"] or "")
        )
    for one in _of(reviews, ids):
        found[one["id"]].append(
            Decided(action=_reviewed(one), who=one["author"] or "", when=one["time"] or "", why=one["note"] or "")
        )
    return {id: tuple(sorted(decided, key=lambda one: one.when)) for id, decided in found.items()}


def _of(table: pa.Table | None, ids: Sequence[str]) -> list[dict[str, Any]]:
    return [] if table is None else table.filter(pc.is_in(table["id"], pa.array(ids, pa.string()))).to_pylist()


def _edited(one: Mapping[str, Any]) -> str:
    """Such as ``relabel: label, no -> yes``."""
    change = " -> ".join("nothing" if value is None else str(value) for value in (one["old"], one["new"]))
    return f"{str(one['kind']).lower()}: {one['field']}, {change}"


def _reviewed(one: Mapping[str, Any]) -> str:
    """Such as ``review: accept, no -> yes``."""
    new = one["new_label"] or one["suggested"]
    return f"review: {one['decision']}" + (f", {one['label']} -> {new}" if new else "")


def _epochs(seen: Seen | None, row: int) -> tuple[Epoch, ...]:
    if seen is None:
        return ()
    columns = seen.row(row)
    return tuple(
        Epoch(epoch=epoch + 1, **{name: _number(values[epoch]) for name, values in columns.items()})
        for epoch in range(seen.epochs)
        if not np.isnan(columns["gold_probability"][epoch])
    )


def _scores(project: Project, row: Mapping[str, Any]) -> dict[str, float | None]:
    """The task's scores of an answer, and the project's own metrics of it."""
    own = {made.name: _number(row.get(made.name)) for made in project.metrics if row.get(made.name) is not None}
    if row.get("label") is None or row.get("predicted") is None:
        return own
    grades = project.task.grade({name: [value] for name, value in row.items()})
    return {**{name: _number(values[0]) for name, values in grades.items() if name != "correct"}, **own}


def _suggestion(row: Mapping[str, Any]) -> Suggestion | None:
    """Another label for a row that is suspected; of others the runner-up is no suggestion."""
    label = row.get("suggested")
    if label is None or label == row.get("label") or row.get("suspect") is False:
        return None
    return Suggestion(label=str(label), probability=_number(row.get("suggested_probability")))


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
