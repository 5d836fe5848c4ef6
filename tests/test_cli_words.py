"""What commands say in words, of results made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from tunewright import verbs
from tunewright.analyze.compare import compare
from tunewright.analyze.scores import Grade
from tunewright.cli import app, judge, learn
from tunewright.cli.app import passage, say, table
from tunewright.cli.numbers import scores_sentence
from tunewright.verbs.chart import DataMap, Suspect
from tunewright.verbs.judge import Compared
from tunewright.verbs.score import Prediction

TIMES = SimpleNamespace(repeats=1, tokenise_p50=0.1, tokenise_p95=0.1, forward_p50=1.0, forward_p95=1.0)


@pytest.fixture
def says(monkeypatch):
    """What a command prints when its verb returns a given result."""

    def run(line, verb, result):
        for module in (learn, judge):
            monkeypatch.setattr(module, "opened", lambda _: None)
        monkeypatch.setattr(verbs, verb, lambda *_, **__: result)
        done = CliRunner().invoke(app, line.split(), catch_exceptions=False, env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    return run


def mapped(suspects, suggested):
    first = Suspect(id="r1", text=("a text",), label="x", suggested=suggested, suspicion=0.9)
    return DataMap(
        run="r",
        coverage=None,
        epochs=2,
        regions=(),
        suspects=suspects,
        first_suspects=(first,),
        files=(),
        notes=("map.html was not written: it is too large",),
        rows=pa.table({"id": ["r1", "r2", "r3"]}),
    )


def test_a_map_of_mostly_suspects_means_little(says):
    said = says("map", "map", mapped(2, None))
    assert "The model has hardly learnt: this list means little yet." in said
    assert "map.html was not written: it is too large" in said
    assert "suggested" not in said


def test_a_map_of_few_suspects_suggests_labels(says):
    said = says("map", "map", mapped(1, "y"))
    assert "1 row looks mislabelled" in said
    assert "hardly" not in said
    assert "suggested" in said


def predicted(label, probabilities, stop_reason=None):
    about = {"run": "r", "probability": 0.5, "tokens": 3, "cut_at": None, "latency": TIMES}
    return Prediction(label=label, probabilities=probabilities, stop_reason=stop_reason, **about)


def test_a_generated_text_is_said_once_with_the_reason_why_it_stopped(says):
    said = says("predict last text", "predict", predicted("a summary", {"a summary": 0.5}, "length"))
    assert said.splitlines()[:2] == ["a summary  0.500", "stop reason: length"]


def test_no_answer_is_said_in_words(says):
    said = says("predict last text", "predict", predicted("", {"": 0.5, "red": 0.3}))
    assert said.splitlines()[:2] == ["(no answer)  0.500", "red 0.300"]
    said = says("predict last text", "predict", predicted("red", {"red": 0.5, "": 0.3}))
    assert said.splitlines()[:2] == ["red  0.500", "(no answer) 0.300"]


@pytest.mark.parametrize(("label", "name"), [(np.array(["x", "y"], object), "accuracy"), (None, "share correct")])
def test_accuracy_is_of_classes(says, label, name):
    right = np.array([True, False])
    comparison = compare(right, right, id=np.array(["a", "b"]), label=label)
    about = {"a": "a", "b": "b", "split": "test", "verdict": comparison.verdict, "scores": ()}
    said = says("compare a b", "compare", Compared(comparison=comparison, sentence=comparison.sentence(), **about))
    assert f"{name} of A" in said


def test_a_score_says_where_lower_is_better():
    said = scores_sentence(
        None,
        [
            Grade(name="exact_match", mean=0.0, interval=(0.0, 0.138), n=24),
            Grade(name="misses", mean=12.0, interval=None, n=24, direction="lower"),
        ],
    )
    assert said == (
        "exact match 0.000 [0.000, 0.138], misses 12 (no interval) (lower is better), n = 24, 95% intervals"
    )


def test_one_epoch_is_one(capsys):
    meta = {"status": "finished", "coverage": [{"seen": 3, "expected": 3}]}
    learn.say_trained(SimpleNamespace(id="r", meta=meta, coverage=1.0, scores=None, grades=(), speed=None))
    assert "(3 of 3 rows in 1 epoch)" in capsys.readouterr().out


def commands(group, above=()):
    """The words of every command and group below one."""
    for name, command in getattr(group, "commands", {}).items():
        yield (*above, name)
        yield from commands(command, (*above, name))


def hidden(param):
    return getattr(param, "hidden", False)


@pytest.mark.parametrize("words", [(), *commands(typer.main.get_command(app))], ids=" ".join)
def test_help_is_shown_as_it_is_written(words):
    command = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]
    written = [command.help, *(param.help for param in command.params if param.name != "help" and not hidden(param))]
    said = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80"}).output
    assert [text for text in written if "".join(text.split()) not in "".join(said.split())] == []


def test_groups_list_whole_sentences():
    said = CliRunner().invoke(app, ["--help"]).output
    assert "..." not in said.partition("Commands:")[2]


@pytest.mark.parametrize("text", ["drop:top:5%", ":smile:", "[red]x[/red]", "[/]", "[link=x]"])
def test_data_is_shown_as_it_is(text, capsys):
    say(text)
    table(text, (text, "n"), [(text, 1), ("other", 2)])
    table(text, (text, "n"), [(text, 1), ("other", 2)], cut=(text,))
    passage([(text, "bold")])
    said = capsys.readouterr().out
    assert said.count(text) == 1 + 3 + 3 + 1
