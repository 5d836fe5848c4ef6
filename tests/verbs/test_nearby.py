from __future__ import annotations

import json

import numpy as np
import pytest

import tunewright as tw
from tunewright.data.edits import Add
from tunewright.errors import DataError
from tunewright.verbs.grouping import clusters_of, find_clusters
from tunewright.verbs.models import embeddings, vectors
from tunewright.verbs.nearby import similar


def test_the_most_similar_rows_come_first_without_the_row_itself(project, first):
    found = similar(project, first, "toy-0004", k=5)
    table = embeddings(project, first)
    units = vectors(table).astype(np.float64)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    ids = np.array(table["id"].to_pylist())
    near = dict(zip(ids, units @ units[ids == "toy-0004"][0], strict=True))
    training = [id for id, split in zip(ids, table["split"].to_pylist(), strict=True) if split == "train"]
    expected = sorted((near[id] for id in training if id != "toy-0004"), reverse=True)[:5]
    assert [row.similarity for row in found.rows] == pytest.approx(expected, abs=1e-3)
    assert "toy-0004" not in {row.id for row in found.rows}
    assert {row.split for row in found.rows} == {"train"}
    assert found.query.id == "toy-0004"
    assert found.recall == 1


def test_rows_come_with_text_label_prediction_and_loss(project, first):
    found = similar(project, first, "toy-0008", k=3)
    for row in (found.query, *found.rows):
        assert row.texts["text"]
        assert row.label in project.task.labels
        assert row.predicted in project.task.labels
        assert row.correct == (row.label == row.predicted)
        assert row.loss >= 0


def test_a_row_of_another_split_can_be_asked_for_and_found(project, first):
    asked = similar(project, first, "toy-0009", k=100 - 1, split=None)
    assert {row.split for row in asked.rows} == {"train", "validation", "test"}
    assert len(asked.rows) == 99
    assert len(similar(project, first, "toy-0009", k=20, split="validation").rows) == 20


def test_a_text_of_ones_own_finds_its_copy_first(project, first):
    known = similar(project, first, "toy-0004", k=1).query
    found = similar(project, first, texts=[known.texts["text"]], k=3)
    assert found.rows[0].similarity == pytest.approx(1, abs=1e-3)
    assert (found.query.split, found.query.label, found.query.loss) == ("", None, None)
    assert found.query.predicted == known.predicted
    assert found.query.id == ""


@pytest.fixture(scope="module")
def clustered(fresh):
    """Project and run with clusters; the row "asked" is one of the training's, "later" came after it."""
    project = fresh()
    dataset = tw.Dataset.open(project.dataset_folder)
    text, label = dataset.table()["text"][0].as_py(), dataset.table()["label"][0].as_py()
    dataset.apply([Add(rows=({"id": "asked", "text": text, "label": label},))])
    run = tw.train(project)
    dataset.apply([Add(rows=({"id": "later", "text": text, "label": label},))])
    embeddings(project, run)
    find_clusters(project, run, method="kmeans", clusters=3, seed=0)
    return project, run


def test_no_id_is_taken_for_a_text_of_ones_own(clustered):
    project, run = clustered
    known = similar(project, run, "asked", k=1).query
    found = similar(project, run, texts=["nothing of the kind"], k=3)
    assert found.query.texts["text"] != known.texts["text"]
    assert found.query.label is None
    assert max(row.similarity for row in found.rows) < 0.9999


def test_a_row_that_came_later_is_told_its_cluster(clustered):
    project, run = clustered
    known, later = (similar(project, run, id, k=1, split=None) for id in ("asked", "later"))
    assert later.rows[0].texts == known.query.texts
    assert later.rows[0].similarity == pytest.approx(1, abs=1e-3)
    assert later.query.cluster == known.query.cluster == later.rows[0].cluster != None  # noqa: E711
    assert later.query.loss == pytest.approx(known.query.loss, abs=1e-4)


def test_what_is_like_no_cluster_is_in_none(clustered):
    project, run = clustered
    table = embeddings(project, run)
    names = {row["id"]: row["cluster_name"] for row in run.widened(table.select(["id"])).to_pylist()}
    told = clusters_of(run, vectors(table))
    assert {name for name, id in zip(told, table["id"].to_pylist(), strict=True) if name and names[id] != name} == set()
    assert 0.8 < np.mean([name is not None for name in told]) < 1
    assert clusters_of(run, -vectors(table)) == [None] * table.num_rows
    embeddings(project, run, layer=0)
    assert clusters_of(run, vectors(run.table("embeddings"))) == [None] * table.num_rows
    embeddings(project, run, layer=-1)


def test_an_evaluation_stands_for_the_run_it_evaluates(project, first):
    from tunewright import evaluate

    made = evaluate(project, first, split="validation")
    assert similar(project, made.run, "toy-0004").run == first.id


def test_the_answer_is_json(project, first):
    said = json.loads(json.dumps(similar(project, first, "toy-0004").to_json(), allow_nan=False))
    assert len(said["rows"]) == 10
    assert set(said["rows"][0]) == set(said["query"])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"id": "toy-04"}, "no row has the id 'toy-04'"),
        ({}, "expected an id or a text"),
        ({"id": "toy-0004", "texts": ["good"]}, "expected an id or a text"),
        ({"texts": ["good", "bad"]}, "at most one text"),
        ({"id": "toy-0004", "k": 60}, "expected k from 1 to 59"),
        ({"id": "toy-0009", "k": 0}, "expected k from 1 to 60"),
        ({"id": "toy-0004", "split": "tset"}, "in split 'tset', found none"),
    ],
)
def test_what_cannot_be_found_is_refused(project, first, asked, message):
    with pytest.raises(DataError, match=message):
        similar(project, first, **asked)
