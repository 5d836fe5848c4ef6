from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tunewright as tw
from tunewright.bindings import visualiser
from tunewright.errors import DataError, ProjectError
from tunewright.toy import toy_answers, toy_model, toy_seq2seq, toy_summaries
from tunewright.train.config import TrainConfig
from tunewright.verbs import faithfulness
from tunewright.verbs.explaining import _file_name, explain

QUICK = TrainConfig(epochs=1, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


def ids(rows, split):
    return [row["id"] for row in rows.to_pylist() if row["split"] == split]


@pytest.fixture(scope="module")
def known(first):
    """An id of the run's training rows."""
    return ids(first.table("examples"), "train")[0]


def test_a_row_of_the_run_is_explained(project, first, known):
    made = explain(project, first, known)
    assert made.attribution.id == known
    assert made.attribution.predicted in {"neg", "pos"}
    assert 0 <= made.probability <= 1
    assert made.file.parent == first.folder / "figures"
    assert "<script" not in made.file.read_text()
    assert json.loads(json.dumps(made.to_json()))["attribution"]["words"][0].keys() == {
        *("text", "field", "start", "end", "score")
    }


def test_another_method_or_token_has_a_file_of_its_own(project, first, known):
    usual = explain(project, first, known, steps=2).file
    other = explain(project, first, known, method="gradient_x_input").file
    assert other.name == f"{usual.stem}-gradient_x_input.html"
    assert _file_name("a", "integrated_gradients", 5) == "explain-a-token-5.html"


def test_a_row_that_only_the_dataset_has_is_explained(project, first, tmp_path):
    one = ids(tw.Dataset.open(project.dataset_folder).table(), "test")[0]
    assert one not in first.table("examples")["id"].to_pylist()
    made = explain(project, first, one, method="gradient_x_input", path=tmp_path / "here" / "a.html")
    assert made.file == tmp_path / "here" / "a.html"
    assert made.file.is_file()


def test_a_split_that_only_the_dataset_has_is_sampled(project, first):
    assert "test" not in first.table("examples")["split"].to_pylist()
    assert faithfulness(project, first, rows=3, split="test", steps=4).top.n == 3


@visualiser
def beside(row):
    return f"<b>{row['text']}</b>: gold {row['label']}, predicted {row['predicted']}"


@visualiser
def nameless(row):
    return row["nowhere"]


def test_what_the_visualisers_say_is_shown_as_text(project, first, known):
    made = explain(replace(project, visualisers=(beside,)), first, known, steps=2)
    found = made.attribution
    assert made.shown == {"beside": f"<b>{found.texts['text']}</b>: gold {found.label}, predicted {found.predicted}"}
    assert made.to_json()["shown"] == made.shown
    page = made.file.read_text()
    assert "<h2>beside</h2>" in page
    assert f"&lt;b&gt;{found.texts['text']}&lt;/b&gt;: gold" in page
    with pytest.raises(ProjectError, match="visualiser 'nameless' raised KeyError"):
        explain(replace(project, visualisers=(nameless,)), first, known, steps=2)


def test_an_evaluation_is_explained_by_its_model(project, first):
    evaluation = tw.evaluate(project, first, split="test").run
    run = tw.Run.open(project.runs_folder / evaluation)
    assert explain(project, run, ids(run.table("examples"), "test")[0]).run == evaluation
    assert faithfulness(project, evaluation, rows=3, steps=4).split == "test"


@pytest.mark.parametrize("id", ["a/b", "../a", "a b", "é" * 200, ""])
def test_any_id_has_a_file_in_the_folder(project, first, tmp_path, id):
    row = {"id": [id], "text": ["a good film"], "label": ["pos"], "split": ["test"]}
    run = tw.Run.create(tmp_path, kind="eval", name="x", config={}, examples=pa.table(row), parent=first.id)
    assert explain(project, run, id, steps=2).file.parent == run.folder / "figures"


def test_faithfulness_is_measured_on_a_sample_and_repeats(project, first):
    one, again = (faithfulness(project, first, rows=8, steps=8) for _ in range(2))
    assert one == again
    assert one.top.n == one.random.n == 8
    assert one.difference.mean == pytest.approx(one.top.mean - one.random.mean)
    assert one.difference.interval[0] <= one.difference.mean <= one.difference.interval[1]
    assert 0 <= one.wins <= 1
    assert one.skipped == 0


def test_what_is_not_there_is_named(project, first, known):
    unseen = ids(tw.Dataset.open(project.dataset_folder).table(), "test")[0]
    with pytest.raises(DataError, match=f"no row has the id '{unseen}x'") as refused:
        explain(project, first, f"{unseen}x")
    assert f"did you mean '{unseen}'" in refused.value.fix
    with pytest.raises(DataError, match="no method is called 'magic'"):
        explain(project, first, known, method="magic")
    with pytest.raises(DataError, match="rows in split 'tset', found none"):
        faithfulness(project, first, split="tset")
    with pytest.raises(DataError, match="two rows or more"):
        faithfulness(project, first, rows=1)


@pytest.mark.parametrize(
    ("task", "rows", "model"),
    [
        ("answers", toy_answers(30), toy_model),
        ("summaries", toy_summaries(30).rename_columns({"label": "summary"}), toy_seq2seq),
    ],
    ids=["answers", "summaries"],
)
def test_other_tasks_are_explained_by_the_same_verb(tmp_path, task, rows, model):
    pq.write_table(rows, tmp_path / "rows.parquet")
    tw.init(str(tmp_path / "rows.parquet"), tmp_path, task=task, model=model(tmp_path / "tiny"))
    project = replace(tw.open_project(tmp_path), train=QUICK)
    run = tw.train(project)
    made = explain(project, run, ids(run.table("examples"), "validation")[0], steps=2)
    assert {word.field for word in made.attribution.words} == {*project.task.text_fields}
    assert [mark.kind for mark in made.attribution.marks if mark.kind == "gold"] == ["gold"] * (task == "answers")
    assert bool(made.attribution.target) == (task == "summaries")
    assert faithfulness(project, run, rows=2, steps=2).top.n == 2
