from __future__ import annotations

import csv
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from tunewright import col
from tunewright.errors import DataError, MonitorError, RunError
from tunewright.files import claimed
from tunewright.monitor.opening import lock_of
from tunewright.project import open_dataset
from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.verbs import attach_labels, collected, monitor, monitor_report
from tunewright.verbs.production import production_rows


@pytest.fixture(scope="module")
def rows():
    """60 reviews as production has them: without labels and splits."""
    return toy_texts(60, seed=5).drop_columns(["label"]).select(["id", "text"])


@pytest.fixture(scope="module")
def watched(project, first, rows, tmp_path_factory):
    """A file of 60 rows that a monitor has logged, and what became of them."""
    path = tmp_path_factory.mktemp("production") / "day1.csv"
    pyarrow.csv.write_csv(rows, path)
    return path, monitor(project, path, run=first, name="watch", window=20)


def test_rows_are_predicted_checked_and_logged(project, first, watched):
    _, found = watched
    assert (found.rows, found.logged, found.known, found.model) == (60, 60, 0, first.id)
    assert found.errors == {}
    assert {"low_confidence", "long_text"} == set(found.marked)
    json.dumps(found.to_json())
    run = Run.open(project.runs_folder / "watch")
    assert run.kind == "production"


def test_what_was_logged_is_not_predicted_again(project, watched, monkeypatch):
    path, _ = watched
    monkeypatch.setattr("tunewright.verbs.production.load", None)
    again = monitor(project, path, name="watch")
    assert (again.logged, again.known, again.labelled) == (0, 60, 0)


def test_an_interrupted_file_goes_on_at_the_last_acknowledged_row(project, first, rows, tmp_path, monkeypatch):
    path = tmp_path / "day2.csv"
    pyarrow.csv.write_csv(rows, path)
    monkeypatch.setattr("tunewright.verbs.monitoring._BLOCK", 16)

    def stop(what, done, total):
        if what == "monitoring" and done == 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        monitor(project, path, run=first, name="stopped", window=20, advance=stop)
    found = monitor(project, path, name="stopped")
    assert (found.known, found.logged) == (32, 28)
    whole, parts = (monitor_report(project, name).checks for name in ("watch", "stopped"))
    assert whole["vocabulary(text)"]["coverage"] == parts["vocabulary(text)"]["coverage"]
    assert whole["low_confidence"] == parts["low_confidence"]


def test_the_report_tells_what_each_check_found(project, watched, tmp_path):
    found = monitor_report(project, "watch", path=tmp_path / "report.svg")
    assert found.rows == 60
    assert {"vocabulary(text)", "characters of text", "drift(vector)", "labels by predicted", "accuracy"} < set(
        found.checks
    )
    assert found.checks["vocabulary(text), 20 rows"]["windows"].num_rows == 3
    assert found.checks["drift(vector)"]["windows"] == 3
    assert "Rows by edge case" in found.file.read_text() or found.file.stat().st_size > 1000
    json.dumps(found.to_json())


def test_another_model_needs_a_monitor_of_its_own(project, watched, second):
    with pytest.raises(MonitorError, match="watches"):
        monitor(project, watched[0], run=second, name="watch")
    with pytest.raises(MonitorError, match="no monitor is called"):
        monitor_report(project, "nothing")
    with pytest.raises(RunError):
        monitor(project, watched[0], run="unknown", name="other")


def test_a_project_names_its_own_checks(project, first, watched):
    own = replace(project, monitors=((col("probability") > 0).edge("every"),))
    found = monitor(own, watched[0], run=first, name="own", budget=5)
    assert found.marked == {"every": 60}
    assert collected(own, "own").rows.num_rows <= 5
    with pytest.raises(MonitorError, match="no check is called"):
        collected(own, "own", reason="evry")


def test_collected_rows_are_labelled_and_become_a_version(new, tmp_path):
    import tunewright as tw

    run = tw.train(new, name="first")
    project = replace(new, monitors=((col("probability") > 0).edge("every"),))
    data, listed = tmp_path / "day.csv", tmp_path / "list.csv"
    pyarrow.csv.write_csv(toy_texts(12, seed=7).select(["text"]), data)
    monitor(project, data, run=run)
    found = collected(project, reason="every", path=listed)
    assert found.rows.num_rows >= 5
    assert set(found.rows["step"].to_pylist()) == {"new"}
    with pytest.raises(MonitorError, match="with a label to add"):
        collected(project, add="more")

    with listed.open(newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines[:4]:
        line["label"] = project.task.labels[0]
    with listed.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    assert attach_labels(project, listed).labels == 4
    assert attach_labels(project, listed).labels == 0
    slip = tmp_path / "slip.csv"
    slip.write_text(f"id,label\n{lines[4]['id']},nonsense\n")
    assert attach_labels(project, slip).unknown == {"nonsense": 1}
    slip.write_text(f"id,label\n{lines[4]['id']},{project.task.labels[0]}\n")
    assert attach_labels(project, slip).unknown == {}

    assert set(collected(project).rows["step"].to_pylist()) == {"sent", "labelled"}
    made = collected(project, add="more", hold_out=0)
    assert (made.added, made.held_out, made.there) == (5, 0, 0)
    assert made.unlabelled == found.rows.num_rows - 5
    dataset = open_dataset(project)
    assert dataset.table("more").num_rows == dataset.table("main").num_rows + 5
    (entry,) = dataset.log("more")
    assert entry.edit.evidence.analysis == "monitor"
    with pytest.raises(MonitorError, match="5 in more already"):
        collected(project, add="again", on="more")


def test_labels_of_a_file_are_ground_truth_at_once_or_later(project, first, tmp_path):
    texts = toy_texts(20, seed=9).select(["id", "text", "label"])
    path = tmp_path / "day.parquet"
    pyarrow.parquet.write_table(texts.set_column(2, "label", pa.nulls(20, pa.string())), path)
    monitor(project, path, run=first, name="later")
    pyarrow.parquet.write_table(texts, path)
    assert monitor(project, path, name="later").labelled == 20
    assert monitor(project, path, name="later").labelled == 0
    found = monitor_report(project, "later")
    assert found.checks["accuracy"]["labelled"] == 20


def test_ids_that_are_made_stay_when_rows_are_added(project, tmp_path):
    path = tmp_path / "day.csv"
    path.write_text("text\nsame\nsame\nother\n")
    before = production_rows(project, path)["id"].to_pylist()
    path.write_text("text\nsame\nsame\nother\nsame\n")
    after = production_rows(project, path)["id"].to_pylist()
    assert after[:3] == before
    assert len(set(after)) == 4


def test_rows_that_are_none_of_the_project_are_refused(project, tmp_path):
    path = tmp_path / "day.csv"
    path.write_text("txt\nhello\n")
    with pytest.raises(DataError, match="need the text field 'text'"):
        production_rows(project, path)
    path.write_text("id,text\na,hello\na,you\n")
    with pytest.raises(DataError, match="different id"):
        production_rows(project, path)


def test_a_monitor_is_read_while_another_process_writes_to_it(project, watched, tmp_path):
    before, chosen = monitor_report(project, "watch"), collected(project, "watch")
    with claimed(lock_of(project.runs_folder / "watch", "main")):
        assert monitor_report(project, "watch").to_json() == before.to_json()
        assert collected(project, "watch").rows.equals(chosen.rows)
        with pytest.raises(MonitorError, match="another process writes"):
            collected(project, "watch", path=tmp_path / "label.csv")
