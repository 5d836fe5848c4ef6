from __future__ import annotations

import csv

import pytest

from tunewright.errors import ProjectError
from tunewright.project import open_dataset, open_project
from tunewright.toy import toy_model
from tunewright.verbs.demo import demo
from tunewright.verbs.trials import show_trial


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    said = []
    model = toy_model(tmp_path_factory.mktemp("model"))
    return folder, said, demo(folder / "project", model=model, per_label=40, say=said.append, workers=1)


@pytest.mark.slow
def test_it_leaves_a_project_with_runs_versions_map_and_table(told):
    _, said, made = told
    project = open_project(made.folder)
    assert {".png", ".svg"} <= {path.suffix for path in made.figures}
    page = any(path.name == "map.html" for path in made.figures)  # there is one where the explorer's page was built
    assert page != any("map.html was not written" in line for line in made.story)
    assert all(path.stat().st_size > 1000 for path in made.figures)
    assert made.table.read_text().startswith("id,Text,Actual Label")
    assert {"base", "main", "cleaned", "trial-cleaned-at-random-1"} <= open_dataset(project).versions.keys()
    assert len(said) >= 4


@pytest.mark.slow
def test_its_numbers_are_those_on_disk(told):
    _, _, made = told
    with (made.folder / "truth.csv").open() as file:
        planted = list(csv.DictReader(file))
    assert made.found.planted == len(planted) == round(0.08 * 40 * 5 * 0.6)
    assert 0 <= made.found.first <= made.found.of_first
    assert made.verdict.against_unchanged.n == made.verdict.against_control.n == 5 * 11
    assert made.verdict.against_unchanged.seeds == 2
    assert made.trainings == 3 * 2
    assert made.accuracy == show_trial(open_project(made.folder)).decisions[0].against_unchanged.mean_a
    story = " ".join(made.story)
    assert f"{made.found.planted} training labels were made wrong" in story
    assert made.verdict.word in {"better", "worse", "cannot tell"}
    assert ("did not help" in story) == (made.verdict.word != "better")


@pytest.mark.slow
def test_it_does_not_write_over_a_project(told):
    folder, *_ = told
    with pytest.raises(ProjectError, match="already"):
        demo(folder / "project")
