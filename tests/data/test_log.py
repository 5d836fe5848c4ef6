from __future__ import annotations

import json

import pytest

from tunewright.data.edits import Drop, version_after
from tunewright.data.log import Entry, Log, edit_line, name_line
from tunewright.errors import DataError, EditError

BASE = "0" * 12


def entry_of(parent: str, *ids: str) -> Entry:
    edit = Drop(ids=ids)
    return Entry(version_after(parent, edit), parent, edit)


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "edits.jsonl", BASE)


def append(log, *lines):
    with log.appending() as (_, pending):
        pending.extend(lines)


def test_a_log_that_is_not_there_has_the_base(log):
    history = log.read()
    assert (history.names, history.entries, history.torn) == ({"base": BASE, "main": BASE}, {}, ())
    assert history.path(BASE) == []


def test_names_point_at_their_last_line_and_paths_lead_from_the_base(log):
    first = entry_of(BASE, "a")
    second = entry_of(first.version, "b")
    append(log, edit_line(first), name_line("main", first.version))
    append(log, edit_line(second), name_line("main", second.version), name_line("old", first.version))
    history = log.read()
    assert history.names == {"base": BASE, "main": second.version, "old": first.version}
    assert history.path(second.version) == [first, second]
    assert history.resolve("old") == history.resolve(first.version) == first.version
    with pytest.raises(EditError, match="did you mean 'main'"):
        history.resolve("mian")


def test_nothing_is_written_when_something_is_raised(log):
    def fail():
        with log.appending() as (_, lines):
            lines.append(name_line("main", BASE))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert log.path.read_bytes() == b""


def test_a_torn_last_line_is_reported_and_the_next_line_stands_alone(log):
    first, second = entry_of(BASE, "a"), entry_of(BASE, "b")
    append(log, edit_line(first), name_line("main", first.version))
    whole = log.path.read_bytes()
    written = json.dumps(edit_line(second)).encode()
    for cut in (1, len(written) // 2, len(written) - 1):
        log.path.write_bytes(whole + written[:cut])
        history = log.read()
        assert history.torn == (3,)
        assert history.names["main"] == first.version
    append(log, edit_line(second), name_line("main", second.version))
    assert log.path.read_bytes().startswith(whole + written[:cut] + b"\n")
    assert (log.read().torn, log.read().names["main"]) == ((3,), second.version)


@pytest.mark.parametrize(
    "line",
    [
        edit_line(entry_of("f" * 12, "a")),
        {**edit_line(entry_of(BASE, "a")), "version": "a" * 12},
        name_line("main", "b" * 12),
    ],
)
def test_a_line_that_was_changed_is_an_error(log, line):
    log.path.write_text(json.dumps(line) + "\n")
    with pytest.raises(DataError, match=r"a log that only grew.*edits.jsonl line 1"):
        log.read()
