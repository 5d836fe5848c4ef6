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
