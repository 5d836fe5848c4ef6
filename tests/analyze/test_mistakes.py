from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tunewright.analyze.mistakes import CAUSES, HEADINGS, UNKNOWN, csv_safe, explain, mistakes, to_csv
from tunewright.errors import ColumnError

LABELS = ("neg", "pos")


def column(values):
    return np.array(values, dtype=object)


def predictions(wrong=1, right=20, **more):
    """Rows w0.. are neg predicted as pos with .9, rows r0.. are right with .8."""
    n = wrong + right
    given_columns = {
        "id": column([f"w{row}" for row in range(wrong)] + [f"r{row}" for row in range(right)]),
        "text": column([f"text {row}" for row in range(n)]),
        "label": column(["neg"] * n),
        "predicted": column(["pos"] * wrong + ["neg"] * right),
        "probability": np.array([0.9] * wrong + [0.8] * right),
    }
    return {**given_columns, **more}


def cause(evidence, wrong=1, right=20):
    columns = {**predictions(wrong, right), **evidence}
    found = explain(columns, labels=LABELS)
    assert (found["error_cause"][wrong:] == "").all()
    return found["error_cause"][0]


def test_the_table_has_exactly_the_promised_columns():
    table = mistakes(predictions(), {}, labels=LABELS)
    assert tuple(table) == ("id", "Text", *HEADINGS)
    assert {name: values.tolist() for name, values in table.items()} == {
        "id": ["w0"],
        "Text": ["text 0"],
        "Actual Label": ["neg"],
        "Predicted Label": ["pos"],
        "Confidence Score": [0.9],
        "Error Type": ["false positive"],
        "Error Cause": ["unknown"],
        "Potential Solution": ["read it; if many look alike, collect more rows like them"],
    }


def test_a_pair_keeps_the_names_of_its_fields():
    columns = predictions(premise=column(["p"] * 21), hypothesis=column(["h"] * 21))
    table = mistakes(columns, {}, text=("premise", "hypothesis"))
    assert tuple(table) == ("id", "premise", "hypothesis", *HEADINGS)


def test_the_most_confident_mistake_comes_first_then_the_id():
    probability = np.array([0.6, 0.9, 0.9] + [0.8] * 20)
    ids = column(["a", "z", "b"] + [f"r{row}" for row in range(20)])
    assert mistakes(predictions(3, probability=probability, id=ids), {})["id"].tolist() == ["b", "z", "a"]


@pytest.mark.parametrize(
    ("gold", "predicted", "labels", "expected"),
    [
        ("pos", "neg", LABELS, "false negative"),
        ("neg", "pos", LABELS, "false positive"),
        ("neg", "pos", (*LABELS, "other"), "neg -> pos"),
        ("neg", "pos", (), "neg -> pos"),
    ],
)
def test_error_types(gold, predicted, labels, expected):
    columns = {"label": column([gold]), "predicted": column([predicted]), "probability": np.array([0.9])}
    assert explain(columns, labels=labels)["error_type"].tolist() == [expected]


@pytest.mark.parametrize(
    ("gold", "predicted", "f1", "expected"),
    [
        ("a red boat", "", 0.0, "said nothing"),
        ("", "a red boat", 0.0, "should say nothing"),
        ("a red boat", "green", 0.0, "no overlap"),
        ("a red boat", "red", 0.5, "partly right"),
    ],
)
def test_error_types_of_texts(gold, predicted, f1, expected):
    columns = {"label": column([gold]), "predicted": column([predicted]), "f1": np.array([f1])}
    assert explain(columns, labels=None, overlap="f1")["error_type"].tolist() == [expected]


def test_rows_without_a_label_are_no_mistakes():
    assert len(mistakes(predictions(label=column([None] + ["neg"] * 20)), {})["id"]) == 0


def test_without_evidence_the_cause_is_unknown():
    assert cause({}) == UNKNOWN


SPREAD = np.linspace(0, 1, 20)
"""Values of the correct rows; the quantiles q are near q."""


def with_first(value, others=SPREAD):
    return np.array([value, *others])


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"suspect": column([True] + [None] * 20)}, "suspected mislabel"),
        ({"suspect": column([None] * 21)}, UNKNOWN),
        ({"suspect": np.array([np.nan] + [0.0] * 20)}, UNKNOWN),
        ({"rare_share": with_first(0.95)}, "rare vocabulary"),
        ({"rare_share": with_first(0.85)}, UNKNOWN),
        ({"words": with_first(99, range(20))}, "long text"),
        ({"words": with_first(10, range(20))}, UNKNOWN),
        ({"words": with_first(0, range(20))}, "short text"),
        ({"truncated": column([True] + [False] * 20)}, "truncated input"),
        ({"density": with_first(0.05)}, "unlike the training rows"),
        ({"density": with_first(0.15)}, UNKNOWN),
        ({"density": with_first(np.nan)}, UNKNOWN),
        ({"negation": np.array([True] + [False] * 20)}, "negation"),
        ({"negation": np.array([True] * 21)}, UNKNOWN),
        (
            {"neighbour_similarity": with_first(0.96), "neighbour_label": column(["pos"] * 21)},
            "gold label contradicted by a neighbour; near-duplicate with another label",
        ),
        (
            {"neighbour_similarity": with_first(0.90), "neighbour_label": column(["pos"] * 21)},
            "gold label contradicted by a neighbour",
        ),
        ({"neighbour_similarity": with_first(0.50), "neighbour_label": column(["pos"] * 21)}, UNKNOWN),
        ({"neighbour_similarity": with_first(0.99), "neighbour_label": column(["neg"] * 21)}, UNKNOWN),
        ({"neighbour_similarity": with_first(0.99)}, UNKNOWN),
    ],
)
def test_causes_follow_from_the_evidence(evidence, expected):
    assert cause(evidence) == expected


def test_an_unsure_model_does_not_contradict_the_label():
    evidence = {"neighbour_similarity": with_first(0.9), "neighbour_label": column(["pos"] * 21)}
    assert cause({**evidence, "probability": np.array([0.5] + [0.8] * 20)}) == UNKNOWN


def test_several_causes_are_joined_and_equal_solutions_named_once():
    evidence = {"suspect": column([True] * 21), "neighbour_similarity": with_first(0.9)}
    evidence |= {"neighbour_label": column(["pos"] * 21)}
    found = explain({**predictions(), **evidence})
    assert found["error_cause"][0] == "suspected mislabel; gold label contradicted by a neighbour"
    assert found["solution"][0] == "check the label"


def test_when_nothing_is_right_relative_rules_do_not_fire():
    evidence = {"rare_share": np.array([1.0]), "words": np.array([500]), "negation": np.array([True])}
    assert cause(evidence, right=0) == UNKNOWN


@pytest.mark.parametrize(("right", "expected"), [(19, UNKNOWN), (20, "negation")])
def test_negation_is_compared_with_twenty_correct_rows(right, expected):
    assert cause({"negation": np.array([True] + [False] * right)}, right=right) == expected


def test_every_cause_has_columns_and_a_solution():
    assert all(needs and solution for needs, _, solution in CAUSES.values())


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_cells_that_start_a_formula_are_guarded(cell):
    assert csv_safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=1", "good-bye", " =1"])
def test_other_cells_are_left_alone(cell):
    assert csv_safe(cell) == cell


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=1, max_size=4))
def test_csv_reads_back_guarded_and_whole(texts):
    written = to_csv({"id": column(list(map(str, range(len(texts))))), "Text": column(texts)})
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows[0] == ["id", "Text"]
    assert [row[1] for row in rows[1:]] == [csv_safe(text) for text in texts]


def test_numbers_are_not_text():
    assert to_csv({"Confidence Score": np.array([-0.5])}) == "Confidence Score\r\n-0.5\r\n"


def test_a_missing_prediction_column_is_named():
    columns = predictions()
    del columns["probability"]
    with pytest.raises(ColumnError, match="probability"):
        mistakes(columns, {})
