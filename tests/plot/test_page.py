from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import time

import numpy as np
import pytest

from tunewright.errors import ColumnError, DataError
from tunewright.plot.page import write_page


def read(path):
    """The data that the page holds, with the fields as a mapping."""
    [packed] = re.findall(r'<script type="application/gzip" id="data">([A-Za-z0-9+/=]+)</script>', path.read_text())
    payload = json.loads(gzip.decompress(base64.b64decode(packed)))
    return payload | {"fields": dict(payload["fields"])}


def test_records_are_matched_by_id_and_not_by_position(columns, tmp_path):
    records = [{"id": key, "premise": f"text of {key}"} for key in reversed(columns["id"].tolist())]
    records += [{"id": "elsewhere", "premise": "not on this map"}]
    fields = read(write_page(tmp_path / "a.html", columns=columns, records=records))["fields"]
    assert fields["premise"] == [f"text of {key}" for key in columns["id"]]
    assert list(fields) == ["id", "premise", "correctness", "confidence", "variability"]


def test_rows_that_were_never_seen_are_not_on_the_map(columns, tmp_path):
    columns["confidence"][1] = np.nan
    page = read(write_page(tmp_path / "a.html", columns=columns, records=[{"id": "row-2", "text": "two"}]))
    assert len(page["fields"]["id"]) == 199
    assert page["fields"]["text"][:3] == [None, "two", None]
    assert page["facts"] == ["n = 199 (1 never seen)"]


def test_points_are_coloured_by_what_there_is(columns, tmp_path):
    columns |= {"label": np.array(["neg", "pos"] * 100), "suspect": columns["confidence"] < 0.2}
    groupings = read(write_page(tmp_path / "a.html", columns=columns))["groupings"]
    assert [grouping["name"] for grouping in groupings] == ["correctness", "label", "suspect"]
    assert groupings[1]["counts"] == [100, 100]
    assert groupings[1]["codes"][:3] == [0, 1, 0]
    assert groupings[2]["names"] == ["not suspect", "suspect"]


def test_long_texts_are_cut_and_say_how_long_they_were(columns, tmp_path):
    page = read(write_page(tmp_path / "a.html", columns=columns, records=[{"id": "row-0", "text": "x" * 1_000_000}]))
    assert page["fields"]["text"][0] == {"text": "x" * 2000, "length": 1_000_000}
    assert page["note"] == "Texts beyond 2,000 characters are cut in this file (1)."


def test_values_of_any_kind_can_be_shown(columns, tmp_path):
    values = {"a": float("nan"), "b": np.float32(0.5), "c": [1, 2], "d": True, "e": np.int64(7), "f": float("inf")}
    fields = read(write_page(tmp_path / "a.html", columns=columns, records=[{"id": "row-0", **values}]))["fields"]
    assert [fields[name][0] for name in values] == [None, 0.5, "[1, 2]", True, 7, None]


def test_no_text_of_the_dataset_is_in_the_markup(columns, tmp_path):
    hostile = "</script><script>alert(1)</script>"
    path = write_page(tmp_path / "a.html", columns=columns, records=[{"id": "row-0", hostile: hostile}], title=hostile)
    assert "alert" not in path.read_text()
    assert read(path)["title"] == hostile


def test_the_policy_admits_this_script_and_style_only(columns, tmp_path):
    page = write_page(tmp_path / "a.html", columns=columns).read_text()
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    [style], [script] = (
        re.findall(r"<style>(.*?)</style>", page, re.DOTALL),
        re.findall(r"<script>(.*?)</script>", page, re.DOTALL),
    )
    for kind, text in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_nothing_outside_the_file_is_named(columns, tmp_path):
    assert (
        re.findall(
            r"https?:|\bsrc=|\bhref=|url\(|@import|innerHTML",
            write_page(tmp_path / "a.html", columns=columns).read_text(),
        )
        == []
    )


def test_the_same_map_gives_the_same_bytes(columns, tmp_path):
    first, second = (write_page(tmp_path / name, columns=columns).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_ids_are_unique(columns, tmp_path):
    with pytest.raises(DataError, match="two records of 'row-1'"):
        write_page(tmp_path / "a.html", columns=columns, records=[{"id": "row-1"}, {"id": "row-1"}])
    with pytest.raises(DataError, match="a record has an 'id'"):
        write_page(tmp_path / "a.html", columns=columns, records=[{"text": "?"}])
    columns["id"][1] = "row-0"
    with pytest.raises(DataError, match="found 1 repeated"):
        write_page(tmp_path / "a.html", columns=columns)
    assert list(tmp_path.iterdir()) == []


def test_a_map_without_ids_is_refused(columns, tmp_path):
    del columns["id"]
    with pytest.raises(ColumnError, match="id"):
        write_page(tmp_path / "a.html", columns=columns)


def test_a_hundred_thousand_points_are_a_small_file_soon(many, tmp_path):
    records = [{"id": key, "text": f"a sentence about {key}"} for key in many["id"].tolist()]
    start = time.perf_counter()
    path = write_page(tmp_path / "a.html", columns=many, records=records)
    assert time.perf_counter() - start < 20
    assert path.stat().st_size < 10_000_000
