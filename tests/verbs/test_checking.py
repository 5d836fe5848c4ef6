from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pyarrow.csv
import pytest

import tunewright as tw
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
        *("data", "sample", "metadata", "tokenizer", "encode", "collate"),
        *("load_model", "forward", "measure", "decode", "score"),
    ]
    detail = {one.name: one.detail for one in checked.bindings}
    assert detail["forward"] == "logits [8, 2]"
    assert "first_words" in detail["metadata"]
    assert checked.rows == 100
    json.dumps(checked.to_json())


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({"model": "no/such-model"}, "tokenizer"),
        ({"source": "nowhere.csv"}, "data"),
        ({"label": "mood"}, "data"),
        ({"task": Broken(labels=("neg", "pos"))}, "measure"),
        ({"metadata": (divides,)}, "data"),
    ],
)
def test_what_fails_is_named_and_nothing_is_tried_after_it(new, change, failing):
    checked = tw.check(replace(new, **change))
    assert not checked.passed
    assert checked.bindings[-1].name == failing
    assert [one.passed for one in checked.bindings[:-1]] == [True] * (len(checked.bindings) - 1)


def test_lints_look_at_all_rows(new, tmp_path):
    rows = toy_texts(100).to_pylist()
    rows[-1]["text"] = rows[0]["text"]
    rows[0]["text"] = rows[1]["text"]
    table = toy_texts(100).set_column(1, "text", [[row["text"] for row in rows]])
    long = ["good " * 100 if number == 50 else row["text"] for number, row in enumerate(rows)]
    pyarrow.csv.write_csv(table.set_column(1, "text", [long]), new.folder / "reviews.csv")
    found = {one.name: one for one in tw.check(replace(new, seed=1)).lints}
    assert found["same text, different labels"].rows == ("toy-0000", "toy-0001")
    assert found["truncated inputs"].rows == ("toy-0050",)


def all_words(rows):
    return [text.split() for text in rows["text"]]


def half_lengths(rows):
    return [len(text) / 2 if number else None for number, text in enumerate(rows["text"])]


def test_metadata_may_be_lists_and_have_gaps(new):
    checked = tw.check(replace(new, metadata=(all_words, half_lengths)))
    assert checked.passed
    assert not any("all_words" in one.name for one in checked.lints)
