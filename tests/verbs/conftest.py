from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace

import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.toy import toy_model, toy_texts
from tunewright.train.config import TrainConfig
from tunewright.verbs.explore import standalone

QUICK = TrainConfig(epochs=3, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


def write_csv(path, table):
    pyarrow.csv.write_csv(table, path)
    return str(path)


@pytest.fixture
def static(tmp_path):
    """A folder with a page as small as can be."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "app.js").write_text('document.title = "</script>–😀";', encoding="utf-8")
    (folder / "index.css").write_text('b::after { content: "–" }', encoding="utf-8")
    return folder


@pytest.fixture
def built(static, monkeypatch):
    """That page as the one that was built."""
    monkeypatch.setattr(standalone, "BUILT", static)


@pytest.fixture(scope="session")
def archive():
    """A function from a saved page to what it holds: answers by path, and rows."""

    def read(path):
        parts = re.findall(r'<script type="text/plain" class="archive">([^<]*)</script>', path.read_text("ascii"))
        answers, *chunks = (json.loads(gzip.decompress(base64.b64decode(part))) for part in parts)
        return answers, [row for chunk in chunks for row in chunk]

    return read


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A function that makes a project of 100 toy reviews with a tiny model."""
    model = toy_model(tmp_path_factory.mktemp("model"))

    def make(*, noise: float = 0.1):
        folder = tmp_path_factory.mktemp("project")
        tw.init(write_csv(folder / "reviews.csv", toy_texts(100, noise=noise)), folder, model=model)
        return replace(tw.open_project(folder), train=QUICK)

    return make


@pytest.fixture
def new(fresh):
    """A project without runs, to be changed."""
    return fresh()


@pytest.fixture(scope="session")
def project(fresh):
    """A project with two runs, ``first`` and ``second``; tests add to it, and change nothing."""
    return fresh()


@pytest.fixture(scope="session")
def first(project):
    return tw.train(project, name="first")


@pytest.fixture(scope="session")
def second(project, first):
    return tw.train(project, name="second", seed=1)


@pytest.fixture(scope="session")
def same_as():
    """Assert that two runs recorded the same numbers."""

    def compare(one, other):
        keys = [("epoch", "ascending"), ("id", "ascending")]
        first, second = (run.table("dynamics").sort_by(keys).to_pydict() for run in (one, other))
        assert first == second

    return compare
