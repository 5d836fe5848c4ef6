"""What holds of all edits, whatever they are: laws, tried on random ones."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.data.applying import apply
from tunewright.data.dataset import Dataset, Fields
from tunewright.data.edits import (
    Add,
    Drop,
    Evidence,
    Keep,
    Mix,
    Note,
    Relabel,
    Reweight,
    Tag,
    from_json,
    to_json,
    version_after,
)
from tunewright.data.provenance import changes, touched
from tunewright.data.recipes import recipes
from tunewright.errors import EditError

TEXT = ("text",)
SHARES = st.floats(0, 1)
WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
QUICK = settings(max_examples=25, deadline=None)


def base(train=6, test=2):
    ids = [f"r{row}" for row in range(train + test)]
    return pa.table(
        {
            "id": ids,
            "text": ids,
            "label": ["even", "odd"] * ((train + test) // 2),
            "split": ["train"] * train + ["test"] * test,
            "source": ["web", None] * ((train + test) // 2),
        }
    )


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """A function that makes a dataset of eight rows."""
    folder = tmp_path_factory.mktemp("laws")
    made = iter(range(10**6))
    return lambda: Dataset.create(folder / f"d{next(made)}", base(), fields=Fields(TEXT, "label", ("source",)))


@st.composite
def fitting(draw, table, number):  # noqa: PLR0911  one line per kind of edit
    """An edit that fits a table; ``number`` makes the ids of new rows and recipes new."""
    rows = table.to_pylist()
    train = [row for row in rows if row["split"] == "train"]
    labelled = [row["id"] for row in train if row["label"] is not None]
    some = draw(st.lists(st.sampled_from(train), unique_by=lambda row: row["id"])) if train else []
    ids = tuple(row["id"] for row in some)
    label = st.sampled_from(["even", "odd", None])
    kinds = ["add", "drop", "keep", "note", "relabel", "rename", "reweight", "tag", *(["mix"] if labelled else [])]
    match draw(st.sampled_from(kinds)):
        case "add":
            new = range(draw(st.integers(0, 2)))
            return Add(rows=tuple({"id": f"n{number}-{row}", "text": "new", "label": draw(label)} for row in new))
        case "drop":
            return Drop(ids=ids[:2])
        case "keep":
            return Keep(ids=ids)
        case "note":
            return Note(ids=ids, text=draw(WORDS))
        case "tag":
            return Tag(ids=ids, tag=draw(st.sampled_from(["odd", "read again"])))
        case "relabel":
            return Relabel(changes=tuple((row["id"], row["label"], draw(label)) for row in some))
        case "rename":
            return Relabel(changes=tuple((row["id"], row["source"], draw(WORDS)) for row in some), field="source")
        case "reweight":
            return Reweight(weights=tuple((name, draw(st.floats(0, 1e6, width=32))) for name in ids))
        case _:
            parent = st.sampled_from(labelled)
            pairs = draw(st.lists(st.tuples(parent, parent, SHARES), max_size=3))
            layer = draw(st.sampled_from(["embeddings", "hidden:1", "pooled"]))
            return Mix(recipes=tuple((f"m{number}-{row}", *pair) for row, pair in enumerate(pairs)), layer=layer)


def edited(data, dataset, *, name="main", most=3, start=0):
    """Up to ``most`` random edits, applied one after another; returns them."""
    done = []
    for number in range(data.draw(st.integers(0, most))):
        edit = data.draw(fitting(dataset.table(name), start + number))
        dataset.apply([edit], on=name)
        done.append(edit)
    return done


def by_id(table):
    return {row["id"]: row for row in table.to_pylist()}


@QUICK
@given(data=st.data())
def test_undo_takes_back_what_was_applied(data, make):
    dataset = make()
    edited(data, dataset)
    before, table, mixed = dataset.resolve("main"), dataset.table(), dataset.recipes()
    done = edited(data, dataset, start=10)
    if done:
        dataset.undo(steps=len(done))
    assert (dataset.resolve("main"), dataset.table(), dataset.recipes()) == (before, table, mixed)


@QUICK
@given(data=st.data())
def test_the_difference_leads_from_one_version_to_the_other(data, make):
    dataset = make()
    edited(data, dataset)
    dataset.apply([], name="a")
    dataset.apply([], name="b")
    edited(data, dataset, name="a", start=10)
    edited(data, dataset, name="b", start=20)
    way, back = dataset.diff("a", "b"), dataset.diff("b", "a")
    assert (back.undone, back.applied) == (way.applied[::-1], way.undone[::-1])
    assert dataset.diff("a", "a") == replace(way, undone=(), applied=())
    dataset.apply([], on="a", name="walker")
    if way.undone:
        dataset.undo("walker", steps=len(way.undone))
    dataset.apply(way.applied, on="walker")
    assert dataset.resolve("walker") == dataset.resolve("b")


@QUICK
@given(data=st.data())
def test_net_changes_make_one_table_of_the_other(data, make):
    dataset = make()
    edited(data, dataset)
    written = {"tags": None, "note": None}  # as long as nobody wrote any, there is no column
    before, after = (
        {name: written | row for name, row in by_id(table).items()}
        for table in (dataset.table("base"), dataset.table())
    )
    kinds = {
        "label": str,
        "source": str,
        "weight": float,
        "text": str,
        "content": str,
        "split": str,
        "tags": str,
        "note": str,
    }
    found = changes(dataset.table("base"), dataset.table())
    for change in found.to_pylist():
        match change["kind"]:
            case "dropped":
                assert change["old"] == before.pop(change["id"])["split"]
            case "added":
                before[change["id"]] = after[change["id"]]
            case _:
                field, row = change["field"], before[change["id"]]
                assert change["old"] == (
                    None if row[field] is None else f"{row[field]:g}" if field == "weight" else row[field]
                )
                before[change["id"]] = row | {field: after[change["id"]][field]}
                assert kinds[field] is not str or after[change["id"]][field] == change["new"]
    assert before == after
    assert changes(dataset.table(), dataset.table()).num_rows == 0
    reverse = changes(dataset.table(), dataset.table("base"))
    pairs = [
        {(row["id"], row["field"], row[x], row[y]) for row in table.to_pylist()}
        for table, x, y in ((found, "old", "new"), (reverse, "new", "old"))
    ]
    assert pairs[0] == pairs[1]


@QUICK
@given(data=st.data())
def test_equal_edits_are_equal_versions_whatever_their_reason(data, make):
    one, other = make(), make()
    assert one.resolve("base") == other.resolve("base")
    for edit in edited(data, one):
        other.apply([replace(edit, reason="another", evidence=Evidence(author="somebody", time="later"))])
    assert one.resolve("main") == other.resolve("main")
    assert one.table() == other.table()
    assert one.recipes() == other.recipes()


@QUICK
@given(data=st.data())
def test_an_edit_survives_json_and_the_log(data, make):
    dataset = make()
    done = edited(data, dataset)
    assert [entry.edit for entry in Dataset.open(dataset.folder).log()] == done
    for edit in done:
        again = from_json(json.loads(json.dumps(to_json(edit))))
        assert again == edit
        assert version_after("0" * 12, again) == version_after("0" * 12, edit)


def staled(table, edit):
    """Tables that an edit which fits a table does not fit, one for each row it rests on."""
    match edit:
        case Add(rows=rows):
            for row in rows:
                yield apply(table, Add(rows=(row,)), text=TEXT)
            return
        case Keep(ids=ids) | Drop(ids=ids) | Tag(ids=ids) | Note(ids=ids):
            names = list(ids)
        case Relabel(changes=changed, field=field):
            names = [name for name, _, _ in changed]
            for name, old, _ in changed:
                other = "odd" if old != "odd" else "even"
                yield apply(table, Relabel(changes=((name, old, other),), field=field), text=TEXT)
        case Reweight(weights=weights):
            names = [name for name, _ in weights]
        case Mix(recipes=mixed):
            names = list({parent for _, a, b, _ in mixed for parent in (a, b)})
            for name in names:
                old = by_id(table)[name]["label"]
                yield apply(table, Relabel(changes=((name, old, None),)), text=TEXT)
    for name in names:
        yield apply(table, Drop(ids=(name,)), text=TEXT)


@QUICK
@given(data=st.data())
def test_a_stale_edit_always_fails_and_changes_nothing(data, make):
    dataset = make()
    table = dataset.table()
    edit = data.draw(fitting(table, 0))
    for other in staled(table, edit):
        with pytest.raises(EditError):
            apply(other, edit, text=TEXT)
    harmless = Reweight(weights=(("r0", 3.0),))
    log = dataset.folder / "edits.jsonl"
    with pytest.raises(EditError):
        dataset.apply([harmless, edit, Drop(ids=("gone",))], allow_test=True)
    assert dataset.table() == table
    assert not log.exists() or log.read_bytes() == b""


@QUICK
@given(data=st.data())
def test_what_an_edit_touches_is_what_differs(data, make):
    table = make().table()
    edit = data.draw(fitting(table, 0))
    said = {(name, field, old, new) for name, field, old, new in touched(table, edit) if old != new}
    found = changes(table, apply(table, edit, text=TEXT)).to_pylist()
    expected = {(row["id"], row["field"], row["old"], row["new"]) for row in found}
    if isinstance(edit, Mix):
        assert expected == set()
        assert {name for name, *_ in said} == {name for recipe in edit.recipes for name in recipe[:3]}
    else:
        assert {one for one in said if one[1] != "weight"} == {one for one in expected if one[1] != "weight"}
        assert {one[0] for one in expected} <= {one[0] for one in touched(table, edit)}


@QUICK
@given(data=st.data())
def test_recipes_are_those_whose_parents_are_labelled_training_rows(data, make):
    dataset = make()
    done = edited(data, dataset, most=5)
    usable = {row["id"] for row in dataset.table().to_pylist() if row["split"] == "train" and row["label"] is not None}
    expected = [
        {"id": name, "a": a, "b": b, "weight": weight, "layer": edit.layer}
        for edit in done
        if isinstance(edit, Mix)
        for name, a, b, weight in edit.recipes
        if {a, b} <= usable
    ]
    assert dataset.recipes().to_pylist() == expected
    without = [edit for edit in done if not isinstance(edit, Mix)]
    plain = make()
    plain.apply(without)
    assert plain.table() == dataset.table()
    assert plain.recipes().num_rows == recipes(without, plain.table()).num_rows == 0
