from __future__ import annotations

import pyarrow as pa
import pytest

from tunewright.data.notes import Notes, annotate, foreign_label_names, merge, notes_of
from tunewright.data.problems import Problem
from tunewright.errors import DataError

TABLE = pa.table({"label": [0, 1]})
NOTES = Notes({"label": ("neg", "pos")}, (Problem("empty text", 1, ("row 3",)),))


def test_notes_travel_with_the_table():
    assert notes_of(annotate(TABLE, NOTES)) == NOTES
    assert notes_of(annotate(TABLE, NOTES).slice(1)) == NOTES
    assert notes_of(TABLE) == Notes()


def test_metadata_of_others_is_no_reason_to_fail():
    for value in (b"no json", b"[1]", b'{"info": {"features": {"label": 3}}}'):
        assert foreign_label_names(TABLE.replace_schema_metadata({b"huggingface": value})) == {}
    assert notes_of(TABLE.replace_schema_metadata({b"tunewright": b"\xff"})) == Notes()


def test_notes_of_several_tables_become_one():
    assert merge([NOTES, Notes(), NOTES]) == Notes(NOTES.label_names, NOTES.skipped * 2)
    with pytest.raises(DataError, match="one list of names for the codes of 'label'"):
        merge([NOTES, Notes({"label": ("pos", "neg")})])
