from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.data.annotating import require_annotation
from tunewright.data.applying import apply, splits_touched
from tunewright.data.edits import (
    Add,
    Drop,
    Edit,
    Evidence,
    Keep,
    Mix,
    Note,
    Relabel,
    Reweight,
    Tag,
    from_json,
    size,
    to_json,
    version_after,
)
from tunewright.data.intake import Fields, take_in
from tunewright.errors import EditError

TEXT = ("text",)
EVIDENCE = Evidence(
    run="run-1", analysis="data_map", rule="variability > 0.25", author="ada", time="2025-01-01T00:00:00Z"
)
EXAMPLES = (
    Keep(ids=("r0", "r1"), reason="clear", evidence=EVIDENCE),
    Drop(ids=("r1", "r8")),
    Relabel(changes=(("r0", "even", "odd"), ("r1", "odd", None))),
    Relabel(changes=(("r0", "web", "paper"), ("r2", None, "web")), field="source"),
    Reweight(weights=(("r3", 0.5), ("r0", 2.0))),
    Add(rows=({"id": "new", "text": "another", "label": "odd"}, {"id": "bare", "text": "x", "split": "test"})),
    Mix(recipes=(("m0", "r0", "r1", 0.9), ("m1", "r2", "r2", 1)), layer="hidden:2"),
    Tag(ids=("r3", "r9"), tag="odd one"),
    Note(ids=("r4",), text="ask Ada, or\nlook again"),
)


@pytest.fixture
def table(rows):
    return take_in(rows, fields=Fields(TEXT, "label", ("source",))).table


def by_id(table):
    return {row["id"]: row for row in table.to_pylist()}


@pytest.mark.parametrize("edit", EXAMPLES, ids=lambda edit: type(edit).__name__)
def test_json_round_trip(edit):
    assert from_json(json.loads(json.dumps(to_json(edit)))) == edit


@pytest.mark.parametrize("edit", EXAMPLES, ids=lambda edit: type(edit).__name__)
def test_an_edit_makes_a_table_of_the_same_columns_and_leaves_the_old_one(table, edit):
    before = table.to_pylist()
    after = apply(table, edit, text=TEXT)
    marked = {Tag: ["tags"], Note: ["note"]}.get(type(edit), [])
    assert after.column_names == table.column_names + marked
    assert after.select(table.column_names).schema == table.schema
    assert table.to_pylist() == before
    assert (after.to_pylist() == before) is isinstance(edit, Mix)


def test_every_kind_of_edit_has_an_example():
    assert {type(edit) for edit in EXAMPLES} == set(get_args(Edit))


def test_keep_leaves_other_splits(table):
    after = by_id(apply(table, Keep(ids=("r5", "r2")), text=TEXT))
    assert list(after) == ["r2", "r5", "r8", "r9", "r10", "r11"]
    assert len(apply(table, Keep(ids=()), text=TEXT)) == 4


def test_relabel_and_reweight_match_by_id_in_any_order(table):
    changes = (("r7", "odd", "even"), ("r0", "even", None), ("r3", "odd", "even"))
    after = by_id(apply(table, Relabel(changes=changes), text=TEXT))
    assert [after[name]["label"] for name in ("r7", "r0", "r3", "r1")] == ["even", None, "even", "odd"]
    after = by_id(apply(table, Reweight(weights=(("r7", 0.25), ("r0", 4))), text=TEXT))
    assert [after[name]["weight"] for name in ("r7", "r0", "r1")] == [0.25, 4.0, 1.0]


def test_added_rows_get_content_split_and_weight(table):
    edit = Add(rows=({"id": "new", "text": "text of row 0"},))
    row = by_id(apply(table, edit, text=TEXT))["new"]
    assert row["content"] == by_id(table)["r0"]["content"]
    assert (row["split"], row["weight"], row["label"], row["source"]) == ("train", 1.0, None, None)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Drop(ids=("r0", "gone", "away")), "2 rows that are not there: gone, away"),
        (Drop(ids=("r0", "r0")), "1 ids named more than once: r0"),
        (Keep(ids=("r0", "r8")), "1 rows that are not in train: r8"),
        (Keep(ids=("gone",)), "not there: gone"),
        (Relabel(changes=(("r0", "odd", "even"),)), "1 rows whose label is no longer the old one: r0"),
        (Relabel(changes=(("r0", None, "odd"),)), "no longer the old one"),
        (Relabel(changes=(("gone", "odd", "even"),)), "not there"),
        (Relabel(changes=(), field="nothing"), "found 'nothing'"),
        (Relabel(changes=(), field="weight"), "found 'weight'"),
        (Relabel(changes=(("r0", "train", "test"),), field="split"), "found 'split'"),
        (Relabel(changes=(("r0", "r0", "new"),), field="id"), "found 'id'"),
        (Relabel(changes=(), field="content"), "found 'content'"),
        (Reweight(weights=(("r0", float("nan")),)), "finite weights"),
        (Reweight(weights=(("r0", -1.0),)), "finite weights"),
        (Reweight(weights=(("gone", 1.0),)), "not there"),
        (Add(rows=({"id": "r0", "text": "x"},)), "there already: r0"),
        (Add(rows=({"id": "new", "text": "x"}, {"id": "new", "text": "y"})), "there already: new"),
        (Add(rows=({"id": "new", "text": " "},)), "expected 'text' in every new row"),
        (Add(rows=({"text": "x"},)), "expected 'id' in every new row"),
        (Add(rows=({"id": "new", "text": "x", "lable": "odd"},)), "no column is called 'lable'"),
        (Add(rows=({"id": "new", "text": "x", "weight": "heavy"},)), "columns' types"),
        (Add(rows=({"id": "new", "text": "x", "weight": -3},)), r"finite weights .* \['new'\]"),
        (Add(rows=({"id": "new", "text": "x", "weight": float("inf")},)), "finite weights"),
        (Add(rows=({"id": "new", "text": "x", "weight": None},)), "finite weights"),
        (Mix(recipes=(("m", "r0", "gone", 0.5),)), "not there: gone"),
        (Mix(recipes=(("m", "r0", "r8", 0.5),)), "1 parents that are not labelled training rows: r8"),
        (Mix(recipes=(("m", "r10", "r0", 0.5),)), "not labelled training rows: r10"),
        (Mix(recipes=(("r3", "r0", "r1", 0.5),)), "there already: r3"),
        (Mix(recipes=(("m", "r0", "r1", 0.5), ("m", "r0", "r2", 0.5))), "there already: m"),
        (Mix(recipes=(("m", "r0", "r1", 1.5),)), r"shares between 0 and 1, found others for .'m'"),
        (Mix(recipes=(("m", "r0", "r1", float("nan")),)), "shares between 0 and 1"),
        (Mix(recipes=(), layer="hidden:0"), "found 'hidden:0'"),
        (Mix(recipes=(), layer="words"), "'embeddings', 'hidden:K'"),
    ],
)
def test_what_does_not_fit_fails(table, edit, message):
    with pytest.raises(EditError, match=message):
        apply(table, edit, text=TEXT)


def test_the_splits_an_edit_touches(table):
    touched = [splits_touched(table, edit) for edit in EXAMPLES]
    assert touched == [
        {"train"},
        {"train", "validation"},
        {"train"},
        {"train"},
        {"train"},
        {"train", "test"},
        {"train"},
        set(),
        set(),
    ]


def test_the_number_of_rows_an_edit_names():
    assert list(map(size, EXAMPLES)) == [2, 2, 2, 2, 2, 2, 2, 2, 1]


def test_a_version_is_what_an_edit_does_not_why():
    plain, reasoned = Drop(ids=("a",)), Drop(ids=("a",), reason="noise", evidence=EVIDENCE)
    assert version_after("0" * 12, plain) == version_after("0" * 12, reasoned)
    assert len({version_after(parent, edit) for parent in ("0" * 12, "1" * 12) for edit in EXAMPLES}) == 2 * len(
        EXAMPLES
    )
    assert len(version_after("", plain)) == 12


def test_ids_may_come_as_arrays():
    assert Keep(ids=np.array(["a", "b"])) == Keep(ids=("a", "b"))
    assert json.dumps(to_json(Reweight(weights=[(np.str_("a"), np.float32(0.5))])))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kind": "Kepe"}, "did you mean 'Keep'"),
        ({}, "no edit is called None"),
        ({"kind": "Drop", "rows": []}, "fields of Drop"),
    ],
)
def test_json_that_is_no_edit(value, message):
    with pytest.raises(EditError, match=message):
        from_json(value)


names = [f"r{row}" for row in range(12)]
subsets = st.lists(st.sampled_from(names), unique=True).map(tuple)


@settings(max_examples=40)
@given(first=subsets, second=subsets)
def test_disjoint_drops_commute_and_equal_one_drop(first, second):
    table = pa.table({"id": names, "split": ["train"] * 12})
    second = tuple(name for name in second if name not in first)

    def dropped(*edits):
        left = table
        for ids in edits:
            left = apply(left, Drop(ids=ids), text=TEXT)
        return left

    assert dropped(first, second) == dropped(second, first) == dropped(first + second)
    assert apply(table, Keep(ids=[name for name in names if name not in first]), text=TEXT) == dropped(first)


@settings(max_examples=40)
@given(changed=subsets)
def test_a_relabel_and_its_inverse_leave_the_table(changed):
    table = pa.table({"id": names, "split": ["train"] * 12, "label": ["even", "odd"] * 6})
    old = dict(zip(names, table["label"].to_pylist(), strict=True))
    there = Relabel(changes=[(name, old[name], "other") for name in changed])
    back = Relabel(changes=[(name, "other", old[name]) for name in reversed(changed)])
    after = apply(table, there, text=TEXT)
    assert {name for name, label in zip(names, after["label"].to_pylist(), strict=True) if label == "other"} == set(
        changed
    )
    assert apply(after, back, text=TEXT) == table
    if changed:
        with pytest.raises(EditError):
            apply(after, there, text=TEXT)


def test_tags_gather_and_a_note_replaces_the_one_before(table):
    tagged = apply(apply(table, Tag(ids=("r3", "r0"), tag="odd"), text=TEXT), Tag(ids=("r3",), tag="ask"), text=TEXT)
    assert [by_id(tagged)[name]["tags"] for name in ("r0", "r1", "r3")] == ["odd", None, "ask, odd"]
    again = apply(tagged, Tag(ids=("r3",), tag="odd"), text=TEXT)
    assert again == tagged
    noted = apply(apply(table, Note(ids=("r0",), text="one"), text=TEXT), Note(ids=("r0",), text="two"), text=TEXT)
    assert by_id(noted)["r0"]["note"] == "two"
    assert by_id(apply(noted, Note(ids=("r0",), text=""), text=TEXT))["r0"]["note"] is None


def test_tags_and_notes_touch_no_split(table):
    test_row = next(row["id"] for row in table.to_pylist() if row["split"] == "test")
    assert splits_touched(table, Tag(ids=(test_row,), tag="odd")) == set()
    assert splits_touched(table, Note(ids=(test_row,), text="odd")) == set()


@pytest.mark.parametrize("tag", ["", " ", "a, b", "a\nb", "x" * 101, " a"])
def test_what_is_no_tag_is_refused(tag):
    with pytest.raises(EditError, match="expected a tag"):
        require_annotation("tags", tag, fields=Fields(TEXT, "label"))
    with pytest.raises(EditError, match="that the model reads"):
        require_annotation("note", "any", fields=Fields(("note",), "label"))


def test_a_column_of_another_type_takes_no_tags(table):
    numbers = table.append_column("tags", pa.array(range(table.num_rows)))
    with pytest.raises(EditError, match="expected text in the column 'tags'"):
        apply(numbers, Tag(ids=("r0",), tag="odd"), text=TEXT)
