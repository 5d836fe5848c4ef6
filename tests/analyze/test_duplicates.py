from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.duplicates import SHORTEST, duplicates
from tunewright.errors import DataError

WORDS = [
    f"{first}{last}" for first in ("al", "be", "co", "du", "em", "fo") for last in ("ba", "cid", "dor", "eg", "fum")
]
LONG = "the quick brown fox jumps over the lazy dog and runs away into the dark forest before the rain begins"


def names(n):
    return np.array([f"r{row}" for row in range(n)], dtype=object)


def of(texts, **more):
    found = duplicates({"text": texts}, id=names(len(texts)), **more)
    return found["duplicate_of"].tolist(), found["duplicate_similarity"].tolist()


def sentences(n, seed=0, words=15):
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, words)) for _ in range(n)]


def overlap(left, right):
    ours, theirs = ({text[at : at + 5] for at in range(len(text) - 4)} for text in (left, right))
    return len(ours & theirs) / len(ours | theirs)


def test_the_same_text_points_to_the_first():
    which, similarity = of([LONG, "something else altogether, and long", LONG, LONG])
    assert which == [None, None, "r0", "r0"]
    assert similarity == pytest.approx([np.nan, np.nan, 1, 1], nan_ok=True)


def test_case_and_blanks_are_no_difference():
    assert of([LONG, f"  {LONG.upper()}\n"])[1][1] == 1


@pytest.mark.parametrize("edited", [LONG + "!", LONG.replace("lazy", "crazy"), "well, " + LONG])
def test_a_small_edit_is_a_near_duplicate_with_its_true_overlap(edited):
    which, similarity = of([LONG, edited])
    assert which[1] == "r0"
    assert similarity[1] == pytest.approx(overlap(LONG, edited))


@pytest.mark.parametrize("other", ["yes .", "Yes!", "no", "yes yes"])
def test_short_texts_are_like_nothing_but_themselves(other):
    assert of(["yes", other])[0] == [None, None]
    assert of(["yes", "YES "])[0] == [None, "r0"]


def test_from_the_shortest_length_on_texts_are_compared_by_parts():
    text = "abcdefghijklmnopqrstuvwxyz"[: SHORTEST - 1]
    assert of([text, text + "z"])[0] == [None, None]
    assert of([text + "y", text + "yz"])[0] == [None, "r0"]


@pytest.mark.parametrize("nothing", [None, "", "  \n"])
def test_rows_without_text_are_no_duplicates(nothing):
    assert of([nothing, nothing, "a", None])[0] == [None] * 4


def test_all_fields_must_be_alike():
    questions = [
        "who saw the brown fox in the forest?",
        "when did the rain begin to fall there?",
        "who saw the brown fox in the forests?",
    ]
    found = duplicates({"question": questions, "context": [LONG, LONG, LONG + "."]}, id=names(3))
    assert found["duplicate_of"].tolist() == [None, None, "r0"]
    assert found["duplicate_similarity"][2] == pytest.approx(overlap(questions[0], questions[2]))


def test_a_label_like_field_must_be_equal():
    found = duplicates({"text": [LONG, LONG + ".", LONG + "!"], "kind": ["a", "b", "a"]}, id=names(3))
    assert found["duplicate_of"].tolist() == [None, None, "r0"]


def test_planted_edits_are_found_and_nothing_else():
    originals = sentences(500)
    edited = [text.replace(text.split()[7], "xyz", 1) for text in originals[:200]]
    which, similarity = of(originals + edited)
    expected = [overlap(*pair) >= 0.8 for pair in zip(originals, edited, strict=False)]
    found = [name == f"r{row}" for row, name in enumerate(which[500:])]
    missed = sum(is_near and not was_found for is_near, was_found in zip(expected, found, strict=True))
    assert sum(expected) > 100
    assert missed <= 0.01 * sum(expected)
    assert all(value >= 0.8 for value in similarity if not np.isnan(value))
    assert which[:500] == [None] * 500


def test_the_threshold_decides():
    texts = [LONG, LONG.replace("lazy", "crazy")]
    assert overlap(*texts) < 0.95
    assert of(texts, threshold=0.95)[0] == [None, None]
    assert of(texts, threshold=1)[0] == [None, None]
    assert of([LONG, LONG], threshold=1)[0] == [None, "r0"]


@pytest.mark.parametrize("threshold", [0, 1.1, -1])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(DataError, match="expected a threshold in"):
        of(["a"], threshold=threshold)


def test_columns_of_another_length_are_refused():
    with pytest.raises(DataError, match="expected 2 texts, one per id, found another number in text"):
        duplicates({"text": ["a"]}, id=names(2))


def test_any_characters_and_no_rows():
    odd = "emoji 🙂🙃 and a lone \ud800 surrogate, 漢字 too"
    assert of([odd, odd + "."])[0] == [None, "r0"]
    assert of([]) == ([], [])


def test_a_large_group_stays_cheap():
    which, _ = of([f"{LONG} {number}" for number in range(2000)])
    assert which[0] is None
    assert set(which[1:]) == {"r0"}


@pytest.mark.slow
def test_dialogues_of_samsum(shared_data):
    import pyarrow.parquet as pq

    table = pq.read_table(shared_data / "samsum.parquet", columns=["id", "dialogue", "split"]).to_pydict()
    found = duplicates({"dialogue": table["dialogue"]}, id=np.array(table["id"], dtype=object))
    same = found["duplicate_similarity"] == 1
    assert 540 <= same.sum() <= 620  # about 481 in train, 47 and 42 across, by the data's own count
