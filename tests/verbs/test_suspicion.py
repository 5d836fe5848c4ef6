from __future__ import annotations

import csv
import json

import pyarrow as pa
import pytest

from tunewright import errors
from tunewright.curate import from_csv
from tunewright.verbs import dynamics, suspecting, suspicion
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


@pytest.mark.parametrize(
    ("flagged", "top", "lengths"),
    [
        (97, None, [50, 97]),
        (97, 200, [50, 97, 100, 200]),
        (97, 3, [50, 97]),
        (30, None, [30]),
        (0, None, []),
        (0, 10, [10]),
    ],
)
def test_the_lists_that_are_spoken_of_are_no_longer_than_what_is_flagged_or_asked_for(flagged, top, lengths):
    assert suspecting._lengths(flagged, max(flagged, top or 0)) == lengths


def test_a_model_that_has_not_learnt_its_rows_is_named_weak(project, first, found, monkeypatch):
    right = first.inputs(["dynamics.margin"])[1]["margin"][:, -1] >= 0
    assert bool(found.warning) == (right.mean() < 0.8)  # two labels, one as frequent as the other
    asked = []
    monkeypatch.setattr(suspecting, "learnt_little", lambda right, label: asked.append((right, label)) or "weak")
    assert suspects(project, first, top=1, trust=False).warning == "weak"
    assert asked[0][0].mean() == right.mean()


def test_the_first_call_tells_before_it_embeds(fresh):
    import tunewright as tw

    new = fresh()
    run = tw.train(new, name="told", epochs=1)
    calls = []
    suspects(new, run, trust=False, advance=lambda *call: calls.append(call))
    rows = run.table(FROZEN).num_rows
    assert calls == [("embedding", 0, rows), ("embedding", rows, rows)]
    suspects(new, run, trust=False, advance=lambda *call: calls.append(call))
    assert len(calls) == 2


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
    monkeypatch.setattr(suspecting, "in_words", lambda run, ids, suggested: ["=1+1"] * len(ids))
    made = suspects(project, first, top=3, trust=False, path=tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [row.id for row in made.rows]
    assert list(rows[0])[:7] == ["id", "label", "suggested", "decision", "new_label", "note", "author"]
    assert {row["evidence"] for row in rows} == {"'=1+1"}
    assert {row["decision"] for row in rows} == {""}
    assert [row["votes"].split() for row in rows] == [list(row.votes) for row in made.rows]
    assert [float(row["probability"]) for row in rows] == pytest.approx(
        [row.suggested_probability for row in made.rows], abs=1e-4
    )


def test_a_reviewed_list_is_read_whatever_helped_to_decide(project, first, tmp_path):
    path = tmp_path / "list.csv"
    made = suspects(project, first, top=2, trust=False, path=path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["decision"], rows[1]["decision"] = "accept", "drop"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    relabelled, dropped = from_csv(path, first.table("examples"), labels=first.labels)
    top, second = made.rows
    assert relabelled.changes == ((top.id, top.label, top.suggested),)
    assert dropped.ids == (second.id,)


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
