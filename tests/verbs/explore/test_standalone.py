"""A run as one file: whole, of one run, and with nothing in it that a browser could take for markup."""

from __future__ import annotations

import base64
import gzip
import json
import re

import pytest

import tunewright as tw
from tunewright.errors import DataError
from tunewright.toy import toy_run
from tunewright.verbs.explore import standalone
from tunewright.verbs.explore.explorer import Explorer


@pytest.fixture
def static(tmp_path):
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "app.js").write_text('document.title = "</script>–😀";', encoding="utf-8")
    (folder / "index.css").write_text('b::after { content: "–" }', encoding="utf-8")
    return folder


@pytest.fixture
def explorer(tmp_path):
    project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")), folder=tmp_path)
    toy_run(project.runs_folder, 1_200)
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
    assert first[7]["example"] == explorer.example(run, 7).to_json()
    points = bytes(standalone.stream(explorer.points(run)))
    assert base64.b64decode(answers["bytes"][f"runs/{run}/points"]) == points


def test_nothing_in_the_file_ends_a_tag_and_all_of_it_is_ascii(explorer, static):
    page = standalone.standalone(explorer, "toy", static=static)
    assert page.isascii()
    assert page.count("</script>") == 1 + len(parts(page))
    assert "<\\/script>\\u2013\\ud83d\\ude00" in page
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in page


def test_it_is_the_same_file_each_time(explorer, static):
    assert standalone.standalone(explorer, "toy", static=static) == standalone.standalone(
        explorer, "toy", static=static
    )


def test_too_many_rows_are_refused_before_any_is_read(explorer, static, monkeypatch):
    monkeypatch.setattr(standalone, "MOST_EXAMPLES", 1_000)
    with pytest.raises(DataError, match=r"at most 1,000 examples, and run .* has 1,200"):
        standalone.standalone(explorer, "toy", static=static)


def test_without_a_built_page_the_error_says_how_to_build_it(explorer, tmp_path):
    with pytest.raises(DataError, match="not built") as caught:
        standalone.standalone(explorer, "toy", static=tmp_path / "none")
    assert "make page" in caught.value.fix


def test_the_file_is_written_whole(explorer, static, tmp_path, monkeypatch):
    monkeypatch.setattr(standalone.standalone, "__kwdefaults__", {"static": static})
    saved = standalone.save_page(explorer.project, "toy", path=tmp_path / "toy.html")
    assert saved.examples == 1_200
    assert saved.file.stat().st_size == saved.size
