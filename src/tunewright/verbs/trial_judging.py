"""A finished trial, judged: by the rows that decide, by those beside them, and by why production rows were marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunewright.trial.arms import arm_key
from tunewright.trial.folder import LEDGER
from tunewright.trial.ledger import Try, note, tries
from tunewright.verbs.trial_verdict import DecisionVerdict, Scored, beside, by_reason, decided, judged, scored

if TYPE_CHECKING:
    from tunewright.trial.arms import Arm
    from tunewright.trial.folder import Trial
    from tunewright.verbs.trial_base import Base

__all__ = ["decisions_of", "key_of", "note_verdicts", "verdicts"]


def verdicts(base: Base, trial: Trial, known: Sequence[Try]) -> tuple[DecisionVerdict, ...]:
    """The verdict about each decision, as all decisions that were ``known`` to be judged on the same rows correct it."""
    found = scored(trial.results(), metric=trial.meta["metric"])
    rows = base.judged_by
    made = []
    for arm in decisions_of(trial):
        earlier = [one.p for one in known if one.key != key_of(base, trial, arm)]
        count = max(len(earlier) + 1, len(decisions_of(trial)))  # also where somebody has removed the ledger
        one = decided(trial, found, arm, rows, earlier=earlier, tries=count)
        made.append(one if base.held_out is None else _with_production(base, trial, found, arm, one))
    return tuple(made)


def _with_production(base: Base, trial: Trial, found: Scored, arm: Arm, verdict: DecisionVerdict) -> DecisionVerdict:
    """The verdict of production rows with that of the test rows, and with the reasons why rows were marked."""
    other, edit = base.by_test, base.held_out
    if other is None or edit is None:
        return verdict
    known = tries(trial.folder.parent / LEDGER, other.fingerprint)
    earlier = [one.p for one in known if one.key != key_of(base, trial, arm)]
    count = max(len(earlier) + 1, len(decisions_of(trial)))
    said = scored(trial.results(beside=True), metric=trial.meta["metric"])
    return replace(
        verdict,
        beside=beside(trial, said, arm, split=other.split, earlier=earlier, tries=count),
        reasons=by_reason(trial, found, arm, edit.evidence.rows),
    )


def note_verdicts(base: Base, trial: Trial, *, beside: bool = False) -> None:
    """Write the decisions into the ledger, each once."""
    found = scored(trial.results(beside=beside), metric=trial.meta["metric"])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = []
    for arm in decisions_of(trial):
        count = trial.meta["settled"].get(arm.name, {}).get("seeds")
        said = judged(found, "unchanged", arm.name, count)
        made.append(
            Try(
                test=base.fingerprint,
                key=key_of(base, trial, arm),
                name=arm.name,
                trial=trial.id,
                metric=said.metric,
                p=said.p,
                time=now,
            )
        )
    note(trial.folder.parent / LEDGER, made)


def decisions_of(trial: Trial) -> list[Arm]:
    """The arms of a trial that are decisions, in the order they were given."""
    return [arm for arm in trial.arms if arm.kind == "decision"]


def key_of(base: Base, trial: Trial, arm: Arm) -> str:
    """What makes two tries of an arm one."""
    return arm_key(arm, base=base.version, config=base.config, model=base.model, seeds=trial.seeds)
