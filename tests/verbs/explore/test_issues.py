import numpy as np
import pyarrow as pa
import pytest

from tunewright.data.reviews import Review
from tunewright.project import open_dataset
from tunewright.verbs.explore.issues import KeptIssues, issues
from tunewright.verbs.suspicion import COLUMNS_OF


def ids(shot, issue):
    return shot.rows["id"].take(pa.array(issue.rows, pa.int64())).to_pylist()


def by_id(found):
    return {one.id: one for one in found.issues}


@pytest.fixture
def suspected(planted, trained):
    """A run in which r005 and r003 are suspects."""
    run = trained()
    seen = run.table("examples", ["id"])["id"].to_pylist()
    suspicion = np.array([{"r005": 0.99, "r003": 0.9}.get(id, 0.1) for id in seen])
    table = {"suspicion": suspicion, "suspect": suspicion > 0.5, "suggested": ["negative"] * len(seen)}
    run.write(COLUMNS_OF, pa.table({"id": seen, **table}))
    return run


def test_what_was_planted_is_found(planted, trained, shot):
    run = trained()
    found = by_id(issues(planted, run))
    rows = shot(run)
    assert ids(rows, found["leak-exact"]) == ["r000", "r001"]
    assert found["leak-exact"].severity == "high"
    assert found["leak-exact"].effect == pytest.approx(2 / 100)
    assert found["leak-exact"].fix.action == "drop"
    assert "2 rows have the same text as 2 rows of test (2.0 % of its rows)" in found["leak-exact"].why
    assert ids(rows, found["conflict"]) == ["r011", "r013"]
    assert ids(rows, found["duplicate-exact"]) == ["r022"]


def test_the_worst_comes_first(planted, trained):
    order = ["high", "medium", "low"]
    found = [(order.index(one.severity), -one.effect) for one in issues(planted, trained()).issues]
    assert found == sorted(found)


def test_an_evaluation_shows_its_own_rows_of_a_leak(planted, trained, evaluation, shot):
    run = evaluation(trained(), set())
    found = by_id(issues(planted, run))
    assert ids(shot(run), found["leak-exact"]) == ["r300", "r301"]
    assert found["leak-exact"].fix is None
    assert "conflict" not in found


def test_suspects_are_in_the_order_of_suspicion(planted, suspected, shot):
    found = by_id(issues(planted, suspected))["suspect"]
    assert ids(shot(suspected), found) == ["r005", "r003"]
    assert found.count == 2
    assert found.fix.action == "relabel"
    assert "2 of 300 judged labels" in found.why
    assert "2 positive as negative" in found.why


def test_reviewed_rows_are_suspects_no_longer(planted, suspected, shot):
    dataset = open_dataset(planted)
    version = dataset.resolve("main")
    dataset.review([Review(id="r005", version=version, decision="reject", label="positive")])
    found = by_id(issues(planted, suspected))["suspect"]
    assert ids(shot(suspected), found) == ["r003"]
    assert "1 more was reviewed or edited already" in found.why


def test_a_decision_about_another_label_does_not_count(planted, suspected):
    dataset = open_dataset(planted)
    dataset.review([Review(id="r005", version=dataset.resolve("main"), decision="reject", label="negative")])
    assert by_id(issues(planted, suspected))["suspect"].count == 2


def test_rows_that_were_never_right_are_told(planted, trained):
    never = trained(correctness=lambda rows: np.where(np.arange(rows.num_rows) < 6, 0.0, 1.0))
    found = by_id(issues(planted, never))["unlearnt"]
    assert (found.count, found.severity, found.fix.value) == (6, "low", "never learnt")
    assert "in none of 3 epochs (2.0 % of 300)" in found.why


def test_where_most_rows_were_never_right_the_training_is_to_blame(planted, trained):
    found = by_id(issues(planted, trained(correctness=lambda rows: np.zeros(rows.num_rows))))["unlearnt"]
    assert (found.severity, found.fix) == ("high", None)
    assert "the training has not come far" in found.why


def test_cut_rows_say_what_it_does_to_their_loss(planted, trained):
    def loss(rows):
        return np.where(np.arange(rows.num_rows) < 30, 2.0, 0.1) + np.linspace(0, 0.1, rows.num_rows)

    run = trained(truncated=lambda rows: np.arange(rows.num_rows) < 30, loss=loss)
    found = by_id(issues(planted, run))["truncated"]
    assert (found.count, found.severity) == (30, "medium")
    assert "nats" in found.why


def test_a_slice_is_ranked_by_the_share_of_the_loss_at_the_cautious_end(planted, trained):
    run = trained(loss=lambda rows: np.where(np.arange(rows.num_rows) < 20, 5.0, 0.5))
    seen = run.table("examples", ["id"])["id"].to_pylist()
    one = {
        "description": "day = 3",
        "n": 20,
        "mean_loss": 5.0,
        "rest_loss": 0.5,
        "difference": 4.5,
        "p_corrected": 1e-9,
    }
    run.write("slices", pa.Table.from_pylist([{**one, "interval": [4.0, 5.0], "ids": seen[:20]}]))
    run.update(slices={"split": None})
    found = by_id(issues(planted, run))["slice-day = 3"]
    assert found.effect == pytest.approx(4.0 * 20 / (20 * 5.0 + 280 * 0.5))
    assert (found.severity, found.fix.value) == ("high", "day = 3")


def test_what_was_not_looked_for_is_said_with_its_command(planted, trained):
    run = trained()
    notes = " ".join(issues(planted, run).notes)
    for command in ("suspects", "slices", "lint", "analyze"):
        assert f"tunewright {command} {run.id}" in notes


def test_nothing_is_written(planted, trained):
    run = trained()
    before = {path: path.stat().st_mtime_ns for path in planted.folder.rglob("*")}
    issues(planted, run)
    assert {path: path.stat().st_mtime_ns for path in planted.folder.rglob("*")} == before


def test_a_kept_list_follows_reviews(planted, suspected, shot):
    kept, rows = KeptIssues(planted), shot(suspected)
    assert kept.of(rows) is kept.of(rows)
    dataset = open_dataset(planted)
    dataset.review([Review(id="r005", version=dataset.resolve("main"), decision="reject", label="positive")])
    assert by_id(kept.of(rows))["suspect"].count == 1
