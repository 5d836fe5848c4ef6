from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tunewright.errors import EditError
from tunewright.trial.decisions import (
    Ensembled,
    Focused,
    Mixed,
    Reviewed,
    Ruled,
    Setting,
    Suspected,
    Version,
    parse,
    parse_all,
)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("version:cleaned", Version("cleaned")),
        ("relabel:top:200", Suspected("relabel", 200, None)),
        ("drop:top:5%", Suspected("drop", None, 0.05)),
        ("reweight:top:200:0.3", Suspected("reweight", 200, None, 0.3)),
        ("file:reviewed.csv", Reviewed("reviewed.csv")),
        ("rule:drop:suspicion > 0.9 and a = 'x:y'", Ruled("drop", "suspicion > 0.9 and a = 'x:y'")),
        ("rule:reweight:0.3:aum < 0", Ruled("reweight", "aum < 0", 0.3)),
        ("focus:ambiguous:0.33", Focused("ambiguous", 0.33)),
        ("focus:hard", Focused("hard", 1 / 3)),
        ("mix:3500:0.9:hidden:3", Mixed(3500, 0.9, "hidden:3")),
        ("mix:10", Mixed(10, 0.9, "embeddings")),
        ("set:loss=focal", Setting("loss=focal")),
        ("ensemble:3", Ensembled(3)),
    ],
)
def test_each_form_is_read(text, part):
    decision = parse(text)
    assert decision.parts == (part,)
    assert decision.name == decision.text == text


def test_parts_are_joined_by_a_plus_that_a_kind_follows():
    decision = parse("both = rule:drop:a + b > 1 + set:loss=focal".replace(" = rule", "=rule"))
    assert decision.name == "both"
    assert decision.parts == (Ruled("drop", "a + b > 1"), Setting("loss=focal"))
    assert decision.texts == ("rule:drop:a + b > 1", "set:loss=focal")


def test_a_setting_is_no_name():
    assert parse("set:loss=focal").name == "set:loss=focal"
    assert parse("focal=set:loss=focal").name == "focal"


def test_without_leaves_one_part_out():
    decision = parse("all=drop:top:5%+set:loss=focal+ensemble:2")
    rest = decision.without(1)
    assert rest.parts == (decision.parts[0], decision.parts[2])
    assert rest.name == "all without set:loss=focal"


@pytest.mark.parametrize(
    "text",
    [
        *("", "drop", "dorp:top:5", "drop:5", "drop:top:0", "drop:top:101%", "drop:top:x", "drop:top:5:0.3"),
        *("reweight:top:5", "reweight:top:5:-1", "rule:drop:", "rule:eat:a > 1", "focus:middle", "focus:easy:0"),
        *("mix:0", "mix:5:0", "set:loss", "ensemble:1", "ensemble:2+ensemble:3"),
    ],
)
def test_what_is_no_decision_is_refused(text):
    with pytest.raises(EditError):
        parse(text)


def test_an_unknown_kind_is_compared_with_the_known_ones():
    with pytest.raises(EditError) as caught:
        parse("dorp:top:5")
    assert "drop" in caught.value.fix


def test_decisions_have_names_of_their_own():
    with pytest.raises(EditError, match="two decisions"):
        parse_all(["a=drop:top:1", "a=drop:top:2"])
    with pytest.raises(EditError, match="found none"):
        parse_all([])


@given(st.integers(1, 10**6), st.floats(0, 100))
def test_counts_and_weights_survive(count, weight):
    assert parse(f"reweight:top:{count}:{weight!r}").parts == (Suspected("reweight", count, None, weight),)
