from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, strategies as st

from tunewright.data.textfiles import read_delimited, read_json, read_json_lines
from tunewright.errors import DataError


def column(cells: list[str]) -> list:
    return read_delimited("name\n" + "\n".join(f'"{cell}"' for cell in cells) + "\n", delimiter=",")[0][
        "name"
    ].to_pylist()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2", ""], [1, -2, None]),
        (["0.5", "1e-05", "nan"], [0.5, 1e-05, pytest.approx(float("nan"), nan_ok=True)]),
        (["1.0", "", "2.0"], [1.0, None, 2.0]),
        (["1.1", "1.10"], ["1.1", "1.10"]),
        (["1e5", "2e5"], ["1e5", "2e5"]),
        (["1", "1.5"], ["1", "1.5"]),
        (["007", "8"], ["007", "8"]),
        (["12345678901234567890"], ["12345678901234567890"]),
        (["NA", "null"], ["NA", "null"]),
        (["True", "False"], ["True", "False"]),
        (["", ""], [None, None]),
    ],
)
def test_cells_become_numbers_only_where_nothing_is_lost(cells, values):
    assert column(cells) == values


def test_quoted_cells_hold_delimiters_quotes_and_line_ends():
    table, flaws = read_delimited('text,label\n"one, ""two""\nthree",1\nfour,2\n')
    assert table["text"].to_pylist() == ['one, "two"\nthree', "four"]
    assert flaws == []


def test_ragged_rows_and_broken_quotes_are_reported_by_their_first_line():
    text = 'text,label\na,1\n"b\nc",1,2\n\nd\n"e"f,1\ng,3\n"h,1\ni,2\n'
    table, flaws = read_delimited(text)
    assert table.to_pylist() == [{"text": "a", "label": 1}, {"text": "g", "label": 3}]
    reasons = {where: reason for reason, where in flaws}
    assert list(reasons) == ["line 3", "line 6", "line 7", "line 9"]
    assert reasons["line 3"] == "3 cells where the first line has 2"
    assert reasons["line 6"] == "1 cells where the first line has 2"
    assert "broken quotes" in reasons["line 7"]
    assert "unexpected end of data" in reasons["line 9"]


def test_a_megabyte_in_one_cell_is_read():
    table, flaws = read_delimited(f'text,label\n"{"word " * 200_000}",1\n')
    assert len(table["text"][0].as_py()) == 1_000_000
    assert flaws == []
    assert csv.field_size_limit() < 1_000_000


def test_unquoted_tab_separated_text_keeps_its_quotation_marks():
    table, flaws = read_delimited('text\tlabel\n"so he said\t0\n"quoted" at first\t1\n', delimiter="\t")
    assert table["text"].to_pylist() == ['"so he said', '"quoted" at first']
    assert flaws == []
    table, _ = read_delimited('text\tlabel\n"he said ""so"""\t0\n', delimiter="\t")
    assert table["text"].to_pylist() == ['he said "so"']


def test_a_column_without_a_name_gets_one():
    assert read_delimited(",text\n0,a\n")[0].column_names == ["unnamed", "text"]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=8)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_what_the_csv_module_writes_comes_back(rows):
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
        [("a", "b"), *((f"x{first}", f"y{second}") for first, second in rows)]
    )
    table, flaws = read_delimited(file.getvalue())
    assert flaws == []
    assert list(zip(*table.to_pydict().values(), strict=True)) == [
        (f"x{first}", f"y{second}") for first, second in rows
    ]


def test_lines_that_are_no_objects_are_flaws():
    table, flaws = read_json_lines('{"a": 1}\n[2]\n{"a": \n{"b": "x"}')
    assert table.to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert flaws[0] == ("not a JSON object", "line 2")
    assert flaws[1][1] == "line 3"


def test_json_by_split_keeps_the_splits():
    table, _ = read_json('{"train": [{"a": 1}], "dev": [{"a": 2}]}')
    assert table.to_pylist() == [{"a": 1, "split": "train"}, {"a": 2, "split": "dev"}]


def test_values_of_several_types_become_strings_and_lone_surrogates_are_replaced():
    table, _ = read_json('[{"a": 1, "b": "\\ud800!"}, {"a": "x", "b": "fine"}, {"a": [1], "b": null}]')
    assert table["a"].to_pylist() == ["1", "x", "[1]"]
    assert table["b"].to_pylist() == ["\ufffd!", "fine", None]


def test_line_separators_inside_of_a_text_end_no_line():
    table, _ = read_json_lines('{"a": "x\u2028y\u0085z"}\n')
    assert table["a"].to_pylist() == ["x\u2028y\u0085z"]


def test_a_first_line_in_broken_quotes_is_an_error():
    with pytest.raises(DataError, match="names of the columns"):
        read_delimited('"text,label\n')
