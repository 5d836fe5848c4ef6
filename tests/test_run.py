from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from tunewright.columns import analysis
from tunewright.errors import ColumnError, RunError
from tunewright.run import Run, find, runs

EXAMPLES = pa.table({"id": ["a", "b", "c"], "split": ["train", "train", "test"], "text": ["x", "y", "z"]})
DYNAMICS = pa.table(
    {
        "id": ["b", "a", "a", "b"],
        "epoch": pa.array([0, 0, 1, 1], pa.int32()),
        "window": pa.array([0, 0, 0, 0], pa.int32()),
        "gold_probability": [0.2, 0.4, 0.8, 0.6],
    }
)


@pytest.fixture
def run(tmp_path):
    made = Run.create(tmp_path, kind="train", name="A run!", config={"epochs": 2}, examples=EXAMPLES)
    made.append("dynamics", "part-0", DYNAMICS)
    return made


@analysis(needs=("dynamics.gold_probability", "examples.text"), gives=("confidence",))
def mean_probability(gold_probability, text, *, burn_out=None):
    """Only for this test."""
    mean_probability_calls.append(text.tolist())
    return {"confidence": gold_probability[:, :burn_out].mean(1)}


mean_probability_calls: list[list[str]] = []


def test_what_is_written_is_opened(run):
    again = Run.open(run.folder)
    assert again.meta == run.meta
    assert "a-run" in again.id
    assert again.table("examples").equals(EXAMPLES)
    assert json.loads((run.folder / "run.json").read_text())["config"] == {"epochs": 2}


def test_of_several_windows_the_one_with_the_gold_target_speaks(tmp_path):
    made = Run.create(tmp_path, kind="train", name="windows", config={}, examples=EXAMPLES)
    windows = pa.table(
        {
            "id": ["a", "a", "a", "b"],
            "epoch": pa.array([0, 0, 0, 0], pa.int32()),
            "window": pa.array([0, 1, 2, 0], pa.int32()),
            "gold_probability": [float("nan"), 0.7, 0.3, 0.1],
            "margin": [-9.0, 2.0, 1.0, 0.5],
        }
    )
    made.append("dynamics", "part-0", windows)
    ids, columns = made.inputs(["dynamics.margin"])
    assert dict(zip(ids.to_pylist(), columns["margin"][:, 0].tolist(), strict=True)) == {"a": 2.0, "b": 0.5}


def test_an_analysis_whose_code_has_changed_is_computed_anew(run, monkeypatch):
    mean_probability_calls.clear()
    run.compute(mean_probability)
    monkeypatch.setattr("tunewright.run._code", lambda _: "another version")
    run.compute(mean_probability)
    assert len(mean_probability_calls) == 2


def test_compute_aligns_by_id_and_stores(run):
    mean_probability_calls.clear()
    table = run.compute(mean_probability)
    assert dict(zip(table["id"].to_pylist(), table["confidence"].to_pylist(), strict=True)) == pytest.approx(
        {"a": 0.6, "b": 0.4}
    )
    assert mean_probability_calls == [["y", "x"]]
    run.compute(mean_probability)
    assert len(mean_probability_calls) == 1, "stored columns are not computed again"
    run.compute(mean_probability, burn_out=1)
    assert len(mean_probability_calls) == 2, "other parameters are other columns"


def test_the_parameters_that_were_asked_for_last_count(run):
    values = {}
    for burn_out in (None, 1, None, 1, 1, None):
        values[burn_out] = run.compute(mean_probability, burn_out=burn_out)["confidence"].to_pylist()
        assert run.widened(run.table("examples"))["confidence"].to_pylist()[:2] == values[burn_out][::-1]
    assert values[None] != values[1]


def test_stored_columns_of_other_names_are_computed_again(run):
    mean_probability_calls.clear()
    name = run.tables()[-1] if run.compute(mean_probability) else ""
    run.write(name, run.table(name).rename_columns(["id", "probability"]))
    assert run.compute(mean_probability).column_names == ["id", "confidence"]
    assert len(mean_probability_calls) == 2


def test_a_table_remembers_what_it_was_made_with(run):
    with run.making("slices", {"smallest": 2}):
        run.write("slices", EXAMPLES)
    assert Run.open(run.folder).made_with("slices") == {"smallest": 2}
    with pytest.raises(OSError, match="full"), run.making("slices", {"smallest": 3}):
        raise OSError("the disk is full")
    assert run.made_with("slices", "unknown") is None
    assert run.made_with("examples", "unknown") == "unknown"


def test_examples_is_one_wide_table(run):
    run.compute(mean_probability)
    wide = run.examples()
    assert wide["confidence"].to_pylist() == [pytest.approx(0.6), pytest.approx(0.4), None]
    assert run.sql("SELECT count(*) AS n FROM examples WHERE confidence > 0.5")["n"].to_pylist() == [1]


def test_missing_tables_and_columns_are_explained(run):
    with pytest.raises(RunError, match="no table 'predictions'"):
        run.table("predictions")
    with pytest.raises(ColumnError, match="margin"):
        run.inputs(["dynamics.margin"])
    with pytest.raises(RunError, match="no run.json"):
        Run.open(run.folder / "dynamics")


def test_runs_are_found_by_part_of_their_name(tmp_path, run):
    run.update(status="finished")
    other = Run.create(tmp_path, kind="eval", name="other", config={}, examples=EXAMPLES)
    assert [entry.id for entry in runs(tmp_path)] == [run.id, other.id]
    assert find(tmp_path, "a-run").id == run.id
    assert find(tmp_path, "last").id == run.id, "last is the newest training run"
    with pytest.raises(RunError, match="any of"):
        find(tmp_path, "-")
    with pytest.raises(RunError, match="nowhere"):
        find(tmp_path, "nowhere")


def test_vectors_become_a_matrix(run):
    run.write(
        "embeddings",
        pa.table({"id": ["c", "a"], "vector": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2))}),
    )
    ids, arrays = run.inputs(["embeddings.vector", "examples.text"])
    assert ids.to_pylist() == ["c", "a"]
    np.testing.assert_array_equal(arrays["vector"], [[1, 2], [3, 4]])
    assert arrays["text"].tolist() == ["z", "x"]


@pytest.mark.parametrize("name", ["last", "a"])
def test_where_nothing_was_trained_it_says_what_to_do(tmp_path, name):
    with pytest.raises(RunError, match="expected a training run below .*, found none") as none:
        find(tmp_path, name)
    assert none.value.fix == "run `tunewright train` first"


def test_the_name_a_run_was_given_beats_a_part_of_another(tmp_path):
    made = [
        Run.create(tmp_path, kind="train", name=name, config={}, examples=EXAMPLES) for name in ("amb", "amb-random")
    ]
    assert find(tmp_path, "amb").id == made[0].id
    assert find(tmp_path, "amb-random").id == made[1].id
