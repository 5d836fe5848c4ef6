"""What a trial has shown, computed from what every model said about every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import softmax

from tunewright.analyze.before_after import BeforeAfter, before_after
from tunewright.analyze.macro import MacroChange, macro_f1_change
from tunewright.analyze.regressions import (
    CalibrationChange,
    GroupChange,
    LocalGain,
    calibration_change,
    local_gain,
    regressions,
)
from tunewright.analyze.verdict import Judged, judge
from tunewright.run import Run
from tunewright.table import query
from tunewright.verbs.dynamics import arrays
from tunewright.verbs.ensembling import combined
from tunewright.verbs.evaluations import is_grade, labelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.trial.arms import Arm
    from tunewright.trial.folder import Trial
    from tunewright.trial.schedule import Schedule
    from tunewright.verbs.trial_base import Base

__all__ = [
    "BeforeAfter",
    "Beside",
    "DecisionVerdict",
    "Earned",
    "Judged",
    "Scored",
    "beside",
    "by_reason",
    "collect",
    "decided",
    "judged",
    "scored",
    "slice_ids",
]

_KEPT = ("id", "label", "predicted", "correct", "probability", "gold_probability", "logits")
_MOST_GROUPS = 12
"""A column with more values does not cut the rows into slices that anyone would read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """What a part of a decision adds: the whole decision (B) against itself without the part (A)."""

    part: str
    judged: Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A decision judged by the test rows, where production rows come first: the word is theirs."""

    split: str
    against_unchanged: Judged
    against_control: Judged | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionVerdict:
    """One decision (B) against no change (A), and against its random control.

    Args:
        name: of the decision.
        text: how it is written.
        word: better, worse or cannot tell, against no change.
        against_unchanged: the evidence for the word.
        against_control: the same decision at random rows as A; None where there is no control, and ``note`` says why.
        negative_flips: ids of rows that no change gets right in most seeds and the decision wrong in most.
        groups: classes and slices of the test rows, the largest loss first.
        calibration: None where answers have no probability to calibrate.
        macro_f1: of both arms, where that is the task's metric: the word is about single rows, and so about accuracy.
        local: gain where the decision was aimed at, against the rest; None where that is nowhere in particular.
        aim: where that is: a condition that was given, or the labels that its edits touch more than others.
        earned: what each part adds, the largest gain first, if that was asked for.
        steps: optimiser steps, if they are not those of no change by themselves.
        stopped: why there are fewer seeds than planned; empty if there are not.
        note: what a reader must know.
        beside: what the test rows say, where production rows judge; else None.
        reasons: production rows that judge by why they were marked, in all arms; empty where none judge.
    """

    name: str
    text: str
    word: str
    against_unchanged: Judged
    against_control: Judged | None
    negative_flips: tuple[str, ...]
    groups: tuple[GroupChange, ...]
    calibration: CalibrationChange | None
    macro_f1: MacroChange | None
    local: LocalGain | None
    aim: str
    earned: tuple[Earned, ...]
    steps: int | None
    stopped: str
    note: str
    beside: Beside | None = None
    reasons: tuple[BeforeAfter, ...] = ()

    @property
    def worse_groups(self) -> tuple[GroupChange, ...]:
        """Classes and slices that the decision makes worse."""
        return tuple(group for group in self.groups if group.word == "worse")


@dataclass(frozen=True, slots=True)
class Scored:
    """What the arms scored: ids and labels [n], and of each arm, under its name, scores [seeds, n] and logits
    [seeds, n, classes] (none where there are no classes); an arm may lack the last seeds.
    """

    metric: str
    id: NDArray[np.generic]
    label: NDArray[np.generic]
    by_arm: Mapping[str, NDArray[np.float64]]
    logits: Mapping[str, NDArray[np.float32]]

    def pair(
        self, first: str, second: str, seeds: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The scores of two arms for the seeds that both have."""
        return _same_seeds(self.by_arm, first, second, seeds)

    def others(self, *names: str) -> list[NDArray[np.float64]]:
        """Scores of all other arms with at least two seeds."""
        return [values for name, values in self.by_arm.items() if name not in names and len(values) > 1]


def collect(base: Base, trial: Trial, schedule: Schedule, *, beside: bool = False) -> pa.Table:
    """What each arm said with each seed that is trained in it; an ensemble is put together here.

    ``beside`` asks for the rows that are looked at beside those that decide.
    """
    parts = []
    for arm in trial.arms:
        for position, seed in enumerate(trial.seeds):
            keys = schedule.keys(arm, position)
            if not all(key in trial.done for key in keys):
                break
            names = [trial.done[key]["beside"][0] if beside else trial.done[key]["evaluation"] for key in keys]
            tables = [labelled(Run.open(base.project.runs_folder / name)) for name in names]
            said = tables[0] if len(tables) == 1 else combined(base.project.task.labels, tables)
            kept = [name for name in said.column_names if name in _KEPT or is_grade(name)]
            said = said.select(kept).sort_by("id")
            about = {"arm": pa.array([arm.name] * said.num_rows), "seed": pa.array([seed] * said.num_rows)}
            parts.append(pa.table({**about, **{name: said[name] for name in kept}}))
    return pa.concat_tables(parts, promote_options="permissive")


def scored(results: pa.Table, *, metric: str) -> Scored:
    """The table of results as one array per arm.

    Args:
        results: of `collect`: rows of one arm and seed in the order of their ids.
        metric: the task's; where rows are not graded by it, whether they are correct.
    """
    column = metric if metric in results.column_names else "correct"
    by_arm, logits = {}, {}
    rows: dict[str, NDArray[np.generic]] = {}
    for name in pc.unique(results["arm"]).to_pylist():
        own = results.filter(pc.equal(results["arm"], name))
        seeds = pc.count_distinct(own["seed"]).as_py()
        rows = rows or arrays(own.slice(0, own.num_rows // seeds).select(["id", "label"]))
        by_arm[name] = pc.cast(own[column], pa.float64()).to_numpy().reshape(seeds, -1)
        if "logits" in own.column_names:
            flat = own["logits"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            logits[name] = flat.astype(np.float32).reshape(seeds, len(rows["id"]), -1)
    return Scored("accuracy" if column == "correct" else column, rows["id"], rows["label"], by_arm, logits)


def decided(
    trial: Trial,
    found: Scored,
    arm: Arm,
    rows: pa.Table,
    *,
    earlier: Sequence[float],
    tries: int,
) -> DecisionVerdict:
    """The verdict about the decision of an arm.

    Args:
        trial: whose decision it is.
        found: what its arms scored.
        arm: of the decision.
        rows: the test rows, for classes and slices.
        earlier: p-values of the other decisions that were judged on these rows.
        tries: how many were, with this one.
    """
    settled = trial.meta["settled"].get(arm.name, {})
    count = settled.get("seeds")
    how: dict[str, Any] = {"earlier": earlier, "tries": tries, "alpha": settled.get("alpha", trial.meta["alpha"])}
    against = judged(found, "unchanged", arm.name, count, **how)
    first, second = found.pair("unchanged", arm.name, count)
    control = _control(trial, found, arm)
    aim, inside = _aim(trial, arm, rows, found)
    return DecisionVerdict(
        name=arm.name,
        text=trial.meta["decisions"][arm.name],
        word=against.verdict,
        against_unchanged=against,
        against_control=judged(found, control, arm.name, count, **how) if control else None,
        negative_flips=tuple(str(found.id[place]) for place in against.negative_flips),
        groups=regressions(first, second, groups_of(rows, found.id)),
        calibration=_calibration(found, arm.name, count, trial.meta["labels"]),
        macro_f1=_macro_f1(found, arm.name, count, trial),
        local=None if inside is None else local_gain(first, second, inside),
        aim=aim,
        earned=_earned(trial, found, arm, count),
        steps=arm.steps,
        stopped=settled.get("why", ""),
        note=arm.note,
    )


def beside(trial: Trial, found: Scored, arm: Arm, *, split: str, earlier: Sequence[float], tries: int) -> Beside:
    """What other rows than those that decide say, of as many seeds; ``earlier`` and ``tries`` are of these rows."""
    count = trial.meta["settled"].get(arm.name, {}).get("seeds")
    control = _control(trial, found, arm)
    how: dict[str, Any] = {"earlier": earlier, "tries": tries}
    return Beside(
        split=split,
        against_unchanged=judged(found, "unchanged", arm.name, count, **how),
        against_control=judged(found, control, arm.name, count, **how) if control else None,
    )


def by_reason(
    trial: Trial, found: Scored, arm: Arm, origins: Mapping[str, Mapping[str, Any]]
) -> tuple[BeforeAfter, ...]:
    """Rows that judge by why a monitor marked them, and those that it did not mark.

    ``origins`` are those of the rows, by id, as `tunewright.monitor.retraining.origin_of` gives them.
    """
    count = trial.meta["settled"].get(arm.name, {}).get("seeds")
    reasons = [set(origins.get(str(id), {}).get("reasons", ())) for id in found.id]
    names = sorted(set().union(*reasons))
    kinds = {name: np.array([name in own for own in reasons]) for name in names}
    kinds["(not marked)"] = np.array([not own for own in reasons])
    control = _control(trial, found, arm)
    before, after = found.pair("unchanged", arm.name, count)
    chance = found.pair(control, arm.name, len(after))[0] if control else None
    return before_after(before, after, chance, kinds)


def groups_of(rows: pa.Table, ids: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
    """Classes, and slices by each further column of few values, as names [n] in the order of ids."""
    ordered = rows.take(pc.index_in(pa.array(ids, pa.string()), value_set=rows["id"].combine_chunks()))
    found = {}
    for name in ordered.column_names:
        column = ordered[name]
        if name in {"id", "content", "split", "weight"} or pa.types.is_nested(column.type):
            continue
        if 2 <= pc.count_distinct(column).as_py() <= _MOST_GROUPS:
            found[name] = np.array([None if value is None else str(value) for value in column.to_pylist()], object)
    return found


def judged(found: Scored, first: str, second: str, seeds: int | None = None, **how: Any) -> Judged:
    """One arm (B) against another (A), with what all others say about the luck of seeds; ``how`` is for `judge`."""
    a, b = found.pair(first, second, seeds)
    return judge(a, b, metric=found.metric, others=found.others(first, second), **how)


def _control(trial: Trial, found: Scored, arm: Arm) -> str:
    """Name of the control of an arm; empty if it has none."""
    named = (one.name for one in trial.arms if one.kind == "control" and one.decision == arm.name)
    return next((name for name in named if name in found.by_arm), "")


def _earned(trial: Trial, found: Scored, arm: Arm, seeds: int | None) -> tuple[Earned, ...]:
    without = [one for one in trial.arms if one.kind == "without" and one.decision == arm.name]
    without = [one for one in without if one.name in found.by_arm]
    made = [
        Earned(part=one.part, judged=judged(found, one.name, arm.name, seeds, tries=len(without))) for one in without
    ]
    return tuple(sorted(made, key=lambda one: -one.judged.difference))


def _aim(trial: Trial, arm: Arm, rows: pa.Table, found: Scored) -> tuple[str, NDArray[np.bool_] | None]:
    """What a decision is aimed at, in words and as [n] rows; None if at all rows or none."""
    rule, labels = trial.meta.get("slice"), trial.meta.get("aims", {}).get(arm.name, [])
    if rule:
        return rule, np.isin(found.id.astype(str), slice_ids(rows, rule))
    inside = np.isin(found.label.astype(str), labels)
    return ("label " + ", ".join(labels), inside) if inside.any() and not inside.all() else ("", None)


def slice_ids(rows: pa.Table, rule: str) -> list[str]:
    """Ids of the rows for which a rule in SQL holds, such as ``label = 'pos'``.

    Raises:
        DataError: if the rule is no condition about the columns of the rows.
    """
    found: list[str] = query(f"SELECT id FROM examples WHERE {rule}", {"examples": rows})["id"].to_pylist()  # noqa: S608
    return found


def _calibration(found: Scored, name: str, seeds: int | None, labels: Sequence[str]) -> CalibrationChange | None:
    if not found.logits:
        return None
    first, second = _same_seeds(found.logits, "unchanged", name, seeds)
    return calibration_change(softmax(first, axis=2), softmax(second, axis=2), _gold(found, labels))


def _macro_f1(found: Scored, name: str, seeds: int | None, trial: Trial) -> MacroChange | None:
    if trial.meta["metric"] != "macro_f1" or not found.logits:
        return None
    first, second = _same_seeds(found.logits, "unchanged", name, seeds)
    return macro_f1_change(first.argmax(axis=2), second.argmax(axis=2), _gold(found, trial.meta["labels"]))


def _gold(found: Scored, labels: Sequence[str]) -> NDArray[np.intp]:
    """[n] codes."""
    code = {label: position for position, label in enumerate(labels)}
    return np.array([code[str(label)] for label in found.label])


def _same_seeds(
    by_arm: Mapping[str, NDArray[Any]], first: str, second: str, seeds: int | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    a, b = by_arm[first], by_arm[second]
    common = min(len(a), len(b), seeds or len(a))
    return a[:common], b[:common]
