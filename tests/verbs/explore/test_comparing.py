import pytest

from tunewright.errors import ComparisonError, DataError, RunError
from tunewright.project import open_dataset
from tunewright.verbs.explore.comparing import cell, compare_stored
from tunewright.verbs.judge import compare


@pytest.fixture
def runs(trained, evaluation):
    """Evaluations of two runs: the second is wrong on 30 rows that the first has right, and right on 2 others."""
    a, b = trained(), trained()
    return evaluation(a, {98, 99}), evaluation(b, set(range(0, 60, 2)))


def test_it_says_what_the_verb_says(planted, runs):
    found, verb = compare_stored(planted, *runs), compare(planted, *runs)
    assert (found.sentence, found.split) == (verb.sentence, "test")
    (accuracy,) = found.metrics
    assert (accuracy.a.value, accuracy.b.value, accuracy.verdict) == (0.98, 0.70, "worse")
    assert (accuracy.difference.low, accuracy.difference.high) == verb.comparison.interval
    assert accuracy.p == verb.comparison.p
    assert (len(found.wins), len(found.losses)) == (2, 30)
    assert found.command == f"tunewright compare {runs[0].id} {runs[1].id} --split test"


def test_cells_of_a_confusion_hold_their_rows(planted, runs):
    found = compare_stored(planted, *runs)
    assert found.confusion.b.counts == ((20, 30), (0, 50))
    there = cell(planted, found.b, split="test", gold="negative", predicted="positive")
    assert set(there.ids) == set(found.losses)
    with pytest.raises(DataError, match="did you mean 'positive'"):
        cell(planted, found.b, split="test", gold="positiv", predicted="negative")


def test_the_slice_that_got_worse_comes_first(planted, runs):
    found = compare_stored(planted, *runs).slices
    assert (found[0].name, found[0].n, found[0].verdict) == ("label = negative", 50, "worse")
    assert found[0].difference.high < 0
    assert found[0].p < 0.001
    other = next(one for one in found if one.name == "label = positive")
    assert other.verdict == "cannot tell"


def test_trainings_stand_for_their_evaluations(planted, runs):
    named = [run.meta["parent"] for run in runs]
    assert compare_stored(planted, *named).a == runs[0].id


def test_nothing_is_predicted(planted, trained, runs):
    with pytest.raises(RunError, match="has not been evaluated on split 'test'") as refused:
        compare_stored(planted, runs[0], trained())
    assert "tunewright evaluate" in refused.value.fix


def test_evaluations_of_other_rows_are_refused(planted, runs):
    runs[1].update(fingerprint="another")
    with pytest.raises(ComparisonError, match="different rows"):
        compare_stored(planted, *runs)


def test_trainings_without_evaluations_are_compared_on_validation_rows(planted, trained, runs):
    a, b = trained(), trained()
    rows = open_dataset(planted).table()
    rows = rows.filter([split == "validation" for split in rows["split"].to_pylist()])
    for run in (a, b):
        said = rows.select(["id", "split", "label"]).append_column("predicted", rows["label"])
        run.write("predictions", said.append_column("correct", [[True] * rows.num_rows]))
    found = compare_stored(planted, a, b)
    assert (found.a, found.split) == (a.id, "validation")
    assert "validation rows" in found.sentence
