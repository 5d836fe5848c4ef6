from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tunewright
from tunewright.data.dataset import Dataset
from tunewright.data.reviews import Review
from tunewright.errors import EditError


def rejected(name, version):
    return Review(id=name, version=version, run="a-run", label="even", suggested="odd", decision="reject", author="ada")


def test_reviews_are_kept_and_change_nothing(dataset):
    version = dataset.resolve("main")
    assert dataset.reviews().num_rows == 0
    dataset.review([rejected("r0", version), rejected("r2", version)])
    dataset.review([Review(id="r0", version=version, decision="relabel", new_label="odd", note="read again")])
    found = Dataset.open(dataset.folder).reviews()
    assert found["id"].to_pylist() == ["r0", "r2", "r0"]
    assert found["decision"].to_pylist() == ["reject", "reject", "relabel"]
    assert found["new_label"].to_pylist() == [None, None, "odd"]
    assert found.schema == Dataset.open(dataset.folder).reviews().schema
    assert dataset.versions == {"base": version, "main": version}
    assert dataset.has_log


def test_what_is_no_review_is_refused_and_nothing_is_written(dataset):
    version = dataset.resolve("main")
    with pytest.raises(EditError, match="1 reviewed rows are not there: gone"):
        dataset.review([rejected("r0", version), rejected("gone", version)])
    with pytest.raises(EditError, match="no version is called 'nowhere'"):
        dataset.review([rejected("r0", "nowhere")])
    with pytest.raises(EditError, match="did you mean 'reject'"):
        Review(id="r0", version=version, decision="rejct")
    assert dataset.reviews().num_rows == 0
    assert not dataset.has_log


def test_torn_lines_are_skipped_and_the_next_stands_alone(dataset):
    version = dataset.resolve("main")
    dataset.review([rejected("r0", version)])
    path = dataset.folder / "reviews.jsonl"
    path.write_bytes(path.read_bytes() + b'{"id": "r1", "deci')
    dataset.review([rejected("r2", version)])
    assert dataset.reviews()["id"].to_pylist() == ["r0", "r2"]


def test_two_processes_lose_no_reviews(dataset):
    code = (
        "import sys; from tunewright.data.dataset import Dataset; from tunewright.data.reviews import Review\n"
        "dataset = Dataset.open(sys.argv[1]); version = dataset.resolve('main')\n"
        "for name in sys.argv[2:]: dataset.review([Review(id=name, version=version, decision='keep')])"
    )
    environment = {"PYTHONPATH": str(Path(tunewright.__file__).parent.parent)}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(dataset.folder), *names], env=environment)
        for names in (("r0", "r1", "r2"), ("r3", "r4", "r5"))
    ]
    assert [process.wait() for process in started] == [0, 0]
    assert sorted(dataset.reviews()["id"].to_pylist()) == [f"r{row}" for row in range(6)]
