from __future__ import annotations

import json

import pytest

from tunewright.data.problems import Problem, count, problem_from_json, problem_to_json, settle
from tunewright.errors import DataError

FLAWS = [("empty text", f"row {row}") for row in range(7)] + [("no id", "row 9")]


def test_flaws_are_counted_and_the_first_are_listed():
    first, second = count(FLAWS)
    assert str(first) == "7 x empty text: row 0, row 1, row 2, row 3, row 4, ..."
    assert str(second) == "1 x no id: row 9"


def test_one_error_lists_all_reasons_and_says_what_to_do():
    with pytest.raises(DataError, match="d: 8 of 20 rows cannot be used") as caught:
        settle(count(FLAWS), on_bad="error", name="d", rows=20)
    assert caught.value.message.count("\n") == 2
    assert "on_bad='skip'" in caught.value.fix


def test_skipping_hands_the_report_back_unless_nothing_is_left():
    problems = count(FLAWS)
    assert settle(problems, on_bad="skip", name="d", rows=20) == problems
    assert settle((), on_bad="error", name="d", rows=0) == ()
    with pytest.raises(DataError, match="8 of 8 rows"):
        settle(problems, on_bad="skip", name="d", rows=8)


def test_json_round_trip():
    problem = Problem("empty text", 2, ("row 1", "row 2"))
    assert problem_from_json(json.loads(json.dumps(problem_to_json(problem)))) == problem
