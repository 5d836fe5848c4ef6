from __future__ import annotations

import json
import shlex

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from tunewright.errors import DataError, MonitorError
from tunewright.monitor.expressions import col
from tunewright.monitor.text_signals import chars
from tunewright.toy import toy_texts
from tunewright.verbs.low_scores import low_scores
from tunewright.verbs.monitoring import find_monitor, monitor, watched
from tunewright.verbs.production_space import mapped


@pytest.fixture(scope="module")
def watching(project, first, tmp_path_factory):
    path = tmp_path_factory.mktemp("production") / "day.csv"
    pyarrow.csv.write_csv(toy_texts(60, seed=5).select(["id", "text"]), path)
    monitor(project, path, run=first, name="scored", window=20)
    return project


KMEANS = {"method": "kmeans", "clusters": 3}


def test_clusters_are_ranked_by_mean_score(watching):
    found = low_scores(watching, "scored", **KMEANS)
    assert (found.score, found.vectors, found.rows, found.scored) == ("probability", "vector", 60, 60)
    means = [cluster.mean for cluster in found.clusters]
    assert means == sorted(means)
    assert sum(cluster.n for cluster in found.clusters) + found.unclustered == 60
    lowest = found.clusters[0]
    assert lowest.interval[0] < lowest.mean < lowest.interval[1]
    scores = [row["score"] for row in lowest.examples]
    assert scores == sorted(scores)
    json.dumps(found.to_json())
    run = find_monitor(watching, "scored")
    assert {"cluster", "cluster_name"} <= set(run.table("columns/clusters").column_names)


def test_a_score_is_a_column_a_signal_or_its_formula(watching):
    by_signal = low_scores(watching, "scored", score=chars("text"), **KMEANS)
    by_formula = low_scores(watching, "scored", score='text.chars("text")', **KMEANS)
    assert by_signal.mean == by_formula.mean
    assert by_signal.clusters == by_formula.clusters
    of_truth = low_scores(watching, "scored", score=col("probability") > 2, **KMEANS)
    assert of_truth.mean == 0
    assert not any(cluster.below for cluster in of_truth.clusters)


def test_the_command_of_a_cluster_collects_its_rows(watching):
    lowest = low_scores(watching, "scored", **KMEANS).clusters[0]
    words = shlex.split(lowest.command)
    assert words[:3] == ["tunewright", "monitor", "clusters"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    for _ in range(2):
        done = low_scores(watching, options["--name"], score=options["--score"], collect=[options["--collect"]])
        assert done.marked == lowest.n
        assert 0 < done.collected <= lowest.n
    with watched(watching, find_monitor(watching, "scored")) as watch:
        reason = f"cluster:{lowest.name}"
        collected = watch.collected(reason)
        assert collected.num_rows == done.collected
        assert all(reason in reasons for reasons in collected["reasons"].to_pylist())


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"score": "probabilty"}, DataError, "no column of the rows is called 'probabilty'"),
        ({"score": "text"}, DataError, "expected numbers as the score"),
        ({"score": 'text.chars("nothing")'}, DataError, "nothing"),
        ({"score": "import os"}, DataError, "import os"),
        ({"vectors": "text"}, MonitorError, "no column of embeddings is called 'text'"),
        ({"collect": ["no such"]}, DataError, "no cluster is called 'no such'"),
    ],
)
def test_what_is_not_there_is_one_error(watching, settings, error, message):
    with pytest.raises(error, match=message):
        low_scores(watching, "scored", **settings)


def test_production_is_placed_in_a_map_of_the_reference(watching):
    with watched(watching, find_monitor(watching, "scored")) as watch:
        rows = watch.rows()
        found = mapped(watch, rows, vectors="vector", at_most=50)
        again = mapped(watch, rows, vectors="vector", at_most=50)
    assert (len(found.reference), len(found.ids)) == (50, 50)
    assert found.of[1] == 60
    assert np.isfinite(found.points).all()
    np.testing.assert_array_equal(found.points, again.points)
    kept = find_monitor(watching, "scored").table("columns/map")
    assert {"id", "umap1", "umap2", "umap_fitted"} == set(kept.column_names)
    assert isinstance(kept, pa.Table)
    assert not any(kept["umap_fitted"].to_pylist())
