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

    said = call("monitor", "collected", "--csv", tmp_path / "list.csv")
    assert f"List: {tmp_path / 'list.csv'}" in said.replace("\n", "")
    assert "error: no check is called 'low'" in call("monitor", "collected", "--reason", "low", code=2)
    assert "0 labels attached" in call("monitor", "attach", tmp_path / "list.csv")
    assert "with a label to add" in call("monitor", "collected", "--add", "more", code=2)
