from __future__ import annotations

import json

import pytest

from tunewright.data.read import read_rows
from tunewright.data.squad import is_squad
from tunewright.errors import DataError

CONTEXT = "Ada lived in Rome."


def document(**question):
    asked = {"id": "q1", "question": "Where?", "answers": [{"text": "Rome", "answer_start": 13}]} | question
    return {"version": "1.1", "data": [{"title": "Ada", "paragraphs": [{"context": CONTEXT, "qas": [asked]}]}]}


def test_reads_one_row_per_question(tmp_path):
    path = tmp_path / "train-v1.1.json"
    path.write_text(json.dumps(document()))
    assert read_rows(path).to_pylist() == [
        {
            "id": "q1",
            "title": "Ada",
            "context": CONTEXT,
            "question": "Where?",
            "answers_text": ["Rome"],
            "answers_start": [13],
        }
    ]


def test_unanswerable_questions_have_empty_lists_and_unlabelled_ones_none(tmp_path):
    made = document(answers=[], is_impossible=True)
    made["data"][0]["paragraphs"][0]["qas"].append({"id": "q2", "question": "When?"})
    (tmp_path / "dev.json").write_text(json.dumps(made))
    rows = read_rows(tmp_path / "dev.json").to_pydict()
    assert rows["answers_text"] == [[], None]
    assert rows["answers_start"] == [[], None]
    assert rows["is_impossible"] == [True, None]


@pytest.mark.parametrize("other", [[], {"data": []}, {"data": [{"text": "a"}]}, {"data": {"paragraphs": []}}])
def test_other_documents_are_not_squad(other):
    assert not is_squad(other)


def test_a_paragraph_of_another_shape_is_an_error(tmp_path):
    made = document()
    del made["data"][0]["paragraphs"][0]["context"]
    (tmp_path / "dev.json").write_text(json.dumps(made))
    with pytest.raises(DataError, match="shape of SQuAD"):
        read_rows(tmp_path / "dev.json")


def test_the_spelling_of_the_hub_ends_as_the_same_columns(tmp_path):
    row = {"id": "q1", "question": "Where?", "answers": {"text": ["Rome"], "answer_start": [13]}}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    assert read_rows(tmp_path / "rows.jsonl").column_names == ["id", "question", "answers_text", "answers_start"]
