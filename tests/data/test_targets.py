"""Targets that are lists, from intake to versions; and labels that are open texts."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from tunewright.data.dataset import Dataset, Fields
from tunewright.data.edits import Add, Drop, Keep, Relabel
from tunewright.data.read import read_rows
from tunewright.data.targets import find_flaws
from tunewright.errors import DataError, EditError

FIELDS = Fields(("question", "context"), "answers_text", ("title",), ("answers_text", "answers_start"))
SUMMARY = Fields(("dialogue",), "summary")


def rows(**columns):
    made = {
        "id": ["q1", "q2", "q3"],
        "title": ["Ada"] * 3,
        "question": ["Where?", "Who?", "When?"],
        "context": ["Ada lived in Rome."] * 3,
        "answers_text": [["Rome", "in Rome"], ["Ada"], []],
        "answers_start": [[13, 10], [0], []],
        "split": ["train", "validation", "test"],
    }
    return pa.table(made | columns)


def create(folder, table, **arguments):
    return Dataset.create(folder, table, **{"fields": FIELDS, "label_names": ()} | arguments)


def test_targets_are_stored_as_they_are_and_the_label_is_the_first_answer(tmp_path):
    dataset = create(tmp_path / "qa", rows())
    table = dataset.table()
    assert table["answers_text"].to_pylist() == [["Rome", "in Rome"], ["Ada"], []]
    assert table["answers_start"].type == pa.list_(pa.int64())
    assert table["label"].to_pylist() == ["Rome", "Ada", ""]
    assert Dataset.open(dataset.folder).fields == Fields(FIELDS.text, "label", ("title",), FIELDS.target)
    assert json.loads((dataset.folder / "dataset.json").read_text())["fields"]["target"] == list(FIELDS.target)
    assert dataset.label_names == ()
    assert dataset.describe()["labels"]["train"] == {}


def test_rows_without_a_target_are_unlabelled(tmp_path):
    table = rows(answers_text=[None, ["Ada"], []], answers_start=[None, [0], []])
    dataset = create(tmp_path / "qa", table)
    assert dataset.table()["label"].to_pylist() == [None, "Ada", ""]
    assert dataset.describe()["unlabelled"] == {"train": 1, "validation": 0, "test": 0}


def test_a_csv_holds_lists_as_json(tmp_path):
    (tmp_path / "qa.csv").write_text(
        'id,title,question,context,answers_text,answers_start,split\nq1,Ada,Where?,In Rome.,"[""Rome""]",[3],train\n'
        "q2,Ada,Who?,In Rome.,[],[],test\nq3,Ada,Who?,In Rome.,[],[],dev\n"
    )
    table = create(tmp_path / "qa", read_rows(tmp_path / "qa.csv")).table()
    assert table["answers_text"].to_pylist() == [["Rome"], [], []]
    assert table["label"].to_pylist() == ["Rome", "", ""]


@pytest.mark.parametrize(
    ("texts", "starts", "flaw"),
    [
        (["Rome"], None, "'answers_start' is missing"),
        ("Rome", [13], "'answers_text' is no list of texts"),
        ([7], [13], "'answers_text' is no list of texts"),
        (["Rome"], ["13"], "'answers_start' is no list of whole numbers"),
        (["Rome"], [13, 14], "of different lengths"),
        (["Rome"], [15], "'answers_start' outside the text"),
        (["Rome"], [-1], "'answers_start' outside the text"),
        ([" "], [0], "empty text in 'answers_text'"),
        (["Rome"], [13], ""),
        ([], [], ""),
        (None, None, ""),
    ],
)
def test_flaws_of_targets(texts, starts, flaw):
    (found,) = find_flaws({"answers_text": [texts], "answers_start": [starts]}, ["Ada lived in Rome."])
    assert flaw in found
    assert bool(flaw) == bool(found)


def test_bad_targets_are_listed_like_other_bad_rows_or_skipped(tmp_path):
    source = tmp_path / "qa.jsonl"
    bad = rows().to_pylist()
    bad[0]["answers_text"] = "Rome"
    bad[1]["answers_start"] = [99]
    source.write_text("\n".join(map(json.dumps, bad)))
    with pytest.raises(DataError) as error:
        create(tmp_path / "qa", read_rows(source), called="qa.jsonl")
    assert "2 of 3 rows" in error.value.message
    assert "1 x 'answers_text' is no list of texts: train row 0 (id q1)" in error.value.message
    dataset = create(tmp_path / "qa", read_rows(source), on_bad="skip")
    assert dataset.table()["id"].to_pylist() == ["q3"]
    assert len(dataset.skipped) == 2


def test_a_missing_target_column_is_named(tmp_path):
    with pytest.raises(DataError, match="'answers_start' is missing"):
        create(tmp_path / "qa", rows().drop_columns(["answers_start"]))


def test_another_answer_is_another_test_set(tmp_path):
    one = create(tmp_path / "one", rows())
    other = create(
        tmp_path / "other",
        rows(answers_text=[["Rome", "in Rome"], ["Ada"], ["Ada"]], answers_start=[[13, 10], [0], [0]]),
    )
    moved = create(tmp_path / "moved", rows(answers_start=[[13, 10], [1], []]))
    assert one.fingerprint("test") != other.fingerprint("test")
    assert one.fingerprint("validation") != moved.fingerprint("validation")
    assert one.fingerprint("train") == moved.fingerprint("train")
    assert len({dataset.resolve("main") for dataset in (one, other, moved)}) == 3


def test_edits_carry_targets(tmp_path):
    dataset = create(tmp_path / "qa", rows())
    new = {
        "id": "q4",
        "question": "Who?",
        "context": "Bo sang.",
        "answers_text": ["Bo"],
        "answers_start": [0],
        "label": "Bo",
    }
    dataset.apply([Add(rows=(new,))])
    dataset.apply([Keep(ids=("q4",)), Drop(ids=("q2",))])
    last = dataset.table().to_pylist()[-1]
    assert (last["answers_text"], last["answers_start"], last["label"]) == (["Bo"], [0], "Bo")
    assert dataset.table()["id"].to_pylist() == ["q3", "q4"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"answers_start": [9]}, "outside the text"),
        ({"answers_start": None}, "is missing"),
        ({"label": None}, "without a label"),
        ({"answers_text": None, "answers_start": None}, "without a label"),
    ],
)
def test_new_rows_with_wrong_targets_are_refused(tmp_path, wrong, message):
    new = {
        "id": "q4",
        "question": "Who?",
        "context": "Bo sang.",
        "answers_text": ["Bo"],
        "answers_start": [0],
        "label": "Bo",
    }
    with pytest.raises(EditError, match=message):
        create(tmp_path / "qa", rows()).apply([Add(rows=(new | wrong,))])


@pytest.mark.parametrize("field", ["label", "answers_text"])
def test_a_label_beside_targets_cannot_change_alone(tmp_path, field):
    with pytest.raises(EditError, match="cannot change alone"):
        create(tmp_path / "qa", rows()).apply([Relabel(changes=(("q1", "Rome", "Ada"),), field=field)])


def test_a_dataset_from_before_there_were_targets_opens(tmp_path):
    dataset = Dataset.create(
        tmp_path / "old", pa.table({"text": ["a", "b"], "label": ["x", "y"]}), fields=Fields(("text",), "label")
    )
    path = dataset.folder / "dataset.json"
    meta = json.loads(path.read_text())
    del meta["fields"]["target"]
    path.write_text(json.dumps(meta))
    assert Dataset.open(dataset.folder).fields.target == ()


def test_questions_about_a_passage_share_a_split_that_is_made(tmp_path):
    contexts = [f"Ada lived in place {number}." for number in range(60) for _ in range(5)]
    table = pa.table(
        {
            "question": [f"Question {number}?" for number in range(300)],
            "context": contexts,
            "answers_text": [["Ada"]] * 300,
            "answers_start": [[0]] * 300,
            "title": ["t"] * 300,
        }
    )
    made = create(tmp_path / "qa", table).table()
    splits = {context: set() for context in contexts}
    for context, split in zip(made["context"].to_pylist(), made["split"].to_pylist(), strict=True):
        splits[context].add(split)
    assert {len(found) for found in splits.values()} == {1}
    assert {split: made["split"].to_pylist().count(split) for split in ("train", "validation", "test")} == {
        "train": 240,
        "validation": 30,
        "test": 30,
    }


class TestOpenLabels:
    def dialogues(self, summaries):
        return pa.table({"dialogue": [f"A: hi {n}" for n in range(len(summaries))], "summary": summaries})

    def test_they_are_texts_as_they_stand(self, tmp_path):
        texts = [" Ann greets. ", "-1", "nan", "[1]", None, " "]
        dataset = create(tmp_path / "sum", self.dialogues(texts), fields=SUMMARY)
        assert dataset.table()["label"].to_pylist() == [" Ann greets. ", "-1", "nan", "[1]", None, None]
        assert dataset.label_names == ()

    def test_many_different_ones_do_not_all_go_to_train(self, tmp_path):
        dataset = create(tmp_path / "sum", self.dialogues([f"summary {n}" for n in range(100)]), fields=SUMMARY)
        assert dataset.describe()["rows"] == {"train": 80, "validation": 10, "test": 10}

    def test_they_are_as_long_as_a_text_may_be(self, tmp_path):
        with pytest.raises(DataError, match="1 x label longer than 1,000 characters: row 1"):
            create(tmp_path / "sum", self.dialogues(["a" * 1000, "a" * 1001]), fields=SUMMARY, longest=1000)

    def test_any_text_is_a_new_label(self, tmp_path):
        dataset = create(tmp_path / "sum", self.dialogues(["a"] * 20), fields=SUMMARY)
        table = dataset.table()
        name = table["id"][table["split"].to_pylist().index("train")].as_py()
        dataset.apply([Relabel(changes=((name, "a", "Ann greets."),))])
        assert "Ann greets." in dataset.table()["label"].to_pylist()
