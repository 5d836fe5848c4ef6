from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest

import tunewright as tw
from tunewright.errors import DataError, RunError
from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.verbs.evaluations import labelled, scores
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
    assert embedding_settings(run) == {"layer": -1, "pooling": "task"}
    assert embeddings(project, run, advance=lambda *call: calls.append(call)).equals(table)
    assert len(calls) == 1


def test_other_layers_replace_the_vectors_and_stay_in_use(asked):
    project, run, _, _ = asked
    last = vectors(embeddings(project, run, layer=-1, pooling="task"))
    first = vectors(embeddings(project, run, layer=0, pooling="cls"))
    assert not np.allclose(last, first)
    assert np.array_equal(vectors(embeddings(project, run)), first)
    assert np.allclose(vectors(embeddings(project, run, layer=-1, pooling="task")), last)


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
