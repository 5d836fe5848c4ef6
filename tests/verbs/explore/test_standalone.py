"""A run as one file: whole, of one run, and with nothing in it that a browser could take for markup."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import time

import pyarrow as pa
import pytest

import tunewright as tw
from tunewright.errors import DataError
from tunewright.run import Run
from tunewright.toy import toy_run
from tunewright.verbs.explore import standalone
from tunewright.verbs.explore.explorer import Explorer


@pytest.fixture
def explorer(tmp_path):
    project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")), folder=tmp_path)
    toy_run(project.runs_folder, 1_200)
    return Explorer(project)


HARM = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
HOSTILE = {
    HARM: HARM,
    "nul": "before\0after",
    "direction": "gpj.\u202eexe\u200f",
    "emoji": "👩‍👩‍👧 🎉",
    "long": "word " * 20_000,
}


@pytest.fixture
def hostile(tmp_path):
    """A run whose ids, texts, labels and names of columns mean harm, and whose numbers are none."""
    project = tw.Project(name="harm", source="none.csv", task=tw.Classification(labels=(HARM, "pos")), folder=tmp_path)
    texts = {"id": [*HOSTILE], "split": ["train"] * 5, "text": [*HOSTILE.values()], "label": [HARM] * 5}
    numbers = [float("nan"), float("inf"), 0.5, 1 / 3, -1.0]
    examples = pa.table({**texts, "score": numbers, HARM: ["a", "b", "a", "b", HARM]})
    Run.create(project.runs_folder, kind="eval", name="harm", config={}, examples=examples)
    return Explorer(project)


def parts(page):
    found = re.findall(r'<script type="text/plain" class="archive">([^<]*)</script>', page)
    return [json.loads(gzip.decompress(base64.b64decode(part))) for part in found]


def test_every_row_and_every_column_is_in_the_file(explorer, static):
    answers, *chunks = parts(standalone.standalone(explorer, "toy", static=static))
    run = answers["run"]
    assert [len(chunk) for chunk in chunks] == [500, 500, 200]
    assert [one["example"]["row"] for chunk in chunks for one in chunk] == list(range(1_200))
    info = answers["json"][f"runs/{run}"]
    wanted = {
        f"runs/{run}/columns/{one['name']}" for one in info["columns"] if one["kind"] != "text" and not one["base"]
    }
    assert wanted | {f"runs/{run}/points"} <= set(answers["bytes"])
    assert answers["json"]["workspace"]["read_only"]
    assert info["methods"] == []


def test_the_answers_are_those_of_the_service(explorer, static):
    answers, first, *_ = parts(standalone.standalone(explorer, "toy", static=static))
    run = answers["run"]
    points = bytes(standalone.stream(explorer.points(run)))
    assert base64.b64decode(answers["bytes"][f"runs/{run}/points"]) == points
    served = explorer.example(run, 7).to_json()
    assert first[7]["example"] == json.loads(
        json.dumps(served), parse_float=lambda digits: float(f"{float(digits):.6g}")
    )


def test_nothing_in_the_file_ends_a_tag_and_all_of_it_is_ascii(explorer, static):
    page = standalone.standalone(explorer, "toy", static=static)
    assert page.isascii()
    assert page.count("</script>") == 1 + len(parts(page))
    assert "<\\/script>\\u2013\\ud83d\\ude00" in page
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in page


def test_the_policy_admits_this_script_and_style_only(explorer, static):
    page = standalone.standalone(explorer, "toy", static=static)
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    for kind, tag in (("script", '<script type="module">'), ("style", "<style>")):
        text = page.split(tag)[1].split(f"</{kind}>")[0]
        assert f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_no_text_of_the_dataset_is_in_the_markup(hostile, static):
    page = standalone.standalone(hostile, "harm", static=static)
    assert "alert" not in page
    answers, rows = parts(page)
    assert [answers["ids"], [row["texts"]["text"] for row in rows]] == [[*HOSTILE], [*HOSTILE.values()]]
    assert {row["example"]["label"] for row in rows} == {HARM}
    assert all(HARM in row["example"]["values"] for row in rows)


def test_what_is_not_a_number_is_null(hostile, static):
    _, rows = parts(standalone.standalone(hostile, "harm", static=static))
    assert [row["example"]["values"]["score"] for row in rows] == [None, None, 0.5, 0.333333, -1.0]


def test_it_is_the_same_file_each_time(explorer, static):
    pages = {standalone.standalone(explorer, "toy", static=static)}
    run = explorer.find("toy")
    for path in run.parts("predictions"):
        os.utime(path)  # what was written anew, and is the same
    pages.add(standalone.standalone(Explorer(explorer.project), "toy", static=static))
    assert len(pages) == 1


def test_it_knows_no_other_run_and_nobody(explorer, static):
    toy_run(explorer.project.runs_folder, 10)
    answers, *_ = parts(standalone.standalone(explorer, explorer.first(), static=static))
    told = answers["json"]["workspace"]
    assert [one["id"] for one in told["runs"]] == [answers["run"]]
    assert (told["author"], told["versions"]) == ("", [])
    assert str(explorer.project.folder) not in json.dumps(answers)


def test_too_many_rows_are_refused_before_any_is_read(explorer, static, monkeypatch):
    monkeypatch.setattr(standalone, "MOST_EXAMPLES", 1_000)
    with pytest.raises(DataError, match=r"at most 1,000 examples, and run .* has 1,200"):
        standalone.standalone(explorer, "toy", static=static)


def test_without_a_built_page_the_error_says_how_to_build_it(explorer, tmp_path):
    with pytest.raises(DataError, match="not built") as caught:
        standalone.standalone(explorer, "toy", static=tmp_path / "none")
    assert "make page" in caught.value.fix


def test_the_file_is_written_whole(explorer, built, tmp_path):
    saved = standalone.save_page(explorer.project, "toy", path=tmp_path / "toy.html", view="view=table")
    assert saved.examples == 1_200
    assert saved.file.stat().st_size == saved.size
    assert parts(saved.file.read_text())[0]["view"] == "view=table"
    last = standalone.save_page(explorer.project, path=tmp_path / "last.html")
    assert last.run == saved.run


def test_ten_thousand_rows_are_a_small_file_soon(tmp_path, built):
    project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")), folder=tmp_path)
    run = toy_run(project.runs_folder, 10_000)
    start = time.perf_counter()
    saved = standalone.save_page(project, run, path=tmp_path / "toy.html")
    assert time.perf_counter() - start < 30  # some three seconds where nothing else runs
    assert saved.size < 4_000_000
