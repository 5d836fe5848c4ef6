from __future__ import annotations

import json

import pytest

from tunewright.data.edits import Drop, Evidence, Relabel
from tunewright.errors import EditError
from tunewright.project import open_dataset
from tunewright.verbs import undo, versions


def test_versions_tell_their_edits(new):
    dataset = open_dataset(new)
    evidence = Evidence(run="a-run", rule="suspect", author="me", time="2026-01-01T00:00:00+00:00")
    dataset.apply([Drop(ids=("toy-0000", "toy-0001"), reason="wrong", evidence=evidence)], name="smaller")
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
    assert found["smaller"].rows["train"] == found["main"].rows["train"] - 2


def test_between_two_versions(new):
    dataset = open_dataset(new)
    row = dataset.table().to_pylist()[0]
    other = "pos" if row["label"] == "neg" else "neg"
    dataset.apply([Drop(ids=("toy-0001",))], name="a")
    dataset.apply([Relabel(changes=((row["id"], row["label"], other),))], name="b")
    found = versions(new, between=("a", "b"))
    assert [change.kind for change in found.undone] == ["Drop"]
    assert [change.kind for change in found.applied] == ["Relabel"]
    json.dumps(found.to_json())


def test_undo_moves_a_name_and_loses_nothing(new):
    dataset = open_dataset(new)
    base = dataset.resolve("main")
    edited = dataset.apply([Drop(ids=("toy-0000",))])
    undone = undo(new)
    assert (undone.name, undone.before, undone.after) == ("main", edited, base)
    assert dataset.table(edited).num_rows == 99
    with pytest.raises(EditError, match="cannot be undone"):
        undo(new)
