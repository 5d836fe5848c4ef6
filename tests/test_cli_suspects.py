"""What `tunewright suspects` says of a list, whatever the list is."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tunewright import verbs
from tunewright.analyze.trust import Precision
from tunewright.cli import app
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
    usual = {"file": None, "note": "", "probes": None, "seconds": 1.0, "detectors": ("training", "frozen")}
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
