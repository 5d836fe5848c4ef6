from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.data.edits import Add, Drop, Evidence, Keep, Mix, Relabel, Reweight
from tunewright.data.provenance import changes
from tunewright.table import query

WHY = Evidence(run="a-run", rule="suspicion > 0.9", author="ada", time="2026-01-01T00:00:00+00:00")


def of(dataset, name, version="main"):
    """(kind, field, old, new) of every edit that touched a row."""
    table = dataset.provenance(version)
    found = query(f"SELECT kind, field, old, new FROM edits WHERE id = '{name}'", {"edits": table})
    return [tuple(row.values()) for row in found.to_pylist()]


def test_every_edit_of_a_row_is_told_in_order(dataset):
    version = dataset.apply([Relabel(changes=(("r0", "even", "odd"),), reason="read it", evidence=WHY)])
    dataset.apply(
        [
            Relabel(changes=(("r0", "web", "shop"),), field="source"),
            Reweight(weights=(("r0", 0.1),)),
            Mix(recipes=(("m0", "r0", "r1", 0.9),)),
            Drop(ids=("r0",)),
        ]
    )
    assert of(dataset, "r0") == [
        ("Relabel", "label", "even", "odd"),
        ("Relabel", "source", "web", "shop"),
        ("Reweight", "weight", "1", "0.1"),
        ("Mix", "mixed", None, "0.9 of m0"),
        ("Drop", "split", "train", None),
    ]
    assert of(dataset, "r1") == [("Mix", "mixed", None, "0.1 of m0")]
    assert of(dataset, "m0") == [("Mix", "recipe", None, "0.9 of r0 and 0.1 of r1, at embeddings")]
    first = dataset.provenance().to_pylist()[0]
    assert first["version"] == version
    assert (first["reason"], first["rule"], first["run"]) == ("read it", "suspicion > 0.9", "a-run")
    assert (first["author"], first["time"]) == ("ada", "2026-01-01T00:00:00+00:00")


def test_rows_that_a_keep_takes_away_and_rows_that_come_are_told(dataset):
    dataset.apply([Keep(ids=("r1", "r2")), Add(rows=({"id": "n", "text": "x"},))])
    assert of(dataset, "r1") == []
    assert of(dataset, "r5") == [("Keep", "split", "train", None)]
    assert of(dataset, "n") == [("Add", "split", None, "train")]
    assert of(dataset, "r8") == []


def test_a_version_has_the_provenance_of_its_own_path(dataset):
    dataset.apply([Drop(ids=("r0",))], name="branch")
    assert dataset.provenance("main").num_rows == 0
    assert dataset.provenance("main").schema == dataset.provenance("branch").schema
    assert dataset.provenance("branch")["id"].to_pylist() == ["r0"]


def test_changes_are_the_net_difference(dataset):
    before = dataset.table()
    dataset.apply([Relabel(changes=(("r0", "even", "odd"), ("r2", "even", None))), Drop(ids=("r5", "r1"))])
    dataset.apply([Relabel(changes=(("r0", "odd", "even"),)), Add(rows=({"id": "n", "text": "x"},))])
    found = [tuple(row.values()) for row in changes(before, dataset.table()).to_pylist()]
    assert found == [
        ("r1", "dropped", "split", "train", None),
        ("r5", "dropped", "split", "train", None),
        ("r2", "changed", "label", "even", None),
        ("n", "added", "split", None, "train"),
    ]
    assert changes(before, before).num_rows == 0


def test_values_are_compared_and_not_their_text():
    before = pa.table({"id": ["a", "b"], "x": [1.0000001, float("nan")], "y": [[1], [2]]})
    after = pa.table({"id": ["b", "a"], "x": [float("nan"), 1.0000002], "y": [[2], [3]]})
    found = [tuple(row.values()) for row in changes(before, after).to_pylist()]
    assert found == [("a", "changed", "x", "1", "1"), ("a", "changed", "y", "[1]", "[3]")]


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_without_splits_or_rows(rows):
    empty, table = (pa.table({"id": pa.array(["a"][:n], pa.string())}) for n in (0, rows))
    assert changes(empty, table).num_rows == changes(table, empty).num_rows == rows
