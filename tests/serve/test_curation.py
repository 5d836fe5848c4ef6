from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tunewright.project import open_dataset

SCRIPT = Path(__file__).with_name("explorer_scenario.py")


def scenario():
    made = importlib.util.spec_from_file_location("explorer_scenario", SCRIPT)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


SCENARIO = scenario()
HEADERS = {**SCENARIO.BEARER, "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    project = SCENARIO.reviews(tmp_path_factory.mktemp("reviews"))
    open_dataset(project)
    return project


@pytest.fixture
def project(template, tmp_path):
    import shutil

    import tunewright as tw

    shutil.copytree(template.folder, tmp_path / "p")
    return tw.open_project(tmp_path / "p")


@pytest.fixture
def ask(project):
    """A function that posts below ``/api`` and gives status and content; without content it reads."""
    client = TestClient(SCENARIO.app_of(project), base_url="http://127.0.0.1:8000", raise_server_exceptions=False)

    def asked(path, content=None):
        if content is None:
            answer = client.get(f"/api/{path}", headers=HEADERS)
        else:
            answer = client.post(f"/api/{path}", json=content, headers=HEADERS)
        return answer.status_code, answer.json()

    return asked


@pytest.fixture
def row(project):
    table = open_dataset(project).table().to_pylist()
    return next(one for one in table if one["split"] == "train")


def relabel(row, **more):
    new = "pos" if row["label"] == "neg" else "neg"
    return {
        "action": "relabel",
        "ids": [row["id"]],
        "value": new,
        "old": {row["id"]: row["label"]},
        "weight": None,
        "reason": "read it",
        **more,
    }


def on(revision, **more):
    return {"version": "main", "revision": revision, **more}


def test_the_story_of_three_changes(ask, project, row):
    assert ask("pending?version=main")[1]["revision"] == 0
    status, told = ask("pending", on(0, changes=[relabel(row, run="r", analysis="suspicion")]))
    assert (status, told["revision"], told["undo"]) == (200, 1, 1)
    assert set(told) == {"version", "head", "revision", "changes", "undo", "redo", "conflicts", "idle", "test_rows"}
    assert set(told["changes"][0]) == {
        *("action", "ids", "value", "old", "weight", "reason", "run", "analysis", "key", "author", "when"),
    }
    assert ask("pending/undo", on(1))[1]["changes"] == []
    assert len(ask("pending/redo", on(2))[1]["changes"]) == 1
    status, made = ask("pending/commit", on(3, name="cleaned", reason="suspects"))
    assert (status, made["name"], made["edits"], made["command"]) == (
        200,
        "cleaned",
        1,
        "tunewright train --version cleaned",
    )
    (entry,) = open_dataset(project).log("cleaned")
    assert entry.edit.reason == "read it; suspects"
    assert open_dataset(project).reviews()["decision"].to_pylist() == ["accept"]


def test_another_tab_was_faster(ask, row):
    ask("pending", on(0, changes=[relabel(row)]))
    status, refused = ask("pending", on(0, changes=[{"action": "drop", "ids": [row["id"]]}]))
    assert status == 409
    assert refused["error"]["kind"] == "ConflictError"
    assert refused["state"] == ask("pending?version=main")[1]
    key = refused["state"]["changes"][0]["key"]
    assert ask("pending/discard", on(1, keys=[key]))[1]["changes"] == []


def test_a_row_that_was_changed_meanwhile_is_named(ask, project, row):
    from tunewright.data.edits import Relabel

    ask("pending", on(0, changes=[relabel(row)]))
    open_dataset(project).apply([Relabel(changes=((row["id"], row["label"], None),))])
    status, refused = ask("pending/commit", on(1, name="", reason=""))
    assert status == 409
    assert row["id"] in refused["error"]["message"]
    assert [one["id"] for one in refused["state"]["conflicts"]] == [row["id"]]
    assert ask("pending/commit", on(1, name="", reason="", skip=True))[0] == 400  # nothing else is there


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("pending?version=nothing", None, 400),
        ("pending?version=../../main", None, 400),
        ("pending", {"version": "main", "revision": 0, "changes": []}, 422),
        ("pending", {"version": "main", "revision": 0, "changes": [{"action": "erase", "ids": ["a"]}]}, 422),
        ("pending", {"version": "main", "revision": 0, "changes": [{"action": "drop", "ids": []}]}, 422),
        ("pending", {"version": "main", "revision": 0, "changes": [{"action": "drop", "ids": ["gone"]}]}, 400),
        ("pending", {"version": "main", "revision": 0, "changes": [{"action": "tag", "ids": ["x\u0000"]}]}, 400),
        ("pending", {"version": "main", "revision": -1, "changes": []}, 422),
        ("pending/undo", {"version": "main", "revision": 0}, 400),
        ("pending/discard", {"version": "main", "revision": 0, "keys": ["k"]}, 400),
        ("pending/commit", {"version": "main", "revision": 0, "name": "../x", "reason": ""}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(ask, path, content, status):
    found, told = ask(path, content)
    assert found == status
    assert told["error"]["message"]


def test_text_stays_text(ask, project, row):
    written = "<script>alert(1)</script> \u202e \U0001f600 \x00"
    status, told = ask("pending", on(0, changes=[{"action": "note", "ids": [row["id"]], "value": written}]))
    assert (status, told["changes"][0]["value"]) == (200, written)
    assert ask("pending/commit", on(1, name="", reason=written))[0] == 200
    table = open_dataset(project).table().to_pylist()
    assert next(one for one in table if one["id"] == row["id"])["note"] == written
