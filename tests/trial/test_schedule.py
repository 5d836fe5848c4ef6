from __future__ import annotations

from tunewright.train.config import TrainConfig
from tunewright.trial.arms import Arm
from tunewright.trial.schedule import Schedule

BASE = TrainConfig()
UNCHANGED = Arm(name="unchanged", kind="unchanged", versions=("v0",))
FIRST, SECOND = (Arm(name=name, kind="decision", decision=name, versions=(f"v-{name}",)) for name in ("a", "b"))
CONTROL = Arm(name="a at random", kind="control", decision="a", versions=("r0", "r1"))


def named(training):
    return f"{training.version}/{training.config.seed}"


def planned(*arms, seeds=(0, 1), done=()):
    return Schedule(arms or (UNCHANGED, FIRST, CONTROL, SECOND), seeds, BASE, named, set(done))


def drained(schedule):
    keys = []
    while (taken := schedule.take()) is not None:
        keys.append(taken[0])
    return keys


def test_seed_by_seed_over_all_arms():
    assert drained(planned()) == ["v0/0", "v-a/0", "r0/0", "v-b/0", "v0/1", "v-a/1", "r1/1", "v-b/1"]


def test_what_is_done_is_not_done_again():
    schedule = planned(done=["v0/0", "v-b/1"])
    assert schedule.left() == 6
    assert "v0/0" not in drained(schedule)
    assert schedule.left() == 0


def test_equal_trainings_are_one():
    twin = Arm(name="twin", kind="decision", decision="twin", versions=("v0",))
    assert drained(planned(UNCHANGED, twin)) == ["v0/0", "v0/1"]


def test_a_seed_is_complete_when_every_arm_is():
    schedule = planned(done=["v0/0", "v-a/0", "r0/0"])
    assert schedule.complete() == 0
    schedule.done.add("v-b/0")
    assert schedule.complete() == 1


def test_settled_decisions_are_trained_no_further():
    schedule = planned()
    schedule.settled.add("a")
    assert drained(schedule) == ["v0/0", "v-b/0", "v0/1", "v-b/1"]


def test_when_all_are_settled_nothing_is_left():
    schedule = planned()
    schedule.settled |= {"a", "b"}
    assert schedule.take() is None
    assert schedule.left() == 0
