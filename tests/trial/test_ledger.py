from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tunewright.trial.ledger import Try, note, tries

ONE = Try(test="rows", key="a", name="first", trial="t1", metric="accuracy", p=0.04, time="2026-01-01T00:00:00+00:00")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trials" / "tries.jsonl"


def test_nothing_was_tried_at_first(path):
    assert tries(path, "rows") == ()


def test_a_decision_judged_again_is_no_new_try(path):
    note(path, [ONE, replace(ONE, key="b")])
    note(path, [replace(ONE, p=0.01, name="other name", trial="t2")])
    assert [(one.key, one.p) for one in tries(path, "rows")] == [("a", 0.01), ("b", 0.04)]


def test_other_rows_have_tries_of_their_own(path):
    note(path, [ONE, replace(ONE, test="others")])
    assert len(tries(path, "rows")) == len(tries(path, "others")) == 1


def test_a_torn_line_loses_itself_alone(path):
    note(path, [ONE])
    with path.open("ab") as file:
        file.write(b'{"test": "rows", "key"')
    note(path, [replace(ONE, key="b")])
    assert [one.key for one in tries(path, "rows")] == ["a", "b"]


def test_several_may_write_at_once(path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: note(path, [replace(ONE, key=str(number))]), range(40)))
    assert len(tries(path, "rows")) == 40
