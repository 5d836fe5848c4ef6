"""Trials from a decision to a verdict, on toy models."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tunewright as tw
from tunewright import verbs
from tunewright.data.edits import Drop
from tunewright.errors import ComparisonError, EditError, RunError, TrainError
from tunewright.project import open_dataset
from tunewright.run import find, runs
from tunewright.trial.folder import find as find_trial
from tunewright.verbs import trial_worker, trials
from tunewright.verbs.folds import train_folds
from tunewright.verbs.trial_base import finished, open_base
from tunewright.verbs.trial_edits import aimed_at

ALONE = {"workers": 1, "stop_early": False}


@pytest.fixture(scope="module")
def trained(fresh):
    project = fresh(noise=0.2)
    return project, tw.train(project)


@pytest.fixture(scope="module")
def tried(trained):
    """Two decisions, one of two parts, with two seeds."""
    project, _ = trained
    return verbs.run_trial(
        project,
        "cleaned=drop:top:10%",
        "both=relabel:top:4+set:label_smoothing=0.1",
        seeds=2,
        all_but_one=True,
        **ALONE,
    )


def stored(project, verdicts):
    return find_trial(project.folder / "trials", verdicts.trial)


@pytest.mark.slow
def test_each_decision_is_judged_against_no_change_and_against_chance(tried):
    assert [one.name for one in tried.decisions] == ["cleaned", "both"]
    for one in tried.decisions:
        assert one.word in {"better", "worse", "cannot tell"}
        assert one.word == one.against_unchanged.verdict
        assert one.against_unchanged.seeds == one.against_control.seeds == 2
        assert one.against_unchanged.n == tried.n == 20
        assert one.against_unchanged.mean_a == tried.decisions[0].against_unchanged.mean_a
        assert {group.by for group in one.groups} <= {"label"}
        assert one.calibration is not None


@pytest.mark.slow
def test_all_arms_share_seeds_and_take_equal_steps(trained, tried):
    project, base = trained
    trial = stored(project, tried)
    assert [arm.kind for arm in trial.arms] == ["unchanged", "decision", "control", "decision", "control"] + [
        "without"
    ] * 2
    made = [run for run in runs(project.runs_folder) if run.kind == "train"]
    assert {run.meta["steps"] for run in made} == {base.meta["steps"]}
    assert {run.meta["seed"] for run in made} == {0, 1}


@pytest.mark.slow
def test_what_is_trained_already_is_not_trained_again(trained, tried):
    project, base = trained
    trial = stored(project, tried)
    assert base.id in {one["run"] for one in trial.done.values()}
    assert tried.reused == 1
    assert tried.trainings == 2 * 7 - 1
    again = verbs.run_trial(project, "cleaned=drop:top:10%", seeds=2, **ALONE)
    assert (again.trainings, again.reused) == (0, 6)
    assert again.decisions[0].against_unchanged.difference == tried.decisions[0].against_unchanged.difference


@pytest.mark.slow
def test_the_same_decision_is_one_try_and_another_one_more(trained, tried):
    project, _ = trained
    before = verbs.show_trial(project, tried.trial).tries
    verbs.run_trial(project, "renamed=drop:top:10%", seeds=2, **ALONE)
    assert verbs.show_trial(project, tried.trial).tries == before
    verbs.run_trial(project, "set:weight_decay=0.1", seeds=2, **ALONE)
    verbs.run_trial(project, "set:weight_decay=0.1", seeds=3, **ALONE)
    shown = verbs.show_trial(project, tried.trial)
    assert shown.tries == before + 2
    assert shown.decisions[0].against_unchanged.tries == shown.tries


@pytest.mark.slow
def test_parts_say_what_they_add(tried):
    cleaned, both = tried.decisions
    assert cleaned.earned == ()
    assert {one.part for one in both.earned} == {"relabel:top:4", "set:label_smoothing=0.1"}


@pytest.mark.slow
def test_a_control_has_as_many_edits_of_the_same_kind_at_other_rows_for_each_seed(trained, tried):
    project, _ = trained
    dataset, trial = open_dataset(project), stored(project, tried)
    own, control = (arm for arm in trial.arms if arm.decision == "cleaned")
    edits = [dataset.log(version)[-1].edit for version in (*own.versions, *control.versions)]
    assert len(edits) == 3
    assert all(isinstance(edit, Drop) and len(edit.ids) == 6 for edit in edits)
    assert len({frozenset(edit.ids) for edit in edits}) == 3


@pytest.mark.slow
def test_nothing_is_learnt_from_the_rows_that_judge(trained, tried):
    project, _ = trained
    dataset = open_dataset(project)
    test = dataset.fingerprint("test")
    trial = stored(project, tried)
    for arm in trial.arms:
        assert {dataset.fingerprint("test", version) for version in arm.versions} == {test}
    evaluations = [find(project.runs_folder, one["evaluation"]) for one in trial.done.values()]
    assert {run.meta["fingerprint"] for run in evaluations} == {test}


@pytest.mark.slow
def test_the_verdict_is_computed_from_what_is_stored(trained, tried):
    project, _ = trained
    results = stored(project, tried).results()
    correct = results.filter(pc.equal(results["arm"], "cleaned"))["correct"]
    mean = pc.mean(pc.cast(correct, "int8")).as_py()
    assert mean == pytest.approx(tried.decisions[0].against_unchanged.mean_b)
    assert json.dumps(tried.to_json())


@pytest.mark.slow
def test_the_last_run_is_no_arm(trained, tried):
    project, base = trained
    assert find(project.runs_folder, "last").id == base.id
    assert open_base(project).run.id == base.id


@pytest.mark.slow
def test_a_trial_that_is_interrupted_goes_on_where_it_was(new, monkeypatch):
    tw.train(new)
    seen = []

    def stop(what, done, total):
        seen.append((what, done, total))
        if len({name for name, *_ in seen}) == 3 and done % 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verbs.run_trial(new, "drop:top:10%", seeds=2, progress=stop, **ALONE)
    shown = verbs.show_trial(new)
    assert (shown.status, shown.decisions) == ("interrupted", ())
    half = [run for run in runs(new.runs_folder) if run.meta["status"] == "interrupted"]
    before = len(runs(new.runs_folder))
    done = verbs.run_trial(new, resume=True, workers=1)
    assert done.status == "finished"
    assert len(half) == 1
    assert find(new.runs_folder, half[0].id).meta["status"] == "finished"
    assert done.trainings + done.reused == 6
    assert len([run for run in runs(new.runs_folder) if run.kind == "train"]) == 6
    assert len(runs(new.runs_folder)) > before
    with pytest.raises(TrainError, match="own decisions"):
        verbs.run_trial(new, "drop:top:3", resume=True)


@pytest.mark.slow
def test_processes_side_by_side_find_the_same(trained, tried):
    project, _ = trained
    found = verbs.run_trial(project, "drop:top:2", seeds=2, workers=2, stop_early=False)
    alone = verbs.run_trial(project, "drop:top:2", seeds=2, **ALONE)
    assert found.status == "finished"
    assert alone.trainings == 0
    assert found.decisions[0].against_unchanged.mean_b == alone.decisions[0].against_unchanged.mean_b


@pytest.mark.slow
def test_an_ensemble_is_a_decision_without_a_control(trained, tried):
    project, _ = trained
    found = verbs.run_trial(project, "ensemble:2", "set:epochs=4", seeds=2, **ALONE)
    ensemble, longer = found.decisions
    assert ensemble.against_control is None
    assert "takes 32 steps where no change takes 24" in longer.note
    arm = next(arm for arm in stored(project, found).arms if arm.name == "ensemble:2")
    assert arm.members == 2


@pytest.mark.slow
def test_looks_after_each_seed_settle_a_decision(trained, monkeypatch):
    project, _ = trained
    found = verbs.run_trial(project, "drop:top:1", seeds=3, workers=1)
    trial = stored(project, found)
    assert [count for count, _ in trial.meta["looks"]] == [2, 3]
    assert trial.meta["alpha"] < 0.05
    settled = trial.meta["settled"].get("drop:top:1")
    assert settled is None or settled["seeds"] in {2, 3}
    assert found.decisions[0].against_unchanged.seeds == (settled["seeds"] if settled else 3)


def test_a_slice_must_be_some_of_the_rows(trained):
    project, _ = trained
    with pytest.raises(RunError, match="none or all"):
        verbs.run_trial(project, "drop:top:1", slice="label = 'nobody'", **ALONE)


def test_versions_and_decisions_that_do_not_fit_are_refused(trained):
    project, _ = trained
    dataset = open_dataset(project)
    table = dataset.table()
    first = table.filter(pc.equal(table["split"], "test"))["id"][0].as_py()
    dataset.apply([Drop(ids=(first,))], on="main", name="easier", allow_test=True)
    with pytest.raises(EditError, match="by which it would be judged"):
        verbs.run_trial(project, "version:easier", **ALONE)
    with pytest.raises(EditError, match="changes nothing"):
        verbs.run_trial(project, "version:main", **ALONE)
    with pytest.raises(ComparisonError, match="nothing was chosen on"):
        verbs.run_trial(project, "drop:top:1", split="validation", **ALONE)
    with pytest.raises(TrainError, match="one seed or more"):
        verbs.run_trial(project, "drop:top:1", seeds=0, **ALONE)


def test_a_decision_that_rests_on_a_run_needs_one(new):
    with pytest.raises(RunError, match="expected a training run.* found none"):
        verbs.run_trial(new, "drop:top:1", **ALONE)
    with pytest.raises(RunError, match="found none"):
        verbs.show_trial(new)


def test_looks_spend_less_at_first():
    assert trials._looks(1) == trials._looks(2) == []
    (second, early), (third, late) = trials._looks(3)
    assert (second, third) == (2, 3)
    assert early < late < 0.05


@pytest.mark.slow
def test_only_trainings_on_all_rows_by_the_same_libraries_are_used_again(new):
    train_folds(new, 2)
    assert finished(open_base(new)) == {}
    run = tw.train(new)
    base = open_base(new)
    assert [one.id for one in finished(base).values()] == [run.id]
    run.update(versions={**run.meta["versions"], "torch": "0.1"})
    assert finished(base) == {}


@pytest.mark.slow
def test_a_training_that_fails_leaves_the_others(new, monkeypatch):
    tw.train(new)
    train = trial_worker.train

    def failing(project, **how):
        if how["meta"]["arm"] == "drop:top:1":
            raise OSError("no space left")
        return train(project, **how)

    with monkeypatch.context() as patch:
        patch.setattr(trial_worker, "train", failing)
        with pytest.raises(TrainError, match="^drop:top:1, seed 0: OSError: no space left\n") as caught:
            verbs.run_trial(new, "drop:top:1", "drop:top:2", seeds=2, **ALONE)
    shown = verbs.show_trial(new)
    assert (shown.status, shown.decisions) == ("failed", ())
    assert f"--resume {shown.trial}" in caught.value.fix
    without = verbs.run_trial(new, "drop:top:2", seeds=2, **ALONE)
    assert without.trainings == 0
    whole = verbs.run_trial(new, resume=shown.trial, workers=1)
    assert (whole.status, len(whole.decisions)) == ("finished", 2)


@pytest.mark.slow
def test_without_the_arm_of_no_change_there_is_nothing_to_go_on_for(new, monkeypatch):
    calls = []

    def failing(project, **how):
        calls.append(how["meta"]["arm"])
        raise OSError("no space left")

    monkeypatch.setattr(trial_worker, "train", failing)
    with pytest.raises(TrainError, match="unchanged, seed 0: OSError"):
        verbs.run_trial(new, "set:weight_decay=0.1", seeds=2, **ALONE)
    assert calls == ["unchanged"]


@pytest.mark.slow
def test_a_removed_ledger_still_leaves_the_decisions_of_the_trial(trained, tried):
    project, _ = trained
    ledger = project.folder / "trials" / "tries.jsonl"
    kept = ledger.read_bytes()
    ledger.unlink()
    shown = verbs.show_trial(project, tried.trial)
    ledger.write_bytes(kept)
    assert (shown.tries, [one.against_unchanged.tries for one in shown.decisions]) == (2, [2, 2])


@pytest.mark.slow
def test_a_trial_is_not_resumed_with_another_task(trained, tried):
    project, _ = trained
    trial = stored(project, tried)
    other = replace(project, task=replace(project.task, max_length=7))
    trial.update(status="interrupted")
    with pytest.raises(RunError, match="found another task"):
        verbs.run_trial(other, resume=trial.id, workers=1)
    trial.update(status="finished")


@pytest.mark.slow
def test_macro_f1_is_shown_beside_a_verdict_about_rows(fresh):
    project = fresh(noise=0.2)
    project = replace(project, task=replace(project.task, metric="macro_f1"))
    planned = verbs.plan_trial(project, "set:weight_decay=0.1", seeds=2)
    assert (planned.metric, planned.judged_by) == ("macro_f1", "accuracy")
    assert planned.seconds > 0  # measured: nothing was trained
    found = verbs.run_trial(project, "set:weight_decay=0.1", seeds=2, **ALONE)
    (one,) = found.decisions
    assert (found.metric, one.against_unchanged.metric) == ("accuracy", "accuracy")
    low, high = one.macro_f1.interval
    assert low <= one.macro_f1.difference <= high
    assert one.local is None


@pytest.mark.slow
def test_a_decision_is_aimed_at_the_labels_that_it_touches_most(new):
    tw.train(new)
    label, rows = new.task.labels[0], open_base(new).rows
    mine = rows.filter(pc.and_(pc.equal(rows["split"], "train"), pc.equal(rows["label"], label)))["id"]
    found = verbs.run_trial(new, f"rule:drop:id = '{mine[0]}' OR id = '{mine[1]}'", seeds=2, **ALONE)
    (one,) = found.decisions
    assert one.aim == f"label {label}"
    assert 0 < one.local.n_inside < found.n


def test_edits_are_aimed_where_they_touch_more_rows_than_elsewhere():
    before = pa.table(
        {
            "id": [str(number) for number in range(20)],
            "split": ["train"] * 16 + ["test"] * 4,
            "label": ["a"] * 8 + ["b"] * 8 + ["a"] * 4,
            "weight": [1.0] * 20,
        }
    )
    gone = before.filter(pc.not_equal(before["id"], "0"))
    assert aimed_at(before, gone) == ("a",)
    assert aimed_at(before, before) == ()
    assert aimed_at(before, before.filter(pc.not_equal(before["id"], "19"))) == ()
    both = gone.filter(pc.not_equal(gone["id"], "8"))
    assert aimed_at(before, both) == ()
