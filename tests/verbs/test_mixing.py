"""Mixed rows from the command to the training: an edit with its evidence, audited, learnt from, and undone."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tunewright as tw
from tunewright import verbs
from tunewright.data.edits import Drop
from tunewright.errors import DataError, EditError, ProjectError, RunError
from tunewright.project import open_dataset
from tunewright.tasks.answer import QuestionAnswering
from tunewright.verbs.mixing import mixed


def test_pairs_are_kept_with_who_when_and_by_which_rule(new):
    made = verbs.mix(new, count=40, alpha=0.9)
    dataset = open_dataset(new)
    (entry,) = dataset.log("mixed")
    assert entry.edit.evidence.rule == made.rule == "mixup alpha=0.9 layer=embeddings count=40 seed=0"
    assert entry.edit.evidence.time
    assert entry.edit.reason == ""
    assert (made.version, made.parent) == (dataset.resolve("mixed"), dataset.resolve("main"))
    recipes, rows = dataset.recipes("mixed"), dataset.table("mixed")
    training = set(rows.filter(pc.equal(rows["split"], "train"))["id"].to_pylist())
    assert recipes.num_rows == made.audit.pairs == 40
    assert set(recipes["a"].to_pylist()) | set(recipes["b"].to_pylist()) <= training
    assert rows.equals(dataset.table("main"))
    assert dataset.recipes("main").num_rows == 0
    assert made.of == len(training) == 60
    json.dumps(made.to_json())


def test_the_same_pairs_are_the_same_version_and_other_seeds_other_pairs(new):
    first = verbs.mix(new, count=20, alpha=0.5, name="first")
    again = verbs.mix(new, count=20, alpha=0.5, name="again")
    other = verbs.mix(new, count=20, alpha=0.5, name="other", seed=1)
    assert first.version == again.version != other.version
    names = [set(open_dataset(new).recipes(name)["id"].to_pylist()) for name in ("first", "other")]
    assert not names[0] & names[1]


def test_a_dry_run_writes_nothing(new):
    made = verbs.mix(new, count=20, alpha=0.5, dry_run=True)
    assert made.version is None
    assert "mixed" not in open_dataset(new).versions


def test_synthetic_rows_are_learnt_from_as_long_as_their_parents_are_there(new):
    verbs.mix(new, count=30, alpha=0.9, layer="pooled")
    run = tw.train(new, version="mixed", epochs=1)
    assert run.meta["mixing"] == {"layer": "pooled", "alpha": None, "recipes": 30, "used": 30}
    assert run.meta["coverage"][0] == {"epoch": 0, "seen": 60, "expected": 60}
    assert run.table("synthetic").num_rows == run.table("mixed").num_rows == 30
    assert tw.map(new, run).rows.num_rows == 60
    dataset = open_dataset(new)
    gone = dataset.recipes("mixed")["a"][0].as_py()
    dataset.apply([Drop(ids=(gone,))], on="mixed", name="without")
    less = tw.train(new, version="without", epochs=1)
    assert less.meta["mixing"]["used"] == dataset.recipes("without").num_rows < 30


def test_distances_come_from_a_run(new):
    run = tw.train(new, epochs=1)
    with pytest.raises(RunError, match="embeddings"):
        verbs.mix(new, count=20, alpha=0.5, run=run, dry_run=True)
    tw.analyze(new, run, method="kmeans", clusters=2)
    found = verbs.mix(new, count=20, alpha=0.5, run=run, dry_run=True).audit
    assert 0 <= found.distance < found.distance_of_rows


def test_what_cannot_be_mixed_is_refused(new):
    verbs.mix(new, count=5, alpha=1.0)
    with pytest.raises(EditError, match="already"):
        verbs.mix(new, count=5, alpha=1.0)
    with pytest.raises(DataError, match="alpha"):
        verbs.mix(new, count=5, alpha=0.0, name="other")
    with pytest.raises(EditError, match="layer"):
        verbs.mix(new, count=5, alpha=1.0, layer="everywhere", dry_run=True)
    with pytest.raises(ProjectError, match="labels"):
        verbs.mix(replace(new, task=QuestionAnswering()), count=5, alpha=1.0)


def test_rows_without_weight_are_no_parents(new):
    table = open_dataset(new).table()
    weights = [0.0 if row % 2 else 1.0 for row in range(table.num_rows)]
    table = table.set_column(table.schema.get_field_index("weight"), "weight", pa.array(weights, pa.float32()))
    light = {name for name, weight in zip(table["id"].to_pylist(), weights, strict=True) if not weight}
    edit = mixed(table, count=20, alpha=1.0, layer="embeddings", seed=0)
    assert not light & {parent for _, a, b, _ in edit.recipes for parent in (a, b)}
