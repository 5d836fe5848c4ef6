"""What `tunewright suspects` says of a list, whatever the list is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from tunewright import verbs
from tunewright.analyze.span_labels import SPAN_VOTES
from tunewright.analyze.summary_labels import SUMMARY_VOTES
from tunewright.analyze.trust import Precision
from tunewright.cli import app
from tunewright.cli.suspects import _announced, _letter
from tunewright.verbs.suspecting import SuspectRow, Suspects

ROW = SuspectRow(
    id="row-1",
    texts=("a fine film",),
    label="neg",
    suggested="pos",
    suggested_probability=0.876,
    suspicion=0.99,
    flagged=True,
    votes=("training", "frozen"),
    evidence="pos won in 3 of 4 epochs",
)


def found(trust=(), rows=(ROW,), **changed):
    usual = {
        "file": None,
        "warning": "",
        "note": "",
        "probes": None,
        "seconds": 1.0,
        "detectors": ("training", "frozen"),
    }
    return Suspects(run="one", of=100, judged=90, flagged=7, rows=rows, trust=trust, **(usual | changed))


@pytest.fixture
def says(monkeypatch):
    """The output of the command on a list."""

    def run(made, *words):
        monkeypatch.setattr("tunewright.project.open_project", lambda folder: None)
        monkeypatch.setattr(verbs, "suspects", lambda project, run, **options: made)
        done = CliRunner().invoke(app, ["suspects", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_the_list_names_votes_and_evidence(says):
    text = says(found())
    assert "90 labels judged, 7 flagged" in text
    assert "A list to read, not one to apply" in text
    assert "0.88" in text
    assert "row-1: pos won in 3 of 4 epochs; votes: training, frozen" in text


def test_votes_are_letters_and_the_columns_are_explained(says):
    text = says(found(rows=(ROW, replace(ROW, votes=("features", "folds")))))
    assert re.search(r"0\.990\s+TZ\s", text)
    assert re.search(r"0\.990\s+FO\s", text)
    assert "T training, Z frozen, F features, O folds" in text
    assert "p: how probable" in text
    assert "p: how probable" not in says(found(rows=(replace(ROW, suggested=None),)))
    assert "votes against" not in says(found(rows=(replace(ROW, votes=()),)))


def test_letters_of_detectors_are_told_apart():
    votes = (("training", "passes", "features", "frozen", "folds"), SPAN_VOTES, SUMMARY_VOTES)
    for names in votes:
        assert len({_letter(name.removeprefix("vote_")) for name in names}) == len(names)


def test_a_weak_model_is_told_above_the_list(says):
    text = says(found(warning="The trained model is weak"))
    assert text.index("The trained model is weak") < text.index("row-1")


def test_what_takes_long_is_announced_once(capsys):
    told = []
    tell = _announced(lambda *call: told.append(call))
    for done in (0, 1024, 7459):
        tell("embedding", done, 7459)
    said = capsys.readouterr()
    assert said.err.splitlines() == ["Embedding 7,459 rows, once for this run"]
    assert said.out == ""
    assert [done for _, done, _ in told] == [0, 1024, 7459]
    _announced(None)("embedding", 0, 1)
    assert "1 row," in capsys.readouterr().err


def test_what_is_known_has_an_interval_and_a_source(says):
    trust = (
        Precision(k=50, precision=0.9, interval=(0.7, 0.97), source="confidence"),
        Precision(k=100, precision=0.8, interval=(0.6, 0.9), source="reviews", reviewed=40),
    )
    text = says(found(trust))
    assert "0.70 to 0.97" in text
    assert "40 reviews of yours" in text
    assert "Cannot tell" not in text


def test_what_cannot_be_told_is_said_once_with_its_reason(says):
    unknown = {"precision": None, "interval": None, "source": "confidence", "reason": "too few rows"}
    text = says(found((Precision(k=50, **unknown), Precision(k=1000, **unknown))))
    assert "Cannot tell how many of the first 50, 1,000 are wrong: too few rows." in text
    assert "Expected share" not in text


def test_an_empty_list_and_a_note(says):
    text = says(found(rows=(), note="Judged without the model before training"))
    assert "Judged without" in text
    assert "Nothing to show." in text


def test_a_file_is_to_be_filled_in(says, tmp_path):
    text = says(found(file=tmp_path / "list.csv"))
    assert "fill in the column 'decision'" in text
    assert "tunewright edit apply" in text


def test_twenty_rows_are_shown_unless_more_are_asked_for(says):
    rows = (ROW,) * 30
    assert says(found(rows=rows)).count("a fine film") == 20
    assert says(found(rows=rows), "--top", "30").count("a fine film") == 30
