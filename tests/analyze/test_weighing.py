from __future__ import annotations

import numpy as np
import pytest

from tunewright.analyze.weighing import fit_weighing


def covariance(rows: np.ndarray) -> np.ndarray:
    return np.cov(rows, rowvar=False)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    random = np.random.default_rng(0)
    return random.standard_normal((4000, 300)) * np.geomspace(1, 0.01, 300)


def test_the_trace_stays(rows):
    weighing = fit_weighing(covariance(rows))
    assert np.trace(covariance(weighing(rows))) == pytest.approx(np.trace(covariance(rows)), rel=1e-4)


def test_axes_that_vary_little_count_more(rows):
    weighing = fit_weighing(covariance(rows))
    first, last = np.eye(300)[[0, 250]]
    assert np.linalg.norm(weighing(last)) > 3 * np.linalg.norm(weighing(first))


def test_vectors_keep_their_type_and_place(rows):
    weighing = fit_weighing(covariance(rows))
    assert weighing(rows[:5].astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(weighing(rows[:5])[3], weighing(rows[3]), rtol=1e-6)


def test_few_dimensions_have_a_weight_each():
    weighing = fit_weighing(np.diag([4.0, 1.0, 0.0]))
    lengths = np.linalg.norm(weighing(np.eye(3)), axis=1)
    assert lengths[0] < lengths[1] < lengths[2] < 100
    assert lengths[1] / lengths[0] == pytest.approx(np.sqrt(2), rel=1e-3)
