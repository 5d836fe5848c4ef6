from __future__ import annotations

import json

import numpy as np
import pytest

import tunewright as tw
from tunewright.errors import RunError
from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.verbs.chart import coverage
from tunewright.verbs.dynamics import last_answers


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


def test_pictures_and_page_lie_in_the_run(project, first):
    drawn = tw.map(project, first, latent=True)
    names = [path.name for path in drawn.files]
    assert names == ["map.png", "map.svg", "map.html", "latent.png", "latent.svg"]
    assert all(path.parent == first.folder / "figures" and path.stat().st_size > 1000 for path in drawn.files)
    assert first.table("embeddings").num_rows == 100  # of all splits


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
