from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tunewright.monitor.checks import Checks, marks
from tunewright.monitor.defaults import _floored, default_checks, default_weights, drift_window
from tunewright.monitor.reference import Reference


def reference(rows=40, **columns):
    texts = ["a few words " * (1 + row % 3) for row in range(rows)]
    vectors = {"vector": np.random.default_rng(0).normal(size=(rows, 4))}
    return Reference.from_table(pa.table({"text": texts, **columns}), vectors=vectors)


def test_what_the_reference_knows_decides_which_checks_there_are():
    known = reference(predicted=["a"] * 40, label=["a"] * 40, probability=np.linspace(0.5, 1, 40))
    checks = Checks.of(default_checks(known, texts=("text",), labels=True), truth=("label",))
    assert set(checks.edges) == {"low_confidence", "long_text"}
    assert {"vocabulary(text)", "drift(vector)", "accuracy", "labels by predicted"} < set(checks.folds)
    without = Checks.of(default_checks(reference(), texts=("text",), labels=False))
    assert set(without.edges) == {"long_text"}
    assert not {"accuracy", "labels by predicted"} & set(without.folds)


def test_the_same_reference_gives_the_same_checks(tmp_path):
    known = reference(probability=np.linspace(0.5, 1, 40))
    known.save(tmp_path)
    one, other = (Checks.of(default_checks(it, texts=("text",), labels=False)) for it in (known, known.open(tmp_path)))
    assert one.fingerprints == other.fingerprints


@pytest.mark.parametrize(("rows", "window"), [(2000, 500), (40, 20), (19, 0)])
def test_windows_fit_the_reference(rows, window):
    assert drift_window(reference(rows), "vector", 500) == window


def test_vectors_that_are_all_alike_are_not_compared():
    alike = Reference.from_table(reference().rows, vectors={"vector": np.ones((40, 4))})
    assert drift_window(alike, "vector", 20) == 0


def test_a_threshold_is_never_above_the_probabilities_it_was_made_of():
    """Of tiny ones, as those of long texts, four decimals would leave nothing."""
    assert _floored(0.0000376) == 3.76e-05
    assert all(_floored(value) <= value for value in (0.01234, 0.012345, 0.99999, 1.0, 3e-12))


def test_rows_far_from_the_reference_are_marked_where_it_has_enough_vectors():
    few, enough = (default_checks(reference(rows), texts=("text",), labels=False) for rows in (199, 200))
    assert "far_vector" not in Checks.of(few).edges
    edge = Checks.of(enough).edges["far_vector"]
    known = Reference.from_table(
        pa.table({"text": ["a"] * 400}), vectors={"vector": np.abs(np.random.default_rng(0).normal(size=(400, 4)))}
    )
    rows = pa.table({"vector": pa.array([known.vectors()[0].tolist(), [-1.0] * 4], pa.list_(pa.float32(), 4))})
    assert marks({"far": edge}, rows, reference=known).marked["far"].tolist() == [False, True]
    assert default_weights(enough) == {"far_vector": 5}
