"""The reference is the rouge-score package, whose numbers ours must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.metrics.rouge import KINDS, rouge, words

rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")

SCORERS = {stem: rouge_scorer.RougeScorer(list(KINDS), use_stemmer=stem) for stem in (False, True)}
FEW_WORDS = st.lists(st.sampled_from(["meets", "meeting", "met", "the", "a", "film", "films"]), max_size=40).map(
    " ".join
)
STEMS = pytest.mark.parametrize("stem", [False, True], ids=["plain", "stemmed"])


def assert_equal(gold: list[str], predicted: list[str], *, stem: bool) -> None:
    found = rouge(gold, predicted, stem=stem)
    for row, pair in enumerate(zip(gold, predicted, strict=True)):
        for kind, expected in SCORERS[stem].score(*pair).items():
            ours = (found[kind].precision[row], found[kind].recall[row], found[kind].f1[row])
            assert ours == pytest.approx(tuple(expected), abs=1e-12), (kind, *pair)


@STEMS
@settings(max_examples=150, deadline=None)
@given(pairs=st.lists(st.tuples(FEW_WORDS, FEW_WORDS), max_size=4))
def test_random_words_score_as_in_the_package(stem, pairs):
    assert_equal([gold for gold, _ in pairs], [said for _, said in pairs], stem=stem)


@STEMS
@settings(max_examples=150, deadline=None)
@given(gold=st.text(max_size=60), predicted=st.text(max_size=60))
def test_any_text_scores_as_in_the_package(stem, gold, predicted):
    assert_equal([gold], [predicted], stem=stem)


@settings(max_examples=300, deadline=None)
@given(word=st.text("aeiostyedngl", min_size=1, max_size=10))
def test_words_are_stemmed_as_in_the_package(word):
    from rouge_score.tokenize import tokenize

    assert words(word, stem=True) == tokenize(word, SCORERS[True]._tokenizer._stemmer)


@STEMS
@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ("", ""),
        ("Ann", ""),
        ("", "Ann"),
        ("...", "—"),
        ("Straße naïve Ἀθῆναι", "strasse naive İstanbul K"),
        ("one_two 3,000", "one two 3 000"),
        ("same words", "SAME   words!"),
        ("a b", "b a"),
    ],
)
def test_odd_texts_score_as_in_the_package(stem, gold, predicted):
    assert_equal([gold], [predicted], stem=stem)


@STEMS
def test_dialogues_score_as_in_the_package(stem, shared_data):
    import pyarrow.parquet as pq

    rows = pq.read_table(shared_data / "samsum.parquet", columns=["dialogue", "summary"]).slice(0, 200).to_pydict()
    others = [*rows["summary"][1:], rows["summary"][0]]
    assert_equal(rows["summary"], rows["dialogue"], stem=stem)
    assert_equal(rows["summary"], others, stem=stem)


def test_only_what_is_asked_for_and_no_rows_at_all():
    assert list(rouge(["a"], ["a"], kinds=["rougeL"])) == ["rougeL"]
    assert rouge([], [])["rouge2"].f1.shape == (0,)


def test_more_words_than_one_machine_word_has_bits():
    draw = np.random.default_rng(0)
    texts = [" ".join(f"w{code}" for code in draw.integers(30, size=300)) for _ in range(4)]
    assert_equal(texts[:2], texts[2:], stem=False)
