from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import tunewright as tw
from tunewright.cli import app
from tunewright.errors import DataError, EditError
from tunewright.toy import toy_run
from tunewright.verbs import rows
from tunewright.verbs.explore.explorer import Explorer

PROJECT = """import tunewright as tw

project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "project.py").write_text(PROJECT)
    toy_run(folder / "runs", 300)
    return tw.open_project(folder)


def told(project, *words):
    done = CliRunner().invoke(app, [*words, "--project", str(project.folder)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_rows_fulfil_every_condition(project):
    table = Explorer(project).snapshot("toy").rows
    wanted = [
        number
        for number, row in enumerate(table.to_pylist())
        if "good" in row["text"].split() and row["label"] == "neg" and row["loss"] > 0.1
    ]
    found = rows(project, search="good", rule="label = 'neg' AND loss > 0.1", most=500)
    assert [one.row for one in found.rows] == wanted
    assert found.total == len(wanted) > 0
    assert rows(project).total == 300
    assert rows(project, ids=["toy-7", "toy-3"], most=1).rows[0].id == "toy-3"


def test_a_list_is_what_the_page_shows_and_details_are_its_details(project):
    explorer = Explorer(project)
    found = rows(project, ids=["toy-3"], details=True, measured=True)
    assert found.rows == explorer.rows("toy", [3]).rows
    assert found.examples[0].to_json() == explorer.example("toy", 3).to_json()
    assert found.measured.rows == 1


def test_all_of_them_become_a_file(project, tmp_path):
    found = rows(project, rule="label = 'pos'", most=2, path=tmp_path / "pos.parquet")
    assert pq.read_table(found.file)["label"].unique().to_pylist() == ["pos"]
    assert pq.read_table(found.file).num_rows == found.total > len(found.rows) == 2
    with pytest.raises(DataError, match="one of .csv"):
        rows(project, path=tmp_path / "pos.xlsx")


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ({"ids": ["toy-3", "toy-x"]}, DataError, "no row of run .* is called 'toy-x'"),
        ({"rule": "nothing > 1"}, EditError, "cannot be followed"),
        ({"rule": "1 = 1); COPY examples TO 'x.csv'; --"}, EditError, "cannot be followed"),
        ({"search": "a" * 501}, DataError, "at most 500"),
    ],
)
def test_conditions_that_are_none_are_refused(project, how, error, said):
    with pytest.raises(error, match=said):
        rows(project, **how)


def test_the_commands_say_the_same(project):
    wanted = rows(project, search="good", measured=True).to_json()
    assert json.loads(told(project, "rows", "--search", "good", "--measure", "--json")) == wanted
    assert wanted["measured"]["sentence"] in told(project, "rows", "--search", "good", "--measure")
    shown = told(project, "rows", "--id", "toy-3", "--details")
    assert "toy-3: split train" in shown
    assert "gold probability" in shown


def test_views_are_kept_and_forgotten_in_a_shell(project):
    assert "No views are kept" in told(project, "views")
    kept = json.loads(told(project, "views", "save", "hard", "color=loss", "--json"))
    assert kept == {"views": [{"name": "hard", "query": "color=loss"}]}
    assert "color=loss" in told(project, "views")
    assert "No views are kept" in told(project, "views", "forget", "hard")
    assert CliRunner().invoke(app, ["views", "forget", "--project", str(project.folder)]).exit_code == 2
