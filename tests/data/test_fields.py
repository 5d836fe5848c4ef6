from __future__ import annotations

import pytest

from tunewright.data.fields import RESERVED, Fields
from tunewright.errors import DataError


def test_a_label_may_have_any_name_and_texts_may_be_two():
    assert Fields(("premise", "hypothesis"), "label", ("genre",)).text == ("premise", "hypothesis")
    assert Fields(("text",), "stars").label == "stars"


@pytest.mark.parametrize("fields", [{"text": ()}, {"text": ("a", "a")}, {"text": ("a",), "label": "a"}])
def test_every_column_has_one_role(fields):
    with pytest.raises(DataError, match="every column in one role"):
        Fields(**fields)


@pytest.mark.parametrize("name", RESERVED)
def test_names_with_a_meaning_of_their_own_are_refused(name):
    for fields in ({"text": (name,)}, {"text": ("a",), "metadata": (name,)}):
        with pytest.raises(DataError, match="a meaning of their own"):
            Fields(**fields)


def test_the_label_may_come_from_a_target_and_nothing_else_may_be_there_twice():
    fields = Fields(("question", "context"), "answers_text", target=("answers_text", "answers_start"))
    assert fields.stored == Fields(fields.text, "label", target=fields.target)
    assert fields.passage == "context"
    assert Fields(("text",), "label").passage is None
    with pytest.raises(DataError, match="these twice"):
        Fields(("text",), "label", ("answers",), ("answers",))
    with pytest.raises(DataError, match="at most two target columns"):
        Fields(("text",), "label", target=("a", "b", "c"))
