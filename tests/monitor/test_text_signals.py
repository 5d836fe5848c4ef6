from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tunewright.metrics.rouge import rouge
from tunewright.metrics.rouge_sets import rouge_l_sets
from tunewright.monitor.signals import NEGATIONS, Signal, evaluate, text

DIALOGUES = ["Ann: NO! No, I don't know.", "Bob: yes. Eve: not now", "", None]
OUTPUTS = ["ann don't know.", "Bob says yes and Eve says", "...", "nothing"]
ROWS = pa.table({"dialogue": DIALOGUES, "output": OUTPUTS, "why": ["length", "eos", None, None]})


def values(signal: Signal, rows: pa.Table = ROWS) -> list:
    found = evaluate({"it": signal}, rows)
    assert found.errors == {}
    return found.values["it"].to_pylist()


def of(texts: list, signal) -> list:
    return values(signal("t"), pa.table({"t": texts}))


def test_lengths():
    assert values(text.chars("dialogue")) == [26, 22, 0, None]
    assert values(text.words("dialogue")) == [6, 5, 0, None]
    assert of(["naïve 😀"], text.chars) == [len("naïve 😀")]


class Halves:
    """A tokenizer of two letters a token, called as those of Hugging Face are."""

    name_or_path, vocab_size = "someone/halves", 26 * 26

    def __call__(self, texts, *, add_special_tokens):
        assert not add_special_tokens
        return {"input_ids": [text[::2] for text in texts]}


def test_tokens_are_those_of_a_tokenizer():
    signal = text.tokens("dialogue", Halves()) > 11
    assert str(signal) == 'text.tokens("dialogue", tokenizer="someone/halves") > 11'
    assert values(signal) == [True, False, False, None]
    for again in (
        Signal.parse(str(signal), named=signal.named),
        Signal.from_json(signal.to_json(), named=signal.named),
    ):
        assert again.fingerprint == signal.fingerprint


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("spaces", [True, False, False, False]),
        ("words", [True, True, True, False]),
        ("cleaned", [False, True, True, False]),
    ],
)
def test_words_are_found_as_they_are_read(read, expected):
    texts = ["I don't know", "NO!", "No, thanks", "knot"]
    assert of(texts, lambda column: text.has_any(column, NEGATIONS, read=read)) == expected


def test_one_word_and_no_words():
    assert of(["a b", "ab"], lambda column: text.has_any(column, "a")) == [True, False]
    with pytest.raises(ValueError, match="expected words"):
        text.has_any("t", [])


@pytest.mark.parametrize("measure", ["f1", "precision", "recall"])
def test_rouge_is_that_of_the_metrics(measure):
    pairs = DIALOGUES[:3], OUTPUTS[:3]
    plain, sets = rouge(*pairs), rouge_l_sets(*pairs)
    assert values(text.rouge_l("dialogue", "output", measure=measure)) == [*getattr(plain["rougeL"], measure), None]
    for n in (1, 2):
        found = values(text.rouge_n("dialogue", "output", n=n, measure=measure))
        assert found == [*getattr(plain[f"rouge{n}"], measure), None]
    found = values(text.rouge_l("dialogue", "output", variant="sets", measure=measure))
    assert found == [*getattr(sets, measure)[:2], None, None]


@pytest.mark.parametrize(
    ("source", "output", "share"),
    [
        ("Ann met Bob in town today", "Bob in town", 1.0),
        ("Ann met Bob in town today", "she MET bob, in Rome", 0.6),
        ("a b c", "c b a", 1 / 3),
        ("a", "b", 0.0),
        ("", "b", 0.0),
        ("a", "...", None),
    ],
)
def test_the_longest_copied_run(source, output, share):
    assert values(text.copy_ratio("s", "o"), pa.table({"s": [source], "o": [output]})) == [share]


def test_empty_is_not_missing():
    assert of(["", " \n", "a", None], text.empty) == [True, True, False, None]


def test_patterns():
    assert of(["call 112", "Call me", None], lambda column: text.regex(column, r"^call \d+")) == [True, False, None]
    assert of(["Call me"], lambda column: text.regex(column, "^call", ignore_case=True)) == [True]


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)", "("])
def test_a_pattern_is_one_of_re2(pattern):
    with pytest.raises(ValueError, match="RE2"):
        text.regex("t", pattern)


def test_a_pattern_that_makes_backtracking_explode_takes_no_time():
    assert of(["a" * 5000 + "b"], lambda column: text.regex(column, "^(a+)+$")) == [False]


def test_repetition():
    texts = ["a b c a b c", "a b c d", "a a a a", "a", None]
    assert of(texts, text.repeated_ngram) == [0.25, 0.0, 0.5, 0.0, None]
    assert of(["a a b"], lambda column: text.repeated_ngram(column, n=1)) == [pytest.approx(1 / 3)]


def test_what_was_cut_by_its_last_character():
    texts = ["Done.", 'He said "no!"', "And then he", "Really?  ", "first, ", "", "etc…", "好。", None]
    assert of(texts, text.truncated) == [False, False, True, False, True, False, False, False, None]


def test_what_was_cut_by_its_reason_to_stop_and_else_by_its_last_character():
    assert values(text.truncated("output", stop_reason="why")) == [True, False, False, True]


@pytest.mark.parametrize(
    "make",
    [
        lambda: text.rouge_l("a", "b", variant="best"),
        lambda: text.rouge_n("a", "b", n=3),
        lambda: text.rouge_n("a", "b", measure="f2"),
        lambda: text.repeated_ngram("a", n=0),
        lambda: text.has_any("a", ["b"], read="letters"),
    ],
)
def test_wrong_options_are_refused_at_once(make):
    with pytest.raises(ValueError, match="expected"):
        make()


def test_a_column_is_a_name_or_a_signal():
    with pytest.raises(TypeError, match="name of a column"):
        text.chars(3)


def test_the_checks_of_the_tutorial_on_its_data(shared_data):
    rows = pq.read_table(shared_data / "samsum.parquet", columns=["dialogue", "summary"]).slice(0, 300)
    long, copied = text.chars("dialogue") > 700, text.rouge_l("dialogue", "summary", variant="sets") > 0.3
    negated = text.has_any("dialogue", NEGATIONS)
    words = {"no", "not", "can't", "couldn't", "won't", "didn't", "don't"}
    scores = rouge_l_sets(rows["dialogue"].to_pylist(), rows["summary"].to_pylist()).f1
    expected = [
        len(dialogue) > 700 or bool(score > 0.3 and words & set(dialogue.split()))
        for dialogue, score in zip(rows["dialogue"].to_pylist(), scores, strict=True)
    ]
    assert values(long | (copied & negated), rows) == expected
    assert 0 < sum(expected) < 300


def test_coverage_of_the_vocabulary_is_a_fold():
    assert "dialogue" in text.vocabulary("dialogue").needs
