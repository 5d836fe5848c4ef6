from __future__ import annotations

import csv
import json

import pyarrow as pa
import pytest

from tunewright import errors
from tunewright.verbs import dynamics, suspicion
from tunewright.verbs.frozen import FROZEN, source_of
from tunewright.verbs.suspecting import suspects


@pytest.fixture(scope="module")
def found(project, first):
    return suspects(project, first, top=10)


def test_the_list_is_best_first_with_votes_and_evidence(found, first):
    assert [row.suspicion for row in found.rows] == sorted((row.suspicion for row in found.rows), reverse=True)
    top = found.rows[0]
    assert top.suggested != top.label
    assert "won in" in top.evidence
    assert "nearest rows" in top.evidence
    assert found.judged <= found.of
    assert set(top.votes) <= set(found.detectors)
    assert json.dumps(found.to_json())


def test_a_small_list_is_not_said_to_be_trusted(found):
    assert found.trust
    assert all(one.precision is None and one.reason for one in found.trust)


def test_rows_are_embedded_once_by_the_model_before_training(project, first, found):
    assert first.has(FROZEN)
    written = first.parts(FROZEN)[0].stat().st_mtime_ns
    suspects(project, first.id, top=1, trust=False)
    assert first.parts(FROZEN)[0].stat().st_mtime_ns == written
    assert first.table(FROZEN).num_rows == found.of


def test_map_and_focus_read_the_same_table(project, first, found):
    table = dynamics.learnt(first)
    score = dict(zip(table["id"].to_pylist(), table["suspicion"].to_pylist(), strict=True))
    assert all(score[row.id] == row.suspicion for row in found.rows)


def test_suspicion_is_computed_anew_when_evidence_is_added(project, second):
    before = suspicion.suspicion(second)
    assert not any(before["vote_frozen"].to_pylist())
    suspects(project, second, trust=False)
    assert second.made_with(suspicion.COLUMNS_OF)["evidence"].keys() >= {FROZEN}


def test_the_csv_is_to_be_reviewed_and_no_formula(project, first, tmp_path, monkeypatch):
    from tunewright.verbs import suspecting

    monkeypatch.setattr(suspecting, "in_words", lambda run, ids, suggested: ["=1+1"] * len(ids))
    made = suspects(project, first, top=3, trust=False, path=tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [row.id for row in made.rows]
    assert list(rows[0])[:7] == ["id", "label", "suggested", "decision", "new_label", "note", "author"]
    assert {row["evidence"] for row in rows} == {"'=1+1"}
    assert {row["decision"] for row in rows} == {""}


def test_rows_of_one_label(project, first):
    label = first.labels[0]
    chosen = suspects(project, first, top=100, label=label, trust=False)
    assert chosen.rows
    assert all(label in (row.label, row.suggested) for row in chosen.rows)
    with pytest.raises(errors.DataError, match="no row is labelled"):
        suspects(project, first, label="nonsense", trust=False)


def test_without_the_model_before_training_there_is_a_list_and_a_note(new):
    import tunewright as tw

    run = tw.train(new, name="alone", epochs=1)
    run.update(config={**run.meta["config"], "model": "/no/such/model"})
    made = suspects(new, run, top=2, trust=False)
    assert len(made.rows) == 2
    assert "/no/such/model" in made.note


def test_a_run_that_goes_on_from_another_is_judged_by_where_both_began(project, first):
    later = type(first)(first.folder, {**first.meta, "parent": first.id, "config": {"model": "elsewhere"}})
    assert source_of(project, later) == first.meta["config"]["model"]
    unknown = type(first)(first.folder, {"kind": "train", "config": {}})
    with pytest.raises(errors.RunError, match="which model"):
        source_of(project, unknown)


def test_reviews_are_about_the_label_that_a_row_has_now(project, first, monkeypatch):
    from tunewright.verbs import suspecting

    every, _ = suspecting.ranked(project, first)
    ids, labels = every["id"].to_pylist()[:3], every["label"].to_pylist()[:3]
    decisions = pa.table(
        {"id": ids, "label": [labels[0], labels[1], "another"], "decision": ["accept", "reject", "drop"]}
    )

    class Fake:
        def reviews(self):
            return decisions

    monkeypatch.setattr(suspecting, "open_dataset", lambda project: Fake())
    reviewed = suspecting._reviews(project, every)
    assert reviewed.seen[:3].tolist() == [True, True, False]
    assert reviewed.wrong[:3].tolist() == [True, False, False]
