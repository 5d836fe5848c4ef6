from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.bindings import metric
from tunewright.run import Run
from tunewright.toy import toy_texts


@pytest.fixture(scope="module")
def planted(fresh):
    """A run on rows of which two repeat a long text in another split."""
    project = fresh(noise=0)
    rows = toy_texts(100).to_pylist()
    for row in rows:
        if row["id"] in {"toy-0001", "toy-0007", "toy-0009"}:
            row |= {
                "text": f"we saw the film today and it was really quite good and lovely {row['id'][-1]}",
                "label": "pos",
            }
    pyarrow.csv.write_csv(pa.Table.from_pylist(rows), project.folder / "reviews.csv")
    project = replace(project, seed=1)  # which imports the rows anew
    return project, tw.train(project)


def names(found) -> set[str]:
    return {one.name for one in found.lints}


def test_near_duplicates_across_splits_are_found(planted):
    found = tw.lint(*planted)
    near = [one for one in found.lints if "duplicate" in one.name]
    assert near
    assert {"toy-0007", "toy-0009"} & set(near[0].rows)


def test_check_finds_the_same_before_there_is_a_run(planted):
    project, run = planted
    before = tw.check(project).lints
    assert "near-duplicates across splits" in {one.name for one in before}
    assert [one for one in tw.lint(project, run).lints if one in before] == list(before)


def test_outputs_are_looked_at_as_far_as_there_are_any(planted):
    project, run = planted
    before = tw.lint(project, run)
    assert (before.rows, before.predicted) == (100, 20)
    assert before.passed == all(one.severity != "error" for one in before.lints)


def test_a_sound_run_has_no_findings_about_encoding_or_outputs(planted):
    found = names(tw.lint(*planted))
    assert not found & {
        "truncated inputs",
        "answers lost to windows",
        "missing attention mask",
        "trained on evaluation rows",
        "generation stopped by length",
        "metric punishes form",
    }


@metric(direction="higher")
def letter_by_letter(columns):
    pairs = zip(columns["label"], columns["predicted"], strict=True)
    return [float(said == label) for label, said in pairs]


def test_the_projects_own_metrics_are_looked_at(planted):
    project, run = planted
    project = replace(project, metrics=(letter_by_letter,))
    assert "letter_by_letter punishes form" not in names(tw.lint(project, run))
    said = run.table("predictions")
    right = [
        row for row, (label, one) in enumerate(zip(*said.select(["label", "predicted"]), strict=True)) if label == one
    ]
    assert len(right) > 1
    loud = [one.upper() if row == right[0] else one for row, one in enumerate(said["predicted"].to_pylist())]
    run.write("predictions", said.set_column(said.column_names.index("predicted"), "predicted", [loud]))
    found = {one.name: one for one in tw.lint(project, run).lints}
    run.write("predictions", said)
    assert found["letter_by_letter punishes form"].rows == (said["id"][right[0]].as_py(),)


def test_rows_that_were_trained_on_and_are_evaluated_are_found(planted):
    project, run = planted
    dynamics = run.table("dynamics")
    leaked = dynamics.slice(0, 1).set_column(dynamics.column_names.index("id"), "id", [["toy-0009"]])
    run.append("dynamics", "part-leaked", leaked)
    found = {one.name: one for one in tw.lint(project, run).lints}
    assert found["trained on evaluation rows"].rows == ("toy-0009",)
    (run.folder / "dynamics" / "part-leaked.parquet").unlink()


def test_a_run_without_a_model_is_linted_all_the_same(planted, tmp_path):
    project, _ = planted
    run = Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(20))
    assert tw.lint(project, run).rows == 20


def test_the_result_is_json(planted):
    said = json.loads(json.dumps(tw.lint(*planted).to_json(), allow_nan=False))
    assert set(said["lints"][0]) == {"name", "severity", "count", "message", "rows", "what_to_do"}


def test_of_an_evaluation_its_own_outputs_are_looked_at(planted):
    project, run = planted
    evaluation = Run.open(project.runs_folder / tw.evaluate(project, run).run)
    predictions = evaluation.table("predictions")
    cut = predictions.append_column("stop_reason", pa.array(["length"] * predictions.num_rows))
    evaluation.write("predictions", cut)
    found = tw.lint(project, evaluation)
    assert (found.run, found.predicted) == (evaluation.id, predictions.num_rows)
    stopped = [one for one in found.lints if one.name == "generation stopped by length"]
    assert [one.count for one in stopped] == [predictions.num_rows]
    assert "generation stopped by length" not in names(tw.lint(project, run))


def test_a_monitor_is_linted_for_how_its_rows_were_made(planted):
    project, run = planted
    rows = toy_texts(30, seed=9).select(["id", "text"])
    pyarrow.csv.write_csv(rows, project.folder / "day.csv")
    tw.verbs.monitor(project, project.folder / "day.csv", run=run, name="watch", window=20)
    others = rows.set_column(1, "text", pa.array([f"{text} again" for text in rows["text"].to_pylist()]))
    pyarrow.csv.write_csv(others, project.folder / "night.csv")
    logged = tw.verbs.monitor(project, project.folder / "night.csv", name="watch")
    assert logged.logged == 0
    assert "30 ids came again with another content" in logged.errors["id"]
    found = tw.lint(project, "watch")
    assert found.rows == 30
    assert found.passed
    assert not [one for one in found.lints if "cut" in one.name]
