from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.errors import ColumnError, DataError, RunError
from tunewright.run import Run
from tunewright.toy import toy_model, toy_texts
from tunewright.verbs.population import population
from tunewright.verbs.slicing import sliced, slices


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A run on 300 rows with a column ``source``, all of whose rows from "forum" have the wrong label."""
    folder = tmp_path_factory.mktemp("sliced")
    rows = toy_texts(300).to_pylist()
    for number, row in enumerate(rows):
        row["source"] = "forum" if number % 9 == 0 else "press" if number % 2 else "blog"
        if row["source"] == "forum":
            row["label"] = {"pos": "neg", "neg": "pos"}[row["label"]]
    pyarrow.csv.write_csv(pa.Table.from_pylist(rows), folder / "reviews.csv")
    tw.init(folder / "reviews.csv", folder, model=toy_model(folder / "tiny"))
    quick = tw.TrainConfig(epochs=6, batch_size=8, learning_rate=3e-3, threads=1, precision="fp32")
    project = replace(tw.open_project(folder), train=quick, fields=("source",))
    return project, tw.train(project)


def test_the_planted_slice_is_the_worst(planted):
    project, run = planted
    found = slices(project, run)
    worst = found.slices[0]
    assert worst.description == "source = forum"
    assert worst.column == "source"
    assert worst.mean_loss > worst.rest_loss
    assert worst.difference == pytest.approx(worst.mean_loss - worst.rest_loss)
    assert worst.interval[0] < worst.difference < worst.interval[1]
    assert worst.p_corrected < 1e-6
    assert found.tested > len(found.slices)
    assert {"source", "label", "text_words", "truncated"} <= set(found.by)


def test_rows_are_all_but_those_of_the_test_split(planted):
    project, run = planted
    found = slices(project, run)
    table = {row["id"]: row for row in population(project, run).to_pylist()}
    assert found.rows == sum(row["split"] != "test" for row in table.values())
    for one in found.slices:
        assert len(one.ids) == one.n >= 20
        assert {table[id]["split"] for id in one.ids} <= {"train", "validation"}
        assert np.mean([table[id]["loss"] for id in one.ids]) == pytest.approx(one.mean_loss, rel=1e-5)
    assert {table[id]["source"] for id in found.slices[0].ids} == {"forum"}


def test_a_split_and_columns_can_be_chosen(planted):
    project, run = planted
    found = slices(project, run, by=["source", "label"], split="train", smallest=10)
    assert found.by == ("source", "label")
    assert found.rows == 180
    assert found.slices[0].description == "source = forum"


def test_the_slices_are_a_table_of_the_run_which_pictures_leave_alone(planted):
    project, run = planted
    found = slices(project, run)
    assert run.table("slices")["description"].to_pylist() == [one.description for one in found.slices]
    looked = {"split": None, "by": list(found.by), "smallest": 20, "tested": found.tested}
    assert Run.open(run.folder).meta["slices"] == looked
    sliced(project, run, by=["label"])
    assert Run.open(run.folder).meta["slices"] == looked
    assert run.examples().num_rows == 240


def test_nothing_stands_out_in_noise_and_the_run_keeps_that(planted):
    project, run = planted
    slices(project, run)
    found = slices(project, run, by=["label"], split="validation", smallest=10)
    assert found.slices == ()
    assert 1 <= found.tested <= 2
    assert run.table("slices").num_rows == 0
    assert set(run.table("slices").column_names) >= {"description", "p_corrected", "ids"}
    assert run.meta["slices"] == {"split": "validation", "by": ["label"], "smallest": 10, "tested": found.tested}
    assert slices(project, run, by=["split"]).tested == 0


def test_rows_are_compared_within_their_split(planted):
    project, run = planted
    worst = slices(project, run).slices[0]
    table = [row for row in population(project, run).to_pylist() if row["split"] != "test"]
    above = []
    for split in ("train", "validation"):
        inside, rest = (
            [row["loss"] for row in table if row["split"] == split and (row["source"] == "forum") is own]
            for own in (True, False)
        )
        above += [loss - np.mean(rest) for loss in inside]
    assert worst.difference == pytest.approx(np.mean(above), rel=1e-4)


def test_sentiment_is_looked_at_when_asked(planted):
    pytest.importorskip("textblob")
    project, run = planted
    found = slices(project, run, by=["sentiment", "label"])
    assert found.by == ("text_polarity", "text_subjectivity", "label")
    assert "text_polarity" in population(project, run).column_names


def test_the_result_is_json(planted):
    project, run = planted
    said = json.loads(json.dumps(slices(project, run).to_json(), allow_nan=False))
    assert said["slices"][0]["ids"]


def test_mistakes_are_named(planted, tmp_path):
    project, run = planted
    with pytest.raises(ColumnError, match="'sorce'") as error:
        slices(project, run, by=["sorce"])
    assert "'source'" in error.value.fix
    with pytest.raises(DataError, match="expected rows in split 'tset'"):
        slices(project, run, split="tset")
    with pytest.raises(DataError, match="2 rows or more"):
        slices(project, run, smallest=1)
    with pytest.raises(RunError, match="has no model"):
        slices(project, Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(50)))
