from __future__ import annotations

import json

import pyarrow as pa

from tunewright.data.read import read_rows
from tunewright.data.structs import flatten


def test_a_struct_becomes_a_column_per_field_in_its_place():
    table = pa.table({"id": ["1"], "answers": [{"text": ["Rome"], "answer_start": [3]}], "title": ["Italy"]})
    flat = flatten(table.replace_schema_metadata({"note": "kept"}))
    assert flat.to_pylist() == [{"id": "1", "answers_text": ["Rome"], "answers_start": [3], "title": "Italy"}]
    assert flat.schema.metadata == {b"note": b"kept"}


def test_a_list_of_structs_becomes_lists():
    table = pa.table({"answers": [[{"text": "a", "answer_start": 1}, {"text": "b", "answer_start": 2}], [], None]})
    flat = flatten(table).to_pydict()
    assert flat == {"answers_text": [["a", "b"], [], None], "answers_start": [[1, 2], [], None]}


def test_structs_in_structs_and_missing_ones():
    flat = flatten(pa.table({"meta": [{"by": {"name": "ada"}, "n": 1}, None]})).to_pydict()
    assert flat == {"meta_by_name": ["ada", None], "meta_n": [1, None]}


def test_a_struct_stays_where_the_name_is_taken():
    table = pa.table({"meta": [{"n": 1}], "meta_n": [2]})
    assert flatten(table).to_pylist() == table.to_pylist()


def test_objects_of_several_shapes_are_taken_apart_row_by_row(tmp_path):
    answers = [{"text": ["Rome"], "answer_start": [3]}, {"text": "Rome", "answer_start": [3]}, None]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"answers": answer}) for answer in answers))
    assert read_rows(tmp_path / "rows.jsonl").to_pydict() == {
        "answers_text": ['["Rome"]', "Rome", None],
        "answers_start": [[3], [3], None],
    }


def test_columns_in_several_chunks_and_large_lists():
    one = pa.struct({"text": pa.string()})
    table = pa.table(
        {
            "by": pa.chunked_array([[{"text": "ada"}], [None]], one),
            "answers": pa.chunked_array([[[{"text": "a"}]], [None]], pa.large_list(one)),
        }
    )
    assert flatten(table).to_pydict() == {"by_text": ["ada", None], "answers_text": [["a"], None]}
    assert flatten(table.slice(0, 0)).to_pydict() == {"by_text": [], "answers_text": []}


def test_two_fields_never_become_one_column():
    flat = flatten(pa.table({"answers": [{"start": 1, "answer_start": 2}]}))
    assert flat.to_pylist() == [{"answers_start": 1, "answers_answer_start": 2}]
