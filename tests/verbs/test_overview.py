from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.analyze.shift import Explanation, Shift
from tunewright.errors import DataError, RunError
from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.verbs import overview
from tunewright.verbs.grouping import find_clusters, place
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
        assert set(one.mean_loss) == set(one.accuracy) == {"train", "validation"}
        for name, mean in one.mean_loss.items():
            inside = loss[(code == one.number) & (split == name)]
            assert mean == (pytest.approx(inside.mean(), rel=1e-5) if len(inside) else None)
            assert one.accuracy[name] is None or 0 <= one.accuracy[name] <= 1
        assert 0 <= one.stability <= 1
    assert run.table("clusters")["name"].to_pylist() == [one.name for one in found.clusters]


def test_the_summary_lies_in_the_run(analyzed):
    _, run, found, _ = analyzed
    said = json.loads((run.folder / "analysis.json").read_text())
    assert said == json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert said["shift"]["shift"]["verdict"] in {"different", "cannot tell", "worse than guessing"}
    assert found.dimensions == 16
    assert found.fitted == found.searched == 100
    assert run.meta["clusters"] == {"method": "hdbscan", "smallest": 5, "fitted": 100}


def test_progress_is_told(analyzed):
    calls = analyzed[3]
    assert [call[0] for call in calls] == [
        "embedding",
        "predicting",
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


def test_settings_are_refused_before_anything_is_asked(analyzed, monkeypatch):
    project, run, _, _ = analyzed
    for ask in ("predictions", "place"):
        monkeypatch.setattr(f"tunewright.verbs.overview.{ask}", lambda *_, **__: pytest.fail("too late"))
    for settings, message in (
        ({"clusters": 3}, "with kmeans; found 3 with hdbscan"),
        ({"method": "optics"}, "no method of clustering is called 'optics'"),
        ({"smallest": 1}, "slices of 2 rows or more"),
        ({"pooling": "max"}, "no pooling is called 'max'"),
        ({"dtype": "int8"}, "no dtype is called 'int8'"),
    ):
        before = run.made_with("embeddings")
        with pytest.raises(DataError, match=message):
            analyze(project, run, **settings)
        assert run.made_with("embeddings") == before


def test_the_seed_that_was_asked_for_last_places_the_rows(analyzed):
    project, run, _, _ = analyzed
    first, other, again = ([place(run, seed=seed), population(project, run)["umap1"].to_pylist()] for seed in (0, 1, 0))
    assert first == again != other


def test_samples_are_said_to_be_samples(analyzed, monkeypatch):
    from tunewright.analyze import clusters

    project, run, _, _ = analyzed
    monkeypatch.setattr(clusters, "FITTED_AT_MOST", 40)
    found = analyze(project, run, force=True)
    assert found.searched == 40
    assert sum(one.n for one in found.clusters) + found.unclustered == 100
    monkeypatch.undo()
    stored = run.table("embeddings")
    equal = pa.array([[1.0] * 16] * 100, pa.list_(pa.float32(), 16))
    run.write("embeddings", stored.set_column(stored.column_names.index("vector"), "vector", equal))
    assert place(run, seed=0) == 0
    analyze(project, run, force=True)


def test_the_test_split_names_no_cluster(analyzed):
    project, run, _, _ = analyzed
    named = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tunewright.verbs.grouping.name_clusters", lambda code, *_: named.append(len(code)) or ())
        found = find_clusters(project, run, method="kmeans", clusters=3, seed=0, force=True)
    assert named == [80]
    assert found["name"].to_pylist() == ["cluster 0", "cluster 1", "cluster 2"]
    analyze(project, run)


def test_what_cannot_be_analyzed_is_refused(analyzed, tmp_path):
    project, run, _, _ = analyzed
    with pytest.raises(RunError, match="expected a layer"):
        analyze(project, run, layer=7)
    with pytest.raises(RunError, match="has no model"):
        analyze(project, Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(50)))


def test_too_few_rows_to_compare_are_a_sentence():
    shift = SplitShift(shift=None, explanations=(), why_not="expected 10 rows")
    assert shift.sentence == "Train and validation were not compared: expected 10 rows"


def test_too_few_passages_to_compare_are_counted(analyzed, monkeypatch):
    project, run, _, _ = analyzed

    def refuse(*_, **__):
        raise DataError("too few")

    monkeypatch.setattr("tunewright.verbs.overview.domain_auc", refuse)
    assert analyze(project, run).shift.why_not == "too few"
    monkeypatch.setattr("tunewright.verbs.overview.NEEDED", 1000)
    sentence = analyze(project, run).shift.sentence
    assert re.search(r"not compared: \d+ training and \d+ validation texts; 1000 needed of each$", sentence)


def test_an_area_below_a_half_is_no_sameness():
    shift = SplitShift(shift=Shift(0.437, 0.379, 0.494, (90, 40), "worse than guessing"), explanations=(), why_not="")
    assert "cannot be said: AUC 0.437 [0.379, 0.494] is worse than guessing (.5)" in shift.sentence


def test_numbers_that_explain_a_shift_are_told_apart():
    year = Explanation("year", None, 0.9, 1e-9, 2009.0, 2012.0)
    shift = SplitShift(shift=Shift(0.8, 0.7, 0.9, (90, 40), "different"), explanations=(year,), why_not="")
    assert "year (2009 -> 2012)" in shift.sentence


def test_splits_are_compared_by_passage_and_explained_by_what_slices_are_made_of(analyzed, monkeypatch):
    project, run, _, _ = analyzed
    asked = {}
    monkeypatch.setattr("tunewright.verbs.overview.explain_shift", lambda _, columns: asked.update(columns) or ())
    compare = overview.domain_auc
    monkeypatch.setattr(
        "tunewright.verbs.overview.domain_auc", lambda *rows, **how: asked.update(how) or compare(*rows, **how)
    )
    found = analyze(project, run)
    assert set(found.slices.by) <= set(asked)
    table = population(project, run)
    texts = table.filter(pc.not_equal(table["split"], "test"))
    assert sorted(asked["groups"]) == sorted(texts["text"].to_pylist())
