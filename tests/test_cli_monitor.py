"""The group ``monitor`` in words and as JSON."""

from __future__ import annotations

import json

import pyarrow.csv
import pytest
from typer.testing import CliRunner

from tunewright.cli import app
from tunewright.toy import toy_model, toy_texts

QUICK = [
    word
    for setting in ["epochs=1", "batch_size=16", "learning_rate=0.01", "threads=1", "precision=fp32"]
    for word in ("--set", setting)
]


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Run a command in a project with one run; its output, or its parsed JSON if asked for."""
    folder = tmp_path_factory.mktemp("project")
    pyarrow.csv.write_csv(toy_texts(100, noise=0.1), folder / "reviews.csv")
    pyarrow.csv.write_csv(toy_texts(40, seed=3).select(["text"]), folder / "today.csv")
    toy_model(folder / "tiny")

    def run(*words, code=0):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in words else done.output

    run("init", "reviews.csv", "--model", "tiny")
    run("train", *QUICK)
    return run


@pytest.mark.usefixtures("quick_umap")
def test_production_is_watched_reported_and_collected(call, tmp_path):
    assert "fix: make one: tunewright monitor run" in call("monitor", "report", code=2)
    said = call("monitor", "run", "today.csv", "--run", "last", "--window", 20)
    assert "40 rows: 40 logged" in said
    assert "low_confidence" in said
    again = call("monitor", "run", "today.csv", "--json")
    assert (again["logged"], again["known"]) == (0, 40)

    said = call("monitor", "report", "--save", tmp_path / "monitor.png")
    assert "40 rows, 0 labels" in said
    assert "vocabulary(text): rows 40" in said
    assert (tmp_path / "monitor.png").is_file()
    assert call("monitor", "report", "--json")["checks"]["drift(vector)"]["windows"] == 2

    drawn = ["--map", tmp_path / "map.png", "--html", tmp_path / "page.html"]
    said = call("monitor", "report", *drawn).replace("\n", "")
    assert f"Map: {drawn[1]}" in said
    assert f"Page: {drawn[3]}" in said
    assert "Clusters by mean score" in (tmp_path / "page.html").read_text(encoding="utf-8")

    said = call("monitor", "clusters", "--method", "kmeans", "--number", 2)
    assert "Score probability of 40 of 40 rows" in said
    lowest = call("monitor", "clusters", "--method", "kmeans", "--number", 2, "--json")["clusters"][0]
    assert lowest["command"].startswith("tunewright monitor clusters --name production --score probability --collect ")
    said = call("monitor", "clusters", "--collect", lowest["name"])
    assert f"{lowest['n']} rows marked" in said
    found = call("monitor", "collected", "--reason", f"cluster:{lowest['name']}", "--json")
    assert 0 < len(found["rows"]) <= lowest["n"]

    said = call("monitor", "collected", "--csv", tmp_path / "list.csv")
    assert f"List: {tmp_path / 'list.csv'}" in said.replace("\n", "")
    assert "error: no check is called 'low'" in call("monitor", "collected", "--reason", "low", code=2)
    assert "0 labels attached" in call("monitor", "attach", tmp_path / "list.csv")
    assert "with a label to add" in call("monitor", "collected", "--add", "more", code=2)


@pytest.mark.slow
def test_whether_collecting_helped_is_told_for_production_test_rows_and_reasons(call, tmp_path):
    pyarrow.csv.write_csv(toy_texts(150, seed=8).select(["text", "label"]), tmp_path / "labelled.csv")
    call("monitor", "run", tmp_path / "labelled.csv", "--name", "labelled", "--run", "last")
    said = call("monitor", "collected", "--name", "labelled", "--add", "harder", "--hold-out", "0.3")
    assert "are held out to judge by" in said
    assert "Next: tunewright trial run version:harder" in said
    planned = call("trial", "plan", "version:harder", "--seeds", 1)
    assert "production rows that no arm learns from judge" in planned
    assert "Beside them, the test rows" in planned
    said = call("trial", "run", "version:harder", "--seeds", 1, "--workers", 1)
    assert "Production rows that judge, by reason:" in said
    assert "test rows, corrected for 1 try" in said
    assert call("trial", "show").strip() == said.strip()
    alone = call("trial", "plan", "version:harder", "--control", "none")
    assert "at random: none were asked for" in alone
    assert "no control is called 'all'" in call("trial", "plan", "version:harder", "--control", "all", code=2)
