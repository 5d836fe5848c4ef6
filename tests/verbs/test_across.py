"""One map of several runs."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import tunewright as tw
from tunewright.cli import app
from tunewright.errors import RunError
from tunewright.run import Run
from tunewright.toy import toy_model, toy_texts
from tunewright.verbs.across import across

PROJECT = """
from pathlib import Path
import tunewright as tw
project = tw.Project(
    name="toy", source="rows.parquet", task=tw.Classification(labels=("neg", "pos")),
    model=str(Path(__file__).parent / "tiny"),
    train=tw.TrainConfig(epochs=2, batch_size=8, learning_rate=3e-3, threads=1, precision="fp32"),
)
"""


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    pq.write_table(toy_texts(60), folder / "rows.parquet")
    toy_model(folder / "tiny")
    (folder / "project.py").write_text(PROJECT)
    project = tw.open_project(folder)
    return project, [tw.train(project, seed=seed) for seed in (0, 1)]


def test_means_errors_and_files(seeds, built, archive):
    project, runs = seeds
    found = across(project, runs)
    assert found.runs == tuple(run.id for run in runs)
    assert found.shared == found.rows.num_rows == 36
    each = np.array([tw.map(project, run).rows.sort_by("id")["confidence"].to_numpy() for run in runs])
    rows = found.rows.sort_by("id")
    np.testing.assert_allclose(rows["across_confidence"].to_numpy(), each.mean(axis=0))
    np.testing.assert_allclose(rows["confidence_error"].to_numpy(), each.std(axis=0, ddof=1) / np.sqrt(2))
    errors = [row.confidence_error for row in found.uncertain]
    assert errors == sorted(errors, reverse=True)
    assert [path.name for path in found.files] == ["map-across.png", "map-across.svg", "map-across.html"]
    assert all(path.stat().st_size for path in found.files)
    assert found.notes == ()
    answers, _ = archive(found.files[-1])
    assert answers["view"].startswith("layout=across&colour=across_correctness")
    info = answers["json"][f"runs/{runs[-1].id}"]
    assert {"name": "across", "title": "Several runs", "x": "across_variability", "y": "across_confidence"} in info[
        "layouts"
    ]
    assert f"The map of several runs has the means of {', '.join(run.id for run in runs)}." in info["notes"]
    assert f"runs/{runs[-1].id}/columns/confidence_error" in answers["bytes"]
    json.dumps(found.to_json(), allow_nan=False)


def test_the_last_run_keeps_the_table(seeds):
    project, runs = seeds
    across(project, runs)
    assert "confidence_error" in runs[-1].examples().column_names
    assert runs[-1].made_with("columns/across") == {"runs": [run.id for run in runs]}


def test_rows_that_the_last_run_does_not_know_are_told(seeds, built):
    project, runs = seeds
    last = Run.open(shutil.copytree(runs[1].folder, project.runs_folder / "20990101-000000-few-0000"))
    try:
        known = last.table("examples")
        last.write("examples", known.filter(pc.not_equal(known["split"], "train")))
        found = across(project, [runs[0], last])
        assert [path.suffix for path in found.files] == [".png", ".svg", ".html"]
        (note,) = found.notes
        assert note == f"map-across.html has not the 36 of 36 rows that {last.id} does not know"
    finally:
        shutil.rmtree(last.folder)


def test_runs_must_be_several_and_of_one_version(seeds):
    project, runs = seeds
    with pytest.raises(RunError, match="two runs or more"):
        across(project, runs[:1])
    with pytest.raises(RunError, match="two runs or more"):
        across(project, [runs[0], runs[0]])
    other = tw.train(project, name="other")
    other.update(version="0" * 12)
    with pytest.raises(RunError, match="one version"):
        across(project, [runs[0], other])


def test_the_command(seeds):
    project, runs = seeds
    told = CliRunner().invoke(app, ["map", *(run.id for run in runs), "-p", str(project.folder)])
    assert told.exit_code == 0, told.output
    assert "2 runs" in told.output
    assert "standard error" in told.output
    refused = CliRunner().invoke(app, ["map", runs[0].id, runs[1].id, "--latent", "-p", str(project.folder)])
    assert refused.exit_code == 2
