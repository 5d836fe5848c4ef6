"""Projects whose task has targets of its own columns, and labels that are open."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tunewright.project import Project, open_dataset
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.summarize import Summarization

ROW = {"question": "Where?", "context": "Ada lived in Rome.", "answers_text": ["Rome"], "answers_start": [13]}


@pytest.fixture
def project(tmp_path):
    rows = [ROW | {"id": f"q{number}", "context": f"Ada lived in Rome. {number}"} for number in range(40)]
    (tmp_path / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return Project(name="qa", source="qa.jsonl", task=QuestionAnswering(), folder=tmp_path)


def test_the_first_target_is_the_label_where_the_default_is_no_column(project):
    dataset = open_dataset(project)
    assert set(dataset.table()["label"].to_pylist()) == {"Rome"}
    assert (dataset.label_names, dataset.fields.target) == ((), ("answers_text", "answers_start"))
    assert open_dataset(project).resolve("main") == dataset.resolve("main")


def test_naming_the_label_gives_the_same_rows(project):
    given = open_dataset(replace(project, name="given", label="answers_text"))
    assert given.table().equals(open_dataset(project).table())


def test_a_source_without_labels_needs_no_targets(project):
    path = project.folder / "qa.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("\n".join(json.dumps({name: row[name] for name in ("question", "context")}) for row in rows))
    dataset = open_dataset(replace(project, label=None))
    assert dataset.fields.target == ()
    assert dataset.describe()["unlabelled"]["train"] == dataset.describe()["rows"]["train"]


def test_other_targets_are_imported_anew(project):
    open_dataset(project)
    path = project.folder / "qa.jsonl"
    path.write_text(path.read_text().replace("answers_start", "begins"))
    dataset = open_dataset(replace(project, task=QuestionAnswering(starts="begins")))
    assert dataset.fields.target == ("answers_text", "begins")


def test_open_labels_are_imported_once(project):
    rows = [{"dialogue": f"A: hi {number}", "summary": f"A greets {number}."} for number in range(40)]
    (project.folder / "chats.jsonl").write_text("\n".join(map(json.dumps, rows)))
    chats = replace(project, name="chats", source="chats.jsonl", task=Summarization(), label="summary")
    first = (open_dataset(chats).folder / "base.parquet").stat().st_mtime_ns
    assert (open_dataset(chats).folder / "base.parquet").stat().st_mtime_ns == first
