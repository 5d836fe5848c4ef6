"""A run of production, given to the verbs that read runs: each works, or says why not and what to do."""

from __future__ import annotations

import pyarrow.csv
import pytest

import tunewright as tw
from tunewright import verbs
from tunewright.errors import RunError
from tunewright.toy import toy_texts
from tunewright.verbs import monitor


@pytest.fixture(scope="module")
def production(project, first, tmp_path_factory):
    path = tmp_path_factory.mktemp("production") / "day.csv"
    pyarrow.csv.write_csv(toy_texts(60, seed=5).select(["id", "text"]), path)
    monitor(project, path, run=first, name="seen", window=20)
    return tw.Run.open(project.runs_folder / "seen")


def test_its_rows_are_looked_at_like_any_others(project, production):
    assert verbs.export(project, "seen").rows == 60
    assert verbs.show(project, "seen").to_json()
    assert production.sql("SELECT count(*) AS n FROM examples")["n"].to_pylist() == [60]
    assert verbs.lint(project, run="seen").rows == 60
    assert verbs.low_scores(project, "seen", score="probability").rows == 60


@pytest.mark.parametrize(
    ("verb", "fix"),
    [
        (lambda project: verbs.map(project, "seen"), "monitor report --map"),
        (lambda project: verbs.suspects(project, "seen"), "monitor report --map"),
        (lambda project: verbs.slices(project, "seen"), "monitor report"),
        (lambda project: verbs.analyze(project, "seen"), "monitor report"),
        (lambda project: verbs.similar(project, "seen", "any"), "it watches"),
        (lambda project: verbs.evaluate(project, "seen"), "monitor report"),
        (lambda project: verbs.compare(project, "seen", "first"), "monitor report"),
    ],
)
def test_what_needs_a_training_says_so(project, production, first, verb, fix):
    with pytest.raises(RunError) as found:
        verb(project)
    assert fix in str(found.value)
