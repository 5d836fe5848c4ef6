"""Suspected answers and summaries, from a run's dynamics and what its model says."""

from __future__ import annotations

from dataclasses import replace

import pyarrow.parquet as pq
import pytest

import tunewright as tw
from tunewright.analyze.span_labels import SPAN_VOTES
from tunewright.analyze.summary_labels import SUMMARY_VOTES
from tunewright.errors import RunError
from tunewright.toy import toy_answers, toy_model, toy_seq2seq, toy_summaries, toy_texts
from tunewright.verbs.dynamics import learnt
from tunewright.verbs.open_suspects import open_suspects
from tunewright.verbs.suspecting import suspects

QUICK = tw.TrainConfig(epochs=2, batch_size=8, learning_rate=3e-3, threads=1, precision="fp32")


def project_of(folder, rows, task, model, **about):
    pq.write_table(rows, folder / "rows.parquet")
    return tw.Project(name="rows", source="rows.parquet", task=task, model=model, train=QUICK, folder=folder, **about)


def check(project, votes):
    run = tw.train(project)
    found = open_suspects(project, run)
    assert found["id"].to_pylist() == run.inputs(["dynamics.margin"])[0].to_pylist()
    assert set(votes) <= set(found.column_names)
    suspicion = found["suspicion"].to_numpy()
    assert ((suspicion > 0) & (suspicion < 1)).all()
    assert found["evidence"].null_count == 0
    counted = sum(found[name].to_numpy(zero_copy_only=False).astype(int) for name in votes)
    assert found["votes"].to_pylist() == counted.tolist()
    return run


def test_answers(tmp_path):
    task = tw.QuestionAnswering(max_length=48, stride=16)
    project = project_of(tmp_path, toy_answers(40), task, toy_model(tmp_path / "tiny"), label="answers_text")
    run = check(project, SPAN_VOTES)
    (run.folder / "examples.parquet").rename(tmp_path / "kept.parquet")
    run.write("examples", pq.read_table(tmp_path / "kept.parquet").drop_columns(["answers_start"]))
    assert open_suspects(project, run).num_rows == 24


def test_summaries(tmp_path):
    task = tw.Summarization(document="dialogue", max_length=64, max_target_length=16)
    project = project_of(tmp_path, toy_summaries(40), task, toy_seq2seq(tmp_path / "tiny"))
    run = check(project, SUMMARY_VOTES)
    listed = suspects(project, run, top=5)
    assert len(listed.rows) == 5
    assert listed.probes is None
    assert listed.trust
    assert all(one.precision is None and "before training" in one.reason for one in listed.trust)
    known = learnt(run).sort_by([("suspicion", "descending"), ("id", "ascending")])
    assert known["id"].to_pylist()[:5] == [row.id for row in listed.rows]


def test_classes_have_detectors_of_their_own(tmp_path):
    task = tw.Classification(labels=("neg", "pos"))
    project = project_of(tmp_path, toy_texts(40), task, toy_model(tmp_path / "tiny"))
    run = tw.train(replace(project, train=QUICK.with_changes(epochs=1)))
    with pytest.raises(RunError, match="answers or summaries"):
        open_suspects(project, run)
