"""Collected rows as a version: ids, evidence, held-out rows, and how far they came."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright import col
from tunewright.errors import MonitorError
from tunewright.project import open_dataset
from tunewright.toy import toy_texts
from tunewright.verbs import attach_labels, collected, edit_log, monitor

EVERY = (col("probability") > 0).edge("every")


@pytest.fixture(scope="module")
def watched(fresh, tmp_path_factory):
    """A project whose monitor has 80 labelled rows, ids of which the dataset has too, and what was collected of them."""
    project = replace(fresh(), monitors=(EVERY,))
    run = tw.train(project, name="first")
    path = tmp_path_factory.mktemp("production") / "day.csv"
    rows = toy_texts(80, seed=11)
    ids = open_dataset(project).table()["id"].slice(0, 80)
    pyarrow.csv.write_csv(rows.set_column(0, "id", ids).select(["id", "text", "label"]), path)
    monitor(project, path, run=run, budget=30)
    return project, path


def test_ids_that_collide_are_told_apart_and_rows_keep_their_evidence(watched):
    project, _ = watched
    found = collected(project, add="harder")
    dataset = open_dataset(project)
    (entry,) = dataset.log("harder")
    edit = entry.edit
    assert found.added == len(edit.rows) > 0
    assert found.added + found.held_out + found.there == found.rows.num_rows
    assert dataset.table("harder").num_rows == dataset.table("main").num_rows + found.added
    assert {row["id"] for row in edit.rows} == set(edit.evidence.rows)
    assert all(row["id"] == f"production:{edit.evidence.rows[row['id']]['production']}" for row in edit.rows)
    one = edit.evidence.rows[edit.rows[0]["id"]]
    assert list(one["reasons"]) == ["every"]
    assert 0 < one["reasons"]["every"] <= 1
    assert {"model", "reference", "task", "held_out"} <= set(edit.evidence.facts)

    log = edit_log(project, "harder", id=edit.rows[0]["id"])
    (reason,) = log.provenance["reason"].to_pylist()
    assert f"production {one['production']}" in reason
    assert "every" in reason
    assert log.runs == ()


def test_a_run_that_learns_from_collected_rows_says_so_in_the_monitor(watched):
    project, _ = watched
    collected(project, add="used")
    (entry,) = open_dataset(project).log("used")
    run = tw.train(project, version="used")
    steps = dict(zip(*(collected(project).rows[name].to_pylist() for name in ("id", "step")), strict=True))
    learnt = {origin["production"] for origin in entry.edit.evidence.rows.values()}
    assert {id for id, step in steps.items() if step == "used"} == learnt
    assert edit_log(project, "used", id=entry.edit.rows[0]["id"]).runs[-1] == run.id


def test_equal_texts_are_there_already_whatever_their_ids(watched, tmp_path):
    project, _ = watched
    known = open_dataset(project).table().select(["text", "label"]).slice(0, 12)
    path = tmp_path / "again.csv"
    pyarrow.csv.write_csv(known.append_column("id", pa.array([f"new-{n}" for n in range(12)])), path)
    monitor(project, path, name="again")
    with pytest.raises(MonitorError, match=r"12 rows: 12 in main already"):
        collected(project, "again", add="nothing")


def test_held_out_rows_are_never_added_and_the_same_ones_each_time(watched):
    project, _ = watched
    few = collected(project, "production", add="most", hold_out=0.5)
    all_of_them = collected(project, "production", add="all", hold_out=0)
    dataset = open_dataset(project)
    kept, whole = ({row["text"] for row in dataset.log(name)[0].edit.rows} for name in ("most", "all"))
    assert kept < whole
    assert (few.held_out, all_of_them.held_out) == (len(whole - kept), 0)
    with pytest.raises(MonitorError, match="a share of 0 or more"):
        collected(project, "production", add="none", hold_out=1.5)


def test_random_rows_are_listed_for_labelling_until_they_are_as_many_as_those_collected(new, tmp_path):
    project = replace(new, monitors=(EVERY,))
    run = tw.train(project, name="first")
    data, listed = tmp_path / "day.csv", tmp_path / "random.csv"
    pyarrow.csv.write_csv(toy_texts(80, seed=11).select(["text"]), data)
    monitor(project, data, run=run, budget=20)
    chosen = set(collected(project).rows["id"].to_pylist())
    found = collected(project, control=True, path=listed, hold_out=0.2)
    named = found.rows["id"].to_pylist()
    assert not chosen & set(named)
    assert 0 < len(named) <= 80
    assert found.rows["id"].to_pylist() == collected(project, control=True).rows["id"].to_pylist()
    assert set(collected(project).rows["step"].to_pylist()) == {"new"}
    table = pyarrow.csv.read_csv(listed)
    label = pa.array([project.task.labels[0]] * table.num_rows)
    pyarrow.csv.write_csv(table.set_column(table.column_names.index("label"), "label", label), listed)
    assert attach_labels(project, listed).labels == len(named)
    assert collected(project, control=True).rows.num_rows == 0
    with pytest.raises(MonitorError, match="added by the trial itself"):
        collected(project, control=True, add="random")
