from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.readability import STATISTICS, answer_statistics, statistics, syllables, text_statistics
from tunewright.errors import DataError

TEXT = "The committee discussed the regulation. It was not accepted in 1984!"  # 11 words, 2 sentences


def test_counts_of_a_text():
    found = statistics(TEXT)
    assert tuple(found) == tuple(STATISTICS)
    assert (found["characters"], found["words"], found["sentences"]) == (len(TEXT), 11, 2)
    assert found["long_words"] == pytest.approx(4 / 11)  # committee, discussed, regulation, accepted
    assert found["numbers"] == pytest.approx(1 / 11)
    assert found["auxiliaries"] == pytest.approx(1 / 11)
    assert found["pronouns"] == pytest.approx(1 / 11)
    assert found["prepositions"] == pytest.approx(1 / 11)
    assert found["nominalizations"] == pytest.approx(1 / 11)
    assert found["distinct_words"] == pytest.approx(10 / 11)
    assert (found["negated"], found["questions"]) == (1, 0)


def test_grades_are_those_of_the_published_formulas():
    found = statistics(TEXT)
    letters = len("Thecommitteediscussedtheregulation" + "Itwasnotacceptedin1984")
    spoken = 1 + 3 + 2 + 1 + 4 + 1 + 1 + 1 + 3 + 1 + 1
    assert found["syllables_per_word"] == pytest.approx(spoken / 11)
    assert found["reading_ease"] == pytest.approx(206.835 - 1.015 * 11 / 2 - 84.6 * spoken / 11)
    assert found["kincaid_grade"] == pytest.approx(0.39 * 11 / 2 + 11.8 * spoken / 11 - 15.59)
    assert found["ari_grade"] == pytest.approx(4.71 * letters / 11 + 0.5 * 11 / 2 - 21.43)
    assert found["coleman_liau_grade"] == pytest.approx(0.0588 * 100 * letters / 11 - 0.296 * 100 * 2 / 11 - 15.8)
    assert found["fog_grade"] == pytest.approx(0.4 * (11 / 2 + 100 * 3 / 11))
    assert found["lix"] == pytest.approx(11 / 2 + 100 * 4 / 11)


@pytest.mark.parametrize(
    ("word", "count"),
    {
        "a": 1,
        "the": 1,
        "made": 1,
        "table": 2,
        "tables": 2,
        "asked": 1,
        "wanted": 2,
        "makes": 1,
        "boxes": 2,
        "readability": 5,
        "naïve": 1,
        "rhythm": 1,
        "1984": 1,
        "": 1,
    }.items(),
)
def test_syllables(word, count):
    assert syllables(word) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("He said: “Stop.” Then he left.", 2),
        ("Mr. Smith met J. K. Rowling, e.g. in the U.S. on 3.5. of May", 1),
        ("A line\nanother line\n\nand a third", 3),
        ("a fine film . it 's long . ", 2),
        ("no end", 1),
        ("...", 0),
        ("", 0),
    ],
)
def test_sentences(text, count):
    assert statistics(text)["sentences"] == count


@pytest.mark.parametrize("text", ["", " ", "?!"])
def test_a_text_without_words_has_lengths_only(text):
    found = statistics(text)
    assert (found["characters"], found["words"], found["sentences"]) == (len(text), 0, 0)
    assert np.isnan(found["kincaid_grade"])


def test_columns_are_named_after_their_field_and_follow_the_rows():
    columns = text_statistics({"question": ["Why?", None, "Why?"], "context": [TEXT, TEXT, ""]})
    assert len(columns) == 2 * len(STATISTICS)
    assert columns["question_words"].tolist() == [1, 0, 1]
    assert columns["context_words"].tolist() == [11, 11, 0]


def test_no_rows():
    assert all(len(values) == 0 for values in text_statistics({"text": []}).values())
    assert all(len(values) == 0 for values in answer_statistics([], [], []).values())


def test_texts_are_read_fast():
    from time import perf_counter

    texts = [f"{TEXT * 8} {number}" for number in range(500)]
    began = perf_counter()
    text_statistics({"text": texts})
    assert perf_counter() - began < 2.5  # 0.12 s here: 4,000 texts of a hundred words a second


def test_answers():
    context = "cats and more cats"
    found = answer_statistics(
        [context, "nothing", None], [["cats", "more cats", "cats"], [], None], [[0, 9, 14], [], None]
    )
    assert {name: values[0] for name, values in found.items()} == {
        "answer_count": 2,
        "answer_characters": 4,
        "answer_words": 1,
        "answer_start": 0,
        "answer_position": 0,
        "answer_occurrences": 2,
    }
    assert found["answer_count"].tolist() == [2, 0, 0]
    assert np.isnan(found["answer_words"][1:]).all()


def test_the_position_is_relative_to_the_context():
    found = answer_statistics(["0123456789"], [["5"]], [[5]])
    assert (found["answer_start"][0], found["answer_position"][0]) == (5, 0.5)


def test_answers_of_other_rows_are_refused():
    with pytest.raises(DataError, match=r"found lengths \[1, 2, 1\]"):
        answer_statistics(["a"], [[], []], [[]])


def test_texts_of_squad(shared_data):
    import pyarrow.parquet as pq

    table = pq.read_table(
        shared_data / "squad_v1_dev.parquet", columns=["context", "answers_text", "answers_start"]
    ).slice(0, 500)
    rows = table.to_pydict()
    grade = np.median(text_statistics({"context": rows["context"]})["context_kincaid_grade"])
    assert 8 < grade < 16  # Wikipedia
    found = answer_statistics(rows["context"], rows["answers_text"], rows["answers_start"])
    assert (found["answer_occurrences"] >= 1).all()
