from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tunewright.data.notes import notes_of
from tunewright.data.read import read_rows
from tunewright.errors import DataError

ROWS = [{"text": "a good film", "label": "pos"}, {"text": "a bad film", "label": "neg"}]
CSV = "text,label\na good film,pos\na bad film,neg\n"


def written(path, data: str | bytes):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = data.encode() if isinstance(data, str) else data
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("rows.csv", CSV),
        ("rows.CSV", CSV),
        ("rows.csv.gz", CSV),
        ("semicolons.csv", CSV.replace(",", ";")),
        ("bom.csv", "\ufeff" + CSV),
        ("windows.csv", CSV.replace("\n", "\r\n")),
        ("wide.csv", CSV.encode("utf-16")),
        ("rows.tsv", CSV.replace(",", "\t")),
        ("rows.json", json.dumps(ROWS)),
        ("columns.json", json.dumps({"text": ["a good film", "a bad film"], "label": ["pos", "neg"]})),
        (
            "pandas.json",
            json.dumps({"text": {"0": "a good film", "1": "a bad film"}, "label": {"0": "pos", "1": "neg"}}),
        ),
        ("data.json", json.dumps({"data": ROWS})),
        ("lines.json", "\n".join(map(json.dumps, ROWS))),
        ("rows.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n\n"),
        ("rows.jsonl.gz", "\n".join(map(json.dumps, ROWS))),
        ("rows.ndjson", "\r\n".join(map(json.dumps, ROWS))),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(tmp_path, name, data):
    assert read_rows(written(tmp_path / name, data)).to_pylist() == ROWS


def test_parquet_gives_plain_strings_and_label_names(tmp_path):
    table = pa.table({"text": ["a", "b"], "label": [0, 1], "kind": ["x", "y"], "__index_level_0__": [5, 6]})
    table = table.set_column(2, "kind", table["kind"].dictionary_encode())
    features = {
        "info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "text": {"dtype": "string"}}}
    }
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), tmp_path / "rows.parquet")
    read = read_rows(tmp_path / "rows.parquet")
    assert read.column_names == ["text", "label", "kind"]
    assert read["kind"].type == pa.string()
    assert notes_of(read).label_names == {"label": ("neg", "pos")}


def test_names_in_dataset_info_are_found(tmp_path):
    info = {"dataset_info": json.dumps({"label_names": ["neg", "pos"], "no_such_names": ["a"], "other": -1})}
    pq.write_table(pa.table({"label": [0]}).replace_schema_metadata(info), tmp_path / "rows.parquet")
    assert notes_of(read_rows(tmp_path / "rows.parquet")).label_names == {"label": ("neg", "pos")}


def test_several_files_are_splits(tmp_path):
    train, test = written(tmp_path / "a.csv", CSV), written(tmp_path / "b.jsonl", json.dumps(ROWS[0]))
    table = read_rows({"train": train, "test": test})
    assert table["split"].to_pylist() == ["train", "train", "test"]
    assert read_rows({"train": train, "test": test}, split="test").num_rows == 1
    with pytest.raises(DataError, match="expected a file for 'dev'"):
        read_rows({"train": train}, split="dev")


def test_a_file_can_be_given_a_split(tmp_path):
    assert set(read_rows(written(tmp_path / "a.csv", CSV), split="test")["split"].to_pylist()) == {"test"}


def test_a_folder_has_splits_where_its_files_are_named_so(tmp_path):
    for name in ("train-00000-of-00002.csv", "train-00001-of-00002.csv", "dev.csv", "extra.csv", "README.md"):
        written(tmp_path / name, CSV)
    table = read_rows(tmp_path)
    assert table["split"].to_pylist() == ["validation"] * 2 + ["extra"] * 2 + ["train"] * 4
    assert read_rows(tmp_path, split="validation").num_rows == 2
    with pytest.raises(DataError, match="no file for the split 'tset'"):
        read_rows(tmp_path, split="tset")


def test_a_folder_of_parts_is_one_table(tmp_path):
    written(tmp_path / "january.csv", CSV)
    written(tmp_path / "february.csv", CSV)
    assert read_rows(tmp_path).column_names == ["text", "label"]


def test_codes_here_and_names_there_become_strings(tmp_path):
    table = read_rows(
        {"train": written(tmp_path / "a.csv", "text,label\na,1\n"), "test": written(tmp_path / "b.csv", CSV)}
    )
    assert table["label"].to_pylist() == ["1", "pos", "neg"]


def test_files_that_name_codes_differently_do_not_mix(tmp_path):
    for name, names in (("train", ["neg", "pos"]), ("test", ["pos", "neg"])):
        info = {"dataset_info": json.dumps({"label_names": names})}
        pq.write_table(pa.table({"label": [0]}).replace_schema_metadata(info), tmp_path / f"{name}.parquet")
    with pytest.raises(DataError, match="one list of names"):
        read_rows(tmp_path)


def test_columns_whose_names_are_ours_are_renamed(tmp_path):
    table = read_rows(written(tmp_path / "a.csv", "title,content,weight\na,b c,3\n"))
    assert table.column_names == ["title", "original_content", "original_weight"]


def test_one_line_in_another_encoding_is_named_or_skipped(tmp_path):
    path = written(tmp_path / "mixed.csv", b'text,label\ngood,pos\n"caf\xe9\nau lait",neg\nbad \xe2\x82\xac,neg\n')
    with pytest.raises(
        DataError, match=r"mixed.csv: 1 of 3 rows.*\n.*not UTF-8 .byte 0xe9, in cp1252 'é'.: mixed.csv line 3"
    ):
        read_rows(path)
    table = read_rows(path, on_bad="skip")
    assert table["text"].to_pylist() == ["good", "bad €"]
    assert [(problem.count, problem.first) for problem in notes_of(table).skipped] == [(1, ("mixed.csv line 3",))]


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.jsonl", b'{"text": "caf\xe9"}\n{"text": "a"}'), ("a.json", b'[{"text": "caf\xe9"}, {"text": "a"}]')],
)
def test_json_in_another_encoding_is_reported_too(tmp_path, name, data):
    path = written(tmp_path / name, data)
    with pytest.raises(DataError, match="not UTF-8"):
        read_rows(path)
    assert read_rows(path, on_bad="skip").to_pylist() == [{"text": "a"}]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.csv", b"", "found an empty file"),
        ("blank.csv", b"\n \n", "found an empty file"),
        ("empty.parquet", b"", "found an empty file"),
        ("header.csv", b"text,label\n", "expected rows in .*header.csv, found none"),
        ("list.json", b"[]", "found none"),
        ("truncated.parquet", b"PAR1 and then nothing", "complete Parquet file"),
        ("half.csv.gz", gzip.compress(CSV.encode() * 99, mtime=0)[:-20], "cannot be read"),
        ("notes.docx", b"PK", "no kind that can be read"),
        ("rows.parquet.gz", b"x", "no kind that can be read"),
        ("bad.json", b"{'text': 1}", "expected JSON"),
        ("scalar.json", b"3", "another shape"),
        ("uneven.json", b'{"text": ["a"], "label": []}', "another shape"),
        ("twice.csv", b"text,text\na,b\n", "names every column once"),
        ("bytes.csv", b"t\xe9xt,label\na,b\n", "names of the columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        read_rows(path)


def test_a_truncated_copy_of_a_real_parquet_is_an_error(tmp_path):
    pq.write_table(pa.table({"text": ["a"] * 1000}), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="complete Parquet file"):
        read_rows(tmp_path / "a.parquet")


def test_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no file or folder"):
        read_rows(tmp_path / "missing.csv")
    with pytest.raises(DataError, match="expected files in"):
        read_rows(tmp_path)


def test_rows_that_are_all_bad_are_an_error_even_when_skipped(tmp_path):
    with pytest.raises(DataError, match="1 of 1 rows"):
        read_rows(written(tmp_path / "a.jsonl", "nonsense"), on_bad="skip")
    with pytest.raises(DataError, match="on_bad is 'error' or 'skip'"):
        read_rows(written(tmp_path / "a.csv", CSV), on_bad="drop")
