from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

import tunewright as tw
from tunewright.errors import DataError, RunError
from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.verbs.described import found_duplicates, text_columns
from tunewright.verbs.evaluations import labelled, scores
from tunewright.verbs.grouping import find_clusters
from tunewright.verbs.models import embedding_settings, embeddings, predictions, rows_of, vectors
from tunewright.verbs.population import of_split, one_row, population


@pytest.fixture(scope="module")
def asked(fresh):
    """A project and its run, whose model was asked about every row; and the validation scores before that."""
    project = fresh()
    run = tw.train(project)
    before = scores(run)
    calls = []
    predictions(project, run, advance=lambda *call: calls.append(call))
    return project, run, before, calls


def test_every_row_of_every_split_has_a_prediction_and_a_loss(asked):
    project, run, _, calls = asked
    table = population(project, run)
    assert table["id"].to_pylist() == tw.Dataset.open(project.dataset_folder).table()["id"].to_pylist()
    assert set(table["split"].to_pylist()) == {"train", "validation", "test"}
    for name in ("predicted", "probability", "loss", "correct", "gold_probability"):
        assert table[name].null_count == 0
    assert np.allclose(np.exp(-table["loss"].to_numpy()), table["gold_probability"].to_numpy(), atol=1e-5)
    assert calls == [("predicting", 80, 80)]  # the 20 validation rows were predicted when the training ended


def test_what_was_said_is_not_asked_again(asked):
    project, run, _, _ = asked
    calls = []
    before = run.table("predictions")
    assert predictions(project, run, advance=lambda *call: calls.append(call)).equals(before)
    assert calls == []
    again = predictions(project, run, force=True)
    assert sorted(again["id"].to_pylist()) == sorted(before["id"].to_pylist())


def test_the_scores_of_a_training_run_stay_those_of_its_validation_rows(asked):
    _, run, before, _ = asked
    assert scores(run).n == before.n == 20
    assert scores(run).accuracy == before.accuracy
    assert set(labelled(run)["split"].to_pylist()) == {"validation"}
    assert labelled(run, "test").num_rows == 20


def test_training_rows_of_the_wide_table_have_predictions_too(asked):
    _, run, _, _ = asked
    wide = run.examples()
    assert wide.num_rows == 80
    assert wide["predicted"].null_count == 0


def test_vectors_are_of_all_rows_in_half_precision_and_kept(asked):
    project, run, _, _ = asked
    calls = []
    table = embeddings(project, run, advance=lambda *call: calls.append(call))
    assert calls[-1] == ("embedding", 100, 100)
    assert vectors(table).shape == (100, 16)
    assert vectors(table).dtype == np.float16
    assert embedding_settings(run) == {"layer": -1, "pooling": "task", "dtype": "float16"}
    assert embeddings(project, run, advance=lambda *call: calls.append(call)).equals(table)
    assert len(calls) == 1


def test_other_layers_replace_the_vectors_and_stay_in_use(asked):
    project, run, _, _ = asked
    last = vectors(embeddings(project, run, layer=-1, pooling="task"))
    first = vectors(embeddings(project, run, layer=0, pooling="cls"))
    assert not np.allclose(last, first)
    assert np.array_equal(vectors(embeddings(project, run)), first)
    assert np.allclose(vectors(embeddings(project, run, layer=-1, pooling="task")), last)


def test_vectors_of_another_dtype_replace_them_and_stay_in_use(asked):
    project, run, _, _ = asked
    assert vectors(embeddings(project, run, dtype="float32")).dtype == np.float32
    assert vectors(embeddings(project, run)).dtype == np.float32
    assert vectors(embeddings(project, run, dtype="float16")).dtype == np.float16


def test_vectors_that_do_not_fit_are_refused(asked, monkeypatch):
    from tunewright.observe.embed import Embedder

    project, run, _, _ = asked
    monkeypatch.setattr(Embedder, "vectors", lambda _, rows: np.full((rows.num_rows, 16), 1e5, dtype=np.float32))
    with pytest.raises(RunError, match="vectors that fit float16, up to 65504; found a value of 100000") as error:
        embeddings(project, run, force=True)
    assert "--dtype float32" in error.value.fix
    assert np.isfinite(vectors(embeddings(project, run, dtype="float32"))).all()
    monkeypatch.undo()
    embeddings(project, run, dtype="float16")


def test_other_settings_of_the_task_ask_again(fresh):
    project = fresh()
    run = tw.train(project)
    shorter = replace(project, task=replace(project.task, max_length=3))
    whole = embeddings(project, run)
    calls = []
    predictions(shorter, run, rows_of(project, run).slice(0, 5), advance=lambda *call: calls.append(call))
    assert 20 <= calls[-1][2] <= 25  # those it had been asked before, too
    predictions(shorter, run, advance=lambda *call: calls.append(call))
    assert sorted(run.table("predictions")["id"].to_pylist()) == sorted(rows_of(project, run)["id"].to_pylist())
    cut = run.table("predictions")
    assert not np.allclose(vectors(embeddings(shorter, run)), vectors(whole), atol=1e-2)
    assert predictions(shorter, Run.open(run.folder)).equals(cut)
    assert not predictions(project, run).equals(cut)


def test_rows_that_are_gone_have_no_vectors(fresh):
    project = fresh()
    run = tw.train(project)
    assert embeddings(project, run).num_rows == 100
    run.update(version="0123456789ab")  # as after a new import: only the examples of the run are left
    assert embeddings(project, run)["id"].to_pylist() == run.table("examples")["id"].to_pylist()
    assert set(find_clusters(project, run, method="kmeans", clusters=2, seed=0)["name"].to_pylist()) != {None}


def test_statistics_and_duplicates_follow_the_settings(fresh, monkeypatch):
    from tunewright.verbs import described

    project = fresh()
    run = tw.train(project)
    assert not any(text_columns(project, run)["truncated"].to_pylist())
    shorter = replace(project, task=replace(project.task, max_length=3))
    assert any(text_columns(shorter, run)["truncated"].to_pylist())
    found_duplicates(project, run)
    for make, name, setting, value in (
        (lambda: text_columns(shorter, run), "text_statistics", "STATISTICS", {}),
        (lambda: found_duplicates(project, run), "duplicates", "_ALIKE", {"threshold": 1.0, "seed": 0}),
    ):
        path = run.folder / "columns" / f"{name}.parquet"
        written = path.stat().st_mtime_ns
        make()
        assert path.stat().st_mtime_ns == written
        monkeypatch.setattr(described, setting, value)
        make()
        assert path.stat().st_mtime_ns > written


def test_a_run_of_another_dataset_falls_back_to_its_own_examples(asked, tmp_path):
    project, _, _, _ = asked
    for meta in ({}, {"dataset": project.name, "version": "0123456789ab"}, {"dataset": "other", "version": "main"}):
        run = Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(4), **meta)
        assert rows_of(project, run).num_rows == 4


def test_a_run_without_a_model_says_so(asked, tmp_path):
    project, _, _, _ = asked
    run = Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(4))
    for ask in (predictions, embeddings):
        with pytest.raises(RunError, match="has no model"):
            ask(project, run)


def test_an_unknown_id_names_the_nearest(asked):
    project, run, _, _ = asked
    table = population(project, run)
    assert one_row(table, "toy-0007")["id"].to_pylist() == ["toy-0007"]
    with pytest.raises(DataError, match="no row has the id") as error:
        one_row(table, "toy-00007")
    assert "toy-" in error.value.fix


def test_no_split_is_all_but_the_test_split(asked):
    project, run, _, _ = asked
    table = population(project, run)
    assert set(of_split(table, None)["split"].to_pylist()) == {"train", "validation"}
    assert pc.all(pc.equal(of_split(table, "test")["split"], "test")).as_py()
    with pytest.raises(DataError, match="'tset'") as error:
        of_split(table, "tset")
    assert "'test'" in error.value.fix
