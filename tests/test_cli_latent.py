"""The commands that look at rows as the model sees them: what they print, their JSON, and their refusals."""

from __future__ import annotations

import json

import pyarrow.csv
import pytest
from typer.testing import CliRunner

from tunewright.cli import app
from tunewright.toy import toy_model, toy_texts
from tunewright.verbs.nearby import SeenRow, Similar

QUICK = "--set epochs=2 --set batch_size=8 --set learning_rate=0.01 --set threads=1 --set precision=fp32"


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Run a command in the folder of a project with a trained run; its exit code and output."""
    folder = tmp_path_factory.mktemp("project")
    pyarrow.csv.write_csv(toy_texts(100, noise=0.1), folder / "reviews.csv")
    toy_model(folder / "tiny")

    def run(line, code=0):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            done = CliRunner().invoke(app, line.split(" "), catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output

    run("init reviews.csv --model tiny")
    run(f"train {QUICK} --name only")
    return run


def test_analyze_prints_clusters_slices_shift_and_duplicates(call):
    said = call("analyze --smallest 10")
    assert "train 60, validation 20, test 20; 16 dimensions, layer -1, pooling task" in said
    assert "train loss" in said
    assert "validation accuracy" in said
    assert "fitted on" not in said
    assert "looked for in" not in said
    assert "higher loss" in said
    assert "Train and validation" in said
    assert "nearly the same text" in said
    assert "tunewright plot" in said


def test_samples_and_few_rows_are_said(call, monkeypatch):
    from dataclasses import replace

    import tunewright.verbs

    real = tunewright.verbs.analyze
    for fitted, searched, message in (
        (100, 60, "Clusters were looked for in 60 of the rows"),
        (60, 100, "UMAP was fitted on 60 of the rows"),
        (0, 100, "Too few rows differ for a UMAP"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(
                tunewright.verbs,
                "analyze",
                lambda *asked, fitted=fitted, searched=searched, **options: replace(
                    real(*asked, **options), fitted=fitted, searched=searched
                ),
            )
            assert message in call("analyze --smallest 10")


def test_similar_lists_rows_with_label_prediction_and_loss(call):
    said = call("similar last toy-0004 -k 3")
    assert "rows of split train most like toy-0004" in said
    assert "gold '" in said
    assert "cluster" in said
    assert len([line for line in said.splitlines() if line.startswith("toy-")]) == 3
    assert "rows of any split most like the text" in call("similar last --text good --split all")


def test_long_texts_are_cut_in_the_table_and_whole_in_json(call, monkeypatch):
    import tunewright.verbs

    row = SeenRow(
        id="a-rather-long-id-" + "0" * 20, split="train", similarity=0.5, texts={"text": "many words\n" * 100},
        label="", predicted="said " * 50, loss=0.1, correct=False, cluster="a cluster, of, some, words",
    )  # fmt: skip
    made = Similar(run="only", query=row, split="train", recall=1.0, rows=(row,) * 3)
    monkeypatch.setattr(tunewright.verbs, "similar", lambda *asked, **options: made)
    for width in (120, 160):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = call("similar last toy-0004").splitlines()
        rows = [line for line in lines if line.startswith(row.id)]
        assert len(rows) == 3
        assert all(len(line) <= width for line in rows)
        assert "(no answer)" in rows[0]
        assert "many" in rows[0]
        assert len(lines) == 8
    assert "gold (no answer), predicted 'said" in call("similar last toy-0004")
    assert json.loads(call("similar last toy-0004 --json"))["rows"][0]["texts"] == row.texts


def test_slices_say_how_many_were_tested(call):
    said = call("slices --by label --smallest 10")
    assert "80 rows of all splits but test" in said
    assert "None of 1 slice of 10 rows or more" in said or ", of 1 that were tested" in said
    assert "Nothing to cut into slices of 20 rows or more, and of at most half of all." in call("slices --by split")


def test_lint_lists_findings(call):
    said = call("lint")
    assert "100 rows, outputs of" in said


def test_plot_names_its_files(call):
    said = call("plot last dynamics --colour label")
    assert "dynamics of 60 rows, by label" in said
    assert "dynamics-label.svg" in said


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("analyze --json", {"run", "splits", "clusters", "slices", "shift", "duplicates", "across_splits"}),
        ("similar last toy-0004 --json", {"run", "query", "rows", "split"}),
        ("slices --json", {"run", "rows", "tested", "slices", "by"}),
        ("lint --json", {"run", "rows", "predicted", "lints"}),
        ("plot last errors --json", {"run", "picture", "files"}),
    ],
)
def test_each_command_gives_json(call, line, keys):
    assert keys <= json.loads(call(line)).keys()


@pytest.mark.parametrize(
    ("line", "message", "fix"),
    [
        ("similar last toy-04", "no row has the id 'toy-04'", "did you mean 'toy-"),
        ("similar last toy-0004 --split tset", "expected rows in split 'tset'", "did you mean 'test'?"),
        ("slices --by lable", "no column is called 'lable'", "did you mean 'label'?"),
        ("slices --split tset", "expected rows in split 'tset'", "did you mean 'test'?"),
        ("plot last populaton", "no picture is called 'populaton'", "did you mean 'population'?"),
        ("plot last dynamics --colour regoin", "no column is called 'regoin'", "did you mean 'region'?"),
        ("analyze nothing", "no run below runs is called 'nothing'", "known: "),
        ("analyze --clusters 3", "with kmeans", "hdbscan finds the number itself"),
        ("analyze --layer 9", "expected a layer from -3 to 2", ""),
    ],
)
def test_mistakes_are_two_lines(call, line, message, fix):
    said = call(line, code=2)
    assert message in said
    assert fix in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "line", ["similar last", "similar last toy-0004 --text x", "analyze --method dbscan", "analyze --dtype int8"]
)
def test_words_that_do_not_fit_are_refused_by_the_command(call, line):
    assert "Usage" in call(line, code=2)
