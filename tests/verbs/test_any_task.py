"""The verbs that look at rows do not know the task: the same calls for answers and summaries."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

import tunewright as tw
from tunewright import verbs
from tunewright.project import find_run
from tunewright.toy import toy_answers, toy_model, toy_seq2seq, toy_summaries
from tunewright.verbs.population import population

QUICK = tw.TrainConfig(epochs=2, batch_size=8, learning_rate=3e-3, threads=1, precision="fp32")


def answering(folder):
    pq.write_table(toy_answers(80), folder / "rows.parquet")
    task = tw.QuestionAnswering(max_length=48, stride=16)
    model = toy_model(folder / "tiny")
    about = {"label": "answers_text", "fields": ("title",)}
    return tw.Project(
        name="answers", source="rows.parquet", task=task, model=model, train=QUICK, folder=folder, **about
    )


def summarising(folder):
    pq.write_table(toy_summaries(60), folder / "rows.parquet")
    task = tw.Summarization(document="dialogue", max_length=64, max_target_length=16)
    model = toy_seq2seq(folder / "tiny")
    about = {"label": "label", "fields": ("speaker",)}
    return tw.Project(name="talks", source="rows.parquet", task=task, model=model, train=QUICK, folder=folder, **about)


@pytest.fixture(scope="module", params=[answering, summarising], ids=["answering", "summarising"])
def trained(request, tmp_path_factory):
    project = request.param(tmp_path_factory.mktemp("any"))
    return project, tw.train(project)


def test_everything_is_known_about_every_row(trained):
    project, run = trained
    before = tw.show(project, run).grades
    found = tw.analyze(project, run, smallest=5)
    table = population(project, run)
    assert sum(found.splits.values()) == table.num_rows
    for name in ("predicted", "probability", "loss", "umap1", "pc1", "cluster", project.task.metric, "truncated"):
        assert table[name].null_count == 0, name
    assert tw.show(project, run).grades == before
    json.dumps(found.to_json(), allow_nan=False)


def test_metadata_and_targets_are_sliced_by(trained):
    project, run = trained
    found = tw.slices(project, run, smallest=5)
    assert set(project.fields) <= set(found.by)
    assert {"answer_start", "label_words"} & set(found.by)
    assert "label" not in found.by
    rows = {row["id"]: row["split"] for row in population(project, run).to_pylist()}
    assert found.rows == sum(split != "test" for split in rows.values())


def test_the_most_similar_rows_are_found(trained):
    project, run = trained
    first = population(project, run).to_pylist()[0]
    found = tw.similar(project, run, first["id"], k=4)
    assert len(found.rows) == 4
    assert found.query.texts == {field: first[field] for field in project.task.text_fields}
    assert all(np.isfinite(row.loss) and row.predicted is not None for row in found.rows)
    free = tw.similar(project, run, texts=[first[field] for field in project.task.text_fields], k=1)
    assert free.rows[0].similarity > 0.99
    assert tw.similar(project, run, texts=[first[project.task.text_fields[0]]], k=1).rows


@pytest.mark.parametrize("picture", ["population", "errors", "dynamics"])
def test_every_picture_is_drawn(trained, picture):
    project, run = trained
    if picture == "population":
        tw.analyze(project, run, smallest=5)
    drawn = tw.plot(project, run, picture)
    assert all(path.stat().st_size > 3000 for path in drawn.files)


def test_an_evaluation_says_how_far_off_a_text_is(trained):
    project, run = trained
    found = tw.evaluate(project, run)
    kinds = find_run(project, found.run).table("columns/evidence")["error_type"].to_pylist()
    assert set(kinds) <= {"", "said nothing", "should say nothing", "no overlap", "partly right"}
    assert sum(map(bool, kinds)) == found.mistakes
    assert all(one.interval is None or one.interval[0] < one.interval[1] for one in found.grades)


def test_no_label_is_suggested_where_there_are_none(trained, built, archive):
    project, run = trained
    drawn = tw.map(project, run)
    assert drawn.rows["suggested"].null_count == drawn.rows.num_rows
    answers, rows = archive(drawn.files[-1])
    assert f"runs/{find_run(project, run).id}/columns/suspicion" in answers["bytes"]
    assert {row["example"]["suggestion"] for row in rows} == {None}


def test_gold_targets_that_are_cut_are_linted(trained):
    project, run = trained
    assert "truncated targets" not in {one.name for one in tw.lint(project, run).lints}
    if hasattr(project.task, "max_target_length"):
        short = replace(project, task=replace(project.task, max_target_length=3))
        found = {one.name: one for one in tw.lint(short, run).lints}
        assert "max_target_length" in found["truncated targets"].what_to_do
        assert found["truncated targets"] in tw.check(short).lints


def test_outputs_are_linted(trained):
    project, run = trained
    found = tw.lint(project, run)
    assert found.rows == population(project, run).num_rows
    json.dumps(found.to_json(), allow_nan=False)


def test_a_trial_judges_by_the_score_of_the_task(trained):
    project, _ = trained
    found = verbs.run_trial(project, "set:weight_decay=0.1", seeds=2, workers=1)
    (one,) = found.decisions
    assert (found.metric, one.against_unchanged.metric) == (project.task.metric,) * 2
    assert 0 <= one.against_unchanged.mean_a <= 1
    assert one.against_unchanged.seeds == 2
    assert (one.calibration, one.macro_f1, one.local) == (None, None, None)
