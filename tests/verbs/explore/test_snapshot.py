from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pytest

import tunewright as tw
from tunewright.errors import ColumnError, DataError, RunError
from tunewright.run import Run
from tunewright.toy import toy_run
from tunewright.verbs.explore.explorer import Explorer
from tunewright.verbs.explore.snapshot import etag, snapshot
from tunewright.verbs.explore.wide import wide


@pytest.fixture
def project(tmp_path):
    return tw.Project(
        name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")), folder=tmp_path / "project"
    )


@pytest.fixture
def run(project):
    return toy_run(project.runs_folder, 200)


def test_mapped_rows_are_those_of_the_run(run):
    rows, expected = wide(run), run.examples()
    for name in expected.column_names:
        assert rows[name].combine_chunks().equals(expected[name].combine_chunks()), name
    assert set(rows.column_names) - set(expected.column_names) <= {"region", "gold_probability", "margin"}


def test_rows_that_a_table_has_in_another_order_find_their_own(run):
    ids = run.table("examples")["id"].to_pylist()
    run.write("columns/late", pa.table({"id": ids[::-1][:100], "place": np.arange(100)[::-1]}))
    place = wide(run)["place"].to_pylist()
    assert place == [None] * 100 + [*range(100)]


def test_a_map_that_was_never_drawn_is_there_and_nothing_is_written(project, run):
    drawn = wide(run)
    for path in (run.folder / "columns").glob("data_map*"):
        path.unlink()
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    shot = snapshot(project, run)
    assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")} == before
    assert shot.layouts[0].name == "map"
    for name in ("confidence", "variability", "correctness"):
        np.testing.assert_allclose(shot.rows[name].to_numpy(), drawn[name].to_numpy(), atol=1e-6)
    assert {*shot.columns["region"].categories} <= {"easy", "ambiguous", "hard", ""}


def test_what_was_never_asked_is_what_was_seen_last(project, run):
    (run.folder / "predictions.parquet").unlink()
    last = run.table("dynamics").to_pylist()[-200:]
    rows = snapshot(project, run).rows
    assert "loss" not in rows.column_names or rows["loss"].to_pylist() == pytest.approx([one["loss"] for one in last])


def test_the_etag_changes_with_a_table_and_with_nothing_else(project, run):
    before = etag(project, run)
    run.update(note="x")
    assert etag(project, run) == before
    run.write("columns/more", pa.table({"id": run.table("examples")["id"], "more": np.arange(200.0)}))
    assert etag(project, run) != before


def test_the_explorer_sees_a_new_column(project, run):
    explorer = Explorer(project)
    first = explorer.run(run.id)
    run.write("columns/more", pa.table({"id": run.table("examples")["id"], "more": np.arange(200.0)}))
    second = explorer.run(run.id)
    assert first.etag != second.etag
    assert {one.name for one in second.columns} - {one.name for one in first.columns} == {"more"}
    assert explorer.column(run.id, "more")["more"].to_pylist() == [*range(200)]


def test_kinds_of_columns(project, tmp_path):
    n = 60
    many = [f"name {number}" for number in range(n)]
    rows = {
        "id": many, "split": ["a", "b", None] * 20, "text": many, "label": ["pos", "odd", "neg"] * 20, "free": many,
        "flag": [True, None, False] * 20, "number": [1.5, None, float("nan")] * 20, "whole": [*range(n)],
        "group": ["x", "y", "y"] * 20, "list": [["a"]] * n, "empty": pa.nulls(n),
    }  # fmt: skip
    run = Run.create(project.runs_folder, kind="eval", name="kinds", config={}, examples=pa.table(rows))
    shot = snapshot(project, run)
    kinds = {name: info.kind for name, info in shot.columns.items()}
    assert kinds == {
        "id": "text", "split": "category", "text": "text", "label": "category", "free": "text", "flag": "flag",
        "number": "number", "whole": "number", "group": "category",
    }  # fmt: skip
    assert shot.columns["label"].categories == ("neg", "pos", "odd")
    assert shot.columns["group"].categories == ("y", "x")
    assert (shot.columns["number"].min, shot.columns["number"].missing) == (1.5, 40)
    coded = shot.encoded(["split", "flag", "label", "number"])
    assert coded["split"].to_pylist()[:3] == [0, 1, 255]
    assert coded["flag"].to_pylist()[:3] == [1, 255, 0]
    assert coded["label"].to_pylist()[:3] == [1, 2, 0]
    assert np.isnan(coded["number"].to_pylist()[1:3]).all()
    assert shot.numbers(["name 3", "\ud800", ""]).tolist() == [3, -1, -1]
    with pytest.raises(ColumnError, match="text"):
        shot.encoded(["text"])


def test_many_categories_need_wider_codes(project):
    names = [f"group {number % 300:03d}" for number in range(1200)]
    rows = pa.table({"id": [str(number) for number in range(1200)], "split": ["a"] * 1200, "group": names})
    shot = snapshot(project, Run.create(project.runs_folder, kind="eval", name="m", config={}, examples=rows))
    assert shot.encoded(["group"])["group"].type == pa.uint16()
    assert shot.encoded(["group"])["group"][299].as_py() == 299


def test_notes_say_what_is_missing(project, run):
    run.update(status="running", coverage=[{"epoch": 0, "seen": 150, "expected": 200}])
    rows = run.table("examples")
    run.write("examples", rows.append_column("truncated", pa.array([True] * 5 + [False] * 195)))
    notes = " ".join(Explorer(project).run(run.id).notes)
    for word in ("'running'", "75.00 %", "5 of 200", "dropout on"):
        assert word in notes


def test_rows_without_a_prediction_are_told_and_who_makes_one(project, run):
    def told():
        return [note for note in Explorer(project).run(run.id).notes if "was not asked" in note]

    assert not told()  # the last epoch says it
    rows = run.table("examples")
    run.write("predictions", pa.table({"id": rows["id"].slice(150), "predicted": ["neg"] * 50}))
    for name in run.tables():
        if name.startswith("dynamics"):
            shutil.rmtree(run.folder / name)
    run.append("dynamics", "part-00000", pa.table({"id": rows["id"], "epoch": [0] * 200, "loss": np.ones(200, "f4")}))
    (note,) = told()
    assert "about 150 of 200 rows" in note
    assert note.endswith(f": tunewright analyze {run.id}")


def test_a_model_that_embedded_nothing_is_told_what_makes_a_map(project, run):
    def asks():
        return any("embeddings have no map" in note for note in Explorer(project).run(run.id).notes)

    run.model_folder.mkdir()
    assert not asks()
    (made,) = run.parts("columns/umap-toy")
    made.unlink()
    assert asks()
    run.model_folder.rmdir()
    assert not asks()  # nor is there a model that could


def test_a_run_without_a_model_has_no_methods(project, run):
    from typing import get_args

    from tunewright.observe.attribute import Method
    from tunewright.verbs.explore.notes import METHODS

    assert Explorer(project).run(run.id).methods == ()
    run.model_folder.mkdir()
    assert Explorer(project).run(run.id).methods == METHODS == get_args(Method)


def test_a_project_without_runs_has_a_workspace(project):
    found = Explorer(project).workspace()
    assert (found.runs, found.run, found.versions) == ((), None, ())
    with pytest.raises(RunError):
        Explorer(project).run("last")


def test_only_runs_that_were_looked_at_last_are_kept(project, run):
    explorer = Explorer(project)
    ids = [toy_run(project.runs_folder, 5, seed=seed).id for seed in range(4)]
    for id in ids:
        explorer.points(id)
    assert len(explorer._kept) == 3
    assert explorer.points(ids[0]).num_rows == 5


def test_rows_have_limits(project, run):
    explorer = Explorer(project)
    assert len(explorer.rows(run.id, [*range(200)]).rows) == 200
    with pytest.raises(DataError, match="500"):
        explorer.rows(run.id, [0] * 501)
    with pytest.raises(DataError, match="199"):
        explorer.example(run.id, 200)


def test_numbers_of_clusters_are_names(project, run):
    ids = run.table("examples")["id"]
    run.write("columns/clusters", pa.table({"id": ids, "cluster": pa.array(np.arange(200) % 3 - 1)}))
    shot = snapshot(project, run)
    assert (shot.columns["cluster"].kind, set(shot.columns["cluster"].categories)) == ("category", {"-1", "0", "1"})
    codes = shot.encoded(["cluster"])["cluster"].to_numpy()
    named = [shot.columns["cluster"].categories[code] for code in codes]
    assert named == [str(number % 3 - 1) for number in range(200)]
