from __future__ import annotations

import re
import string
from collections import Counter

import pyarrow.parquet as pq
import pytest

from tunewright.metrics.squad import exact_match, f1, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Eiffel Tower", "eiffel tower"),
        ("a cat, an owl & the  dog", "cat owl dog"),
        ("U.S.A.", "usa"),
        ("anthem theory Athens", "anthem theory athens"),
        ("state-of-the-art", "stateoftheart"),
        ("  new\tline\n", "new line"),
        ("“quoted”", "“quoted”"),  # only ASCII punctuation goes
        ("the", ""),
        ("", ""),
    ],
)
def test_normalisation(text, expected):
    assert normalise(text) == expected
    assert normalise(normalise(text)) == expected


def test_the_best_gold_answer_counts():
    golds = ["Saint Bernadette Soubirous", "Bernadette"]
    assert exact_match("saint bernadette soubirous.", golds) == 1
    assert exact_match("Soubirous", golds) == 0
    assert f1("Saint Bernadette", golds) == pytest.approx(0.8)  # 2 of 2 words, 2 of 3
    assert f1("Paris", golds) == 0


def test_repeated_words_count_as_often_as_both_have_them():
    assert f1("new new york", ["New York"]) == pytest.approx(0.8)


def test_no_answer():
    """Version 2: an empty answer is right if there is none, and shares nothing with any other."""
    assert exact_match("", []) == f1("", []) == 1
    assert exact_match("Paris", []) == f1("Paris", []) == 0
    assert exact_match("", ["Paris"]) == f1("", ["Paris"]) == 0
    assert f1("the", ["a"]) == 1


def official_f1(prediction: str, gold: str) -> float:
    """The arithmetic of evaluate-v1.1, step by step."""

    def words(text: str) -> list[str]:
        plain = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split()).split()

    said, wanted = words(prediction), words(gold)
    same = sum((Counter(said) & Counter(wanted)).values())
    if same == 0:
        return 0
    precision, recall = same / len(said), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


def test_published_scores_are_reproduced(shared_data):
    """BERT on the development set: 86.2 exact match, 92.2 F1; Match-LSTM: 67.6 and 76.8."""
    rows = pq.read_table(shared_data / "squad_v1_dev.parquet", columns=["id", "answers_text"]).to_pydict()
    golds = dict(zip(rows["id"], rows["answers_text"], strict=True))
    said = pq.read_table(shared_data / "squad_v1_dev_predictions.parquet").to_pydict()
    for model, published in {"bert": (86.2, 92.2), "match_lstm": (67.6, 76.8)}.items():
        answers = dict(zip(said["id"], said[model], strict=True))
        exact = [exact_match(answers[row] or "", gold) for row, gold in golds.items()]
        shared = [f1(answers[row] or "", gold) for row, gold in golds.items()]
        assert 100 * sum(exact) / len(exact) == pytest.approx(published[0], abs=0.06)
        assert 100 * sum(shared) / len(shared) == pytest.approx(published[1], abs=0.06)
    sample = [(answers[row] or "", gold) for row, gold in golds.items()][:500]
    assert [f1(answer, gold) for answer, gold in sample] == pytest.approx(
        [max(official_f1(answer, one) for one in gold) for answer, gold in sample]
    )
