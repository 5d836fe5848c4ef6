from __future__ import annotations

import html
import re

import pyarrow.csv
import pytest

from tunewright.errors import DataError
from tunewright.toy import toy_texts
from tunewright.verbs import monitor, monitor_report

pytestmark = pytest.mark.usefixtures("quick_umap")

HOSTILE = [
    "</script><script>alert(1)</script>",
    '<img src=x onerror=alert(1)> & "quoted"',
    "gpj.\u202eexe שלום 👩‍👩‍👧",
]


@pytest.fixture(scope="module")
def watching(project, first, tmp_path_factory):
    """60 rows that a monitor has logged, three of them hostile."""
    rows = toy_texts(60, seed=5).select(["id", "text"]).to_pydict()
    rows["text"][:3] = [f"{text} zzyzx" for text in HOSTILE]
    path = tmp_path_factory.mktemp("production") / "day.csv"
    pyarrow.csv.write_csv(pyarrow.table(rows), path)
    monitor(project, path, run=first, name="paged", window=20)
    return project


def test_the_page_has_all_that_the_monitor_found(watching, tmp_path):
    found = monitor_report(watching, "paged", html=tmp_path / "page.html", map=tmp_path / "map.svg")
    page = found.page.read_text(encoding="utf-8")
    heads = re.findall("<h2[^>]*>(.*?)</h2>", page)
    wanted = ["Alarms", "Edge cases", "Vocabulary", "Drift", "Lengths", "Other checks", "Map", "Low scores"]
    assert [head for head in heads if head in wanted] == wanted
    assert {"Collected rows", "Alerts"} <= set(heads)
    assert "low_confidence" in page
    assert "zzyzx" in page
    assert "suggested cut-off" in page
    command = html.unescape(re.search("<code[^>]*>(tunewright monitor clusters.*?)</code>", page)[1])
    assert command.startswith("tunewright monitor clusters --name paged --score probability --collect ")
    assert (tmp_path / "map.svg").is_file()
    assert {"map", "page"} <= set(found.to_json())


def test_texts_of_rows_are_texts(watching, tmp_path):
    page = monitor_report(watching, "paged", html=tmp_path / "page.html").page.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert not re.search(r"<[^>]*\son\w+=", page)


def test_a_score_that_is_named_must_be_there(watching, tmp_path):
    page = monitor_report(watching, "paged", html=tmp_path / "p.html", score='text.words("text")').page
    assert "Score: text.words(" in html.unescape(page.read_text(encoding="utf-8"))
    with pytest.raises(DataError, match="no column of the rows is called 'nothing'"):
        monitor_report(watching, "paged", html=tmp_path / "none.html", score="nothing")
    assert not (tmp_path / "none.html").exists()
