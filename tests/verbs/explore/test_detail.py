from __future__ import annotations

import pyarrow as pa
import pytest

import tunewright as tw
from tunewright.bindings import visualiser
from tunewright.run import Run
from tunewright.verbs.explore.blocks import TableBlock, TextBlock, blocks_of
from tunewright.verbs.explore.detail import histories, probabilities
from tunewright.verbs.explore.explorer import Explorer

ANSWERING = tw.QuestionAnswering()
PAIRS = tw.Classification(text="premise", text_pair="hypothesis", labels=("no", "yes"))


def example(folder, task, row, **about):
    project = tw.Project(name="toy", source="none.csv", task=task, folder=folder, **about)
    rows = pa.Table.from_pylist([{"id": "a", "split": "train"} | row])
    run = Run.create(project.runs_folder, kind="eval", name="one", config={}, examples=rows, labels=list(task.labels))
    return Explorer(project).example(run.id, 0)


def marked(block, kind):
    return [block.text[span.start : span.end] for span in block.spans if span.kind == kind]


def test_answers_are_marked_in_their_context_even_where_they_overlap(tmp_path):
    row = {
        "question": "where?", "context": "😀 It is in New York City now.", "label": "New York", "answers_text": ["New York", "York City"],
        "answers_start": [11, 15], "predicted": "in New", "predicted_start": 8,
        "n_best": [{"text": "in New", "start": 8, "probability": 0.6, "score": 1.0}, {"text": "", "start": 0, "probability": 0.1, "score": 0.0}],
    }  # fmt: skip
    found = example(tmp_path, ANSWERING, row)
    question, context, others = found.blocks
    assert question.text == "where?"
    assert marked(context, "gold") == ["New York", "York City"]
    assert marked(context, "predicted") == ["in New"]
    assert isinstance(others, TableBlock)
    assert others.rows[1][0] == "(no answer)"
    assert found.scores["exact_match"] == 0
    assert 0 < found.scores["f1"] < 1


@pytest.mark.parametrize(
    "row",
    [
        {"question": "q", "context": "c"},
        {"question": None, "context": None, "predicted": "x", "predicted_start": 3},
        {"question": "q", "context": "short", "answers_text": ["gone"], "answers_start": [90]},
        {"question": "q", "context": "short", "answers_text": ["a", "b"], "answers_start": [0]},
        {"question": "q", "context": "short", "predicted": "", "predicted_start": 0},
    ],
)
def test_answers_that_are_nowhere_are_not_marked(row):
    assert [block.spans for block in blocks_of(ANSWERING, (), row)] == [(), ()]


def test_summaries_show_what_they_share_in_order(tmp_path):
    row = {"dialogue": "A: hi\nB: hi", "label": "Ann greets Bob.", "predicted": "Then Bob: Ann greets no Bob"}
    found = example(tmp_path, tw.Summarization(), row)
    dialogue, gold, said = found.blocks
    assert (dialogue.title, gold.title, said.title) == ("dialogue", "gold", "predicted")
    assert marked(gold, "gold") == ["Ann", "greets", "Bob"]
    assert marked(said, "predicted") == ["Ann", "greets", "Bob"]
    assert found.scores["rougeL"] == pytest.approx(2 * (3 / 3 * 3 / 6) / (3 / 3 + 3 / 6))


def test_a_summary_that_nobody_wrote_is_no_block():
    assert [block.title for block in blocks_of(tw.Summarization(), (), {"dialogue": "x"})] == ["dialogue"]


def test_both_texts_of_a_pair_are_shown(tmp_path):
    found = example(tmp_path, PAIRS, {"premise": "one", "hypothesis": "two", "label": "no", "logits": [0.0, 2.0]})
    assert [(block.title, block.text) for block in found.blocks] == [("premise", "one"), ("hypothesis", "two")]
    assert [one.label for one in found.probabilities] == ["yes", "no"]
    assert sum(one.probability for one in found.probabilities) == pytest.approx(1)


def test_a_visualiser_that_fails_says_so_and_the_others_speak():
    @visualiser
    def upper(row):
        return row["text"].upper()

    @visualiser
    def broken(row):
        raise ValueError("no good")

    @visualiser
    def wrong(row):
        return 3

    task = tw.Classification(labels=("no", "yes"))
    blocks = blocks_of(task, (broken, wrong, upper), {"text": "<b>hi</b>"})
    assert [block.title for block in blocks] == ["text", "broken", "wrong", "upper"]
    assert "failed" in blocks[1].text
    assert "failed" in blocks[2].text
    assert blocks[3] == TextBlock(title="upper", text="<B>HI</B>")


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, []),
        ({"predicted": "x", "probability": None}, []),
        ({"predicted": "x", "probability": float("nan")}, []),
        ({"predicted": "x", "probability": 0.25}, [("x", 0.25)]),
        ({"logits": [1000.0, 0.0]}, [("a", 1.0), ("b", 0.0)]),
        ({"logits": [1.0], "predicted": "b", "probability": 0.5}, [("b", 0.5)]),
    ],
)
def test_probabilities(row, found):
    assert [(one.label, one.probability) for one in probabilities(row, ("a", "b"))] == found


def test_what_people_did_to_a_row_is_told_in_order():
    edits = pa.Table.from_pylist([
        {"id": "a", "kind": "Relabel", "field": "label", "old": "no", "new": "yes", "reason": "looked", "author": "ann", "time": "2026-02-02"},
        {"id": "b", "kind": "Drop", "field": "split", "old": "train", "new": None, "reason": "", "author": "", "time": ""},
    ])  # fmt: skip
    reviews = pa.Table.from_pylist([
        {"id": "a", "label": "no", "suggested": "yes", "decision": "accept", "author": "bob", "time": "2026-01-01", "new_label": None, "note": "sure"},
    ])  # fmt: skip
    told = histories(edits, reviews, ["a"])["a"]
    assert [(one.action, one.who, one.why) for one in told] == [
        ("review: accept, no -> yes", "bob", "sure"),
        ("relabel: label, no -> yes", "ann", "looked"),
    ]
    assert histories(None, None, ["a"]) == {}


def test_a_suggestion_of_the_label_it_has_is_none(tmp_path):
    row = {"text": "x", "label": "no", "suggested": "yes", "suggested_probability": 0.9}
    task = tw.Classification(labels=("no", "yes"))
    assert example(tmp_path / "a", task, row).suggestion.label == "yes"
    assert example(tmp_path / "b", task, row | {"label": "yes"}).suggestion is None
