"""The heatmap and the deletion test on the command line."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import tunewright as tw
from tunewright.cli import app
from tunewright.cli.microscope import _pieces
from tunewright.observe.marks import Mark
from tunewright.toy import toy_model, toy_texts
from tunewright.train.config import TrainConfig

VISUALISER = """
from tunewright.bindings import visualiser

@visualiser
def loud(row):
    return row["text"].upper() + "!\\n[" + row["predicted"] + "]"
"""
QUICK = TrainConfig(epochs=2, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Run ``tunewright explain`` in a project with one run; its output, or its parsed JSON if asked for."""
    from dataclasses import replace

    import pyarrow.csv

    folder = tmp_path_factory.mktemp("project")
    pyarrow.csv.write_csv(toy_texts(60), folder / "reviews.csv")
    tw.init(str(folder / "reviews.csv"), folder, model=toy_model(folder / "tiny"))
    with (folder / "project.py").open("a") as file:
        file.write(VISUALISER)
    tw.train(replace(tw.open_project(folder), train=QUICK))

    def run(*words, code=0):
        arguments = ["explain", *map(str, words), "--project", str(folder)]
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in words else done.output

    return run


def test_a_row_is_shown_with_signs_where_there_is_no_colour(call):
    shown = call("last", "toy-0001", "--steps", 8)
    assert "\x1b" not in shown
    assert "[+" in shown or "[-" in shown
    assert "deletion test: masking the" in shown
    assert "completeness error:" in shown
    assert "explain-toy-0001.html" in shown


def test_what_the_projects_visualisers_say_is_shown(call):
    shown, found = call("last", "toy-0001"), call("last", "toy-0001", "--json")
    assert f"\nloud:\n{found['shown']['loud']}\n" in shown
    assert found["shown"]["loud"].endswith(f"!\n[{found['attribution']['predicted']}]")


def test_gold_answers_that_share_words_have_one_pair_of_brackets():
    text = "it was quite good today"
    gold = [Mark(kind="gold", field="context", start=start, end=end) for start, end in ((7, 12), (7, 17), (13, 17))]
    marks = (*gold, Mark(kind="predicted", field="context", start=7, end=12))
    found = SimpleNamespace(texts={"context": text}, words=(), strongest=(), marks=marks)
    shown = "".join(piece for piece, _ in _pieces(SimpleNamespace(attribution=found), "context"))
    assert shown == "it was «‹quite› good» today"


def test_the_text_is_whole_but_for_the_signs(call):
    found = call("last", "toy-0001", "--json")["attribution"]
    shown = " ".join(call("last", "toy-0001").split())
    for sign in ("[+", "[-", "]"):
        shown = shown.replace(sign, "")
    assert " ".join(found["texts"]["text"].split()) in shown


def test_a_sample_is_tested(call):
    shown = call("last", "--sample", 6, "--method", "gradient_x_input")
    assert "gradient x input on 6 validation rows" in shown
    assert "random words masked" in shown
    assert call("last", "--sample", 6, "--method", "gradient_x_input", "--json")["top"]["n"] == 6


@pytest.mark.parametrize(("words", "said"), [(("last",), "name a row"), (("last", "a", "--sample", "9"), "name a row")])
def test_a_row_or_a_sample_is_named(call, words, said):
    assert said in call(*words, code=2)


def test_an_unknown_row_is_an_error_with_a_fix(call):
    assert "no row has the id 'toy-1'" in (said := call("last", "toy-1", code=2))
    assert "did you mean 'toy-00" in said
