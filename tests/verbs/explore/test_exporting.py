"""Rows as a file: what each format keeps, and what CSV does for spreadsheets."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tunewright.verbs.explore.exporting import exported, guarded

TEXTS = ["plain", "a\0b", "\0=1+1", " @cmd", "é\n\u2028", None]
ROWS = pa.table({"id": [f"r{row}" for row in range(len(TEXTS))], "text": TEXTS, "many": [["a\0"]] * len(TEXTS)})
EVERY = np.arange(len(TEXTS), dtype=np.int64)


def test_csv_has_no_nul_and_no_formula():
    written = b"".join(exported(ROWS, EVERY, "csv"))
    assert b"\0" not in written
    read = list(csv.DictReader(io.StringIO(written.decode(), newline="")))
    assert [row["text"] for row in read] == ["plain", "a␀b", "␀=1+1", "' @cmd", "é\n\u2028", ""]
    assert json.loads(read[0]["many"]) == ["a\0"]


@pytest.mark.parametrize(
    ("format", "read"),
    [
        ("jsonl", lambda content: [json.loads(line)["text"] for line in content.decode().split("\n")[:-1]]),
        ("parquet", lambda content: pq.read_table(io.BytesIO(content))["text"].to_pylist()),
    ],
)
def test_other_formats_keep_every_value(format, read):
    assert read(b"".join(exported(ROWS, EVERY, format))) == TEXTS


def test_a_column_may_be_called_anything():
    named = pa.table({"=a\0": [1]})
    assert b"".join(exported(named, np.array([0]), "csv")) == "'=a␀\r\n1\r\n".encode()


@pytest.mark.parametrize("cell", [1, 1.5, True, None])
def test_what_is_no_text_stays(cell):
    assert guarded(cell) is cell
