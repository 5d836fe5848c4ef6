from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

from tunewright.analyze.registry import ANALYSES
from tunewright.columns import Analysis, column

N, EPOCHS = 12, 4


def inputs(one):
    random = np.random.default_rng(0)
    made = {
        "id": np.array([f"r{row}" for row in range(N)], dtype=object),
        "label": np.array(["a", "b"] * (N // 2), dtype=object),
        "split": np.array(["train"] * N, dtype=object),
        "vector": random.normal(size=(N, 5)),
        "other": random.integers(2, size=(N, EPOCHS)).astype(float),
        "correct": random.integers(2, size=(N, EPOCHS)).astype(float),
        "margin": random.normal(size=(N, EPOCHS)),
        "gold_probability": random.random((N, EPOCHS)),
        "sum_of_squares": random.uniform(0.5, 1, (N, EPOCHS)),
    }
    return {name: made[name] for name in (need.partition(".")[2] for need in one.needs)}


def every_analysis_in_the_package():
    package = importlib.import_module("tunewright.analyze")  # as an attribute, the name is the verb's
    for module in pkgutil.iter_modules(package.__path__, "tunewright.analyze."):
        yield from (
            value for value in vars(importlib.import_module(module.name)).values() if isinstance(value, Analysis)
        )


def test_no_analysis_is_forgotten():
    assert {one.name for one in every_analysis_in_the_package()} == set(ANALYSES)


@pytest.mark.parametrize("one", ANALYSES.values(), ids=ANALYSES)
class TestEveryAnalysis:
    def test_needs_defined_columns_of_known_tables(self, one):
        for need in one.needs:
            table, _, name = need.partition(".")
            assert table in {"dynamics", "examples", "predictions", "embeddings"}
            assert column(name).name == name

    def test_gives_what_it_declares_one_value_per_row(self, one):
        columns = one(**inputs(one))
        assert tuple(columns) == one.gives
        assert {len(values) for values in columns.values()} == {N}

    def test_values_have_the_declared_type_and_range(self, one):
        kinds = {"float": "f", "int": "iu", "bool": "b", "string": "OU"}
        for name, values in one(**inputs(one)).items():
            definition = column(name)
            assert values.dtype.kind in kinds[definition.type]
            assert definition.low is None or not (values < definition.low).any()
            assert definition.high is None or not (values > definition.high).any()

    def test_is_pure(self, one):
        given = inputs(one)
        before = {name: values.copy() for name, values in given.items()}
        first, second = one(**given), one(**given)
        for name in one.gives:
            np.testing.assert_array_equal(first[name], second[name])
        for name, values in before.items():
            np.testing.assert_array_equal(values, given[name])

    def test_says_what_it_does(self, one):
        assert "Returns:" in one.doc
