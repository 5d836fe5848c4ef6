from __future__ import annotations

import csv
import json
from dataclasses import replace

import pyarrow.compute as pc
import pytest

import tunewright as tw
from tunewright.bindings import metric
from tunewright.data.edits import Relabel
from tunewright.errors import DataError, RunError
from tunewright.project import find_run, open_dataset
from tunewright.verbs.lengths import token_lengths
from tunewright.verbs.models import load


@pytest.fixture(scope="module")
def found(project, first):
    return tw.evaluate(project, first)


def test_an_evaluation_is_a_run(project, first, found):
    run = find_run(project, found.run)
    assert (run.kind, run.meta["parent"], run.meta["split"]) == ("eval", first.id, "test")
    assert run.meta["fingerprint"] == open_dataset(project).fingerprint("test")
    predictions = run.table("predictions")
    test = open_dataset(project).table().filter(pc.equal(open_dataset(project).table()["split"], "test"))
    assert predictions["id"].to_pylist() == test["id"].to_pylist()
    right = pc.equal(predictions["label"], predictions["predicted"])
    assert found.scores.accuracy == pc.mean(right).as_py()
    low, high = found.scores.accuracy_interval
    assert low < found.scores.accuracy < high
    json.dumps(found.to_json(), allow_nan=False)


def test_the_error_table_lists_every_mistake(project, found):
    with found.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("id", "Text", "Actual Label", "Predicted Label", "Confidence Score"),
        *("Error Type", "Error Cause", "Potential Solution"),
    ]
    predictions = find_run(project, found.run).table("predictions").to_pylist()
    assert {row["id"] for row in rows} == {row["id"] for row in predictions if not row["correct"]}
    assert found.mistakes == len(rows) == 20 - round(20 * found.scores.accuracy)
    assert sum(found.causes.values()) >= found.mistakes
    assert all(row["Error Cause"] and row["Potential Solution"] for row in rows)


def test_evidence_is_kept_for_every_row(project, found):
    evidence = find_run(project, found.run).table("columns/evidence")
    assert evidence.num_rows == 20
    assert {"density", "neighbour", "negation", "rare_share", "words", "truncated", "error_cause"} <= set(
        evidence.column_names
    )
    training = open_dataset(project).table()
    training = set(training.filter(pc.equal(training["split"], "train"))["id"].to_pylist())
    assert set(evidence["neighbour"].to_pylist()) <= training
    assert found.figure.exists()


def test_training_rows_have_other_rows_as_neighbours(project, first):
    found = tw.evaluate(project, first, split="train")
    evidence = find_run(project, found.run).table("columns/evidence")
    assert evidence.num_rows == 60
    assert not any(row["id"] == row["neighbour"] for row in evidence.to_pylist())


def test_an_unknown_split_is_refused(project, first):
    with pytest.raises(DataError, match="'tset'") as caught:
        tw.evaluate(project, first, split="tset")
    assert "'test'" in caught.value.fix


def test_rows_without_a_label_are_not_scored(new):
    dataset = open_dataset(new)
    rows = [row for row in dataset.table().to_pylist() if row["split"] == "test"]
    run = tw.train(new, epochs=1)
    dataset.apply([Relabel(changes=tuple((row["id"], row["label"], None) for row in rows[:5]))], allow_test=True)
    found = tw.evaluate(new, run, version="main")
    assert (found.scores.n, found.unlabelled) == (15, 5)
    dataset.apply([Relabel(changes=tuple((row["id"], row["label"], None) for row in rows[5:]))], allow_test=True)
    with pytest.raises(DataError, match="none of the 20 rows"):
        tw.evaluate(new, run, version="main")


def test_a_model_for_other_labels_is_refused(project, first):
    from dataclasses import replace

    from tunewright.tasks.classify import Classification

    with pytest.raises(RunError, match="was trained on the labels"):
        load(replace(project, task=Classification(labels=("pos", "neg"))), first)


def test_a_prediction_with_its_latency(project, first):
    answer = tw.predict(project, first, "a lovely film", repeats=5)
    assert answer.label in {"neg", "pos"}
    assert answer.probability == pytest.approx(max(answer.probabilities.values()))
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert next(iter(answer.probabilities)) == answer.label
    assert answer.cut_at is None
    assert 0 < answer.latency.tokenise_p50 <= answer.latency.tokenise_p95
    assert 0 < answer.latency.forward_p50 <= answer.latency.forward_p95
    json.dumps(answer.to_json())


def test_a_long_text_is_cut_and_the_answer_says_so(project, first):
    answer = tw.predict(project, first, "good " * 100, repeats=1)
    assert (answer.tokens, answer.cut_at) == (102, 64)


@pytest.mark.parametrize("texts", [(), ("",), ("one", "two")])
def test_as_many_texts_as_the_task_has_fields(project, first, texts):
    with pytest.raises(DataError, match="expected 1 text"):
        tw.predict(project, first, *texts)


def test_an_evaluation_stands_for_its_model(project, found):
    assert tw.predict(project, found.run, "good", repeats=1).run == found.model


def test_lengths_are_those_of_the_whole_input(project, first):
    _, tokenizer = load(project, first)
    rows = open_dataset(project).table().slice(0, 3)
    lengths, limit = token_lengths(project.task, tokenizer, rows)
    assert lengths.tolist() == [len(text.split()) + 2 for text in rows["text"].to_pylist()]
    assert limit is None


def test_the_projects_own_metrics_are_scored_with_intervals(project, first):
    @metric(direction="higher")
    def long_enough(columns):
        return [float(len(label) > 2) for label in columns["label"]]

    @metric(direction="lower")
    def misses(columns):
        return sum(gold != said for gold, said in zip(columns["label"], columns["predicted"], strict=True))

    @metric(direction="higher")
    def undefined(columns):
        return [float("nan")] * len(columns["label"])

    found = tw.evaluate(replace(project, metrics=(long_enough, undefined, misses)), first)
    assert found.own == {"long_enough": 1.0, "misses": found.mistakes}
    assert list(found.failed) == ["undefined"]
    assert found.failed["undefined"].startswith("metric 'undefined' expected finite numbers, found nan for row")
    row, single = found.grades
    assert (row.name, row.mean, row.n, row.direction) == ("long_enough", 1.0, found.scores.n, "higher")
    assert (single.name, single.mean, single.interval, single.direction) == ("misses", found.mistakes, None, "lower")
    assert tw.show(project, found.run).grades == found.grades
    json.dumps(found.to_json(), allow_nan=False)
