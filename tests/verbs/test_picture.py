from __future__ import annotations

import json

import pyarrow as pa
import pytest

import tunewright as tw
from tunewright.errors import ColumnError, DataError, RunError
from tunewright.run import Run
from tunewright.toy import toy_texts


@pytest.fixture(scope="module")
def seen(fresh):
    """A project and a run whose rows have principal components."""
    project = fresh()
    run = tw.train(project)
    with pytest.raises(ColumnError, match="no coordinates yet"):
        tw.plot(project, run, "population")
    tw.map(project, run, latent=True)
    return project, run


def test_the_population_is_drawn_in_principal_components_until_it_is_analyzed(seen):
    project, run = seen
    drawn = tw.plot(project, run, "population")
    assert [path.name for path in drawn.files] == ["population-label.png", "population-label.svg"]
    assert all(path.parent == run.folder / "figures" and path.stat().st_size > 5000 for path in drawn.files)
    assert (drawn.rows, drawn.colour, drawn.split) == (100, "label", None)
    assert "pc1" in drawn.files[1].read_text()


def test_one_split_in_the_colour_of_a_column(seen):
    project, run = seen
    drawn = tw.plot(project, run, "population", split="validation", colour="probability")
    assert drawn.files[0].name == "population-validation-probability.png"
    assert drawn.rows == 20


def test_clusters_are_drawn_by_name(seen):
    project, run = seen
    ids = run.table("examples")["id"]
    names = [None, "a", "b", "c"] * (len(ids) // 4)
    run.write(
        "columns/clusters", pa.table({"id": ids, "cluster": [-1, 0, 1, 2] * (len(ids) // 4), "cluster_name": names})
    )
    for picture in ("population", "dynamics"):
        drawn = tw.plot(project, run, picture, colour="cluster")
        assert drawn.files[1].name == f"{picture}-cluster.svg"
        assert "in none" in drawn.files[1].read_text()


def test_errors_of_classes_are_a_confusion_matrix(seen):
    project, run = seen
    assert tw.plot(project, run, "errors").rows == 20
    assert tw.plot(project, run, "errors", split="test").files[0].name == "errors-test.png"


def test_dynamics_are_drawn_by_region_or_by_any_column(seen):
    project, run = seen
    drawn = tw.plot(project, run, "dynamics")
    assert (drawn.rows, drawn.colour) == (60, "region")
    assert tw.plot(project, run, "dynamics", colour="label").files[1].name == "dynamics-label.svg"


def test_rows_that_were_not_predicted_yet_are_asked_about(fresh):
    project = fresh()
    run = tw.train(project)
    tw.map(project, run, latent=True)
    (run.folder / "predictions.parquet").unlink()
    assert tw.plot(project, run, "population", split="test", colour="correct").rows == 20
    assert run.table("predictions").num_rows == 20


def test_a_name_of_a_column_makes_a_plain_file_name(seen):
    project, run = seen
    ids = run.table("examples")["id"]
    run.write("columns/odd", pa.table({"id": ids, "a b/../c": [1] * len(ids)}))
    drawn = tw.plot(project, run, "dynamics", colour="a b/../c")
    assert drawn.files[0] == run.folder / "figures" / "dynamics-a-b-..-c.png"


def test_options_that_a_picture_does_not_have_are_refused(seen):
    project, run = seen
    with pytest.raises(DataError, match="the picture of the errors has no option 'colour'"):
        tw.plot(project, run, "errors", colour="label")
    with pytest.raises(DataError, match="the picture of the dynamics has no option 'split'"):
        tw.plot(project, run, "dynamics", split="test")


def test_the_result_is_json(seen):
    project, run = seen
    said = json.loads(json.dumps(tw.plot(project, run, "dynamics").to_json(), allow_nan=False))
    assert said["files"][0].endswith("dynamics-region.png")


def test_what_cannot_be_drawn_is_refused(seen, tmp_path):
    project, run = seen
    with pytest.raises(DataError, match="'populaton'") as error:
        tw.plot(project, run, "populaton")
    assert "'population'" in error.value.fix
    with pytest.raises(ColumnError, match="'lable'") as error:
        tw.plot(project, run, "population", colour="lable")
    assert "'label'" in error.value.fix
    with pytest.raises(DataError, match="'tset'"):
        tw.plot(project, run, "errors", split="tset")
    bare = Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(10))
    with pytest.raises(RunError, match="no table 'dynamics'"):
        tw.plot(project, bare, "dynamics")
    with pytest.raises(RunError, match="has no model"):
        tw.plot(project, bare, "errors")
