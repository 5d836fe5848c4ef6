from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tunewright.analyze.lints import LINTS, Rows, lint


def column(values):
    return np.array(values, dtype=object)


def rows_of(texts, labels=None, splits=None, **more):
    n = len(texts)
    given = {
        "id": column([f"r{row}" for row in range(n)]),
        "split": column(splits or ["train"] * n),
        "content": column([str(text) for text in texts]),
        "label": column(labels or ["a", "b"] * (n // 2) + ["a"] * (n % 2)),
        "texts": {"text": column(texts)},
    }
    return Rows(**{**given, **more})


def clean(n=20):
    return rows_of([f"text {row}" for row in range(n)], splits=["train"] * (n - 4) + ["test"] * 4)


def only(rows, name):
    (found,) = [finding for finding in lint(rows) if finding.name == name]
    return found


def test_clean_rows_have_no_findings():
    assert lint(clean()) == []


def test_no_rows_have_no_findings():
    assert lint(rows_of([])) == []


def test_duplicates_within_a_split():
    found = only(rows_of(["x", "x", "y", "x"], labels=["a", "a", "b", "b"]), "duplicates within a split")
    assert (found.severity, found.count, found.rows) == ("warning", 2, ("r0", "r1"))


def test_duplicates_across_splits():
    found = only(rows_of(["x", "y", "x", "y"], splits=["train", "train", "test", "train"]), "duplicates across splits")
    assert (found.severity, found.rows) == ("error", ("r0", "r2"))


def test_the_same_text_with_different_labels():
    rows = rows_of(["x", "x", "x", "y", "y"], labels=["a", "b", None, "a", None])
    found = only(rows, "same text, different labels")
    assert (found.severity, found.rows) == ("error", ("r0", "r1", "r2"))


@pytest.mark.parametrize("empty", ["", " \n\t", None])
def test_empty_texts(empty):
    found = only(rows_of(["x", empty]), "empty text")
    assert (found.severity, found.rows) == ("error", ("r1",))


def test_constant_columns():
    rows = rows_of(["x", "y"], metadata={"source": column(["web", "web"])})
    assert only(rows, "constant source").count == 2


def test_imbalance_counts_training_rows():
    texts = [str(number) for number in range(31)]
    rows = rows_of(texts, labels=["a"] * 20 + ["b"] * 2 + ["b"] * 9, splits=["train"] * 22 + ["test"] * 9)
    found = only(rows, "label imbalance")
    assert (found.severity, found.count) == ("note", 2)
    assert "20 training rows are 'a', 2 are 'b'" in found.message


def test_labels_that_training_never_shows():
    rows = rows_of(["x", "y", "z"], labels=["a", "b", "c"], splits=["train", "train", "test"])
    assert only(rows, "labels missing from training").rows == ("r2",)


def test_unlabelled_rows():
    found = only(rows_of(["x", "y", "z"], labels=["a", None, "b"]), "unlabelled rows")
    assert (found.severity, found.rows) == ("note", ("r1",))


def test_truncated_inputs_need_lengths_and_a_limit():
    lengths = np.array([3, 5])
    assert only(rows_of(["x", "y"], lengths=lengths, max_length=4), "truncated inputs").rows == ("r1",)
    assert lint(rows_of(["x", "y"], lengths=lengths)) == []
    assert lint(rows_of(["x", "y"], lengths=lengths, max_length=5)) == []


def test_repeated_ids_mix_training_and_evaluation():
    rows = rows_of(["x", "y", "z"], splits=["train", "train", "test"], id=column(["r0", "r1", "r0"]))
    assert only(rows, "repeated ids").rows == ("r0", "r0")


@pytest.mark.parametrize("numeric", [True, False])
def test_a_column_that_tells_the_splits_apart(numeric):
    random = np.random.default_rng(0)
    splits = ["train"] * 200 + ["test"] * 200
    if numeric:
        year, other = np.arange(400), random.permutation(400)
    else:
        year, other = column(["old"] * 190 + ["new"] * 210), column(random.choice(["old", "new"], 400).tolist())
    rows = rows_of([str(number) for number in range(400)], splits=splits, metadata={"year": year, "other": other})
    assert [finding.name for finding in lint(rows)] == ["splits confounded with year"]


def test_free_text_metadata_is_left_alone():
    texts = [str(number) for number in range(100)]
    rows = rows_of(texts, splits=["train"] * 50 + ["test"] * 50, metadata={"url": column(texts)})
    assert lint(rows) == []


def test_errors_come_first_and_every_lint_has_a_docstring_and_advice():
    found = lint(rows_of(["x", "x", "", "y"], labels=["a", "b", None, "a"]))
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    assert all(finding.what_to_do for finding in found)
    assert all(check.__doc__ for check in LINTS)


ANSWERS = column([["two", "two"], ["cats"], [], ["", "here"]])
NAN = float("nan")
CONTEXT = column(["one two", "cats sit", "no answer", "here"])


def six(**more):
    """Six rows that differ, four for training."""
    texts = ["one", "two", "three", "four", "five", "six"]
    return rows_of(texts, splits=["train"] * 4 + ["test"] * 2, **more)


def titles(train, test, n=40):
    given = [*(train[row % len(train)] for row in range(n)), *(test[row % len(test)] for row in range(n))]
    texts = [f"text {row}" for row in range(2 * n)]
    return rows_of(texts, splits=["train"] * n + ["test"] * n, metadata={"title": column(given)})


def years(train, test, n=40):
    rows = titles(train, test, n)
    return replace(rows, metadata={"year": rows.metadata["title"].astype(np.float64)})


def named(**more):
    """Four rows, the first of them right but for form, the next two right."""
    labels = ["The Broncos", "Denver", "Paris", "Rome"]
    return rows_of(
        ["a", "b", "c", "d"], labels=labels, predicted=column(["broncos", "Denver", "Paris", "Bonn"]), **more
    )


def four(starts):
    return rows_of(["q1", "q2", "q3", "q4"], context=CONTEXT, answers=ANSWERS, starts=column(starts))


def linked(duplicates, **more):
    return six(duplicate_of=column(duplicates), **more)


NOBODY = [None] * 6
PLANTED = {
    "an answer one character off": (
        four([[4, 4], [1], [], [0, 0]]),
        four([[4, 4], [0], [], [0, 0]]),
        ("answers not at their offset", "error", ("r1",)),
    ),
    "an answer before the context": (
        four([[4, -3], [0], [], [0, 0]]),
        four([[4, 4], [0], [], [0, 0]]),
        ("answers not at their offset", "error", ("r0",)),
    ),
    "an answer without a start": (
        four([[4], [0], [], [0, 0]]),
        four([[4, 4], [0], [], [0, 0]]),
        ("answers not at their offset", "error", ("r0",)),
    ),
    "a long input": (
        six(lengths=np.array([3, 9, 3, 3, 3, 3]), max_length=8),
        six(lengths=np.array([3, 8, 3, 3, 3, 3]), max_length=8),
        ("truncated inputs", "warning", ("r1",)),
    ),
    "an answer that no window holds": (six(lost=["r3"]), six(lost=[]), ("answers lost to windows", "warning", ("r3",))),
    "a target that is cut": (six(cut_targets=["r2"]), six(cut_targets=[]), ("truncated targets", "warning", ("r2",))),
    "padding without a mask": (six(unmasked=True), six(unmasked=False), ("missing attention mask", "error", ())),
    "a test row in training": (
        six(trained=["r0", "r1", "r4"]),
        six(trained=["r0", "r1", "x"]),
        ("trained on evaluation rows", "error", ("r4",)),
    ),
    "an output that was cut": (
        six(stop_reason=column(["eos", None, "length", None, "eos", "length"])),
        six(stop_reason=column(["eos", None, "eos", None, "eos", "eos"])),
        ("generation stopped by length", "warning", ("r2", "r5")),
    ),
    "a near-duplicate in another split": (
        linked([None, None, None, None, "r1", None]),
        linked(NOBODY),
        ("near-duplicates across splits", "warning", ("r1", "r4")),
    ),
    "a near-duplicate by way of another one": (
        linked([None, "r0", None, None, "r1", None]),
        linked([None] * 5 + ["elsewhere"]),
        ("near-duplicates across splits", "warning", ("r0", "r1", "r4")),
    ),
    "a near-duplicate in the same split": (
        linked([None, None, "r1", None, None, None]),
        linked([None, None, None, None, "r1", None]),
        ("near-duplicates within a split", "note", ("r1", "r2")),
    ),
    "a made-up row that nearly repeats a later one": (
        linked([None, None, "r1", None, None, None], synthetic=np.arange(6) == 1),
        linked([None, None, "r1", None, None, None], synthetic=np.arange(6) == 4),
        ("synthetic copies", "warning", ("r1",)),
    ),
    "a made-up row with the text of another": (
        rows_of(["x", "y", "y", "z", "z"], synthetic=np.array([False, True, False, True, True])),
        rows_of(["x", "y", "y", "z", "w"], synthetic=np.array([True, False, False, True, True])),
        ("synthetic copies", "warning", ("r1", "r4")),
    ),
    "titles of their own": (
        titles(["a", "b", "c"], ["d", "e"]),
        titles(["a", "b", "c"], ["c", "d", "e"]),
        ("test shares no title with train", "note", ()),
    ),
    "years of their own, and some missing": (
        years([2001, 2002, NAN], [2011, 2012, NAN]),
        years([2001, 2002, NAN], [2011, 2002, NAN]),
        ("test shares no year with train", "note", ()),
    ),
    "no year at all": (
        six(metadata={"year": np.full(6, NAN)}),
        six(metadata={"year": np.array([2001.0] + [NAN] * 5)}),
        ("constant year", "warning", ()),
    ),
    "years that are missing in one split": (
        years(list(range(200)), [NAN] * 30 + list(range(170)), 200),
        years([NAN] * 30 + list(range(170)), [NAN] * 30 + list(range(170)), 200),
        ("splits confounded with year", "warning", ()),
    ),
    "right but for form, by a metric of one's own": (
        named(scores={"ter": np.array([0.3, 0.0, 0.0, 0.9])}),
        named(scores={"ter": np.array([0.0, 0.0, 0.0, 0.9])}),
        ("ter punishes form", "warning", ("r0",)),
    ),
    "right but for form": (
        rows_of(
            ["a", "b", "c", "d"],
            labels=["The Broncos", "do n't", "“Hi”", "x"],
            predicted=column(["broncos", "Don't", '"hi"', "y"]),
            correct=np.zeros(4),
        ),
        rows_of(
            ["a", "b", "c", "d"],
            labels=["The Broncos", "do n't", "“Hi”", "x"],
            predicted=column(["broncos", "Don't", '"hi"', "y"]),
            correct=np.array([1, 1, 1, 0]),
        ),
        ("metric punishes form", "warning", ("r0", "r1", "r2")),
    ),
    "right but for form, by one of several answers": (
        rows_of(["a", "b"], answers=column([["x", "U.S."], []]), predicted=column(["us", ""]), correct=np.zeros(2)),
        rows_of(["a", "b"], answers=column([["x", "U.S."], []]), predicted=column([None, "us"]), correct=np.zeros(2)),
        ("metric punishes form", "warning", ("r0",)),
    ),
}


@pytest.mark.parametrize(("dirty", "clean", "expected"), PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_found_and_its_absence_is_not(dirty, clean, expected):
    name, severity, ids = expected
    found = only(dirty, name)
    assert (found.severity, found.rows) == (severity, ids)
    assert found.what_to_do
    assert name not in {one.name for one in lint(clean)}


def test_messages_give_shares_and_examples():
    cut = only(six(stop_reason=column(["eos", "length", "eos", "eos", "length", None])), "generation stopped by length")
    assert cut.message == "2 outputs were cut because they grew too long (test 100%, train 25%)"
    form = only(PLANTED["right but for form"][0], "metric punishes form")
    assert "'broncos' for 'The Broncos'" in form.message


def test_splits_by_a_column_are_said_once():
    rows = titles(["a", "b"], ["c"])
    assert [found.name for found in lint(rows)] == ["test shares no title with train"]


def test_names_that_hardly_recur_are_apart_by_nature():
    texts = [f"text {row}" for row in range(100)]
    rows = rows_of(
        texts, splits=["train"] * 50 + ["test"] * 50, metadata={"title": column([f"t{n // 1.5}" for n in range(100)])}
    )
    assert lint(rows) == []


def test_open_targets_are_not_taken_for_classes():
    texts = [f"text {row}" for row in range(29)] + ["text 0"]
    labels = ["a"] * 20 + [f"answer {row}" for row in range(10)]
    rows = rows_of(texts, labels=labels, splits=["train"] * 22 + ["test"] * 7 + ["train"])
    assert {one.name for one in lint(rows)} == {
        "same text, different labels",
        "labels missing from training",
        "label imbalance",
    }
    (found,) = lint(replace(rows, classes=False))
    assert (found.name, found.severity, found.rows) == ("same text, different targets", "note", ("r0", "r29"))
