from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tunewright.data.dataset import Dataset
from tunewright.data.guess import guess
from tunewright.data.read import read_rows
from tunewright.errors import DataError

TEXTS = [f"this is the text of row {row} and it goes on" for row in range(40)]
TRUTH = {"clean_label", "sst_fine_label", "sst_relation", "fine_label", "low_agreement", "n_agree", "annotator_labels"}


def test_plain_names_are_found_and_each_column_has_a_reason():
    table = pa.table(
        {"uid": list(range(40)), "Review": TEXTS, "sentiment": ["pos", "neg"] * 20, "fold": ["train", "dev"] * 20}
    )
    found = guess(table)
    assert (found.id, found.text, found.label, found.split) == ("uid", "Review", "sentiment", "fold")
    assert found.label_names == ("neg", "pos")
    assert found.metadata == ()
    assert list(found.reasons) == table.column_names
    assert found.reasons["sentiment"] == "label: its name, and 2 values: neg, pos"


def test_without_names_to_go_by_the_longest_text_and_the_fewest_values_count():
    table = pa.table(
        {"a": TEXTS, "b": ["x", "y", "z", "x"] * 10, "c": ["p q", "r s"] * 20, "d": [row / 7 for row in range(40)]}
    )
    found = guess(table)
    assert (found.text, found.label) == ("a", "c")
    assert found.metadata == ("b", "d")


@pytest.mark.parametrize("pair", [("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2")])
def test_pairs_are_found(pair):
    found = guess(pa.table({pair[1]: TEXTS, pair[0]: TEXTS, "label": [0, 1] * 20}))
    assert (found.text, found.text_pair) == pair
    assert found.fields.text == pair


@pytest.mark.parametrize(("codes", "names"), [([-1, 0, 1, 2], ("0", "1", "2")), ([-1, 0, 1], ("-1", "0", "1"))])
def test_minus_one_beside_many_codes_is_unlabelled(codes, names):
    values = (codes * 40)[:40]
    found = guess(pa.table({"text": TEXTS, "label": values}))
    assert found.label_names == names
    assert ("-1 means unlabelled" in found.reasons["label"]) == ("-1" not in names)


def test_a_table_without_texts_is_an_error_that_lists_the_columns():
    with pytest.raises(DataError, match=r"found x \(int64\), name \(string\)"):
        guess(pa.table({"x": [1, 2, 3], "name": ["a", "b", "c"]}))


def test_a_table_without_labels_has_none():
    found = guess(pa.table({"text": TEXTS, "score": [row / 3 for row in range(40)]}))
    assert (found.label, found.label_names, found.metadata) == (None, (), ("score",))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize(
    ("name", "text", "pair", "labels"),
    [
        ("rotten_tomatoes", "text", None, ("neg", "pos")),
        ("snli", "premise", "hypothesis", ("entailment", "neutral", "contradiction")),
        ("trec", "text", None, ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")),
        ("sst2_glue", "text", None, ("negative", "positive")),
        ("agnews_annotators", "text", None, ("World", "Sports", "Business", "Sci/Tech")),
        ("clinc150", "text", None, None),
    ],
)
def test_real_files(shared_data, tmp_path, kind, name, text, pair, labels):
    path = shared_data / f"{name}.parquet"
    if kind == "csv":
        table = pq.read_table(path)
        flat = [column for column in table.column_names if not pa.types.is_nested(table.schema.field(column).type)]
        path = tmp_path / "rows.csv"
        table.select(flat).to_pandas().to_csv(path, index=False)
    rows = read_rows(path)
    found = guess(rows)
    assert (found.text, found.text_pair, found.label, found.split, found.id) == (text, pair, "label", "split", "id")
    expected = labels if kind == "parquet" else labels and tuple(str(code) for code in range(len(labels)))
    assert len(found.label_names) == 150 if labels is None else found.label_names == expected
    assert TRUTH & set(rows.column_names) <= set(found.metadata)
    for column in TRUTH & set(rows.column_names):
        assert "ground truth" in found.reasons[column]
    dataset = Dataset.create(
        tmp_path / "made", rows, fields=found.fields, label_names=found.label_names, id=found.id, split=found.split
    )
    unlabelled = sum(value in (-1, None) for value in rows["label"].to_pylist())
    assert sum(dataset.describe()["unlabelled"].values()) == unlabelled


def test_a_long_table_that_is_sorted_by_label_has_labels():
    rows = 50_000
    table = pa.table(
        {
            "review": [f"this is review number {row}" for row in range(rows)],
            "mood": ["bad"] * (rows // 2) + ["good"] * (rows // 2),
        }
    )
    found = guess(table)
    assert (found.text, found.label, found.label_names) == ("review", "mood", ("bad", "good"))


def questions(**columns):
    made = {
        "id": [f"q{row}" for row in range(40)],
        "question": TEXTS,
        "context": [f"{text} and a passage" for text in TEXTS],
        "answers_text": [["text"]] * 40,
        "answers_start": [[12]] * 40,
    }
    return pa.table(made | columns)


def test_questions_passages_and_answers_are_found():
    found = guess(questions(title=["a", "b"] * 20))
    assert (found.kind, found.fields.text) == ("answers", ("question", "context"))
    assert (found.label, found.target) == ("answers_text", ("answers_text", "answers_start"))
    assert (found.label_names, found.metadata, found.unanswerable) == ((), ("title",), False)
    assert "share a split" in found.reasons["context"]


def test_a_question_without_answers_is_noticed():
    assert guess(questions(answers_text=[["text"], []] * 20, answers_start=[[12], []] * 20)).unanswerable


def test_what_was_found_imports(tmp_path):
    found = guess(questions())
    dataset = Dataset.create(tmp_path / "qa", questions(), fields=found.fields, label_names=found.label_names)
    assert set(dataset.table()["label"].to_pylist()) == {"text"}


@pytest.mark.parametrize(
    "names", [("dialogue", "summary"), ("article", "highlights"), ("document", "tldr"), ("text", "abstract")]
)
def test_documents_and_summaries_are_found(names):
    found = guess(pa.table({names[0]: TEXTS, names[1]: [text[:20] for text in TEXTS], "topic": ["a b"] * 40}))
    assert (found.kind, found.text, found.label, found.target) == ("summaries", *names, ())
    assert found.metadata == ("topic",)


class TestReviews:
    """Reviews have a headline called a summary, and stars."""

    table = pa.table({"text": TEXTS, "summary": [text[:20] for text in TEXTS], "stars": [1, 5] * 20})

    def test_a_label_by_its_name_comes_first_and_the_summary_is_mentioned(self):
        found = guess(self.table)
        assert (found.kind, found.text, found.label) == ("classification", "text", "stars")
        assert "--task summaries" in found.reasons["summary"]

    def test_one_can_say_what_is_to_be_learnt(self):
        found = guess(self.table, kind="summaries")
        assert (found.kind, found.label, found.metadata) == ("summaries", "summary", ("stars",))

    def test_and_is_told_what_is_missing_for_it(self):
        with pytest.raises(DataError, match="none for question is called question or query"):
            guess(self.table, kind="answers")
        with pytest.raises(DataError, match="classification, answers, summaries to learn, found 'poetry'"):
            guess(self.table, kind="poetry")


class TestAnswersThatLackAColumn:
    table = questions(title=["a", "b"] * 20, answers_text=[f"the answer {row}" for row in range(40)])
    table = table.drop_columns(["answers_start"])

    def test_they_are_not_taken_for_labels(self):
        with pytest.raises(DataError, match="none for starts is called answers_start") as error:
            guess(self.table)
        assert "--task classification" in error.value.fix
        with pytest.raises(DataError, match="none for starts"):
            guess(self.table.rename_columns({"answers_text": "answer"}))

    def test_unless_one_says_so_or_there_is_a_label(self):
        assert guess(self.table, kind="classification").label == "title"
        assert guess(self.table.append_column("label", pa.array(["x", "y"] * 20))).label == "label"
        assert guess(self.table.append_column("answer", pa.array(["yes", "no"] * 20)).drop_columns(["answers_text"]))


def test_a_table_of_answers_may_still_be_classified():
    found = guess(questions(label=["x", "y"] * 20), kind="classification")
    assert (found.kind, found.label, found.target) == ("classification", "label", ())


@pytest.mark.parametrize(
    ("file", "kind", "text"),
    [
        ("squad_v1_dev", "answers", ("question", "context")),
        ("samsum", "summaries", ("dialogue",)),
        ("dialogsum", "summaries", ("dialogue",)),
        ("rotten_tomatoes", "classification", ("text",)),
        ("snli", "classification", ("premise", "hypothesis")),
    ],
)
def test_real_tables_of_every_kind(shared_data, file, kind, text):
    found = guess(read_rows(shared_data / f"{file}.parquet"))
    assert (found.kind, found.fields.text) == (kind, text)
