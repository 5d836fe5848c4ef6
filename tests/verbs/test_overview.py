from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.errors import DataError, RunError
from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.verbs.overview import SplitShift, analyze
from tunewright.verbs.population import population


@pytest.fixture(scope="module")
def analyzed(fresh):
    """A project, its run, what was found, and the calls that told how far it was."""
    project = fresh()
    run = tw.train(project)
    calls = []
    return project, run, analyze(project, run, advance=lambda *call: calls.append(call)), calls


def test_every_row_has_every_column(analyzed):
    project, run, found, _ = analyzed
    table = population(project, run)
    assert found.splits == {"train": 60, "validation": 20, "test": 20}
    whole = {"pc1", "umap1", "umap2", "cluster", "density", "neighbour", "loss", "text_words", "truncated", "predicted"}
    assert {name for name in whole if table[name].null_count} == set()
    assert {"cluster_name", "cluster_stability", "duplicate_of", "duplicate_similarity"} <= set(table.column_names)


def test_clusters_have_a_name_a_size_and_a_loss(analyzed):
    project, run, found, _ = analyzed
    table = population(project, run)
    code, loss, split = (np.array(table[name].to_pylist()) for name in ("cluster", "loss", "split"))
    assert [one.n for one in found.clusters] == np.bincount(code[code >= 0]).tolist()
    assert found.unclustered == (code < 0).sum()
    assert len({one.name for one in found.clusters}) == len(found.clusters) > 0
    for one in found.clusters:
        judged = (code == one.number) & (split != "test")
        assert one.mean_loss == pytest.approx(loss[judged].mean(), rel=1e-5)
        assert 0 <= one.accuracy <= 1
        assert 0 <= one.stability <= 1
    assert run.table("clusters")["name"].to_pylist() == [one.name for one in found.clusters]


def test_the_summary_lies_in_the_run(analyzed):
    _, run, found, _ = analyzed
    said = json.loads((run.folder / "analysis.json").read_text())
    assert said == json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert said["shift"]["shift"]["verdict"] in {"different", "cannot tell"}
    assert found.dimensions == 16
    assert found.fitted == 100


def test_progress_is_told(analyzed):
    calls = analyzed[3]
    assert [call[0] for call in calls] == [
        "predicting",
        "embedding",
        "projecting",
        "clustering",
        "reading texts",
        "comparing",
    ]


def test_again_is_the_same_and_computes_nothing_about_the_model(analyzed):
    project, run, found, _ = analyzed
    calls = []
    again = analyze(project, run, advance=lambda *call: calls.append(call))
    assert [call[0] for call in calls] == ["projecting", "clustering", "reading texts", "comparing"]
    assert {**again.to_json(), "seconds": 0} == {**found.to_json(), "seconds": 0}


def test_duplicates_are_counted_and_those_across_splits_too(fresh):
    project = fresh()
    long = "we saw the film today and it was really quite good"
    rows = [
        row | ({"text": f"{long} again {row['id'][-1]}"} if row["id"][-1] in "07" else {})
        for row in toy_texts(100).to_pylist()
    ]
    pyarrow.csv.write_csv(pa.Table.from_pylist(rows), project.folder / "reviews.csv")
    project = replace(project, seed=1)  # which imports the rows anew
    run = tw.train(project)
    found = analyze(project, run)
    assert found.duplicates >= 18
    assert 0 < found.across_splits <= found.duplicates


def test_kmeans_makes_as_many_clusters_as_asked_and_leaves_none_over(analyzed):
    project, run, first, _ = analyzed
    found = analyze(project, run, method="kmeans", clusters=4)
    assert len(found.clusters) == 4
    assert found.unclustered == 0
    assert set(population(project, run)["cluster"].to_pylist()) == {0, 1, 2, 3}
    assert analyze(project, run).clusters == first.clusters


def test_other_layers_can_be_looked_at(analyzed):
    project, run, _, _ = analyzed
    found = analyze(project, run, layer=0, pooling="cls", dtype="float32")
    assert (found.layer, found.pooling) == (0, "cls")
    analyze(project, run)


def test_what_cannot_be_analyzed_is_refused(analyzed, tmp_path):
    project, run, _, _ = analyzed
    with pytest.raises(DataError, match="with kmeans"):
        analyze(project, run, clusters=3)
    with pytest.raises(RunError, match="expected a layer"):
        analyze(project, run, layer=7)
    with pytest.raises(RunError, match="has no model"):
        analyze(project, Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(50)))


def test_too_few_rows_to_compare_are_a_sentence():
    shift = SplitShift(shift=None, explanations=(), why_not="expected 10 rows")
    assert shift.sentence == "Train and validation were not compared: expected 10 rows"
