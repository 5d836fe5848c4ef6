"""Out-of-fold dynamics: each training row, measured by a model that did not learn from it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import tunewright as tw
from tunewright.cli import app
from tunewright.errors import TrainError
from tunewright.observe.predict import predict
from tunewright.project import open_dataset
from tunewright.run import Run
from tunewright.tasks.source import load_tokenizer
from tunewright.toy import toy_answers, toy_model, toy_texts
from tunewright.verbs.folds import HELD_OUT, assign, train_folds

QUICK = tw.TrainConfig(
    epochs=2, batch_size=8, learning_rate=3e-3, threads=1, precision="fp32", keep_best=False, record="none"
)


def project_of(folder, rows, task, **about):
    pq.write_table(rows, folder / "rows.parquet")
    model = toy_model(folder / "tiny")
    return tw.Project(name="toy", source="rows.parquet", task=task, model=model, train=QUICK, folder=folder, **about)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    project = project_of(tmp_path_factory.mktemp("folds"), toy_texts(60), tw.Classification(labels=("neg", "pos")))
    return project, train_folds(project, 3)


def test_every_training_row_is_recorded_once_an_epoch(trained):
    project, run = trained
    rows = open_dataset(project).table("main")
    train = {row["id"] for row in rows.to_pylist() if row["split"] == "train"}
    dynamics = run.table("dynamics")
    assert dynamics.num_rows == 2 * len(train)
    assert set(dynamics["id"].to_pylist()) == train
    assert [epoch["seen"] for epoch in run.meta["coverage"]] == [len(train)] * 2
    assert run.meta["recorded"] == "held_out"
    assert run.meta["mixed_left_out"] == 0


def test_no_fold_learns_from_the_rows_it_measures(trained):
    project, run = trained
    held = []
    for name in run.meta["fold_runs"]:
        fold = Run.open(project.runs_folder / name)
        examples = fold.table("examples")
        out = {row["id"] for row in examples.to_pylist() if row["split"] == HELD_OUT}
        learnt = {row["content"] for row in examples.to_pylist() if row["split"] == "train"}
        assert not learnt & {row["content"] for row in examples.to_pylist() if row["id"] in out}
        held += out
    assert len(held) == len(set(held)) == 36


def test_what_is_recorded_is_what_the_fold_s_last_model_says(trained):
    project, run = trained
    fold = Run.open(project.runs_folder / run.meta["fold_runs"][0])
    examples = fold.table("examples")
    held = examples.filter(pa.compute.equal(examples["split"], HELD_OUT))
    source = str(fold.model_folder)
    said = predict(project.task.load_model(source), project.task, load_tokenizer(source), held)
    dynamics = run.table("dynamics")
    last = dynamics.filter(pa.compute.equal(dynamics["epoch"], 1)).to_pylist()
    recorded = {row["id"]: row["gold_probability"] for row in last}
    seen = [recorded[name] for name in said["id"].to_pylist()]
    np.testing.assert_allclose(seen, said["gold_probability"].to_numpy(), atol=1e-4)


def test_it_is_mapped_like_any_run(trained):
    project, run = trained
    drawn = tw.map(project)
    assert drawn.run == run.id
    assert drawn.rows.num_rows == 36
    assert drawn.coverage == 1


def test_folds_are_even_in_size_and_labels():
    count = 90
    table = pa.table(
        {
            "id": [str(row) for row in range(count)],
            "content": [str(row // 2) for row in range(count)],
            "split": ["train"] * 80 + ["validation"] * 10,
            "label": pa.array(["a", "a", "b", "b"] * 20 + [None] * 10),
        }
    )
    fold = assign(table, 4, seed=0).to_pylist()
    assert fold[80:] == [None] * 10
    assert all(fold[row] == fold[row + 1] for row in range(0, 80, 2))
    for number in "0123":
        labels = [table["label"][row].as_py() for row in range(80) if fold[row] == number]
        assert 16 <= len(labels) <= 24
        assert abs(labels.count("a") - labels.count("b")) <= 4
    assert assign(table, 4, seed=1).to_pylist() != fold


def test_answers_have_folds_too(tmp_path):
    task = tw.QuestionAnswering(max_length=48, stride=16)
    project = project_of(tmp_path, toy_answers(30), task, label="answers_text")
    run = train_folds(project, 2, epochs=1)
    assert len(set(run.table("dynamics")["id"].to_pylist())) == 18


def test_questions_about_one_passage_are_in_one_fold():
    count = 60
    passages = [f"Passage {row // 4}." for row in range(count)]
    table = pa.table(
        {
            "id": [str(row) for row in range(count)],
            "content": [str(row) for row in range(count)],
            "context": passages,
            "split": ["train"] * count,
            "label": [f"answer {row}" for row in range(count)],
        }
    )
    fold = assign(table, 3, seed=0, stratify=False, passage="context").to_pylist()
    assert len({*zip(passages, fold, strict=True)}) == count // 4
    assert set(fold) == {"0", "1", "2"}
    with pytest.raises(TrainError, match="too few different passages"):
        assign(table.slice(0, 8), 3, seed=0, stratify=False, passage="context")


def test_finished_folds_of_an_interrupted_training_are_kept(tmp_path, monkeypatch):
    from tunewright.verbs import folds as module

    project = project_of(tmp_path, toy_texts(30), tw.Classification(labels=("neg", "pos")))
    train_one, trained = module._train_one, []

    def dies_at(last):
        def one(*given, **named):
            if len(trained) == last:
                raise KeyboardInterrupt
            trained.append(given[3])
            return train_one(*given, **named)

        return one

    with pytest.raises(TrainError, match="found none"):
        train_folds(project, 3, resume=True)
    monkeypatch.setattr(module, "_train_one", dies_at(2))
    with pytest.raises(KeyboardInterrupt):
        train_folds(project, 3)
    monkeypatch.setattr(module, "_train_one", dies_at(9))
    with pytest.raises(TrainError, match="found none"):
        train_folds(project, 3, resume=True, epochs=1)
    run = train_folds(project, 3, resume=True)
    assert [name[-1] for name in trained] == ["0", "1", "2"]
    assert [epoch["seen"] for epoch in run.meta["coverage"]] == [18, 18]
    with pytest.raises(TrainError, match="found none"):
        train_folds(project, 3, resume=True)


def test_too_few_folds_or_rows_are_refused(trained, monkeypatch):
    project, _ = trained
    with pytest.raises(TrainError, match="2 folds or more"):
        train_folds(project, 1)
    with pytest.raises(TrainError, match="labelled rows"):
        train_folds(project, 500)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainError, match="one process"):
        train_folds(project, 2)


PROJECT = """
from pathlib import Path
import tunewright as tw
project = tw.Project(
    name="toy", source="rows.parquet", task=tw.Classification(labels=("neg", "pos")),
    model=str(Path(__file__).parent / "tiny"),
    train=tw.TrainConfig(epochs=1, batch_size=8, threads=1, precision="fp32"),
)
"""


def test_the_command_says_what_it_costs_and_refuses_what_it_cannot(tmp_path):
    pq.write_table(toy_texts(30), tmp_path / "rows.parquet")
    toy_model(tmp_path / "tiny")
    (tmp_path / "project.py").write_text(PROJECT)
    told = CliRunner().invoke(app, ["train", "--folds", "2", "-p", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "2 trainings, each on 50% of the rows" in told.output
    assert "Runs of the folds" in told.output
    for words in (["--folds", "1"], ["--folds", "2", "--resume"], ["--folds", "2", "--from", "last"]):
        assert CliRunner().invoke(app, ["train", *words, "-p", str(tmp_path)]).exit_code == 2
