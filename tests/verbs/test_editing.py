from __future__ import annotations

import json

import pytest

from tunewright.data.dataset import Dataset
from tunewright.data.edits import Relabel
from tunewright.data.textfiles import read_delimited
from tunewright.errors import EditError, RunError
from tunewright.project import open_dataset
from tunewright.verbs import edit, edit_log, suspects
from tunewright.verbs.dynamics import learnt


@pytest.fixture
def log(project):
    """The log of the shared project, to see that nothing was written."""
    path = project.dataset_folder / "edits.jsonl"
    return lambda: path.read_bytes() if path.exists() else b""


def test_a_dry_run_writes_nothing(project, first, log):
    before = log()
    found = edit(project, suspects="top:5", dry_run=True)
    assert (found.written, found.version, found.test_rows, found.outdated) == (False, found.parent, False, 0)
    assert [(change.kind, change.rows, change.rule) for change in found.changes] == [
        ("Relabel", 5, "top:5 by suspicion")
    ]
    assert found.net.counts == {"changed label": 5}
    assert log() == before
    json.dumps(found.to_json())


def test_suspects_are_acted_on_from_the_top(project, first):
    found = edit(project, suspects=3, action="drop", run=first, name="without", reason="too sure")
    rows = learnt(first).sort_by([("suspicion", "descending"), ("id", "ascending")])
    dataset = open_dataset(project)
    assert dataset.versions["without"] == found.version
    (entry,) = dataset.log("without")
    assert entry.edit.ids == tuple(rows["id"].to_pylist()[:3])
    why = entry.edit.evidence
    assert (entry.edit.reason, why.run, why.analysis, why.rule) == (
        "too sure",
        first.id,
        "suspects",
        "top:3 by suspicion",
    )
    assert why.author
    assert why.time.endswith("+00:00")


@pytest.mark.parametrize(("asked", "rows"), [("top:10%", 6), ("7", 7), ("0.1%", 1)])
def test_how_many_suspects(project, first, asked, rows):
    assert edit(project, suspects=asked, action="drop", dry_run=True).changes[0].rows == rows


def test_a_rule_sees_rows_and_what_the_run_knows(project, first):
    found = edit(project, rule="suspicion > 0 and length(text) > 0", action="reweight", weight=0.5, name="lighter")
    rows = learnt(first)["suspicion"].to_pylist()
    assert found.net.counts == {"changed weight": sum(one is not None and one > 0 for one in rows)}
    assert open_dataset(project).log("lighter")[0].edit.evidence.rule == "suspicion > 0 and length(text) > 0"


def test_a_rule_about_the_data_needs_no_run(new):
    found = edit(new, rule="id = 'toy-0001' and split <> 'test'", action="drop", allow_test=True, dry_run=True)
    assert found.changes[0].run == ""
    with pytest.raises(RunError):
        edit(new, rule="id = 'toy-0001'", action="drop", run="some-run")
    with pytest.raises(RunError, match="expected a training run"):
        edit(new, suspects="top:3")


def test_what_a_run_says_about_another_label_is_left_out(project, first):
    top = learnt(first).sort_by([("suspicion", "descending"), ("id", "ascending")])["id"].to_pylist()[0]
    dataset = open_dataset(project)
    label = {row["id"]: row["label"] for row in dataset.table().to_pylist()}[top]
    dataset.apply([Relabel(changes=((top, label, "pos" if label == "neg" else "neg"),))], name="mended")
    found = edit(project, suspects="top:3", action="drop", on="mended", dry_run=True)
    assert found.outdated == 1
    assert top not in found.net.rows["id"].to_pylist()
    ruled = edit(project, rule="suspicion >= 0", action="drop", on="mended", dry_run=True)
    assert top not in ruled.net.rows["id"].to_pylist()


def test_the_test_split_is_guarded(project, first, log):
    before = log()
    with pytest.raises(EditError, match="rows of the test split") as caught:
        edit(project, rule="split = 'test'", action="drop")
    assert "--allow-test" in caught.value.fix
    assert log() == before
    assert edit(project, rule="split = 'test'", action="drop", allow_test=True, dry_run=True).test_rows


@pytest.fixture
def reviewed(new, tmp_path):
    """A function that writes a reviewed list with a decision for each of the first training rows."""
    rows = [row for row in open_dataset(new).table().to_pylist() if row["split"] == "train"]

    def write(*decisions):
        path = tmp_path / "reviewed.csv"
        lines = [
            f"{row['id']},{row['label']},{'pos' if row['label'] == 'neg' else 'neg'},{decision},a note"
            for row, decision in zip(rows, decisions, strict=False)
        ]
        path.write_text("\n".join(["id,label,suggested,decision,note", *lines]))
        return path, rows

    return write


def test_a_reviewed_list_is_applied_and_its_decisions_are_kept(new, reviewed):
    path, rows = reviewed("accept", "reject", "", "drop", "Accepted")
    parent = open_dataset(new).resolve("main")
    found = edit(new, path, reason="read by me")
    assert found.net.counts == {"changed label": 2, "dropped": 1}
    assert found.reviews == 4
    dataset = open_dataset(new)
    assert dataset.resolve("main") == found.version != parent
    reviews = dataset.reviews().to_pylist()
    assert [one["decision"] for one in reviews] == ["accept", "reject", "drop", "accept"]
    assert {one["version"] for one in reviews} == {parent}
    assert all(one["author"] and one["time"] for one in reviews)
    assert reviews[1]["note"] == "a note"
    one = edit_log(new, id=rows[0]["id"]).provenance.to_pylist()[0]
    assert (one["rule"], one["reason"]) == ("reviewed list reviewed.csv", "read by me")


def test_a_list_says_which_run_it_is_of(project, first, tmp_path):
    suspects(project, first, top=2, trust=False, path=tmp_path / "list.csv")
    table = read_delimited((tmp_path / "list.csv").read_text())[0]
    rows = [{"id": row["id"], "decision": "drop", "run": row["run"]} for row in table.to_pylist()]
    rows[1]["run"] = ""
    (tmp_path / "list.csv").write_text(
        "\n".join(["id,decision,run", *(",".join(row.values()) for row in rows)]), encoding="utf-8"
    )
    found = edit(project, tmp_path / "list.csv", dry_run=True)
    assert [(change.kind, change.rows, change.run) for change in found.changes] == [
        ("Drop", 1, first.id),
        ("Drop", 1, ""),
    ]
    named = edit(project, tmp_path / "list.csv", run=first, dry_run=True)
    assert [(change.rows, change.run) for change in named.changes] == [(2, first.id)]


def test_decisions_are_kept_before_the_edit_and_not_without_it(new, reviewed, monkeypatch):
    path, _ = reviewed("accept", "reject")
    with pytest.raises(EditError, match="cannot be called 'base'"):
        edit(new, path, name="base")
    assert open_dataset(new).reviews().num_rows == 0

    def crash(dataset, reviews):
        raise OSError("no space left")

    monkeypatch.setattr(Dataset, "review", crash)
    with pytest.raises(OSError, match="no space left"):
        edit(new, path)
    dataset = open_dataset(new)
    assert dataset.resolve("main") == dataset.resolve("base")


def test_a_list_of_rejections_changes_no_row(new, reviewed):
    path, _ = reviewed("reject", "keep")
    found = edit(new, path)
    assert found.version == found.parent
    assert open_dataset(new).reviews()["decision"].to_pylist() == ["reject", "keep"]


def test_a_wrong_line_changes_nothing(new, reviewed):
    path, _ = reviewed("accept", "perhaps")
    with pytest.raises(EditError, match="1 of 2 lines cannot be used, and nothing was changed"):
        edit(new, path)
    assert not open_dataset(new).has_log
    path, _ = reviewed("", "")
    with pytest.raises(EditError, match="no line has a decision"):
        edit(new, path)


def test_a_list_is_not_applied_twice(new, reviewed):
    path, _ = reviewed("accept")
    edit(new, path)
    with pytest.raises(EditError, match="no longer the one in the list"):
        edit(new, path)
    assert open_dataset(new).reviews().num_rows == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "expected one of a reviewed list, suspects and a rule"),
        ({"suspects": "top:3", "rule": "true"}, "expected one of"),
        ({"rule": "true"}, "what is to be done with them"),
        ({"rule": "true", "action": "relable"}, "expected one of the actions|'relable' is no action"),
        ({"file": "x.csv", "action": "drop"}, "says itself what to do"),
        ({"suspects": "many"}, "top:200 or top:5%"),
        ({"suspects": "top:1.5"}, "top:200 or top:5%"),
        ({"suspects": "top:0"}, "found top:0"),
        ({"suspects": "top:0%"}, "found 'top:0%'"),
        ({"suspects": "top:101%"}, "found 'top:101%'"),
        ({"suspects": "top:3", "action": "reweight"}, "a weight for rows that are reweighted, found none"),
        ({"suspects": "top:3", "weight": 0.5}, "a weight for rows that are reweighted, found 0.5"),
        ({"suspects": "top:3", "on": "nowhere"}, "no version is called 'nowhere'"),
        ({"suspects": "top:3", "name": "base"}, "cannot be called 'base'"),
    ],
)
def test_what_cannot_be_done(project, first, log, asked, message):
    before = log()
    with pytest.raises(EditError, match=message):
        edit(project, **asked)
    assert log() == before
