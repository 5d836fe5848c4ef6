from __future__ import annotations

import datasets
import pytest

from tunewright.data.guess import guess
from tunewright.data.notes import notes_of
from tunewright.data.read import read_rows
from tunewright.errors import DataError


@pytest.fixture
def source():
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    rows = {"text": ["good one", "bad one", "fine one"], "label": [1, 0, -1]}
    members = {name: datasets.Dataset.from_dict(rows, features=features) for name in ("train", "dev")}
    return datasets.DatasetDict(members)


def check(table):
    assert table["split"].to_pylist() == ["train"] * 3 + ["validation"] * 3
    assert table["label"].to_pylist() == [1, 0, -1] * 2
    assert notes_of(table).label_names == {"label": ("neg", "pos")}
    assert guess(table).label_names == ("neg", "pos")


def test_in_memory(source):
    check(read_rows(source))
    assert read_rows(source, split="dev").num_rows == 3
    assert read_rows(source["train"]).column_names == ["text", "label"]
    assert read_rows({"train": source["train"], "validation": source["dev"]}).num_rows == 6


def test_saved_to_disk(source, tmp_path):
    source.save_to_disk(tmp_path / "both")
    check(read_rows(tmp_path / "both"))
    source["train"].save_to_disk(tmp_path / "one")
    assert read_rows(tmp_path / "one", split="test")["split"].to_pylist() == ["test"] * 3


def test_shuffled_and_selected_rows_come_in_their_order(source):
    assert read_rows(source["train"].select([2, 0]))["text"].to_pylist() == ["fine one", "good one"]


def test_written_as_parquet_by_datasets(source, tmp_path):
    for name, member in source.items():
        member.to_parquet(tmp_path / f"{name}.parquet")
    table = read_rows(tmp_path)
    assert notes_of(table).label_names == {"label": ("neg", "pos")}
    assert set(table["split"].to_pylist()) == {"train", "validation"}


def test_what_cannot_be_loaded_is_one_error(source, tmp_path):
    with pytest.raises(DataError, match="Hub called 'nobody/nothing'"):
        read_rows("nobody/nothing")
    with pytest.raises(DataError, match="no split 'trian'"):
        read_rows(source, split="trian")
    with pytest.raises(DataError, match="without streaming|expected a datasets.Dataset"):
        read_rows(source["train"].to_iterable_dataset())
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(DataError, match="complete data set"):
        read_rows(tmp_path)
