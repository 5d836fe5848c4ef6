from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tunewright.columns import COLUMNS, analysis, column
from tunewright.errors import ColumnError

TYPES = {"bool", "float", "int", "list", "string"}


@pytest.mark.parametrize("definition", COLUMNS.values(), ids=lambda definition: definition.name)
def test_definition_is_complete(definition):
    assert definition.name.isidentifier()
    assert definition.name == definition.name.lower() or definition.name == "rougeL"  # as its paper spells it
    assert definition.type in TYPES
    assert len(definition.meaning) > 10
    assert not definition.meaning.endswith(".")
    if definition.low is not None and definition.high is not None:
        assert definition.low < definition.high
    if definition.type in {"list", "string"}:
        assert definition.low is definition.high is None
        assert not definition.direction
    if definition.type == "bool":
        assert (definition.low, definition.high) == (0, 1)


@given(st.sampled_from(sorted(COLUMNS)))
def test_a_name_finds_its_definition(name):
    assert column(name).name == name


@given(st.sampled_from(sorted(COLUMNS)).map(lambda name: name + "s"))
def test_a_near_miss_names_a_known_column(typo):
    if typo in COLUMNS:
        return
    with pytest.raises(ColumnError) as caught:
        column(typo)
    assert any(name in caught.value.fix for name in COLUMNS)


def test_an_analysis_may_only_give_defined_columns():
    with pytest.raises(ColumnError, match="confidenze"):
        analysis(needs=(), gives=("confidenze",))


def test_an_analysis_stays_callable_and_carries_its_declaration():
    @analysis(needs=("dynamics.margin",), gives=("aum",))
    def mean_margin(*, margin):
        """Mean of the margin."""
        return {"aum": margin}

    assert mean_margin(margin=3) == {"aum": 3}
    assert (mean_margin.name, mean_margin.needs, mean_margin.gives) == ("mean_margin", ("dynamics.margin",), ("aum",))
    assert mean_margin.doc == "Mean of the margin."
