from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tunewright import table as tables
from tunewright.errors import DataError, RunError

TABLE = pa.table({"id": ["a", "b", "a"], "epoch": pa.array([0, 0, 1], pa.int32()), "value": [0.1, 0.2, 0.3]})


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    tables.write(path, TABLE)

    def full_disk(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(tables.pq, "write_table", full_disk)
    with pytest.raises(OSError, match="no space"):
        tables.write(path, TABLE.slice(0, 1))
    assert tables.read(path).num_rows == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.parquet"]


def test_parts_are_read_as_one_table(tmp_path):
    tables.append(tmp_path / "p", "part-1", TABLE.slice(0, 2))
    tables.append(tmp_path / "p", "part-2", TABLE.slice(2))
    assert tables.read(tmp_path / "p").equals(TABLE)


def test_a_truncated_file_and_a_missing_one_are_named(tmp_path):
    path = tmp_path / "t.parquet"
    tables.write(path, TABLE)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="t.parquet"):
        tables.read(path)
    with pytest.raises(DataError, match="nothing"):
        tables.read(tmp_path / "absent.parquet")


def test_pivot_matches_by_id_and_keeps_the_first_of_two():
    twice = pa.concat_tables([TABLE, pa.table({"id": ["a"], "epoch": pa.array([1], pa.int32()), "value": [9.0]})])
    wide = tables.pivot(twice, "value", ids=pa.array(["b", "a", "unseen"]))
    np.testing.assert_array_equal(wide, [[0.2, np.nan], [0.1, 0.3], [np.nan, np.nan]])


def test_the_window_with_the_largest_score_speaks_and_nan_is_the_smallest():
    example = np.array([0, 0, 0, 1, 2, 2])
    score = np.array([1.0, 3.0, 3.0, np.nan, np.nan, -5.0])
    assert tables.speaking(example, score).tolist() == [1, 3, 5]


def test_what_every_window_must_hold_is_said_by_the_one_that_doubts_it_most():
    example = np.array([0, 0, 0, 1, 1, 2, 2])
    score = np.array([0.9, 0.2, np.nan, 0.9, 0.1, 0.3, 0.4])
    everywhere = np.array([True, True, False, True, False, False, False])
    assert tables.speaking(example, score, everywhere=everywhere).tolist() == [1, 4, 6]


def test_one_window_of_each_example_and_epoch_is_kept():
    dynamics = {
        "id": ["b", "b", "a", "a", "b", "b"],
        "epoch": pa.array([0, 0, 0, 0, 1, 1], pa.int32()),
        "window": [0, 1, 0, 1, 0, 1],
        "gold_probability": [0.2, 0.9, float("nan"), 0.1, 0.5, 0.4],
    }
    assert tables.one_window(pa.table(dynamics))["window"].to_pylist() == [1, 1, 0]
    nowhere = pa.table(dynamics | {"gold_everywhere": [True, True, None, None, False, False]})
    assert tables.one_window(nowhere)["window"].to_pylist() == [0, 1, 0]


def test_query_reads_views():
    found = tables.query("SELECT id, avg(value) AS mean FROM dynamics GROUP BY id ORDER BY id", {"dynamics": TABLE})
    assert found.to_pydict() == {"id": ["a", "b"], "mean": [0.2, 0.2]}


def test_query_reads_half_floats():
    half = pa.array(np.array([0.5, 2], np.float16))
    view = pa.table({"id": ["a"], "one": half[:1], "vector": pa.FixedSizeListArray.from_arrays(half, 2)})
    assert tables.query("SELECT * FROM view", {"view": view}).to_pydict() == view.to_pydict()


@pytest.mark.parametrize(
    "statement",
    [
        "COPY dynamics TO '{folder}/stolen.csv'",
        "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM '{folder}/secret.csv'",
        "ATTACH '{folder}/other.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ],
)
def test_query_cannot_leave_its_views(tmp_path, statement):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(RunError):
        tables.query(statement.format(folder=tmp_path), {"dynamics": TABLE})
    assert not (tmp_path / "stolen.csv").exists()


def test_query_has_a_time_limit():
    with pytest.raises(RunError, match=r"longer than 0\.3 s"):
        tables.query(
            "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE a.range % 7 = b.range", {}, seconds=0.3
        )


def test_left_join_matches_by_id_and_keeps_what_is_there():
    left = pa.table({"id": ["a", "b"], "text": ["x", "y"]})
    right = pa.table({"id": ["b", "c"], "text": ["other", "z"], "loss": [0.5, 0.7]})
    assert tables.left_join(left, right).to_pydict() == {"id": ["a", "b"], "text": ["x", "y"], "loss": [None, 0.5]}
