from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.errors import DataError
from tunewright.tasks.classify import Classification
from tunewright.toy import toy_texts


def first_words(rows):
    return [text.split()[0] for text in rows["text"]]


def divides(rows):
    return 1 / 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Classification):
    """A task whose measure fails, as a user's own may."""

    def measure(self, outputs, targets):
        raise IndexError("out of range")


def test_every_binding_is_tried_with_shapes(new):
    checked = tw.check(replace(new, metadata=(first_words,)))
    assert checked.passed
    assert [one.name for one in checked.bindings] == [
        *("source", "metadata first_words", "data", "sample", "tokenizer", "encode", "collate"),
        *("load_model", "forward", "measure", "decode", "round trip", "score"),
    ]
    detail = {one.name: one.detail for one in checked.bindings}
    assert detail["forward"] == "logits [8, 2]"
    assert detail["metadata first_words"].startswith("first_words: string [")
    assert detail["round trip"].startswith("8 of 8 gold targets")
    assert checked.rows == 100
    json.dumps(checked.to_json())


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({"model": "no/such-model"}, "tokenizer"),
        ({"source": "nowhere.csv"}, "data"),
        ({"label": "mood"}, "data"),
        ({"task": Broken(labels=("neg", "pos"))}, "measure"),
        ({"metadata": (divides,)}, "metadata divides"),
    ],
)
def test_what_fails_is_named_and_only_what_needs_it_is_not_tried(new, change, failing):
    checked = tw.check(replace(new, **change))
    assert not checked.passed
    assert [one.name for one in checked.bindings if one.passed is False] == [failing]
    not_tried = [one for one in checked.bindings if one.passed is None]
    assert all(one.detail.startswith("needs ") for one in not_tried)


def test_a_failing_metadata_function_stops_nothing_else(new):
    checked = tw.check(replace(new, metadata=(divides, first_words)))
    passed = {one.name: one.passed for one in checked.bindings}
    assert passed.pop("metadata divides") is False
    assert set(passed.values()) == {True}
    assert checked.rows == 100
    assert not new.dataset_folder.with_name(".toy.new").exists()


@pytest.mark.parametrize(("rows", "found"), [(3, 3), (1000, 60)])
def test_the_number_of_rows_is_chosen(new, rows, found):
    checked = tw.check(new, rows=rows)
    assert {one.detail for one in checked.bindings if one.name == "sample"} == {f"{found} labelled training rows"}


def test_one_row_is_too_few(new):
    with pytest.raises(DataError, match="2 rows or more"):
        tw.check(new, rows=1)


def test_lints_look_at_all_rows(new, tmp_path):
    rows = toy_texts(100).to_pylist()
    rows[-1]["text"] = rows[0]["text"]
    rows[0]["text"] = rows[1]["text"]
    table = toy_texts(100).set_column(1, "text", [[row["text"] for row in rows]])
    long = ["good " * 100 if number == 50 else row["text"] for number, row in enumerate(rows)]
    pyarrow.csv.write_csv(table.set_column(1, "text", [long]), new.folder / "reviews.csv")
    checked = tw.check(replace(new, seed=1))
    found = {one.name: one for one in checked.lints}
    assert all(one.passed for one in checked.bindings)
    assert not checked.passed  # an error among the findings, as for `lint`
    assert found["same text, different labels"].rows == ("toy-0000", "toy-0001")
    assert found["truncated inputs"].rows == ("toy-0050",)


def all_words(rows):
    return [text.split() for text in rows["text"]]


def half_lengths(rows):
    return [len(text) / 2 if len(text) % 3 else None for text in rows["text"]]


def test_metadata_may_be_lists_and_have_gaps(new):
    checked = tw.check(replace(new, metadata=(all_words, half_lengths)))
    assert checked.passed
    assert not any("all_words" in one.name for one in checked.lints)
