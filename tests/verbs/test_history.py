from __future__ import annotations

import json

import pytest

from tunewright.data.edits import Add, Drop, Evidence, Mix, Relabel, Reweight
from tunewright.data.reviews import Review
from tunewright.errors import DataError, EditError
from tunewright.project import open_dataset
from tunewright.verbs import edit_diff, edit_log, edit_undo, versions
from tunewright.verbs.history import LabelCount

WHY = Evidence(run="a-run", rule="suspect", author="me", time="2026-01-01T00:00:00+00:00")


@pytest.fixture
def row(new):
    return next(row for row in open_dataset(new).table().to_pylist() if row["split"] == "train")


def other(label):
    return "pos" if label == "neg" else "neg"


def test_versions_tell_their_edits(new):
    dataset = open_dataset(new)
    dataset.apply([Drop(ids=("toy-0000", "toy-0001"), reason="wrong", evidence=WHY)], name="smaller")
    found = {version.name: version for version in versions(new).versions}
    assert found["base"].changes == found["main"].changes == ()
    (change,) = found["smaller"].changes
    assert (change.kind, change.rows, change.reason, change.rule, change.author) == (
        "Drop",
        2,
        "wrong",
        "suspect",
        "me",
    )
    assert change.version == found["smaller"].id
    assert found["smaller"].rows["train"] == found["main"].rows["train"] - 2


def test_versions_count_their_recipes(new, row):
    open_dataset(new).apply([Mix(recipes=(("m", row["id"], row["id"], 0.5),))], name="mixed")
    assert {version.name: version.recipes for version in versions(new).versions} == {"base": 0, "main": 0, "mixed": 1}


def test_the_log_of_a_version_and_of_a_row(new, row):
    dataset = open_dataset(new)
    base = dataset.resolve("main")
    dataset.review([Review(id=row["id"], version=base, decision="reject", author="me")])
    flip = Relabel(changes=((row["id"], row["label"], other(row["label"])),), reason="read", evidence=WHY)
    dataset.apply([flip, Drop(ids=(row["id"],))])
    log = edit_log(new)
    assert [change.kind for change in log.changes] == ["Relabel", "Drop"]
    assert (log.id, log.provenance, log.reviews) == (None, None, None)
    found = edit_log(new, id=row["id"])
    assert found.provenance["kind"].to_pylist() == ["Relabel", "Drop"]
    assert found.provenance["author"].to_pylist() == ["me", ""]
    assert found.reviews["decision"].to_pylist() == ["reject"]
    assert edit_log(new, "base", id=row["id"]).provenance.num_rows == 0
    with pytest.raises(DataError, match="no row is called 'toy-gone'"):
        edit_log(new, id="toy-gone")
    json.dumps([log.to_json(), found.to_json()])


def test_the_difference_of_two_versions(new, row):
    dataset = open_dataset(new)
    dataset.apply([Drop(ids=("toy-0001",))], name="a")
    flip = Relabel(changes=((row["id"], row["label"], other(row["label"])),))
    weigh, add = Reweight(weights=((row["id"], 0.5),)), Add(rows=({"id": "n", "text": "fine", "label": "pos"},))
    dataset.apply([flip, weigh, add, Mix(recipes=(("m", row["id"], "n", 0.5),))], name="b")
    found = edit_diff(new, "a", "b")
    assert [change.kind for change in found.undone] == ["Drop"]
    assert [change.kind for change in found.applied] == ["Relabel", "Reweight", "Add", "Mix"]
    came_back = 2 if row["id"] != "toy-0001" else 1
    assert found.net.counts["added"] == came_back
    assert found.net.recipes == (0, 1)
    assert sum(count.after - count.before for count in found.net.labels) == came_back
    assert {count.split for count in found.net.labels} <= {"train", "test", "validation"}
    texts = dict(zip(found.net.rows["id"].to_pylist(), found.net.rows["text"].to_pylist(), strict=True))
    assert texts["n"] == "fine"
    json.dumps(found.to_json())


def test_labels_are_counted_before_and_after(new, row):
    dataset = open_dataset(new)
    count = dataset.describe()["labels"]["train"][row["label"]]
    dataset.apply([Relabel(changes=((row["id"], row["label"], None),))], name="b")
    net = edit_diff(new, "main", "b").net
    assert net.counts == {"changed label": 1}
    assert net.labels == (
        LabelCount(split="train", label=row["label"], before=count, after=count - 1),
        LabelCount(split="train", label=None, before=0, after=1),
    )
    assert net.rows.select(["field", "old", "new", "text"]).to_pylist() == [
        {"field": "label", "old": row["label"], "new": None, "text": row["text"]}
    ]
    back = edit_diff(new, "b", "main").net
    assert (back.rows["old"].to_pylist(), back.rows["new"].to_pylist()) == ([None], [row["label"]])
    same = edit_diff(new, "b", "b")
    assert (same.undone, same.applied, same.net.counts, same.net.rows.num_rows) == ((), (), {}, 0)


def test_undo_moves_a_name_and_loses_nothing(new):
    dataset = open_dataset(new)
    base = dataset.resolve("main")
    edited = dataset.apply([Drop(ids=("toy-0000",))])
    undone = edit_undo(new)
    assert (undone.name, undone.before, undone.after) == ("main", edited, base)
    assert dataset.table(edited).num_rows == 99
    with pytest.raises(EditError, match="expected from 1 edit to the|has no edit to undo"):
        edit_undo(new)
