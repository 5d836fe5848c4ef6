from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.data.dataset import Dataset, Fields
from tunewright.data.edits import Add, Drop, Mix, Relabel
from tunewright.errors import EditError

MIX = Mix(recipes=(("m0", "r0", "r1", 0.9), ("m1", "r2", "r3", 0.25), ("m2", "r4", "r4", 1.0)), layer="pooled")


def test_recipes_add_no_rows(dataset):
    before = dataset.table()
    dataset.apply([MIX], name="mixed")
    assert dataset.table("mixed") == before
    assert dataset.resolve("mixed") != dataset.resolve("main")
    assert dataset.recipes("main").num_rows == 0
    assert dataset.recipes("mixed").to_pylist()[:2] == [
        {"id": "m0", "a": "r0", "b": "r1", "weight": 0.9, "layer": "pooled"},
        {"id": "m1", "a": "r2", "b": "r3", "weight": 0.25, "layer": "pooled"},
    ]
    assert dataset.recipes("mixed").schema == dataset.recipes("main").schema


def test_a_recipe_goes_with_its_parents(dataset):
    dataset.apply([MIX, Drop(ids=("r1",)), Relabel(changes=(("r2", "even", None), ("r4", "even", "odd")))])
    assert dataset.recipes()["id"].to_pylist() == ["m2"]
    dataset.undo(steps=2)
    assert dataset.recipes()["id"].to_pylist() == ["m0", "m1", "m2"]


def test_recipes_of_several_edits_follow_each_other(dataset):
    dataset.apply([MIX, Mix(recipes=(("n0", "r5", "r6", 0.5),), layer="hidden:2")])
    found = dataset.recipes()
    assert found["id"].to_pylist() == ["m0", "m1", "m2", "n0"]
    assert found["layer"].to_pylist() == ["pooled"] * 3 + ["hidden:2"]


@pytest.mark.parametrize("edit", [MIX, Add(rows=({"id": "m1", "text": "x"},))])
def test_rows_and_recipes_share_their_ids(dataset, edit):
    version = dataset.apply([MIX])
    with pytest.raises(EditError, match="ids that recipes have already: m"):
        dataset.apply([edit])
    assert dataset.resolve("main") == version


def test_open_labels_cannot_be_mixed(tmp_path):
    rows = pa.table({"id": ["a", "b"], "text": ["x", "y"], "answer": ["one", "two"], "split": ["train", "train"]})
    dataset = Dataset.create(tmp_path / "d", rows, fields=Fields(("text",), "answer"), label_names=())
    with pytest.raises(EditError, match="labels that can be mixed"):
        dataset.apply([Mix(recipes=(("m", "a", "b", 0.5),))])
