from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.data.dataset import Dataset, Difference, Fields
from tunewright.data.edits import Add, Drop, Evidence, Keep, Relabel, Reweight
from tunewright.errors import DataError, EditError

FIELDS = Fields(("text",), "label", ("source",))


def test_create_and_open_agree(dataset, rows):
    again = Dataset.open(dataset.folder)
    assert (again.name, again.label_names, again.skipped) == ("reviews", ("even", "odd"), ())
    assert again.fields == FIELDS
    assert again.table().select(["id", "text", "label"]) == rows.select(["id", "text", "label"])
    assert again.versions == {"base": again.resolve("base"), "main": again.resolve("main")}


def test_the_label_is_called_label_whatever_its_column_was(rows, tmp_path):
    renamed = rows.rename_columns(["id", "text", "parity", "split", "source"])
    dataset = Dataset.create(tmp_path / "d", renamed, fields=Fields(("text",), "parity"))
    assert dataset.fields.label == "label"
    assert dataset.table()["label"].to_pylist()[:2] == ["even", "odd"]
    unlabelled = Dataset.create(tmp_path / "u", renamed, fields=Fields(("text",)))
    assert unlabelled.fields.label is None
    assert unlabelled.describe()["unlabelled"]["train"] == 8


def test_metadata_called_like_a_computed_column_is_stored_under_a_name_of_its_own(rows, tmp_path):
    names = ("predicted", "confidence", "suspect")
    for name in names:
        rows = rows.append_column(name, rows["source"])
    dataset = Dataset.create(tmp_path / "d", rows, fields=Fields(("text",), "label", ("source", *names)))
    stored = tuple(f"original_{name}" for name in names)
    assert dataset.fields.metadata == ("source", *stored)
    assert dataset.table().column_names[-4:] == ["source", *stored]
    assert dataset.table()["original_suspect"].to_pylist() == rows["source"].to_pylist()


def test_two_columns_of_one_name_are_refused(rows, tmp_path):
    rows = rows.append_column("loss", rows["source"]).append_column("original_loss", rows["source"])
    with pytest.raises(DataError, match="twice: .'original_loss'"):
        Dataset.create(tmp_path / "d", rows, fields=Fields(("text",), "label", ("loss", "original_loss")))
    assert not list(tmp_path.iterdir())


def test_a_folder_appears_whole_or_not_at_all(rows, tmp_path, monkeypatch):
    monkeypatch.setattr("tunewright.data.dataset.write_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Dataset.create(tmp_path / "d", rows, fields=FIELDS)
    assert list(tmp_path.iterdir()) == []


def test_bad_rows_leave_nothing_behind_and_the_report_is_stored(rows, tmp_path):
    worse = pa.concat_tables([rows, rows.slice(0, 1)])
    with pytest.raises(DataError, match="reviews.csv: 1 of 13 rows"):
        Dataset.create(tmp_path / "d", worse, fields=FIELDS, source="reviews.csv")
    assert list(tmp_path.iterdir()) == []
    dataset = Dataset.create(tmp_path / "d", worse, fields=FIELDS, on_bad="skip")
    assert [(problem.reason, problem.count) for problem in dataset.skipped] == [("id that an earlier row has", 1)]
    assert dataset.describe()["skipped"][0]["first"] == ["train row 8 (id r0)"]


def test_a_taken_folder_is_refused(dataset, rows):
    with pytest.raises(DataError, match="something at"):
        Dataset.create(dataset.folder, rows, fields=FIELDS)


@pytest.mark.parametrize("meta", [None, "{", "{}"])
def test_what_is_no_dataset_is_not_opened(tmp_path, meta):
    if meta:
        (tmp_path / "dataset.json").write_text(meta)
    with pytest.raises(DataError, match="expected"):
        Dataset.open(tmp_path)


def test_edits_move_main_and_the_log_only_grows(dataset):
    base = dataset.resolve("main")
    log = dataset.folder / "edits.jsonl"
    first = dataset.apply([Drop(ids=("r0",))])
    before = log.read_bytes()
    second = dataset.apply([Drop(ids=("r1",)), Drop(ids=("r2",))])
    assert log.read_bytes().startswith(before)
    assert (dataset.versions["main"], dataset.versions["base"]) == (second, base)
    assert [entry.edit.ids for entry in dataset.log()] == [("r0",), ("r1",), ("r2",)]
    assert dataset.table().num_rows == 9
    assert dataset.table(first).num_rows == 11
    assert dataset.table("base").num_rows == 12
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [sorted(line) for line in lines[:2]] == [["edit", "parent", "version"], ["name", "version"]]


def test_a_name_makes_a_branch_and_branches_move_alone(dataset):
    branch = dataset.apply([Keep(ids=("r0", "r1"), reason="few")], name="few")
    assert dataset.resolve("main") == dataset.resolve("base") != branch
    further = dataset.apply([Drop(ids=("r0",))], on="few")
    assert dataset.versions["few"] == further
    assert dataset.apply([Drop(ids=("r0",))], on=branch, name="other") == further


def test_undo_moves_the_name_and_the_same_edit_gives_the_same_version(dataset):
    edits = [Drop(ids=(f"r{row}",)) for row in range(3)]
    last = dataset.apply(edits)
    assert dataset.undo(steps=3) == dataset.resolve("base")
    assert dataset.table(last).num_rows == 9
    assert dataset.apply([Drop(ids=("r0",), evidence=Evidence(author="ada")), *edits[1:]]) == last
    with pytest.raises(EditError, match="the 3 of main to undo, found 4"):
        dataset.undo(steps=4)
    with pytest.raises(EditError, match="no version is called 'mian'"):
        dataset.undo("mian")


def test_difference_goes_through_the_common_ancestor(dataset):
    shared, ours, theirs = Drop(ids=("r0",)), Drop(ids=("r1",)), Reweight(weights=(("r2", 2.0),))
    dataset.apply([shared])
    dataset.apply([theirs], name="theirs")
    dataset.apply([ours])
    assert dataset.diff("main", "theirs") == Difference((ours,), (theirs,))
    assert dataset.diff("base", "main") == Difference((), (shared, ours))
    assert dataset.diff("main", "main") == Difference((), ())


def test_a_stale_edit_leaves_the_log_as_it_was(dataset):
    dataset.apply([Drop(ids=("r0",))])
    before = (dataset.folder / "edits.jsonl").read_bytes()
    with pytest.raises(EditError, match="not there: r0"):
        dataset.apply([Drop(ids=("r1",)), Relabel(changes=(("r0", "even", "odd"),))])
    assert (dataset.folder / "edits.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "edit",
    [
        Drop(ids=("r0", "r10")),
        Keep(ids=("r10",), split="test"),
        Relabel(changes=(("r10", "even", "odd"),)),
        Reweight(weights=(("r11", 0.5),)),
        Add(rows=({"id": "new", "text": "x", "split": "test"},)),
    ],
    ids=lambda edit: type(edit).__name__,
)
def test_test_rows_change_only_when_that_is_allowed(dataset, edit):
    before = dataset.fingerprint("test")
    with pytest.raises(EditError, match="test split"):
        dataset.apply([edit])
    dataset.apply([edit], allow_test=True)
    assert (dataset.fingerprint("test") == before) == isinstance(edit, Reweight)
    assert dataset.fingerprint("test", "base") == before


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Relabel(changes=(("r0", "even", "ood"),)), "did you mean 'odd'"),
        (Add(rows=({"id": "new", "text": "x", "label": "none"},)), "no label is called 'none'"),
        (Relabel(changes=(("r0", "text of row 0", "other"),), field="text"), "found the text 'text'"),
    ],
)
def test_labels_are_the_datasets_and_texts_do_not_change(dataset, edit, message):
    with pytest.raises(EditError, match=message):
        dataset.apply([edit])


def test_names_that_cannot_be_given(dataset):
    for name in ("base", " "):
        with pytest.raises(EditError, match="cannot be called"):
            dataset.apply([], name=name)
    for version in ("base", dataset.resolve("main")):
        with pytest.raises(EditError, match="has no name that could move"):
            dataset.apply([], on=version)
    with pytest.raises(EditError, match="no version is called 'nothing'"):
        dataset.apply([], on="nothing", name="x")


def test_a_fingerprint_does_not_depend_on_the_order_of_rows(rows, tmp_path):
    one = Dataset.create(tmp_path / "one", rows, fields=FIELDS)
    other = Dataset.create(tmp_path / "other", rows.take(list(range(11, -1, -1))), fields=FIELDS)
    assert one.fingerprint("test") == other.fingerprint("test") != one.fingerprint("train")
    assert one.resolve("base") == other.resolve("base")


def test_the_description_counts(dataset):
    dataset.apply([Relabel(changes=(("r0", "even", None),))])
    with (dataset.folder / "edits.jsonl").open("a") as log:
        log.write('{"ver')
    described = dataset.describe()
    assert described["rows"] == {"train": 8, "validation": 2, "test": 2}
    assert described["labels"]["train"] == {"even": 3, "odd": 4}
    assert described["unlabelled"] == {"train": 1, "validation": 0, "test": 0}
    assert described["torn_lines"] == [3]
    assert json.loads(json.dumps(described)) == described


def test_two_processes_lose_no_edits(dataset):
    code = (
        "import sys; from tunewright.data.dataset import Dataset; from tunewright.data.edits import Drop\n"
        "dataset = Dataset.open(sys.argv[1])\n"
        "for name in sys.argv[2:]: dataset.apply([Drop(ids=(name,))])"
    )
    import tunewright

    environment = {"PYTHONPATH": str(Path(tunewright.__file__).parent.parent)}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(dataset.folder), *names], env=environment)
        for names in (("r0", "r1", "r2"), ("r3", "r4", "r5"))
    ]
    assert [process.wait() for process in started] == [0, 0]
    assert sorted(entry.edit.ids[0] for entry in dataset.log()) == [f"r{row}" for row in range(6)]
    assert dataset.table().num_rows == 6


train = [f"r{row}" for row in range(8)]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("drop"), st.sampled_from(train)),
        st.tuples(st.just("weigh"), st.sampled_from(train)),
        st.tuples(st.just("flip"), st.sampled_from(train)),
        st.tuples(st.just("undo"), st.integers(1, 2)),
        st.tuples(st.just("branch"), st.sampled_from("ab")),
    ),
    max_size=10,
)


@settings(max_examples=25, deadline=None)
@given(steps=steps)
def test_whatever_is_done_versions_stay_as_they_were(steps, tmp_path_factory):
    rows = pa.table(
        {"id": train, "text": train, "label": ["even", "odd"] * 4, "split": ["train"] * 4 + ["validation"] * 4}
    )
    dataset = Dataset.create(tmp_path_factory.mktemp("law") / "d", rows, fields=Fields(("text",), "label"))
    log = dataset.folder / "edits.jsonl"
    seen = {dataset.resolve("main"): dataset.table()}
    written = b""
    for kind, value in steps:
        try:
            match kind:
                case "drop":
                    dataset.apply([Drop(ids=(value,))])
                case "weigh":
                    dataset.apply([Reweight(weights=((value, 2.0),))])
                case "flip":
                    label = dataset.table().filter(pc.equal(dataset.table()["id"], value))["label"].to_pylist()
                    old, new = ("even", "odd") if label == ["even"] else ("odd", "even")
                    dataset.apply([Relabel(changes=((value, old, new),))])
                case "undo":
                    dataset.undo(steps=value)
                case "branch":
                    dataset.apply([Add(rows=({"id": f"new-{value}", "text": value},))], name=value)
        except EditError:
            continue
        after = log.read_bytes()
        assert after.startswith(written)
        written = after
        seen.setdefault(dataset.resolve("main"), dataset.table())
    again = Dataset.open(dataset.folder)
    for version, table in seen.items():
        assert again.table(version) == table
        way = again.diff("base", version)
        assert way.undone == ()
        assert way.applied == tuple(entry.edit for entry in again.log(version))
        back = again.diff(version, "base")
        assert (back.undone, back.applied) == (way.applied[::-1], ())
