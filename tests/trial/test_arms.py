from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from tunewright.train.config import TrainConfig
from tunewright.trial.arms import Arm, Training, arm_key, steps, training_key, with_equal_steps

BASE = TrainConfig(epochs=3, batch_size=8, arguments={"max_grad_norm": 0.5})
PLAIN = Arm(name="unchanged", kind="unchanged", versions=("v0",))
SAME = {"model": "m", "task": "t", "own_loss": None}


def test_an_arm_survives_json():
    arm = Arm(name="a", kind="decision", versions=("v1",), settings={"class_weights": (1.0, 2.0), "loss": "focal"})
    assert Arm.from_json(json.loads(json.dumps(arm.to_json()))) == arm


def test_each_seed_of_a_control_has_a_draw_of_its_own():
    control = Arm(name="c", kind="control", versions=("v1", "v2"))
    assert [control.trainings(BASE, seed, seed)[0].version for seed in (0, 1)] == ["v1", "v2"]


def test_arguments_of_the_trainer_join_those_there_are():
    arm = Arm(name="a", kind="decision", versions=("v1",), settings={"arguments": {"lr_scheduler_type": "cosine"}})
    (training,) = arm.trainings(BASE, 4, 0)
    assert training.config.arguments == {"max_grad_norm": 0.5, "lr_scheduler_type": "cosine"}
    assert training.config.seed == 4


def test_an_ensemble_has_members_of_other_seeds_and_shares_the_first():
    ensemble = Arm(name="e", kind="decision", versions=("v0",), members=3)
    members = ensemble.trainings(BASE, 1, 0)
    assert len({one.config.seed for one in members}) == 3
    assert members[0] == PLAIN.trainings(BASE, 1, 0)[0]
    seeds = [one.config.seed for seed in range(50) for one in ensemble.trainings(BASE, seed, 0)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(("rows", "epochs", "expected"), [(100, 3, 39), (8, 1, 1), (9, 1, 2), (100, 0.5, 7), (1, 1, 1)])
def test_steps_are_those_the_trainer_takes(rows, epochs, expected):
    assert steps(rows, replace(BASE, epochs=epochs)) == expected


def test_steps_know_of_accumulation_and_of_a_fixed_number():
    assert steps(100, replace(BASE, arguments={"gradient_accumulation_steps": 4})) == 12
    assert steps(100, replace(BASE, arguments={"max_steps": 7})) == 7


@given(st.integers(1, 500), st.integers(1, 500))
def test_arms_of_other_sizes_take_the_same_number_of_steps(rows, others):
    expected = steps(rows, BASE)
    assert steps(others, with_equal_steps(BASE, expected)) == expected
    assert with_equal_steps(BASE, None) is BASE


def test_what_changes_no_model_changes_no_key():
    training = Training(version="v0", config=BASE)
    same = Training(version="v0", config=replace(BASE, threads=2, record="none", trackers=("tensorboard",)))
    assert training_key(training, **SAME) == training_key(same, **SAME)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"epochs": 2}, {"loss": "focal"}, {"precision": "bf16"}, {"arguments": {}}]
)
def test_what_changes_the_model_changes_the_key(other):
    training, changed = (Training(version="v0", config=replace(BASE, **change)) for change in ({}, other))
    assert training_key(training, **SAME) != training_key(changed, **SAME)
    assert training_key(training, **SAME) != training_key(training, **(SAME | {"model": "n"}))


def test_a_decision_is_the_same_whatever_it_is_called_and_with_any_seed():
    arm = Arm(name="a", kind="decision", versions=("v1",), settings={"loss": "focal"})
    where = {"base": "v0", "config": BASE, "model": "m"}
    assert arm_key(arm, **where) == arm_key(replace(arm, name="b", decision="b"), **where)
    assert arm_key(arm, **where) == arm_key(arm, **(where | {"config": replace(BASE, seed=7)}))
    assert arm_key(arm, **where) != arm_key(replace(arm, versions=("v2",)), **where)
    assert arm_key(arm, **where) != arm_key(arm, **(where | {"base": "v9"}))
