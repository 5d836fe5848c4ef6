from __future__ import annotations

import gzip
import json

import pytest

import tunewright as tw
from tunewright.errors import DataError, ProjectError
from tunewright.project import open_dataset
from tunewright.toy import toy_pairs, toy_texts


def csv_of(table):
    rows = [table.column_names, *(list(row.values()) for row in table.to_pylist())]
    return "\n".join(",".join(map(str, row)) for row in rows) + "\n"


def test_what_was_guessed_is_written_with_its_reason(tmp_path):
    (tmp_path / "reviews.csv").write_text(csv_of(toy_texts(40)))
    made = tw.init(str(tmp_path / "reviews.csv"), tmp_path)
    text = made.file.read_text()
    for column, reason in made.guesses.items():
        assert f'"{column}",  # {reason}' in text
    project = tw.open_project(tmp_path)
    assert project.name == "reviews"
    assert project.source == "reviews.csv"
    assert project.task.labels == made.labels == ("neg", "pos")
    assert made.rows == {"train": 24, "validation": 8, "test": 8}
    assert open_dataset(project).table().num_rows == 40
    json.dumps(made.to_json())


def test_pairs_and_odd_names(tmp_path):
    table = toy_pairs(40).rename_columns(["uid", "premise", "hypothesis", 'what "is" it', "fold"])
    lines = (json.dumps(row) for row in table.to_pylist())
    with gzip.open(tmp_path / "my pairs.jsonl.gz", "wt") as file:
        file.write("\n".join(lines))
    made = tw.init(str(tmp_path / "my pairs.jsonl.gz"), tmp_path / "below" / "here")
    project = tw.open_project(tmp_path / "below" / "here")
    assert made.name == "my-pairs"
    assert project.task.text_fields == ("premise", "hypothesis")
    assert (project.label, project.id, project.split) == ('what "is" it', "uid", "fold")
    assert project.source == "../../my pairs.jsonl.gz"
    assert open_dataset(project).table().num_rows == 40


def test_the_written_project_is_typed_and_formatted(tmp_path):
    import subprocess
    import sys

    (tmp_path / "reviews.csv").write_text(csv_of(toy_texts(40)))
    tw.init(str(tmp_path / "reviews.csv"), tmp_path)
    compile((tmp_path / "project.py").read_text(), "project.py", "exec")
    checked = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "E,F,I,UP",
        "--ignore",
        "E501",
        "project.py",
    ]
    subprocess.run(checked, cwd=tmp_path, check=True, capture_output=True)


def test_a_test_split_that_is_not_there_is_said(tmp_path):
    (tmp_path / "reviews.csv").write_text(csv_of(toy_texts(40)))
    assert tw.init(str(tmp_path / "reviews.csv"), tmp_path / "whole").without_test == ""
    rows = toy_texts(40)
    named = rows.set_column(rows.column_names.index("split"), "split", [["train", "validation"] * 20])
    (tmp_path / "two.csv").write_text(csv_of(named))
    said = tw.init(str(tmp_path / "two.csv"), tmp_path / "two").without_test
    assert "the source names none" in said
    assert 'splits={"train": 0.8, "validation": 0.1, "test": 0.1}' in said
    (tmp_path / "few.csv").write_text(csv_of(toy_texts(4).drop_columns(["split"])))
    assert "too few rows" in tw.init(str(tmp_path / "few.csv"), tmp_path / "few").without_test


def test_a_project_is_never_overwritten_unasked(tmp_path):
    (tmp_path / "reviews.csv").write_text(csv_of(toy_texts(40)))
    (tmp_path / "project.py").write_text("mine")
    with pytest.raises(ProjectError, match="already") as caught:
        tw.init(str(tmp_path / "reviews.csv"), tmp_path)
    assert "--force" in caught.value.fix
    assert (tmp_path / "project.py").read_text() == "mine"
    tw.init(str(tmp_path / "reviews.csv"), tmp_path, force=True)
    assert tw.open_project(tmp_path).name == "reviews"


def test_bad_rows_are_an_error_or_a_list(tmp_path):
    (tmp_path / "reviews.csv").write_text(csv_of(toy_texts(40)) + "toy-0000,again,neg,train\nextra,,pos,train\n")
    with pytest.raises(DataError, match="2 of 42 rows"):
        tw.init(str(tmp_path / "reviews.csv"), tmp_path)
    assert not (tmp_path / "project.py").exists()
    assert [path.name for path in (tmp_path / "data").iterdir()] == [".reviews.lock"]
    made = tw.init(str(tmp_path / "reviews.csv"), tmp_path, on_bad="skip")
    assert sum(problem.count for problem in made.skipped) == 2
    assert tw.open_project(tmp_path).on_bad == "skip"


def test_a_table_without_labels_is_refused(tmp_path):
    (tmp_path / "texts.csv").write_text("text\n" + "a text of several words\n" * 3 + "and another one here\n")
    with pytest.raises(ProjectError, match="column of labels"):
        tw.init(str(tmp_path / "texts.csv"), tmp_path)


def squad(questions=40):
    """SQuAD's own JSON: four questions about each passage."""
    paragraphs = [
        {
            "context": f"Person {number} lived in Rome for {number} years.",
            "qas": [
                {
                    "id": f"q{number}-{which}",
                    "question": f"Where did person {number} live, {which}?",
                    "answers": [{"text": "Rome", "answer_start": len(f"Person {number} lived in ")}],
                }
                for which in range(4)
            ],
        }
        for number in range(questions // 4)
    ]
    return json.dumps({"version": "1.1", "data": [{"title": "People", "paragraphs": paragraphs}]})


def test_answers_are_recognised_and_passages_stay_in_one_split(tmp_path):
    (tmp_path / "people.json").write_text(squad(200))
    made = tw.init(str(tmp_path / "people.json"), tmp_path)
    project = tw.open_project(tmp_path)
    assert project.task == tw.QuestionAnswering()
    assert made.labels == ()
    assert made.rows == {"train": 160, "validation": 20, "test": 20}
    dataset = open_dataset(project)
    assert dataset.fields.target == ("answers_text", "answers_start")
    assert set(dataset.table()["label"].to_pylist()) == {"Rome"}
    splits = set(zip(dataset.table()["context"].to_pylist(), dataset.table()["split"].to_pylist(), strict=True))
    assert len(splits) == 50
    for column, reason in made.guesses.items():
        assert f'"{column}",  # {reason}' in made.file.read_text()


def test_questions_without_answers_are_told_to_the_task(tmp_path):
    rows = json.loads(squad())
    rows["data"][0]["paragraphs"][0]["qas"][0]["answers"] = []
    (tmp_path / "people.json").write_text(json.dumps(rows))
    tw.init(str(tmp_path / "people.json"), tmp_path)
    assert tw.open_project(tmp_path).task == tw.QuestionAnswering(unanswerable=True)


def test_summaries_are_recognised(tmp_path):
    rows = [{"dialogue": f"A: Hi {row}\nB: How are you?", "summary": f"A greets {row}."} for row in range(40)]
    (tmp_path / "chats.jsonl").write_text("\n".join(map(json.dumps, rows)))
    tw.init(str(tmp_path / "chats.jsonl"), tmp_path)
    project = tw.open_project(tmp_path)
    assert (project.task, project.label) == (tw.Summarization(document="dialogue"), "summary")
    assert open_dataset(project).table()["label"].to_pylist() == [row["summary"] for row in rows]


def test_what_to_learn_can_be_said(tmp_path):
    rows = [
        {"text": f"A long review of thing {row}", "summary": "Good thing", "stars": row % 2 + 1} for row in range(40)
    ]
    (tmp_path / "reviews.jsonl").write_text("\n".join(map(json.dumps, rows)))
    tw.init(str(tmp_path / "reviews.jsonl"), tmp_path)
    assert tw.open_project(tmp_path).task == tw.Classification(text="text", labels=("1", "2"))
    tw.init(str(tmp_path / "reviews.jsonl"), tmp_path, task="summaries", force=True)
    assert tw.open_project(tmp_path).task == tw.Summarization(document="text")
    with pytest.raises(DataError, match="none for question"):
        tw.init(str(tmp_path / "reviews.jsonl"), tmp_path, task="answers", force=True)
