from __future__ import annotations

import sys

import pytest

from tunewright.analyze.sentiment import sentiment
from tunewright.errors import MissingDependencyError


def test_polarity_and_subjectivity_of_each_field():
    pytest.importorskip("textblob")
    columns = sentiment({"text": ["a wonderful film", "a terrible film", "a film of two hours", None]})
    good, bad, plain, nothing = columns["text_polarity"].tolist()
    assert good > 0 > bad
    assert plain == nothing == 0
    assert columns["text_subjectivity"][0] > columns["text_subjectivity"][2]


def test_no_rows():
    pytest.importorskip("textblob")
    assert [len(values) for values in sentiment({"text": []}).values()] == [0, 0]


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "textblob.en", None)
    with pytest.raises(MissingDependencyError, match=r"tunewright\[sentiment\]"):
        sentiment({"text": ["fine"]})
