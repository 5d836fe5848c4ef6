from __future__ import annotations

import json

import pytest

import tunewright as tw
from tunewright.errors import RunError
from tunewright.run import Run
from tunewright.toy import toy_texts


def test_runs_are_listed_oldest_first(project, first, second):
    found = tw.runs(project)
    names = [one.id for one in found.runs]
    assert names.index(first.id) < names.index(second.id)
    (line,) = [one for one in found.runs if one.id == first.id]
    assert (line.kind, line.status, line.version, line.coverage) == ("train", "finished", "main", 1)
    assert 0 <= line.metrics["validation_accuracy"] <= 1
    json.dumps(found.to_json(), allow_nan=False)


def test_no_runs(new):
    assert tw.runs(new).runs == ()
    with pytest.raises(RunError, match="found none"):
        tw.show(new)


def test_all_about_a_run(project, first):
    details = tw.show(project, first.id[-9:])
    assert details.id == first.id
    assert details.coverage == 1
    assert details.scores.n == 20
    assert details.scores.accuracy == pytest.approx(first.meta["metrics"]["validation_accuracy"])
    assert details.tables["dynamics"] == 180
    assert details.speed > 0
    json.dumps(details.to_json(), allow_nan=False)


def test_a_bare_run_has_nothing_to_say(new):
    run = Run.create(new.runs_folder, kind="train", name="x", config={}, examples=toy_texts(2))
    details = tw.show(new, run)
    assert (details.coverage, details.scores, details.speed) == (None, None, None)
