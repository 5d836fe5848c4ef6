from __future__ import annotations

import time
from collections import Counter

import pyarrow as pa
import pytest

from tunewright.data.fields import Fields
from tunewright.data.intake import content_of, take_in
from tunewright.data.notes import Notes, annotate
from tunewright.data.problems import Problem
from tunewright.errors import DataError

FIELDS = Fields(("text",), "label")
PAIR = Fields(("premise", "hypothesis"), "label")


def rows_of(**columns):
    return pa.table(columns)


def test_the_base_table_has_its_columns_in_order():
    table = rows_of(text=["a", "b", "c"], label=[0, 1, 0], extra=[5, 6, 7], split=["train", "dev", "test"])
    intake = take_in(table, fields=Fields(("text",), "label", ("extra",)), label_names=("neg", "pos"))
    assert intake.table.column_names == ["id", "content", "split", "text", "label", "weight", "extra"]
    assert intake.table.schema.field("weight").type == pa.float32()
    assert intake.table["label"].to_pylist() == ["neg", "pos", "neg"]
    assert intake.table["id"].to_pylist() == ["train-000000", "validation-000000", "test-000000"]
    assert intake.label_names == ("neg", "pos")


@pytest.mark.parametrize("names", [("pos", "neg"), ["neg", "pos"], None])
def test_codes_mean_what_the_file_says_whatever_the_order_of_the_labels(names):
    table = annotate(rows_of(text=["a", "b", "c"], label=[0, 1, -1]), Notes({"label": ("neg", "pos")}))
    intake = take_in(table, fields=FIELDS, label_names=names)
    assert intake.table["label"].to_pylist() == ["neg", "pos", None]
    assert intake.label_names == tuple(names or ("neg", "pos"))


def test_numbers_with_fractions_are_texts_and_ids_as_they_were_written():
    table = take_in(rows_of(id=[1.0, 1.1], text=[2.0, 2.5], label=["x", "y"]), fields=FIELDS).table
    assert table["id"].to_pylist() == ["1.0", "1.1"]
    assert table["text"].to_pylist() == ["2.0", "2.5"]


def test_made_ids_count_the_rows_of_their_split_and_do_not_move_when_rows_are_skipped():
    splits = ["train", "test", "train", "validation", "train"]
    table = rows_of(text=["a", "b", " ", "d", "e"], label=["x"] * 5, split=splits)
    ids = take_in(table, fields=FIELDS, on_bad="skip").table["id"].to_pylist()
    assert ids == ["train-000000", "test-000000", "validation-000000", "train-000002"]


def test_equal_texts_keep_ids_of_their_own():
    table = take_in(rows_of(text=["same"] * 30, label=["x"] * 30), fields=FIELDS).table
    assert len(set(table["id"].to_pylist())) == 30
    assert len(set(table["content"].to_pylist())) == len(set(table["split"].to_pylist())) == 1


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"text": ["fine", ""]}, "empty text: row 1"),
        ({"text": ["fine", None]}, "empty text: row 1"),
        ({"text": ["fine", " \u00a0\n"]}, "empty text: row 1"),
        ({"text": ["fine", "x" * 1_000_000]}, "text longer than 100,000 characters: row 1"),
        ({"text": ["a", "b"], "label": [1.0, float("nan")]}, "NaN label: row 1"),
        ({"text": ["a", "b"], "label": ["x", "z"], "names": ("x", "y")}, r"unknown label: row 1 'z' \(known: x, y\)"),
        ({"text": ["a", "b"], "id": ["one", "one"]}, r"id that an earlier row has: row 1 \(id one\)"),
        ({"text": ["a", "b"], "id": ["one", ""]}, "no id: row 1"),
        ({"text": ["a", "b"], "split": ["test", None]}, "no split: row 1"),
        ({"text": ["a", " "], "split": ["test", "dev"]}, "empty text: validation row 0"),
    ],
)
def test_a_bad_row_is_an_error_or_is_skipped_and_listed(columns, reason):
    columns = {"label": ["x", "x"], **columns}
    names = columns.pop("names", None)
    with pytest.raises(DataError, match=f"1 of 2 rows cannot be used\n  1 x {reason}"):
        take_in(rows_of(**columns), fields=FIELDS, label_names=names)
    intake = take_in(rows_of(**columns), fields=FIELDS, label_names=names, on_bad="skip")
    assert intake.table["text"].to_pylist() == columns["text"][:1]
    assert [problem.count for problem in intake.skipped] == [1]


def test_free_texts_named_as_labels_make_one_short_error_soon():
    rows = 20_000
    texts = [f"a review of its own, number {row}, that goes on and on" for row in range(rows)]
    table = rows_of(text=texts, label=texts, split=["train"] * (rows - 1) + ["test"])
    began = time.perf_counter()
    with pytest.raises(DataError) as caught:
        take_in(table, fields=FIELDS, label_names=("neg", "pos"))
    assert time.perf_counter() - began < 5
    assert len(caught.value.message) < 1000
    assert f"{rows} x unknown label: train row 0 'a review of its own, number 0, that goes" in caught.value.message


def test_rows_with_two_flaws_count_once_and_long_lists_are_cut():
    table = rows_of(text=[" "] * 9 + ["fine"], label=[float("nan")] * 10)
    with pytest.raises(DataError) as caught:
        take_in(table, fields=FIELDS)
    assert "10 of 10 rows" in caught.value.message
    assert "9 x empty text: row 0, row 1, row 2, row 3, row 4, ..." in caught.value.message
    assert "1 x NaN label: row 9" in caught.value.message


def test_pairs_name_the_field_that_is_empty():
    table = rows_of(premise=["a", "b"], hypothesis=["c", " "], label=["x", "y"])
    with pytest.raises(DataError, match="empty text in 'hypothesis'"):
        take_in(table, fields=PAIR)


def test_labels_of_skipped_rows_are_no_labels():
    table = rows_of(text=["a", " "], label=["x", "y"])
    assert take_in(table, fields=FIELDS, on_bad="skip").label_names == ("x",)


def test_what_reading_skipped_is_kept_in_the_report():
    before = Problem("not UTF-8", 1, ("a.csv line 3",))
    table = annotate(rows_of(text=["a", " "], label=[0, 1]), Notes({"label": ("neg", "pos")}, (before,)))
    intake = take_in(table, fields=FIELDS, on_bad="skip")
    assert intake.skipped[0] == before
    assert intake.label_names == ("neg", "pos")
    assert intake.table["label"].to_pylist() == ["neg"]


def test_numbers_are_texts_and_ids_too():
    intake = take_in(rows_of(text=[1, 2], label=["x", "y"], id=[7.0, 8.0]), fields=FIELDS)
    assert intake.table["id"].to_pylist() == ["7", "8"]
    assert intake.table["text"].to_pylist() == ["1", "2"]


def test_ids_and_splits_of_the_table_can_be_left_aside():
    table = rows_of(text=["a", "b"], label=["x", "y"], id=["1", "1"], split=["test", "test"])
    intake = take_in(table, fields=FIELDS, id=None, split=None)
    assert intake.table["id"].to_pylist() == ["train-000000", "train-000001"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["train"], {"train", "validation", "test"}),
        (["train", "test"], {"train", "validation", "test"}),
        (["Train", "val"], {"train", "validation"}),
        (["test"], {"test"}),
        (["train", "extra"], {"train", "extra"}),
    ],
)
def test_given_splits_stay_and_missing_ones_are_made(given, expected):
    size = 200
    table = rows_of(text=[f"t{row}" for row in range(size)], label=["x"] * size, split=(given * size)[:size])
    made = take_in(table, fields=FIELDS).table["split"].to_pylist()
    assert set(made) == expected
    if "test" in given:
        assert made.count("test") == (given * size)[:size].count("test")


def test_fractions_that_are_asked_for_win_over_given_splits():
    table = rows_of(text=[f"t{row}" for row in range(100)], label=["x"] * 100, split=["test"] * 100)
    made = take_in(table, fields=FIELDS, splits={"train": 0.5, "other": 0.5}).table["split"].to_pylist()
    assert Counter(made) == pytest.approx({"train": 50, "other": 50}, abs=1)


def test_contents_of_pairs_are_kept_apart():
    first, second = content_of([pa.array(["ab", "a"]), pa.array(["c", "bc"])]).to_pylist()
    assert first != second


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(DataError, match=r"'text' is missing\n.*did you mean 'texts'"):
        take_in(rows_of(texts=["a"], label=["x"]), fields=FIELDS)
    with pytest.raises(DataError, match="empty table"):
        take_in(rows_of(text=pa.array([], pa.string()), label=pa.array([], pa.string())), fields=FIELDS)
    with pytest.raises(DataError, match="expected texts in 'text', found list"):
        take_in(rows_of(text=[["a"]], label=["x"]), fields=FIELDS)


def test_a_hundred_thousand_rows_take_a_few_seconds():
    size = 100_000
    table = rows_of(text=[f"text number {row} of many" for row in range(size)], label=[row % 7 for row in range(size)])
    start = time.perf_counter()
    assert take_in(table, fields=FIELDS).table.num_rows == size
    assert time.perf_counter() - start < 5
