"""Did collecting help? Collected rows against random ones, judged by production rows that no arm has seen."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright import col
from tunewright.errors import EditError
from tunewright.project import open_dataset
from tunewright.toy import toy_texts
from tunewright.trial.folder import find
from tunewright.trial.ledger import tries
from tunewright.verbs import collected, edit_log, monitor, plan_trial, run_trial, show_trial

ALONE = {"workers": 1, "stop_early": False}
ODD = (col("probability") < 0.9).edge("unsure")


def watch(project, tmp_path, *, labelled=200, rows=200, budget=40):
    """Log rows of production, the first of them labelled; ids are those of the dataset."""
    table = toy_texts(rows, seed=21)
    ids = pa.array([str(number) for number in range(rows)])
    label = pa.array([name if place < labelled else None for place, name in enumerate(table["label"].to_pylist())])
    path = tmp_path / "day.csv"
    pyarrow.csv.write_csv(pa.table({"id": ids, "text": table["text"], "label": label}), path)
    monitor(project, path, budget=budget)


@pytest.fixture(scope="module")
def project(fresh, tmp_path_factory):
    """With a run, a monitor of 200 labelled rows, and a version that learns from those it collected."""
    made = replace(fresh(noise=0.2), monitors=((col("probability") > 0).edge("every"), ODD))
    tw.train(made, name="first")
    watch(made, tmp_path_factory.mktemp("production"))
    collected(made, add="harder")
    return made


@pytest.fixture(scope="module")
def tried(project):
    return run_trial(project, "version:harder", seeds=2, **ALONE)


def stored(project, verdicts):
    return find(project.folder / "trials", verdicts.trial)


def rows_of(dataset, version):
    return {row["id"]: row["text"] for row in dataset.table(version).to_pylist()}


def test_a_plan_says_what_both_sets_of_rows_can_show_and_where_random_rows_are_from(project):
    before = open_dataset(project).versions
    planned = plan_trial(project, "version:harder", seeds=2)
    assert planned.split == "production"
    assert "no arm learns from judge, the test rows beside them" in planned.production
    assert planned.planned.n != planned.beside.n == 20
    sizes = {arm.kind: arm.rows for arm in planned.arms}
    assert sizes["control"] == sizes["decision"] > 0
    assert open_dataset(project).versions == before


@pytest.mark.slow
def test_held_out_production_decides_and_test_rows_stand_beside(project, tried):
    (one,) = tried.decisions
    assert tried.split == "production"
    assert one.against_unchanged.n == one.against_control.n == tried.n
    assert one.beside.split == "test"
    assert one.beside.against_unchanged.n == one.beside.against_control.n == 20
    assert {reason.kind for reason in one.reasons} <= {"every", "unsure", "(not marked)"}
    assert one.reasons[0].kind == "every"
    assert one.reasons[0].after - one.reasons[0].before == pytest.approx(one.reasons[0].difference)
    json.dumps(tried.to_json())
    again = show_trial(project, tried.trial)
    assert again.decisions[0].beside.against_unchanged.difference == one.beside.against_unchanged.difference


@pytest.mark.slow
def test_arms_share_no_row_with_those_that_judge(project, tried):
    dataset, trial = open_dataset(project), stored(project, tried)
    held = dataset.table(trial.meta["judge"])
    judged = set(held.filter(pc.equal(held["split"], "production"))["text"].to_pylist())
    assert len(judged) == tried.n
    for arm in trial.arms:
        for version in arm.versions:
            assert not judged & set(rows_of(dataset, version).values())


@pytest.mark.slow
def test_a_control_adds_as_many_labelled_rows_that_were_not_collected_drawn_for_each_seed(project, tried):
    dataset, trial = open_dataset(project), stored(project, tried)
    (decision, control) = (next(arm for arm in trial.arms if arm.kind == kind) for kind in ("decision", "control"))
    first, second = (dataset.log(version)[-1].edit for version in control.versions)
    (own,) = [entry.edit for entry in dataset.log(decision.versions[0])]
    assert len(first.rows) == len(second.rows) == len(own.rows)
    assert first.rows != second.rows
    assert all(row["label"] in project.task.labels for row in first.rows)
    chosen = set(collected(project).rows["id"].to_pylist())
    assert not chosen & {origin["production"] for origin in first.evidence.rows.values()}
    assert first.evidence.analysis == "monitor, at random"


@pytest.mark.slow
def test_both_sets_of_rows_count_the_try(project, tried):
    ledger = project.folder / "trials" / "tries.jsonl"
    test = open_dataset(project).fingerprint("test")
    of_production = stored(project, tried).meta["fingerprint"]
    assert [len(tries(ledger, rows)) for rows in (test, of_production)] == [1, 1]


@pytest.mark.slow
def test_collected_rows_are_used_and_random_ones_are_not(project, tried):
    (entry,) = open_dataset(project).log("harder")
    used = collected(project).rows.filter(pc.equal(collected(project).rows["step"], "used"))["id"].to_pylist()
    assert set(used) == {origin["production"] for origin in entry.edit.evidence.rows.values()}
    assert len(edit_log(project, "harder", id=entry.edit.rows[0]["id"]).runs) == 2


def test_too_few_labels_for_a_control_are_refused_with_the_way_out(new, tmp_path):
    project = replace(new, monitors=((col("probability") > 0).edge("every"),))
    tw.train(project, name="first")
    watch(project, tmp_path, rows=60, labelled=60, budget=45)
    collected(project, add="harder", hold_out=0)
    with pytest.raises(EditError, match=r"are missing") as refused:
        plan_trial(project, "version:harder")
    assert "monitor collected --control --csv" in refused.value.fix
    assert "--control whole" in refused.value.fix
    whole = plan_trial(project, "version:harder", control="whole")
    assert any(arm.kind == "control" for arm in whole.arms)
    alone = plan_trial(project, "version:harder", control="none")
    assert [arm.kind for arm in alone.arms] == ["unchanged", "decision"]
    assert (alone.split, alone.beside) == ("test", None)
    assert "test rows judge alone" in alone.production
    with pytest.raises(EditError, match="no control is called 'some'"):
        plan_trial(project, "version:harder", control="some")


@pytest.mark.slow
def test_an_interrupted_trial_of_collected_rows_goes_on_with_the_same_rows(project):
    def stop(what, done, total):
        if "again" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_trial(project, "again=version:harder", seeds=1, progress=stop, **ALONE)
    trial = find(project.folder / "trials")
    found = run_trial(project, resume=trial.id, workers=1)
    assert (found.status, found.split) == ("finished", "production")
    assert found.decisions[0].beside is not None
