"""Wrong and ambiguous answer spans."""

from __future__ import annotations

import numpy as np

from tunewright.analyze.span_labels import SPAN_VOTES, read, suspect_spans

CONTEXT = "the river rises in the alps and the river ends in the sea"


def answer(text, probability, start=None):
    return {"text": text, "start": CONTEXT.index(text) if start is None else start, "probability": probability}


def test_another_answer_is_a_rival_and_an_overlapping_one_is_not():
    found = read([answer("the alps", 0.6), answer("alps and", 0.2), answer("sea", 0.1)], ["alps"], [23])
    assert (found.rival, found.rival_probability) == ("sea", 0.1)
    assert np.isclose(found.gold_probability, 0.8)


def test_only_normalisation_differs():
    found = read([answer("the alps", 0.9)], ["Alps."], [23])
    assert found.normalised
    assert found.rival is None
    assert not read([answer("alps", 0.9)], ["alps"], [23]).normalised


def test_the_same_words_at_another_place_are_no_rival():
    second = CONTEXT.index("river", 10)
    found = read([answer("river", 0.7, second), answer("river", 0.2)], ["river"], [4])
    assert found.rival is None
    assert found.place == second
    assert read([answer("river", 0.7)], ["river"], [4]).place is None


def test_gold_answers_with_nothing_in_common_are_ambiguous():
    assert read([], ["alps", "sea"], [23, 54]).apart
    assert not read([], ["the alps", "alps"], [19, 23]).apart


def test_without_places_words_are_compared():
    assert read([answer("the alps and", 0.9)], ["alps"]).rival is None
    assert read([answer("sea", 0.9)], ["alps"]).rival == "sea"


def test_no_answer_is_an_answer():
    assert read([{"text": "", "start": 0, "probability": 0.9}], []).rival is None
    assert read([answer("sea", 0.9)], []).rival == "sea"
    assert read([{"text": "", "start": 0, "probability": 0.9}], ["sea"], [54]).rival == ""


def suspected(readings, margin, gold):
    return suspect_spans(readings=readings, margin=np.array(margin), gold_probability=np.array(gold))


def test_a_row_that_everything_argues_against_is_first_and_flagged():
    right = read([answer("alps", 0.9)], ["alps"], [23])
    wrong = read([answer("sea", 0.9)], ["alps"], [23])
    found = suspected(
        [right, wrong, right], [[1.0, 2, 3], [-1, -2, -3], [-1, 2, 3]], [[0.5] * 3, [0.01] * 3, [0.5] * 3]
    )
    assert np.argmax(found["suspicion"]) == 1
    assert found["suspect"].tolist() == [False, True, False]
    assert found["suggested"].tolist() == [None, "sea", None]
    assert found["suggested_probability"][1] == 0.9
    assert found["votes"].tolist() == [0, 3, 0]
    assert "never learnt" in found["evidence"][1]
    assert found["evidence"][0] == ""
    assert set(SPAN_VOTES) <= set(found)


def test_normalisation_is_said_and_not_flagged():
    found = suspected([read([answer("the alps", 0.9)], ["Alps"], [23])] * 2, [[-1.0, -1], [-1, -1]], [[0.01] * 2] * 2)
    assert not found["suspect"].any()
    assert "punctuation" in found["evidence"][0]


def test_rows_never_seen_have_no_suspicion():
    nothing = [np.nan, np.nan]
    wrong = read([answer("sea", 0.9)], ["alps"], [23])
    found = suspected([wrong, wrong], [nothing, [-1.0, -1]], [nothing, [0.01, 0.01]])
    assert np.isnan(found["suspicion"][0])
    assert not found["suspect"][0]
    assert not found["vote_training"][0]
    assert not found["vote_unlearnt"][0]
