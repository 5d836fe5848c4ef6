from __future__ import annotations

import inspect

import pytest

from tunewright import errors
from tunewright.errors import TunewrightError, did_you_mean

TREE = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, Exception)]


@pytest.mark.parametrize("error", TREE)
def test_one_class_catches_all_and_the_drawing_names_each(error):
    assert issubclass(error, TunewrightError)
    assert error.__name__ in errors.__doc__


def test_the_fix_is_the_last_thing_said():
    error = TunewrightError("expected 3 labels, found 2", fix="name the third")
    assert str(error) == "expected 3 labels, found 2\n  fix: name the third"
    assert str(TunewrightError("no fix known")) == "no fix known"


def test_did_you_mean_of_nothing():
    assert did_you_mean("a", []) == "there are none"
