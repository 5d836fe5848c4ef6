from __future__ import annotations

import errno
import os

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.errors import MonitorError
from tunewright.monitor.journal import Entry, Journal


def entry(*ids: str) -> Entry:
    return Entry("rows", pa.table({"id": list(ids)}), {"marked": {"long": len(ids)}})


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal" / "main-00000000.journal")


def ids(journal: Journal) -> list[list[str]]:
    return [item.table["id"].to_pylist() for item in journal.entries()]


def test_entries_come_back_in_order_with_their_headers(journal):
    journal.append(entry("a", "b"))
    journal.append(entry("c"))
    journal.close()
    again = Journal(journal.path)
    assert ids(again) == [["a", "b"], ["c"]]
    assert next(again.entries()).header == {"marked": {"long": 2}}


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(1, 400))
def test_a_torn_last_record_is_cut_off_and_the_rest_stays(tmp_path_factory, cut):
    journal = Journal(tmp_path_factory.mktemp("journal") / "j")
    journal.append(entry("a"))
    first = journal.bytes
    journal.append(entry("b"))
    journal.close()
    os.truncate(journal.path, max(first, journal.bytes - cut))
    again = Journal(journal.path)
    assert ids(again) == [["a"]]
    again.append(entry("c"))
    assert ids(again) == [["a"], ["c"]]


def test_zeros_after_the_last_record_are_cut_off(journal):
    journal.append(entry("a"))
    journal.close()
    with journal.path.open("ab") as file:
        file.write(bytes(100))
    assert ids(Journal(journal.path)) == [["a"]]


def test_damage_in_the_middle_is_no_torn_end(journal):
    journal.append(entry("a"))
    journal.append(entry("b"))
    journal.close()
    data = bytearray(journal.path.read_bytes())
    data[20] ^= 1
    journal.path.write_bytes(data)
    with pytest.raises(MonitorError, match="damaged at byte 8, and others follow"):
        Journal(journal.path)


def test_a_full_disk_is_one_error_and_leaves_what_was_acknowledged(journal, monkeypatch):
    journal.append(entry("a"))
    whole = os.pwrite
    with monkeypatch.context() as patch:

        def full(descriptor, data, offset):
            whole(descriptor, data[:10], offset)
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "pwrite", full)
        with pytest.raises(MonitorError, match="No space left on device"):
            journal.append(entry("b"))
    assert ids(Journal(journal.path)) == [["a"]]
    journal.append(entry("c"))
    assert ids(journal) == [["a"], ["c"]]


def test_a_journal_that_a_segment_took_is_gone(journal):
    journal.remove()
    assert not journal.path.exists()
