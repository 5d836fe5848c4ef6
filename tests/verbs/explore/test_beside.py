"""Rows of other splits that an analysis knows, and places that evaluations have from their model."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tunewright.errors import EditError
from tunewright.project import open_dataset
from tunewright.verbs.explore.curation import pending
from tunewright.verbs.explore.explorer import Explorer
from tunewright.verbs.explore.issues import issues
from tunewright.verbs.explore.measuring import measure
from tunewright.verbs.explore.near import Near
from tunewright.verbs.explore.seen import Seen
from tunewright.verbs.explore.snapshot import etag

OWN, ALL = 300, 400
_KNOWING = ("embeddings", "predictions", "columns/umap-1", "columns/clusters")


def analyse(project, run):
    """Write what `analyze` leaves in a run about all rows of the version."""
    rows = open_dataset(project).table()
    places = np.random.default_rng(0).standard_normal((ALL, 8)).astype(np.float32)
    vector = pa.FixedSizeListArray.from_arrays(pa.array(places.reshape(-1)), 8)
    told = rows.select(["id", "split", "label"])
    said = {"predicted": rows["label"], "probability": [0.9] * ALL, "correct": [True] * ALL}
    tables = (
        told.select(["id", "split"]).append_column("vector", vector),
        pa.table({**{name: told[name] for name in told.column_names}, **said}),
        pa.table({"id": rows["id"], "umap1": places[:, 0], "umap2": places[:, 1]}),
        pa.table({"id": rows["id"], "cluster": np.arange(ALL) % 4}),
    )
    for name, table in zip(_KNOWING, tables, strict=True):
        run.write(name, table)


@pytest.fixture
def run(trained):
    made = trained()
    ids = made.table("examples")["id"]
    for epoch in range(2):
        numbers = dict.fromkeys(("gold_probability", "loss", "margin"), np.full(OWN, 0.5, np.float32))
        keys = {"id": ids, "epoch": [epoch] * OWN, "window": [0] * OWN}
        made.append("dynamics", f"part-{epoch:05d}", pa.table({**keys, **numbers, "correct": [True] * OWN}))
    return made


@pytest.fixture
def analysed(planted, run):
    analyse(planted, run)
    return run


def test_rows_of_the_test_split_come_after_those_of_the_training(planted, analysed, shot):
    found, version = shot(analysed), open_dataset(planted).table()
    own = analysed.table("examples")["id"].to_pylist()
    assert (found.own, found.rows.num_rows) == (OWN, ALL)
    assert found.rows["id"].to_pylist()[:OWN] == own
    test = found.rows.slice(OWN)
    expected = version.filter(pc.equal(version["split"], "test"))
    for name in ("id", "content", "split", "text", "label"):
        assert test[name].to_pylist() == expected[name].to_pylist()
    assert test["predicted"].to_pylist() == expected["label"].to_pylist()
    assert pc.value_counts(found.rows["cluster"].combine_chunks()).to_pylist() == [
        {"values": number, "counts": ALL // 4} for number in range(4)
    ]
    assert "test" in found.columns["split"].categories
    assert found.columns["umap1"].missing == 0


def test_rows_that_were_not_seen_have_no_dynamics(planted, analysed, shot):
    explorer = Explorer(planted)
    epochs = explorer.epochs(analysed.id).slice(OWN)
    assert np.isnan(epochs["p1"].to_numpy()).all()
    assert set(epochs["c2"].to_pylist()) == {255}
    assert np.isnan(Seen(shot(analysed)).row(OWN)["loss"]).all()
    one = explorer.example(analysed.id, OWN)
    assert (one.split, one.epochs, one.predicted) == ("test", (), one.label)
    assert any("100 rows of test" in note for note in explorer.run(analysed.id).notes)


def test_a_run_that_was_not_analysed_has_its_own_rows_alone(run, shot):
    assert shot(run).own == shot(run).rows.num_rows == OWN


def test_rows_whose_texts_are_gone_are_left_out(planted, analysed, shot):
    before = etag(planted, analysed)
    shutil.rmtree(planted.dataset_folder)
    assert shot(analysed).rows.num_rows == OWN
    assert etag(planted, analysed) != before


def test_the_issues_are_those_of_before(planted, analysed):
    found = issues(planted, analysed)
    (analysed.folder / "embeddings.parquet").unlink()
    assert found == issues(planted, analysed)
    assert found.issues


def test_neighbours_of_the_test_split_are_rows_of_the_page(planted, analysed, shot):
    found = Near(planted).of_row(shot(analysed), 0, k=ALL).neighbours
    assert sorted(one.row for one in found) == list(range(1, ALL))
    assert {one.split for one in found if one.row >= OWN} == {"test"}


def test_test_rows_are_measured_against_their_own_split(planted, analysed, shot):
    found = measure(planted, shot(analysed), list(range(OWN, OWN + 30)))
    assert (found.metric, found.selected.n, found.rest.n) == ("accuracy", 30, 70)


def test_a_test_row_changes_only_when_that_is_allowed(planted, analysed, shot):
    id = shot(analysed).rows["id"][OWN].as_py()
    edits = pending(planted)
    assert edits.add([{"action": "drop", "ids": [id]}]).test_rows == 1
    with pytest.raises(EditError, match="test split"):
        edits.commit()


def test_an_evaluation_lies_where_its_model_puts_it(planted, analysed, evaluation, shot):
    made = evaluation(analysed, set())
    found, of_model = shot(made), shot(analysed)
    assert [layout.name for layout in found.layouts] == ["umap"]
    assert found.own == found.rows.num_rows == 100
    at = of_model.places(found.rows["id"].combine_chunks())
    assert found.rows["umap1"].to_pylist() == of_model.rows["umap1"].take(at).to_pylist()
    assert found.rows["cluster"].to_pylist() == of_model.rows["cluster"].take(at).to_pylist()


def test_an_evaluation_changes_with_the_places_of_its_model(planted, analysed, evaluation):
    made = evaluation(analysed, set())
    before = etag(planted, made)
    analysed.write("columns/umap-1", analysed.table("columns/umap-1").slice(1))
    assert etag(planted, made) != before


def test_an_evaluation_on_another_version_has_no_places(analysed, evaluation, shot):
    made = evaluation(analysed, set())
    made.update(version="another")
    assert shot(made).layouts == ()
