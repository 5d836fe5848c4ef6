from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import cdist

from tunewright.errors import DataError
from tunewright.monitor.signals import Signal, emb, evaluate

DRAW = np.random.default_rng(0)


@dataclass
class Training:
    """A reference that counts how often it is read."""

    array: np.ndarray
    version: str
    asked: list = field(default_factory=list)

    def vectors(self, name):
        self.asked.append(name)
        return self.array


def rows(vectors: np.ndarray) -> pa.Table:
    flat = pa.array(np.asarray(vectors, np.float32).ravel())
    return pa.table({"vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})


def values(signal: Signal, table: pa.Table, reference=None) -> list:
    found = evaluate({"it": signal}, table, reference=reference)
    assert found.errors == {}
    return found.values["it"].to_pylist()


@pytest.mark.parametrize(("distance", "metric"), [("cosine", "cosine"), ("l2", "euclidean"), ("l1", "cityblock")])
def test_near_is_less_than_a_radius_from_the_nearest_point(distance, metric):
    points, vectors = DRAW.normal(size=(5, 8)).astype(np.float32), DRAW.normal(size=(300, 8))
    nearest = cdist(vectors, points, metric).min(axis=1)
    radius = float(np.sort(nearest)[100:102].mean())
    assert values(emb.near("vector", points, radius, distance=distance), rows(vectors)) == (nearest < radius).tolist()


def test_the_rule_of_uptrain():
    points = np.concatenate([DRAW.normal(0, 0.1, (30, 4)), DRAW.normal(5, 0.3, (30, 4))]).astype(np.float32)
    scale = np.array([2.0, 4.0, 8.0, 0.0])
    signal = emb.near("vector", points, distance="l1", scale=scale)
    vectors = np.concatenate([points[:3], points[:3] + 3])
    scaled = np.where(scale > 0, scale, 1)
    nearest = cdist(vectors / scaled, points / scaled, "cityblock").min(axis=1)
    assert 0 < signal.option("radius") < 1
    assert values(signal, rows(vectors)) == (nearest < signal.option("radius")).tolist() == [True] * 3 + [False] * 3


def test_a_radius_needs_two_places():
    with pytest.raises(DataError, match="two different points"):
        emb.near("vector", [[1.0, 2.0], [1.0, 2.0]])


@pytest.mark.parametrize("points", [[[np.nan, 1.0]], [], np.zeros((2, 2, 2))], ids=["nan", "none", "cube"])
def test_points_are_finite_vectors(points):
    with pytest.raises(DataError, match="finite vectors"):
        emb.near("vector", points, 0.1)


def test_a_missing_number_and_a_missing_vector_make_the_value_missing():
    table = pa.table({"vector": pa.array([[1.0, 0.0], [np.nan, 0.0], None], pa.list_(pa.float32(), 2))})
    assert values(emb.near("vector", [[1.0, 0.0]], 0.1), table) == [True, None, None]


def test_a_changed_dimension_is_an_error_of_the_signal():
    found = evaluate({"it": emb.near("vector", [[1.0, 0.0]], 0.1)}, rows(np.ones((2, 3))))
    assert "expected vectors of 2 dimensions, found 3" in found.errors["it"]


def test_the_nearest_centre():
    table = rows(np.array([[1.0, 0.1], [-0.1, 3.0]]))
    assert values(emb.cluster("vector", np.eye(2)), table) == [0, 1]
    assert values(emb.cluster("vector", np.eye(2)) == 1, table) == [False, True]


def test_clusters_of_the_reference_are_found_once():
    training = Training(np.repeat(np.eye(3), 20, axis=0) + DRAW.normal(0, 0.01, (60, 3)), "clusters")
    for _ in range(3):
        found = values(emb.cluster("vector", count=3), rows(np.eye(3)), training)
    assert sorted(found) == [0, 1, 2]
    assert training.asked == ["vector"]


def test_of_rows_like_the_reference_few_are_far():
    centre = np.eye(16)[0] * 6
    training = Training(DRAW.normal(size=(2000, 16)) + centre, "far")
    signal = emb.far_from_reference("vector", 0.95)
    like, unlike = DRAW.normal(size=(2000, 16)) + centre, DRAW.normal(size=(500, 16)) - centre
    assert 0.02 < np.mean(values(signal, rows(like), training)) < 0.08
    assert all(values(signal, rows(unlike), training))


def test_far_needs_a_reference_that_is_large_enough():
    signal = {"it": emb.far_from_reference("vector", 0.99)}
    assert "expected a reference" in evaluate(signal, rows(np.eye(2))).errors["it"]
    few = evaluate(signal, rows(np.eye(2)), reference=Training(np.eye(2), "few"))
    assert "expected 198 vectors in the reference or more" in few.errors["it"]


def test_the_least_number_of_vectors_is_enough():
    training = Training(DRAW.normal(size=(198, 2)), "least")
    assert len(values(emb.far_from_reference("vector", 0.99), rows(np.eye(2)), training)) == 2


def test_vectors_of_the_reference_may_have_another_name():
    training = Training(DRAW.normal(size=(50, 2)), "named")
    values(emb.far_from_reference("vector", 0.5, vectors="embedding"), rows(np.eye(2)), training)
    assert training.asked == ["embedding"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: emb.near("v", [[1.0]], 1, distance="l3"),
        lambda: emb.far_from_reference("v", 1),
        lambda: emb.cluster(emb.cluster("v")),
    ],
    ids=["distance", "q", "name"],
)
def test_wrong_options_are_refused_at_once(make):
    with pytest.raises(ValueError, match="expected"):
        make()


def test_drift_is_a_fold():
    assert "vector" in emb.drift("vector").needs
