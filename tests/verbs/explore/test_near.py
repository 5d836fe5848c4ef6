"""Rows that are like a row of production: of production itself, and of what it is compared with."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.errors import DataError, RunError
from tunewright.toy import toy_texts
from tunewright.verbs import monitor
from tunewright.verbs.explore.asking import Asker
from tunewright.verbs.explore.near import Near
from tunewright.verbs.explore.production import reference_vectors
from tunewright.verbs.explore.snapshot import snapshot
from tunewright.verbs.models import rows_of, vectors


@pytest.fixture(scope="module")
def production(project, first, tmp_path_factory):
    path = tmp_path_factory.mktemp("production") / "day.csv"
    pyarrow.csv.write_csv(toy_texts(60, seed=5).select(["id", "text"]), path)
    monitor(project, path, run=first, name="nearby", window=20)
    return tw.Run.open(project.runs_folder / "nearby")


@pytest.fixture(scope="module")
def shot(project, production):
    return snapshot(project, production)


def similarities(production, row_id):
    """Cosines of a row with every row of production and of the reference, by whose it is and by id."""
    table = production.table("embeddings")
    reference = reference_vectors(production, "vector")
    known = np.concatenate([vectors(table), reference[1]]).astype(np.float32)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    keys = [(True, id) for id in table["id"].to_pylist()] + [(False, id) for id in reference[0].to_pylist()]
    found = dict(zip(keys, known @ known[keys.index((True, row_id))], strict=True))
    del found[True, row_id]
    return found


def test_rows_of_production_and_of_its_reference_are_near(project, first, production, shot):
    row = 3
    expected = similarities(production, shot.rows["id"][row].as_py())
    found = Near(project).of_row(shot, row, k=len(expected)).neighbours
    # ids of both may be the same
    assert sorted((one.row >= 0, one.id) for one in found) == sorted(expected)
    assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
    texts = dict(zip(*(rows_of(project, first)[name].to_pylist() for name in ("id", "text")), strict=True))
    for one in found:
        assert one.similarity == pytest.approx(expected[one.row >= 0, one.id], abs=1e-3)
        known = texts[one.id] if one.row < 0 else shot.rows["text"][one.row].as_py()
        assert one.text == known
        assert (one.split is None) == (one.row >= 0)
    assert row not in [one.row for one in found]


def test_a_text_finds_rows_of_production_alone(project, shot):
    text = shot.rows["text"][7].as_py()
    found = Near(project).of_text(shot, {"text": text}, Asker(project), k=5).neighbours
    assert len(found) == 5
    assert all(one.row >= 0 for one in found)
    assert found[0].text == text
    assert found[0].similarity == pytest.approx(1, abs=1e-3)


def test_rows_without_a_vector_say_so(project):
    rows = pa.table({"id": ["with", "without", "none", "too"], "text": ["a", "b", "c", "d"]})
    half = tw.Run.create(project.runs_folder, kind="production", name="half", config={}, examples=rows)
    half.append("examples", "first", rows)
    kept = pa.array([[1, 0], None, [1, 0.1]], pa.list_(pa.float16(), 2))
    half.append("embeddings", "first", pa.table({"id": ["with", "none", "too"], "vector": kept}))
    shot, near = snapshot(project, half), Near(project)
    assert [one.id for one in near.of_row(shot, 0).neighbours] == ["too"]
    for row in (1, 2):
        with pytest.raises(DataError, match="logged without"):
            near.of_row(shot, row)


def test_production_without_vectors_says_how_to_have_them(project):
    with tw.Monitor("bare", folder=project.runs_folder / "bare") as watch:
        watch.log(pa.table({"id": ["a"], "text": ["a"]}))
    shot = snapshot(project, tw.Run.open(project.runs_folder / "bare"))
    with pytest.raises(RunError, match="no embeddings") as raised:
        Near(project).of_row(shot, 0)
    assert "log a vector" in raised.value.fix


def test_what_the_vectors_of_a_reference_are_of_must_be_known(production, tmp_path):
    ids, known = reference_vectors(production, "vector")
    assert len(ids) == len(known)
    assert reference_vectors(production, "output_vector") is None
    rows = pa.table({"id": ["a", "b", "c"]})
    other = tw.Run.create(tmp_path, kind="production", name="odd", config={}, examples=rows)
    assert reference_vectors(other, "vector") is None
    reference = tw.Reference.from_table(rows, vectors={"vector": np.eye(2)})
    reference.save(other.folder / "reference")
    assert reference_vectors(other, "vector") is None
