"""The group ``trial`` in words and as JSON."""

from __future__ import annotations

import json

import pyarrow.csv
import pytest
from typer.testing import CliRunner

from tunewright.cli import app
from tunewright.toy import toy_model, toy_texts

QUICK = [
    word
    for setting in ["epochs=2", "batch_size=16", "learning_rate=0.01", "threads=1", "precision=fp32"]
    for word in ("--set", setting)
]


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Run a command in a project with one run; its output, or its parsed JSON if asked for."""
    folder = tmp_path_factory.mktemp("project")
    pyarrow.csv.write_csv(toy_texts(100, noise=0.1), folder / "reviews.csv")
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


@pytest.mark.slow
def test_a_plan_says_what_can_be_shown_and_trains_nothing(call):
    before = call("runs", "--json")
    said = call("trial", "plan", "drop:top:10%", "set:loss=focal", "--target", 5, "--preview", "--workers", 1)
    assert "drop:top:10% at random" in said
    assert "No random control: set:loss=focal" in said
    assert "Judged on test so far: 0 decisions." in said
    assert "11 trainings, 1 done already" in said
    assert "is no verdict" in said
    planned = call("trial", "plan", "drop:top:10%", "--seeds", 2, "--json")
    assert planned["planned"]["n"] == 20
    assert [arm["steps"] for arm in planned["arms"]] == [8, 8, 8]
    assert call("runs", "--json") == before
    assert "trial" not in call("versions")


@pytest.mark.slow
def test_a_trial_is_run_and_shown(call):
    said = call("trial", "run", "cleaned=drop:top:10%", "--seeds", 2, "--workers", 1, "--slice", "label = 'pos'")
    assert "cleaned (drop:top:10%): " in said
    assert "itself at random rows" in said
    assert "n = 10)" in said.partition("where it was aimed (")[2]
    shown = call("trial", "show")
    assert shown[shown.index("cleaned (") :] == said[said.index("cleaned (") :]
    found = call("trial", "show", "--json")
    assert found["status"] == "finished"
    assert found["decisions"][0]["word"] in {"better", "worse", "cannot tell"}
    again = call("trial", "run", "--resume", "last", "--json")
    assert again["decisions"] == found["decisions"]


def test_what_is_no_decision_is_refused_with_a_fix(call):
    said = call("trial", "run", "dorp:top:5", code=2)
    assert "expected a decision" in said
    assert "drop" in said
