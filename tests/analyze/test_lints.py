from __future__ import annotations

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
