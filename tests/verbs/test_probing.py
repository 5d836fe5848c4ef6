"""Functions of a real ``project.py``, right ones and wrong ones, through the command line."""

from __future__ import annotations

import json
import re
import textwrap

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from tunewright.cli import app
from tunewright.project import Project
from tunewright.table import write
from tunewright.tasks.summarize import Summarization
from tunewright.toy import toy_answers, toy_model, toy_seq2seq, toy_summaries, toy_texts
from tunewright.verbs.checking import check as check_project

HEAD = """
import itertools
import random
import time

import torch

from tunewright import Classification, Project
from tunewright.bindings import metadata, metric, rowwise, visualiser

settings = dict(
    name="toy", source="toy.parquet", model="model", task=Classification(labels=("neg", "pos"))
)
count = itertools.count()
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return toy_model(tmp_path_factory.mktemp("toy") / "model")


@pytest.fixture
def check(tmp_path, model):
    """Write a project with this code, check it, and give back what was tried by name, and the exit code."""
    (tmp_path / "model").symlink_to(model)
    write(tmp_path / "toy.parquet", toy_texts(40))

    def run(code, arguments=""):
        (tmp_path / "project.py").write_text(
            HEAD + textwrap.dedent(code) + f"\nproject = Project(**settings, {arguments})\n"
        )
        done = CliRunner().invoke(app, ["check", "--project", str(tmp_path), "--json"])
        tried = {one["name"]: one for one in json.loads(done.stdout)["bindings"]}
        return tried, done.exit_code

    return run


def test_good_functions_of_every_kind_pass(check):
    tried, code = check(
        """
        @metadata
        def length(rows):
            return [len(text) for text in rows["text"]]

        @metadata(columns=("first", "last"), rowwise=True)
        def ends(row):
            words = row["text"].split()
            return {"first": words[0], "last": words[-1]}

        @metric(direction="higher")
        def agreement(columns):
            rows = zip(columns["id"], columns["label"], columns["predicted"])
            return [gold == said for name, gold, said in rows if name]

        @metric(direction="lower")
        def error_rate(columns):
            wrong = [gold != said for gold, said in zip(columns["label"], columns["predicted"])]
            return sum(wrong) / len(wrong)

        @visualiser
        def marked(row):
            return f"{row['text']} -> {row['predicted']} ({row['label']})"

        def loss(outputs, targets):
            return torch.nn.functional.cross_entropy(outputs.logits, targets, reduction="none", label_smoothing=0.1)

        def lower(row):
            return {"text": row["text"].lower()}
        """,
        "loss=loss, preprocess=rowwise(lower)",
    )
    assert {name: one["detail"] for name, one in tried.items() if not one["passed"]} == {}
    assert code == 0
    ours = ("metadata length", "metadata ends", "metric agreement", "metric error_rate", "visualiser marked")
    for name in (*ours, "loss loss", "preprocess lower"):
        assert tried[name]["seconds"] >= 0
    assert tried["metadata ends"]["detail"].startswith("first: string [")
    assert tried["metric error_rate"]["detail"] == "one number: 0 if perfect, 1 if wrong"


DEFECTS = {
    "wrong direction": (
        """
        @metric(direction="lower")
        def agreement(columns):
            return [gold == said for gold, said in zip(columns["label"], columns["predicted"])]
        """,
        "",
        "metric agreement",
        "perfect predictions score 1, wrong ones 0, and lower is said to be better",
    ),
    "a metric that tells nothing": (
        """
        @metric(direction="higher")
        def always(columns):
            return 1.0
        """,
        "",
        "metric always",
        "does not tell them apart",
    ),
    "wrong shape of a metric": (
        """
        @metric(direction="higher")
        def twice(columns):
            return [[1.0, 2.0] for _ in columns["label"]]
        """,
        "",
        "metric twice",
        "gave shape [8, 2] for 8 rows",
    ),
    "wrong shape of a loss": (
        """
        def mean(outputs, targets):
            return torch.nn.functional.cross_entropy(outputs.logits, targets)
        """,
        "loss=mean",
        "loss mean",
        "shape [8], found []",
    ),
    "a loss without gradient": (
        """
        def cut(outputs, targets):
            return torch.nn.functional.cross_entropy(outputs.logits.detach(), targets, reduction="none")
        """,
        "loss=cut",
        "loss cut",
        "no gradient flows",
    ),
    "a loss with the wrong sign": (
        """
        def reward(outputs, targets):
            return -torch.nn.functional.cross_entropy(outputs.logits, targets, reduction="none")
        """,
        "loss=reward",
        "loss reward",
        "outputs that favour the gold targets have the loss",
    ),
    "NaN": (
        """
        @metadata
        def ratio(rows):
            return [float("nan") if text.startswith("t") else 1.0 for text in rows["text"]] + []

        @metric(direction="higher")
        def undefined(columns):
            return float("nan")
        """,
        "",
        "metric undefined",
        "expected finite numbers, found nan",
    ),
    "NaN in metadata": (
        """
        @metadata
        def ratio(rows):
            return [float("inf") for text in rows["text"]]
        """,
        "",
        "metadata ratio",
        "expected finite numbers, found inf in row 0",
    ),
    "exception": (
        """
        @metadata
        def broken(rows):
            return [1 / 0 for text in rows["text"]]
        """,
        "",
        "metadata broken",
        'ZeroDivisionError: division by zero\n  at project.py, line 18: return [1 / 0 for text in rows["text"]]',
    ),
    "exception in a generator": (
        """
        @metadata
        def broken(rows):
            for text in rows["text"]:
                yield int(text)
        """,
        "",
        "metadata broken",
        "project.py, line 19: yield int(text)",
    ),
    "exception in a loss": (
        """
        def broken(outputs, targets):
            return outputs.no_such_logits
        """,
        "loss=broken",
        "loss broken",
        "project.py, line 17: return outputs.no_such_logits",
    ),
    "non-determinism": (
        """
        @metadata
        def noise(rows):
            return [random.random() for text in rows["text"]]
        """,
        "",
        "metadata noise",
        "called twice with the same rows, it gives different values",
    ),
    "non-determinism of a visualiser": (
        """
        @visualiser
        def counted(row):
            return str(next(count))
        """,
        "",
        "visualiser counted",
        "called twice",
    ),
    "too few values": (
        """
        @metadata
        def short(rows):
            return [1]
        """,
        "",
        "metadata short",
        "gave 1 values for 8 rows",
    ),
    "a mix of types": (
        """
        @metadata
        def mixed(rows):
            return [1 if row % 2 else "one" for row in range(len(rows["text"]))]
        """,
        "",
        "metadata mixed",
        "mixes number and str",
    ),
    "a text in place of values": (
        """
        @metadata
        def name(rows):
            return "a text"
        """,
        "",
        "metadata name",
        "gave str, expected a list",
    ),
    "one that changes its input": (
        """
        @metadata
        def lengths(rows):
            rows["text"][:] = [text.split() for text in rows["text"]]
            return [len(words) for words in rows["text"]]
        """,
        "",
        "metadata lengths",
        "it changes the rows it is given: 'text'",
    ),
    "one that depends on the other rows": (
        """
        @metadata
        def share(rows):
            total = sum(map(len, rows["text"]))
            return [len(text) / total for text in rows["text"]]
        """,
        "",
        "metadata share",
        "among the others and 1.0 alone",
    ),
    "a column that is missing": (
        """
        @metadata(columns=("a", "b"))
        def two(rows):
            return {"a": rows["text"]}
        """,
        "",
        "metadata two",
        "promised the column 'b', found ['a']",
    ),
    "no text": (
        """
        @visualiser
        def page(row):
            return 3
        """,
        "",
        "visualiser page",
        "gave int, expected text",
    ),
    "a preprocess step that drops rows": (
        """
        def few(rows):
            return {"text": rows["text"][:2]}
        """,
        "preprocess=few",
        "preprocess few",
        "gave {'text': 2} values for 8 rows",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_caught_by_name(check, defect):
    code, arguments, name, message = DEFECTS[defect]
    tried, exit_code = check(code, arguments)
    assert exit_code == 1
    assert tried[name]["passed"] is False
    assert message in tried[name]["detail"]


def test_a_generator_of_the_right_length_is_as_good_as_a_list(check):
    tried, code = check(
        """
        @metadata
        def lengths(rows):
            return (len(text) for text in rows["text"])
        """
    )
    assert code == 0
    assert tried["metadata lengths"]["passed"]


def test_a_slow_function_shows_in_its_time(check):
    tried, _ = check(
        """
        @metadata
        def slow(rows):
            time.sleep(0.02 * len(rows["text"]))
            return [0 for _ in rows["text"]]
        """
    )
    assert tried["metadata slow"]["seconds"] >= 0.02


def test_the_table_names_the_time_and_what_was_not_tried(check, tmp_path):
    check(DEFECTS["a preprocess step that drops rows"][0], "preprocess=few")
    done = CliRunner().invoke(app, ["check", "--project", str(tmp_path)])
    assert done.exit_code == 1
    assert "time per row" in done.stdout
    assert re.search(r"not tried +needs preprocess few", done.stdout)


ANSWERS = """
from tunewright import Project
from tunewright.bindings import metric, rowwise
from tunewright.tasks.answer import QuestionAnswering

@metric(direction="higher")
def is_gold(columns):
    pairs = zip(columns["answers_text"], columns["predicted"])
    return [float(said in answers) for answers, said in pairs]

def loss(outputs, targets):
    first, last = (targets[name][:, :1].clamp(min=0) for name in ("start_positions", "end_positions"))
    start, end = outputs.start_logits.log_softmax(-1), outputs.end_logits.log_softmax(-1)
    return -(start.gather(1, first) + end.gather(1, last)).squeeze(1)

def shift(row):
    return {"context": " " + row["context"]}

project = Project(
    name="qa", source="qa.parquet", model="model", task=QuestionAnswering(max_length=24, stride=8), loss=loss, MORE
)
"""


@pytest.fixture
def check_answers(tmp_path, model):
    """Write a project of questions, check it, and give back what was tried, the lints, and the exit code."""
    (tmp_path / "model").symlink_to(model)

    def run(rows, more=""):
        write(tmp_path / "qa.parquet", rows)
        (tmp_path / "project.py").write_text(ANSWERS.replace("MORE", more))
        done = CliRunner().invoke(app, ["check", "--project", str(tmp_path), "--json"])
        said = json.loads(done.stdout)
        return {one["name"]: one for one in said["bindings"]}, said["lints"], done.exit_code

    return run


def test_answers_and_their_windows_pass(check_answers):
    tried, lints, code = check_answers(toy_answers(60))
    assert not {"label imbalance", "labels missing from training"} & {one["name"] for one in lints}
    assert {name: one["detail"] for name, one in tried.items() if not one["passed"]} == {}
    assert code == 0
    assert "come back from perfect outputs" in tried["round trip"]["detail"]
    assert tried["spans"]["detail"].endswith("gold answers are where they are said to be")


def test_spans_that_are_off_by_one_are_caught(check_answers):
    rows = toy_answers(60)
    early = [[start - 1 for start in starts] for starts in rows["answers_start"].to_pylist()]
    place = rows.schema.get_field_index("answers_start")
    tried, lints, code = check_answers(rows.set_column(place, "answers_start", pa.array(early)))
    assert code == 1
    assert tried["spans"]["passed"] is False
    start = early[0][0]
    assert f"is not at {start} of 'context'" in tried["spans"]["detail"]
    assert any("offset" in one["name"] or "offset" in one["message"] for one in lints)


def test_spans_that_a_preprocess_step_moves_are_caught(check_answers):
    tried, _, code = check_answers(toy_answers(60), "preprocess=rowwise(shift)")
    assert code == 1
    assert tried["spans"]["passed"] is False


def test_what_generates_is_tried_without_a_round_trip(tmp_path):
    toy_seq2seq(tmp_path / "model")
    write(tmp_path / "talks.parquet", toy_summaries(60))
    task = Summarization(max_length=32, max_target_length=12, max_new_tokens=4)
    checked = check_project(Project(name="talks", source="talks.parquet", model="model", task=task, folder=tmp_path))
    assert {one.name: one.detail for one in checked.bindings if not one.passed} == {}
    assert {one.name: one.detail for one in checked.bindings}["round trip"].startswith("not for this task")
