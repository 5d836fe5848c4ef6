from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import tunewright as tw
from tunewright.errors import RunError
from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.verbs.dynamics import coverage, last_answers
from tunewright.verbs.explore import standalone


def test_the_map_covers_the_training_rows_and_no_others(project, first):
    drawn = tw.map(project, first)
    examples = first.table("examples").to_pylist()
    assert set(drawn.rows["id"].to_pylist()) == {row["id"] for row in examples if row["split"] == "train"}
    assert drawn.coverage == 1
    assert drawn.epochs == 3
    assert sum(region.count for region in drawn.regions) == drawn.rows.num_rows == 60
    wanted = {
        "confidence",
        "variability",
        "correctness",
        "forgetting",
        "aum",
        "el2n",
        "closeness",
        "region",
        "suspicion",
    }
    assert wanted <= set(drawn.rows.column_names)


def test_pictures_and_page_lie_in_the_run(project, first, built):
    drawn = tw.map(project, first, latent=True)
    names = [path.name for path in drawn.files]
    assert names == ["map.png", "map.svg", "latent.png", "latent.svg", "map.html"]
    assert all(path.parent == first.folder / "figures" and path.stat().st_size > 1000 for path in drawn.files)
    assert drawn.notes == ()
    assert first.table("embeddings").num_rows == 100  # of all splits


def test_the_page_holds_all_rows_of_the_run_and_opens_at_the_map(project, first, built, archive):
    *_, page = tw.map(project, first).files
    answers, rows = archive(page)
    own = first.table("examples")["id"].to_pylist()
    assert answers["ids"][: len(own)] == own  # after them come those of the test split, where it was analysed
    assert [one["example"]["id"] for one in rows] == answers["ids"]
    info = answers["json"][f"runs/{first.id}"]
    assert info["layouts"][0] == {"name": "map", "title": "Data map", "x": "variability", "y": "confidence"}
    assert answers["view"] == ""


def test_the_same_map_gives_the_same_page(project, first, built):
    pages = [tw.map(project, first).files[-1].read_bytes() for _ in range(2)]
    assert pages[0] == pages[1]


def test_without_a_built_page_there_are_pictures_and_a_reason(project, first, tmp_path, monkeypatch):
    monkeypatch.setattr(standalone, "BUILT", tmp_path / "none")
    drawn = tw.map(project, first)
    assert [path.name for path in drawn.files] == ["map.png", "map.svg"]
    (note,) = drawn.notes
    assert note.startswith("map.html was not written: the page was not built; run `make page`")


def test_of_more_rows_than_a_file_holds_there_are_pictures_and_a_reason(project, first, built, monkeypatch):
    monkeypatch.setattr(standalone, "MOST_EXAMPLES", 50)
    drawn = tw.map(project, first)
    assert [path.suffix for path in drawn.files] == [".png", ".svg"]
    (note,) = drawn.notes
    assert "a file holds at most 50 examples" in note
    assert "tunewright explore" in note


def test_a_run_in_another_folder_is_drawn(project, first, built, tmp_path):
    run = Run.open(shutil.copytree(first.folder, tmp_path / "elsewhere"))
    assert [path.parent for path in tw.map(project, run).files] == [run.folder / "figures"] * 3


def test_suspects_come_with_text_and_suggestion(project, first):
    drawn = tw.map(project, first)
    flagged = [row for row in drawn.rows.to_pylist() if row["suspect"]]
    assert drawn.suspects == len(flagged)
    assert len(drawn.first_suspects) == min(10, len(flagged))
    suspicions = [one.suspicion for one in drawn.first_suspects]
    assert suspicions == sorted(suspicions, reverse=True)
    texts = dict(zip(drawn.rows["id"].to_pylist(), drawn.rows["text"].to_pylist(), strict=True))
    assert all(one.text == (texts[one.id],) and one.suggested != one.label for one in drawn.first_suspects)


def test_the_table_is_json(project, first):
    made = json.loads(json.dumps(tw.map(project, first).to_json(), allow_nan=False))
    assert len(made["rows"]) == 60
    assert made["run"] == first.id


def test_the_last_answer_is_that_of_the_last_epoch(first):
    dynamics = {row["id"]: row for row in first.table("dynamics").to_pylist() if row["epoch"] == 2}
    answers = last_answers(first).to_pylist()
    assert len(answers) == 60
    labels = dict(zip(*first.table("examples").select(["id", "label"]).to_pydict().values(), strict=True))
    for answer in answers:
        seen = dynamics[answer["id"]]
        assert answer["correct"] == seen["correct"] == (answer["predicted"] == labels[answer["id"]])
        largest = max(seen["gold_probability"], 1 - seen["gold_probability"])
        assert np.isclose(answer["probability"], largest, atol=1e-5)


def test_a_run_without_dynamics_has_no_map(project, tmp_path):
    run = Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(2))
    with pytest.raises(RunError, match="no table 'dynamics'"):
        tw.map(project, run)
    assert coverage(run) is None
