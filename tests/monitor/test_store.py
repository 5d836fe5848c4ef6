from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tunewright.errors import MonitorError
from tunewright.monitor import store as stores
from tunewright.monitor.catalogue import Catalogue, Pane, Saved
from tunewright.monitor.journal import Entry
from tunewright.monitor.store import Commit, Store


def rows(*ids: str, scale: float = 1.0) -> pa.Table:
    vectors = np.arange(len(ids) * 4, dtype=np.float32) * np.float32(scale)
    return pa.table({
        "id": list(ids),
        "dialogue": [f"text of {id}" for id in ids],
        "predicted": [f"said of {id}" for id in ids],
        "output_embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors), 4),
    })  # fmt: skip


def commit(table: pa.Table | None, labels: pa.Table | None = None, **others) -> Commit:
    contents = [] if table is None else [(id, hash(id)) for id in table["id"].to_pylist()]
    return Commit(rows=table, labels=labels, contents=contents, **others)


@pytest.fixture
def store(tmp_path):
    with_store = Store(tmp_path, "main")
    yield with_store
    with_store.close()


def test_rows_come_back_as_they_went_in(store):
    store.commit(commit(rows("a", "b")))
    store.commit(commit(rows("c")))
    assert store.read().select(rows("a").column_names).equals(pa.concat_tables([rows("a", "b"), rows("c")]))
    assert store.read(["dialogue"]).column_names == ["id", "dialogue"]
    assert store.read(["output_embedding"], ids=["c"]).num_rows == 1
    assert store.read(ids=["nobody"]) is None


def test_a_folder_of_segments_is_a_table_of_a_run(store):
    from tunewright import table

    store.commit(commit(rows("a", "b")))
    store.commit(commit(rows("c")))
    assert table.read(store.folder / "examples")["id"].to_pylist() == ["a", "b", "c"]
    assert table.read(store.folder / "predictions").column_names == ["id", "predicted"]
    assert table.read(store.folder / "embeddings")["vector"].type == pa.list_(pa.float16(), 4)


def test_numbers_that_half_floats_cannot_hold_stay_single(store):
    store.commit(commit(rows("a", "b", scale=1e6)))
    assert store.read()["output_embedding"].to_pylist()[1] == [4e6, 5e6, 6e6, 7e6]


def test_a_file_that_no_transaction_names_goes_when_its_writer_opens(store, tmp_path, monkeypatch):
    store.commit(commit(rows("a")))
    monkeypatch.setattr(Store, "_name", lambda *_: (_ for _ in ()).throw(MonitorError("killed")))
    with pytest.raises(MonitorError):
        store.commit(commit(rows("b")))
    stray = tmp_path / "examples" / ".main-00000001.parquet.12345678.part"
    stray.touch()
    other = tmp_path / "examples" / "other-00000000.parquet"
    other.touch()
    Store(tmp_path, "main").close()
    assert [path.name for path in sorted((tmp_path / "examples").iterdir())] == [
        "main-00000000.parquet",
        "other-00000000.parquet",
    ]


def test_a_journal_that_a_segment_took_is_not_read_again(store, tmp_path):
    store.journal.append(Entry("rows", rows("a")))
    taken = store.journal.path.read_bytes()
    path = store.journal.path
    store.commit(commit(rows("a")))
    path.write_bytes(taken)  # as if the process had been killed before it could delete the file
    again = Store(tmp_path, "main")
    assert list(again.journal.entries()) == []
    assert not path.exists()
    again.close()


def test_states_and_the_offset_count_with_their_segment(store, tmp_path):
    saved = Saved("length", "f1", 3, b"state")
    store.commit(commit(rows("a"), states=[saved], made=7, panes=[Pane(60, 120, {"rows": 1})]))
    again = Store(tmp_path, "main")
    assert again.catalogue.saved("main") == [("main", saved)]
    assert again.catalogue.panes() == [("main", Pane(60, 120, {"rows": 1}))]
    assert again.made == 7
    assert again.journal.path.name == "main-00000001.journal"
    again.close()


def test_two_writers_own_their_segments_and_are_read_as_one(store, tmp_path):
    other = Store(tmp_path, "other")
    store.commit(commit(rows("a", "b")))
    other.commit(commit(rows("b", "c")))
    assert store.read()["id"].to_pylist() == ["a", "b", "c"]
    assert other.catalogue.known(["a", "x"]) == {"a": hash("a")}
    other.close()


def test_of_labels_the_last_counts(store):
    store.commit(commit(rows("a", "b"), pa.table({"id": ["a"], "gold": ["old"]}), truths=[("a", 1)]))
    store.commit(commit(None, pa.table({"id": ["a"], "gold": ["new"]}), truths=[("a", 2)]))
    assert store.labels().to_pylist() == [{"id": "a", "gold": "new"}]
    assert store.catalogue.labelled(["a", "b"]) == {"a": 2}


def test_a_full_disk_leaves_the_journal_and_what_counted(store, monkeypatch):
    store.commit(commit(rows("a")))
    store.journal.append(Entry("rows", rows("b")))
    with monkeypatch.context() as patch:

        def full(*_arguments, **_options):
            raise OSError(28, "No space left on device")

        patch.setattr(stores.pq, "write_table", full)
        with pytest.raises(MonitorError, match="No space left"):
            store.commit(commit(rows("b")))
    assert store.read()["id"].to_pylist() == ["a"]
    assert [entry.table["id"].to_pylist() for entry in store.journal.entries()] == [["b"]]
    store.commit(commit(rows("b")))
    assert store.read()["id"].to_pylist() == ["a", "b"]


def test_a_catalogue_of_another_format_is_refused(tmp_path):
    catalogue = Catalogue(tmp_path / "catalogue.sqlite")
    catalogue.tell(format=99)
    catalogue.close()
    with pytest.raises(MonitorError, match="format 1.*found 99"):
        Catalogue(tmp_path / "catalogue.sqlite")
