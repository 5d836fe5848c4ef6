from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tunewright.errors import ColumnError, DataError, RunError
from tunewright.monitor.reference import Reference
from tunewright.run import Run

ROWS = pa.table({"id": ["a", "b", "c"], "split": ["train", "test", "train"], "text": ["x", "y", None]})
VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)


@pytest.fixture
def run(tmp_path):
    run = Run.create(tmp_path, kind="train", name="r", config={}, examples=ROWS, labels=["no", "yes"])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), 2)
    run.write("embeddings", pa.table({"id": ["c", "b", "a"], "vector": vectors}))
    return run


def test_the_rows_and_vectors_of_a_split(run):
    reference = Reference.from_run(run)
    assert reference.rows["id"].to_pylist() == ["a", "c"]
    assert reference.texts("text") == ["x"]
    assert reference.labels == ("no", "yes")
    assert reference.vectors("embedding").tolist() == [[4, 5], [0, 1]]
    with pytest.raises(RunError, match="found none"):
        Reference.from_run(run, split="later")


def test_what_is_saved_is_opened_and_what_was_changed_is_refused(run, tmp_path):
    reference = Reference.from_run(run)
    reference.save(tmp_path / "reference")
    again = Reference.open(tmp_path / "reference")
    assert (again.version, again.origin, again.labels) == (reference.version, reference.origin, reference.labels)
    np.save(tmp_path / "reference" / "vectors-0.npy", VECTORS[:2])
    with pytest.raises(DataError, match="its files were changed"):
        Reference.open(tmp_path / "reference")
    with pytest.raises(DataError, match="found none"):
        Reference.open(tmp_path)


def test_the_version_is_that_of_the_content():
    one = Reference.from_table(ROWS, vectors={"v": VECTORS})
    assert one.version == Reference.from_table(pa.concat_tables([ROWS[:1], ROWS[1:]]), vectors={"v": VECTORS}).version
    assert one.version != Reference.from_table(ROWS, vectors={"v": VECTORS + 1}).version
    assert one.version != Reference.from_table(ROWS[:2], vectors={"v": VECTORS}).version


def test_vectors_may_be_a_column():
    table = ROWS.append_column("v", pa.array(VECTORS.tolist(), pa.list_(pa.float32())))
    assert Reference.from_table(table).vectors("v").tolist() == VECTORS.tolist()


def test_what_is_not_there_is_said():
    reference = Reference.from_table(ROWS)
    with pytest.raises(ColumnError, match="no column 'txt'"):
        reference.texts("txt")
    with pytest.raises(ColumnError, match="no vectors"):
        reference.vectors()
    with pytest.raises(DataError, match="found none"):
        Reference.from_table(ROWS[:0])
    for wrong in (np.ones(3), np.full((3, 2), np.nan)):
        with pytest.raises(DataError, match="vectors 'v'"):
            Reference.from_table(ROWS, vectors={"v": wrong})
