from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tunewright.errors import ProjectError
from tunewright.monitor.bloom import bloom, contained
from tunewright.monitor.counts import counted, empty, merged_counts, top
from tunewright.monitor.reference import Reference
from tunewright.monitor.vocabulary import Vocabulary, coverage
from tunewright.monitor.words import Found, found_in, types


def told(reference, texts, **settings):
    fold = Vocabulary("text", **settings)
    rows = pa.table({"id": [str(k) for k in range(len(texts))], "text": pa.array(texts, pa.string())})
    start = fold.start(
        Reference.from_table(pa.table({"id": [str(k) for k in range(len(reference))], "text": reference}))
    )
    return fold.report(fold.update(start, rows))


def test_coverage_is_the_mean_share_of_known_types():
    report = told(["A cat. A dog!"], ["a cat", "a zebra", None, "...", "cat cat zebra"])
    assert report["coverage"] == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert (report["rows"], report["texts"]) == (5, 3)
    assert report["unknown"].to_pylist() == [{"word": "zebra", "texts": 2, "ids": ["1", "4"]}]


def test_markup_and_numbers_are_left_out_of_the_normalised_words():
    report = told(["hello there"], ["#Person1#: hello (there) 12:30 zebra"])
    assert report["coverage"] == pytest.approx(1 / 5)
    assert report["normal_coverage"] == pytest.approx(2 / 3)
    assert report["normal_unknown"]["word"].to_pylist() == ["zebra"]


def test_there_must_be_a_reference():
    with pytest.raises(ProjectError, match="no reference"):
        Vocabulary("text").start(None)


def test_a_filter_knows_its_words_and_few_others():
    words = [f"w{k}" for k in range(3000)]
    made = bloom(words, false_positives=0.01)
    assert contained(made, words) == set(words)
    assert len(contained(made, [f"x{k}" for k in range(3000)])) < 90


def test_a_filter_stands_for_a_large_vocabulary():
    texts = [f"word{k} other{k % 7}" for k in range(300)]
    exact = told(texts[:200], texts)
    near = told(texts[:200], texts, exact=10)
    assert 0 <= near["coverage"] - exact["coverage"] <= 1e-3


def test_counts_beyond_the_most_have_an_error_bound():
    draw = np.random.default_rng(0)
    words = [f"w{k}" for k in range(400)]
    seen = draw.random((2000, 400)) < 1 / (2 + np.arange(400))
    ids, parts = [str(k) for k in range(2000)], []
    for start in range(0, 2000, 500):
        made = empty()
        for row in range(start, start + 500, 50):
            found = Found(words, *np.nonzero(seen[row : row + 50]))
            made = counted(made, found, ids[row : row + 50], most=60, examples=2)
        parts.append(made)
    whole = parts[0]
    for part in parts[1:]:
        whole = merged_counts(whole, part, most=60, examples=2)
    truth = dict(zip(words, seen.sum(axis=0).tolist(), strict=True))
    assert whole["error"] <= 2 * seen.sum() / 60
    assert all(count <= truth[word] <= count + whole["error"] for word, (count, _) in whole["words"].items())
    assert [one["word"] for one in top(whole, 3)] == ["w0", "w1", "w2"]


def loop(text):
    text = text.lower()
    for mark in (".", ",", "'", "?", "#", ":", "!"):
        text = text.replace(mark, "")
    return set(text.split())


def test_words_of_many_texts_are_those_of_each():
    texts = [
        "  The cat's\tmat. ",
        "",
        None,
        "É #x# :",
        "a\u00a0b\u2003c\nd",
        "?!",
        "a\x1cb\u0085\u0130 \u03a3\u03a3",
        "q. . r",
    ]
    for place, found in found_in(pa.array(texts)):
        held = [(int(text), found.words[word]) for text, word in zip(found.text, found.word, strict=True)]
        assert place == slice(0, len(texts))
        assert len(held) == len(set(held))
        assert [{word for text, word in held if text == number} for number in range(len(texts))] == [
            loop(text or "") for text in texts
        ]
    assert types("The cat's") == {"the", "cats"}
    assert coverage(set(), {"a"}) is None


def test_the_story_of_samsum_and_dialogsum(shared_data):
    """Ninety-eight per cent of the words are known, then ninety-five, and nearly all of the fall is markup."""
    samsum, dialogsum = (
        pq.read_table(shared_data / f"{name}.parquet", columns=["id", "dialogue", "split"]).rename_columns(
            ["id", "text", "split"]
        )
        for name in ("samsum", "dialogsum")
    )
    train, test = (samsum.filter(pc.equal(samsum["split"], split)) for split in ("train", "test"))
    production = dialogsum.filter(pc.equal(dialogsum["split"], "train")).slice(0, 600)
    fold = Vocabulary("text")
    known = set().union(*map(loop, train["text"].to_pylist()))
    for rows, expected, normal in ((test, 0.978, 0.982), (production, 0.950, 0.981)):
        report = fold.report(fold.update(fold.start(Reference.from_table(train)), rows))
        found = [loop(text) for text in rows["text"].to_pylist()]
        lacking = Counter(word for words in found for word in words - known)
        assert report["coverage"] == pytest.approx(
            np.mean([len(words & known) / len(words) for words in found]), abs=1e-9
        )
        assert report["coverage"] == pytest.approx(expected, abs=0.003)
        assert report["normal_coverage"] == pytest.approx(normal, abs=0.003)
        assert all(lacking[one["word"]] == one["texts"] for one in report["unknown"].to_pylist())
    assert report["unknown"]["word"].to_pylist()[:2] == ["person1", "person2"]
    assert "yuan" in report["normal_unknown"]["word"].to_pylist()[:3]
