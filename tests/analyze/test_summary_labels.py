"""Summaries of something else, and what no document says."""

from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.summary_labels import (
    SUMMARY_VOTES,
    claim_surprise,
    claims,
    copied,
    improbable,
    mean_log_probability,
    mismatch,
    novel,
    suspect_summaries,
    unsupported,
)

DOCUMENTS = [
    "Ann: shall we meet at 6pm?\nBob: yes, at the station",
    "Cara: the cat is ill\nDan: take it to the doctor",
    "Eve: the train was late\nFay: it always is",
    "Guy: new phone, 300 euros\nHal: too much",
]
SUMMARIES = [
    "Ann and Bob will meet at the station at 6.",
    "Cara's cat is ill, and Dan names the doctor.",
    "Eve says that the train was late.",
    "Guy has a new phone for 300 euros.",
]


def test_names_and_numbers_are_claims():
    assert claims("Ann pays 6 euros") == [(0, "Ann"), (9, "6")]


def test_names_and_numbers_that_the_document_has_are_supported():
    assert unsupported(DOCUMENTS, SUMMARIES).tolist() == [0, 0, 0, 0]
    assert unsupported(DOCUMENTS, ["Ann and Zoe will meet at 7.", *SUMMARIES[1:]])[0] == pytest.approx(2 / 3)


def test_a_word_that_begins_a_sentence_is_no_name():
    assert unsupported(["the weather"] * 2, ["Nobody came.", "so nobody came, nobody at all"]).tolist() == [0, 0]


def test_summaries_of_another_row_fit_another_document():
    assert mismatch(DOCUMENTS, SUMMARIES).tolist() == [0, 0, 0, 0]
    swapped = [SUMMARIES[1], SUMMARIES[0], *SUMMARIES[2:]]
    assert (mismatch(DOCUMENTS, swapped)[:2] > 0).all()
    assert mismatch(["one"], ["two"]).tolist() == [0]


def test_shares_of_words_that_are_copied_and_new():
    assert copied("we saw it again today", "saw it again") == 1
    assert copied("a b c d", "a b x d") == 0.5
    assert copied("a", "") == 0
    assert novel("a b c", "a b d") == 0.5
    assert novel("a b c", "", size=1) == 0


def test_what_is_improbable_is_so_beside_its_neighbours():
    draw = np.random.default_rng(0)
    vectors = np.concatenate([draw.normal(5, 0.1, (30, 4)), draw.normal([-5, 5, -5, 5], 0.1, (30, 4))])
    log = np.concatenate([np.full(30, -1.0), np.full(30, -3.0)])
    log[3] = -3.0
    found = improbable(log, vectors)
    assert np.argmax(found) == 3
    assert found[40] < 1
    assert np.isnan(improbable(np.where(np.arange(60) == 5, np.nan, log), vectors)[5])


def test_mean_log_probability():
    found = mean_log_probability([[1.0, np.exp(-2.0)], [], None])
    assert found[0] == pytest.approx(-1)
    assert np.isnan(found[1:]).all()


def test_the_least_probable_name():
    tokens = ["[CLS]", "ann", "met", "bo", "##b", "[SEP]"]
    assert claim_surprise("Ann met Bob", tokens, [1, 0.5, 1e-9, 0.1, 1e-9, 1]) == pytest.approx(-np.log(0.1))
    assert np.isnan(claim_surprise("they met", ["they", "met"], [0.1, 0.1]))
    assert np.isnan(claim_surprise("Ann", None, None))


def test_a_summary_of_something_else_is_first_flagged_and_explained():
    wrong = ["Guy has a new phone for 300 euros.", *SUMMARIES[1:]]
    found = suspect_summaries(documents=DOCUMENTS, summaries=wrong)
    assert np.argmax(found["suspicion"]) == 0
    assert found["suspect"].tolist() == [True, False, False, False]
    assert "not in the document: Guy, 300" in found["evidence"][0]
    assert found["votes"][0] >= 2
    assert set(SUMMARY_VOTES) <= set(found)
    assert np.isnan(found["suggested_probability"]).all()
    assert found["suggested"].tolist() == [None] * 4


def test_copying_is_a_vote_and_flags_nothing():
    found = suspect_summaries(documents=DOCUMENTS, summaries=["yes, at the station", *SUMMARIES[1:]])
    assert found["vote_copied"][0]
    assert not found["suspect"][0]
    assert "copied" in found["evidence"][0]
