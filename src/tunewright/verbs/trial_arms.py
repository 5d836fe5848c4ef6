"""From decisions to arms: versions with their ids, configurations with equal steps, controls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tunewright.data.edits import version_after
from tunewright.errors import EditError
from tunewright.trial.arms import Arm, steps
from tunewright.trial.decisions import Decision, Ensembled
from tunewright.verbs.trial_base import Base, trained_rows
from tunewright.verbs.trial_edits import control, edited, edits_of, settings_of

if TYPE_CHECKING:
    from tunewright.data.edits import Edit

__all__ = ["Proposed", "propose", "store"]

_LENGTHS = ("epochs", "batch_size", "arguments")
"""Fields of the configuration that say how long a training is: who changes them wants other steps."""

Edits = tuple["Edit", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """An arm, with the edits of each of its versions; nothing of it is stored yet."""

    arm: Arm
    edits: tuple[Edits, ...]


def propose(
    base: Base, decisions: Sequence[Decision], *, seeds: Sequence[int], same_epochs: bool, all_but_one: bool
) -> tuple[Proposed, ...]:
    """No change, then each decision, its control, and itself without each of its parts.

    A control is drawn afresh for each seed: it stands for acting at random, not for one draw.

    Args:
        base: what the decisions are changes of.
        decisions: what to try.
        seeds: one training of every arm each.
        same_epochs: leave epochs as they are, and so take other numbers of steps.
        all_but_one: also try each decision of several parts without each of them.

    Raises:
        EditError: if a decision does not fit the data, or does nothing.
        RunError: if a decision rests on a run, and there is none.
    """
    expected = steps(_inputs(base, ()), base.config)
    unchanged = Proposed(arm=Arm(name="unchanged", kind="unchanged", versions=(base.version,)), edits=((),))
    made = [unchanged]
    for decision in decisions:
        made += _of(base, decision, seeds=seeds, all_but_one=all_but_one)
    return tuple(made if same_epochs else (_equalised(base, one, expected) for one in made))


def store(base: Base, proposed: Sequence[Proposed]) -> None:
    """Make the versions that the arms and judges need, under names of their own; those there already stay as they are."""
    if base.held_out is not None and not _is_stored(base, base.judge):
        base.dataset.apply([base.held_out], on=base.version, name=_free_name(base, f"trial-{base.split}"))
    for one in proposed:
        for number, (version, edits) in enumerate(zip(one.arm.versions, one.edits, strict=True)):
            if edits and not _is_stored(base, version):
                base.dataset.apply(edits, on=base.version, name=_version_name(base, one.arm, number))


def _of(base: Base, decision: Decision, *, seeds: Sequence[int], all_but_one: bool) -> list[Proposed]:
    own = _proposed(base, decision, name=decision.name, kind="decision", decision=decision.name)
    if not (any(own.edits) or own.arm.settings or own.arm.members > 1):
        raise EditError(f"decision {decision.name!r} changes nothing", fix="see `tunewright trial plan`")
    made = [own, *_controls(base, own, seeds)]
    if all_but_one and len(decision.parts) > 1:
        for position, text in enumerate(decision.texts):
            rest = decision.without(position)
            made.append(_proposed(base, rest, name=rest.name, kind="without", decision=decision.name, part=text))
    return made


def _proposed(base: Base, chosen: Decision, **arm: Any) -> Proposed:
    edits = edits_of(base, chosen)
    members = next((part.members for part in chosen.parts if isinstance(part, Ensembled)), 1)
    versions = (_after(base.version, edits),)
    made = Arm(versions=versions, settings=settings_of(chosen), members=members, **arm)
    return Proposed(arm=made, edits=(edits,))


def _controls(base: Base, own: Proposed, seeds: Sequence[int]) -> list[Proposed]:
    """One control: the same configuration and as many members, with the edits at random rows; none without edits."""
    (edits,) = own.edits
    if not edits:
        return []
    try:
        drawn = tuple(control(base, edits, seed=seed) for seed in seeds)
    except EditError:  # rows that were collected cannot be drawn at random
        return []
    arm = Arm(
        name=f"{own.arm.name} at random",
        kind="control",
        decision=own.arm.decision,
        versions=tuple(_after(base.version, one) for one in drawn),
        settings=own.arm.settings,
        members=own.arm.members,
    )
    return [Proposed(arm=arm, edits=drawn)]


def _equalised(base: Base, one: Proposed, expected: int) -> Proposed:
    config = base.config.with_changes(**_plain(base, one.arm))
    own = {steps(_inputs(base, edits), config) for edits in one.edits}
    if own == {expected}:
        return one
    if any(name in one.arm.settings for name in _LENGTHS):
        note = f"takes {max(own):,} steps where no change takes {expected:,}, as its configuration says"
        return replace(one, arm=replace(one.arm, note=note))
    return replace(one, arm=replace(one.arm, steps=expected))


def _plain(base: Base, arm: Arm) -> dict[str, Any]:
    return {**arm.settings, "arguments": {**base.config.arguments, **arm.settings.get("arguments", {})}}


def _inputs(base: Base, edits: Edits) -> int:
    return trained_rows(base, edited(base, edits), mixed=sum(len(getattr(edit, "recipes", ())) for edit in edits))


def _after(version: str, edits: Edits) -> str:
    for edit in edits:
        version = version_after(version, edit)
    return version


def _is_stored(base: Base, version: str) -> bool:
    try:
        return bool(base.dataset.resolve(version))
    except EditError:
        return False


def _version_name(base: Base, arm: Arm, number: int) -> str:
    """A free name for a version of an arm."""
    name = "trial-" + re.sub(r"[^\w.-]+", "-", arm.name).strip("-.")[:60]
    if len(arm.versions) > 1:
        name += f"-{number + 1}"
    return _free_name(base, name)


def _free_name(base: Base, name: str) -> str:
    taken, free, again = base.dataset.versions, name, 1
    while free in taken:
        again += 1
        free = f"{name}-{again}"
    return free
