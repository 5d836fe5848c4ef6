from __future__ import annotations

import json

import numpy as np
import pyarrow.compute as pc
import pytest

import tunewright as tw
from tunewright.data.edits import Relabel
from tunewright.errors import ComparisonError, DataError, RunError
from tunewright.project import find_run, open_dataset


def test_runs_are_evaluated_where_that_is_missing(project, first, second):
    compared = tw.compare(project, first, second)
    before = len(tw.runs(project).runs)
    assert tw.compare(project, first, second) == compared
    assert len(tw.runs(project).runs) == before
    a, b = (find_run(project, name) for name in (compared.a, compared.b))
    assert (a.meta["parent"], b.meta["parent"]) == (first.id, second.id)


def test_figures_are_those_of_the_predictions_matched_by_id(project, first, second):
    compared = tw.compare(project, first, second)
    correct = {}
    for name in (compared.a, compared.b):
        run = find_run(project, name)
        shuffled = run.table("predictions").take(np.random.default_rng(0).permutation(20))
        run.write("predictions", shuffled)  # the order of the rows must not matter
        correct[name] = {row["id"]: row["correct"] for row in shuffled.to_pylist()}
    found = tw.compare(project, first, second).comparison
    wins = sum(correct[compared.b][key] and not correct[compared.a][key] for key in correct[compared.a])
    losses = sum(correct[compared.a][key] and not correct[compared.b][key] for key in correct[compared.a])
    assert (found.wins, found.losses, found.n) == (wins, losses, 20)
    assert found == compared.comparison
    assert found.difference == pytest.approx((wins - losses) / 20)


def test_the_answer_is_a_sentence_and_json(project, first, second):
    compared = tw.compare(project, first, second)
    assert compared.verdict in {"better", "worse", "cannot tell"}
    assert str(compared) == compared.sentence
    assert "n = 20" in compared.sentence
    json.dumps(compared.to_json(), allow_nan=False)


def test_a_run_is_no_better_than_itself(project, first):
    found = tw.compare(project, first, first)
    assert found.verdict == "cannot tell"
    assert found.sentence == f"A and B are the same evaluation, {found.a}: there is nothing to compare."


def flipped(dataset, split, version="main"):
    row = next(row for row in dataset.table(version).to_pylist() if row["split"] == split)
    return Relabel(changes=((row["id"], row["label"], "pos" if row["label"] == "neg" else "neg"),))


def test_other_rows_are_refused(new):
    dataset = open_dataset(new)
    one = tw.train(new, epochs=1)
    dataset.apply([flipped(dataset, "validation")])
    two = tw.train(new, epochs=1)
    with pytest.raises(ComparisonError, match="different rows of split 'validation'") as caught:
        tw.compare(new, one, two, split="validation")
    assert "--version" in caught.value.fix
    tw.evaluate(new, one, version="main", split="validation")
    assert tw.compare(new, one, two, split="validation").comparison.n == 20
    assert tw.compare(new, one, two).original is None


def test_an_edited_test_set_gives_both_comparisons(new):
    dataset = open_dataset(new)
    one = tw.train(new, epochs=1)
    before = tw.evaluate(new, one)
    assert before.original is None
    edited = dataset.apply([flipped(dataset, "test")], allow_test=True)
    two = tw.train(new, epochs=1, seed=1)
    evaluated = tw.evaluate(new, two)
    assert evaluated.version == edited
    assert evaluated.original.scores.n == 20
    found = tw.compare(new, one, two)
    labels = [find_run(new, run).table("predictions")["label"] for run in (found.a, found.b)]
    imported = [find_run(new, run).table("predictions")["label"] for run in (found.original.a, found.original.b)]
    assert labels[0] == labels[1]
    assert imported[0] == imported[1]
    assert labels[0] != imported[0]
    assert (found.original.a, found.original.b) == (before.run, evaluated.original.run)
    assert found.original.comparison.accuracy_b == evaluated.original.scores.accuracy
    assert found.original.original is None
    again = tw.compare(new, one, two)
    assert (again.a, again.b, again.original.b) == (found.a, found.b, found.original.b)
    assert tw.evaluate(new, one).original is None
    json.dumps([found.to_json(), evaluated.to_json()], allow_nan=False)


def test_an_ensemble_is_judged_on_both_test_sets(new):
    dataset = open_dataset(new)
    one = tw.train(new, epochs=1)
    dataset.apply([flipped(dataset, "test")], allow_test=True)
    two = tw.train(new, epochs=1, seed=1)
    made = tw.ensemble(new, one, two)
    assert made.compared.original is not None
    twin = find_run(new, made.compared.original.b)
    assert twin.meta["members"] == [one.id, two.id]
    assert twin.meta["version"] == dataset.resolve("base")
    assert tw.compare(new, one, made.run).original.b == twin.id


def test_an_evaluation_of_another_split_is_refused(project, first, second):
    evaluation = tw.evaluate(project, first, split="validation")
    with pytest.raises(RunError, match="evaluates split 'validation'"):
        tw.compare(project, evaluation.run, second)


def test_an_ensemble_is_a_run_like_any_other(project, first, second):
    made = tw.ensemble(project, first, second)
    run = find_run(project, made.run)
    assert run.meta["members"] == [first.id, second.id]
    assert sum(made.weights) == pytest.approx(1)
    assert made.chosen
    assert made.best in {first.id, second.id}
    assert made.compared.b == made.run
    assert find_run(project, made.compared.a).meta["parent"] == made.best
    assert run.table("predictions").num_rows == 20
    assert tw.compare(project, made.run, first).comparison.n == 20
    json.dumps(made.to_json(), allow_nan=False)


@pytest.mark.parametrize("of", ["probabilities", "logits"])
def test_all_weight_on_one_member_is_that_member(project, first, second, of):
    made = tw.ensemble(project, first, second, weights=(0, 1), of=of)
    alone = find_run(project, tw.compare(project, first, second).b).table("predictions")
    combined = find_run(project, made.run).table("predictions")
    places = pc.index_in(combined["id"], value_set=alone["id"].combine_chunks())
    alone = alone.take(places)
    assert combined["predicted"].to_pylist() == alone["predicted"].to_pylist()
    for name in ("probability", "gold_probability", "loss", "margin"):
        assert np.allclose(combined[name].to_numpy(), alone[name].to_numpy(), atol=1e-4)
    assert not made.chosen


def test_weights_never_see_the_rows_they_are_judged_by(project, first, second):
    with pytest.raises(ComparisonError, match="other rows to judge by"):
        tw.ensemble(project, first, second, split="validation")
    chosen = tw.ensemble(project, first, second).weights
    evaluation = find_run(project, tw.compare(project, first, second).a)
    table = evaluation.table("predictions")
    upside_down = [[-value for value in row] for row in table["logits"].to_pylist()]
    evaluation.write("predictions", table.set_column(table.column_names.index("logits"), "logits", [upside_down]))
    try:
        assert tw.ensemble(project, first, second).weights == chosen
    finally:
        evaluation.write("predictions", table)


def test_runs_with_other_labels_make_no_ensemble(project, first, second):
    labels = second.labels
    second.update(labels=list(reversed(labels)))
    try:
        with pytest.raises(ComparisonError, match="same labels in the same order"):
            tw.ensemble(project, first, second)
    finally:
        second.update(labels=list(labels))


def test_one_model_is_no_ensemble(project, first, second):
    with pytest.raises(ComparisonError, match="two or more"):
        tw.ensemble(project, first, first.id)
    with pytest.raises(DataError, match="expected 2 weights"):
        tw.ensemble(project, first, second, weights=(1,))
