from __future__ import annotations

import json

import pyarrow.compute as pc
import pytest

import tunewright as tw
from tunewright.errors import DataError, EditError
from tunewright.project import open_dataset


def ids(project, version, split="train"):
    table = open_dataset(project).table(version)
    return set(table.filter(pc.equal(table["split"], split))["id"].to_pylist())


def test_a_rule_becomes_a_version_with_its_evidence(project, first):
    made = tw.focus(project, first, name="within", bounds={"confidence": (None, 0.9), "variability": (0, None)})
    rows = tw.map(project, first).rows.to_pylist()
    assert ids(project, "within") == {row["id"] for row in rows if row["confidence"] < 0.9}
    assert made.rule == "confidence < 0.9 and variability >= 0"
    (entry,) = open_dataset(project).log("within")
    assert entry.edit.evidence.run == first.id
    assert entry.edit.evidence.rule == made.rule
    assert entry.edit.evidence.time
    json.dumps(made.to_json())


def test_other_splits_stay(project, first):
    tw.focus(project, first, name="hard-third", region="hard")
    for split in ("validation", "test"):
        assert ids(project, "hard-third", split) == ids(project, "main", split)
        assert open_dataset(project).fingerprint(split, "hard-third") == open_dataset(project).fingerprint(split)


def test_a_fraction_of_a_region(project, first):
    made = tw.focus(project, first, name="ambiguous", region="ambiguous", fraction=0.5)
    assert (made.kept, made.of) == (30, 60)
    rows = sorted(tw.map(project, first).rows.to_pylist(), key=lambda row: -row["variability"])
    assert ids(project, "ambiguous") == {row["id"] for row in rows[:30]}
    assert sum(made.labels.values()) == 30


def test_without_suspects_and_with_a_control(project, first):
    made = tw.focus(project, first, name="clean", without_suspects=True, control=True)
    suspects = {row["id"] for row in tw.map(project, first).rows.to_pylist() if row["suspect"]}
    assert ids(project, "clean") == ids(project, "main") - suspects
    assert made.control == "clean-random"
    assert len(ids(project, "clean-random")) == made.kept
    assert ids(project, "clean-random") != ids(project, "clean")


def test_the_version_is_made_from_that_of_the_run(project, first):
    made = tw.focus(project, first, name="from-first", region="easy")
    assert made.parent == first.meta["version"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, "expected a rule"),
        ({"fraction": 0.5}, "one of a region"),
        ({"region": "dull"}, "no region is called 'dull'"),
        ({"region": "easy", "fraction": 1.5}, "fraction in"),
        ({"bounds": {"confidence": (0.999999, None)}}, "keeps none of 60 rows"),
    ],
)
def test_rules_that_choose_nothing_are_refused(project, first, rule, message):
    with pytest.raises(DataError, match=message):
        tw.focus(project, first, name="refused", **rule)
    assert "refused" not in open_dataset(project).versions


def test_a_name_is_never_taken_over(project, first):
    tw.focus(project, first, name="taken", region="easy")
    with pytest.raises(EditError, match="'taken' already"):
        tw.focus(project, first, name="taken", region="hard")
    tw.focus(project, first, name="free-random", region="easy")
    with pytest.raises(EditError, match="'free-random' already"):
        tw.focus(project, first, name="free", region="hard", control=True)
    assert "free" not in open_dataset(project).versions


def test_after_one_epoch_nothing_is_ambiguous(project):
    run = tw.train(project, epochs=1)
    with pytest.raises(DataError, match="one epoch"):
        tw.focus(project, run, name="wavering", region="ambiguous")


@pytest.mark.parametrize("name", ["", " ", "a/b", "../x", "0123456789ab"])
def test_names_that_would_mean_something_else_are_refused(project, first, name):
    with pytest.raises(EditError, match="cannot be called"):
        tw.focus(project, first, name=name, region="easy")
    assert set(open_dataset(project).versions) >= {"base", "main"}
