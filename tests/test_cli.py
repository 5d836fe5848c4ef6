"""The command line, from a file to a verdict, and what it says when something is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import pyarrow.csv
import pytest
from typer.testing import CliRunner

from tunewright.cli import app
from tunewright.toy import toy_model, toy_texts

SETTINGS = "epochs=3 batch_size=8 learning_rate=0.01 threads=1 precision=fp32"
QUICK = [word for setting in SETTINGS.split() for word in ("--set", setting)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    pyarrow.csv.write_csv(toy_texts(100, noise=0.1), folder / "reviews.csv")
    toy_model(folder / "tiny")
    return folder


@pytest.fixture(scope="module")
def call(folder):
    """Run a command in the project's folder; its output, or its parsed JSON if asked for."""

    def run(*words, code=0):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in words else done.output

    return run


@pytest.fixture(scope="module")
def trained(call):
    """A project with two runs, of all rows and of a focused version; the ids of the runs."""
    call("init", "reviews.csv", "--model", "tiny")
    first = call("train", *QUICK, "--name", "first", "--json")["id"]
    call("focus", "--region", "ambiguous", "--fraction", 0.5, "--without-suspects", "--control", "--name", "half")
    second = call("train", "--version", "half", *QUICK, "--name", "second", "--json")["id"]
    return first, second


def test_the_story_in_words(tmp_path):
    """Every command a person types, in order, in one folder."""
    pyarrow.csv.write_csv(toy_texts(60, noise=0.1), tmp_path / "reviews.csv")
    toy_model(tmp_path / "tiny")

    def say(line, code=0):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)
            done = CliRunner().invoke(app, line.split(), catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output

    settings = " ".join(QUICK)
    assert "Wrote project.py" in say("init reviews.csv --model tiny")
    assert "FAILED" not in say("check")
    assert "coverage: 100 % (36 of 36 rows in each of 3 epochs)" in say(f"train {settings} --name first")
    assert "rows look mislabelled" in say("map --latent")
    assert "Next: tunewright edit apply list.csv" in say("suspects --top 5 --csv list.csv")
    assert re.search(r"accuracy 0\.\d+ \[0\.\d+, \d\.\d+\]", say("evaluate --split test"))
    assert "keeps" in say("focus --min-variability 0 --max-confidence 0.999 --name ambiguous")
    assert "finished" in say(f"train --version ambiguous {settings} --name second")
    assert re.search(r"Verdict: (B is (better|worse)|Cannot tell)", say("compare first second"))
    listed = say("runs")
    first, second = (re.search(rf"\S+-{name}-\w{{4}}(?=\s+train)", listed).group() for name in ("first", "second"))
    assert "chosen on the validation rows" in say(f"ensemble {first} {second}")
    assert "forward" in say(f"predict {second} good")
    assert "examples" in say(f"show {first}")
    assert "wrote" in say(f"export {first} --format cartography")
    assert "imported" in say(f"import-dynamics runs/{first}/exports/training_dynamics")
    assert "applied: Keep" in say("edit diff main ambiguous --rows 2")
    assert "Nothing was written" in say("edit apply --suspects top:2 --action drop --dry-run")
    assert "decided is now" in say("edit apply --suspects top:2 --action drop --name decided --reason noise")
    assert "noise" in say("edit log decided")
    assert "is now" in say("edit undo ambiguous")
    assert "ambiguous" in say("versions")


def test_each_command_gives_json(call, trained, folder):
    first, second = trained
    keys = {
        ("check",): {"bindings", "lints", "rows"},
        ("map",): {"run", "coverage", "regions", "suspects", "files", "rows"},
        ("suspects", first, "--top", 3): {"run", "rows", "trust", "detectors", "flagged"},
        ("evaluate", first): {"run", "scores", "causes", "table"},
        ("focus", "--region", "easy", "--name", "easy", first): {"version", "rule", "kept", "of"},
        ("compare", first, second): {"a", "b", "verdict", "sentence", "comparison"},
        ("ensemble", first, second, "--weights", "0.5,0.5"): {"run", "members", "weights", "compared"},
        ("predict", first, "a good film"): {"label", "probability", "latency"},
        ("runs",): {"runs"},
        ("show", first): {"id", "meta", "scores", "coverage"},
        ("export", first, "--format", "jsonl"): {"path", "rows"},
        ("versions",): {"dataset", "versions"},
        ("edit", "apply", "--suspects", "top:2", "--dry-run"): {"written", "version", "changes", "net"},
        ("edit", "log", "--id", "toy-0001"): {"version", "changes", "provenance", "reviews"},
        ("edit", "diff", "main", "main"): {"a", "b", "undone", "applied", "net"},
    }
    for words, expected in keys.items():
        assert expected <= call(*words, "--json").keys(), words


def test_json_is_that_of_the_verb(call, trained, folder):
    import tunewright as tw

    said = call("show", trained[0], "--json", "--project", folder)
    assert said == json.loads(json.dumps(tw.show(tw.open_project(folder), trained[0]).to_json()))


@pytest.mark.parametrize(
    ("words", "message", "fix"),
    [
        ("train --version hlaf", "no version is called 'hlaf'", "did you mean 'half'?"),
        ("train --set epoch=2", "no field 'epoch'", "did you mean 'epochs'?"),
        ("train --set epochs=two", "epochs expects float, found 'two'", ""),
        ("map nothing", "no run below runs is called 'nothing'", "known: "),
        ("evaluate --split tset", "expected rows in split 'tset'", "did you mean 'test'?"),
        ("init reviews.csv", "there is a project.py already", "--force"),
        ("focus --region dull --name x", "no region is called 'dull'", "known: ambiguous, easy, hard"),
        ("focus --name x", "expected a rule", "--without-suspects"),
        ("export --format xls", "no format is called 'xls'", "known: cartography"),
        ("edit undo main", "has no edit to undo", "tunewright edit log"),
        ("edit apply reviewed.csv", "found no file", "tunewright suspects --csv"),
        ("edit apply --rule sure --action drop", "the rule 'sure' cannot be followed", "write a condition"),
        ("runs --project nowhere", "found no project.py", "tunewright init"),
        ("train --resume", "expected an unfinished training run", "without --resume"),
    ],
)
def test_mistakes_are_two_lines_and_no_traceback(call, trained, folder, words, message, fix):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert fix in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "words", ["ensemble a b --weights x,y", "ensemble a b --of means", "edit diff main", "train some-run"]
)
def test_words_that_do_not_fit_are_refused_by_the_command(call, trained, words):
    assert "Usage" in call(*words.split(), code=2)


def test_a_failed_binding_is_exit_code_1(tmp_path):
    pyarrow.csv.write_csv(toy_texts(40), tmp_path / "reviews.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert CliRunner().invoke(app, ["init", "reviews.csv", "--model", "no/such-model"]).exit_code == 0
        done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == 1
    assert "FAILED" in done.output


def test_other_errors_keep_their_traceback(call, trained, monkeypatch):
    from tunewright import verbs

    monkeypatch.setattr(verbs, "runs", lambda project: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call("runs")


def test_an_interrupted_training_says_how_to_go_on(call, trained, monkeypatch):
    from tunewright import verbs

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(verbs, "train", interrupt)
    assert "tunewright train --resume" in call("train", code=130)


def test_text_of_the_data_has_no_power_over_the_terminal(tmp_path):
    rows = toy_texts(40).to_pylist()
    texts = [row["text"] + " [bold]x[/bold] \x1b[31mred" for row in rows]
    pyarrow.csv.write_csv(toy_texts(40).set_column(1, "text", [texts]), tmp_path / "reviews.csv")
    toy_model(tmp_path / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        for words in (["init", "reviews.csv", "--model", "tiny"], ["train", *QUICK], ["map"]):
            done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "\x1b[31m" not in done.output
    if "0 rows look" not in done.output:
        assert "[bold]x[/bold]" in done.output


def test_help_is_quick():
    """Loose, for a busy machine: what keeps it quick is that nothing heavy is imported."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from tunewright.cli import main; main()", "--help"], check=True, capture_output=True
    )
    assert time.perf_counter() - started < 3
