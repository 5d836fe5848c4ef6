"""Production rows as rows of a dataset."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from tunewright.data.edits import Evidence, from_json, to_json
from tunewright.data.fields import Fields
from tunewright.data.intake import content_of
from tunewright.monitor.retraining import NewRow, add_of, as_new_rows, drawn, held_out, thinned

FIELDS = Fields(text=("text",), label="label")


def dataset(**rows):
    texts = pa.array(list(rows.values()), pa.string())
    return pa.table({"id": list(rows), "content": content_of([texts]), "split": ["train"] * len(rows), "text": texts})


def production(*rows):
    ids, texts = zip(*rows, strict=True)
    reasons = pa.array([["long"]] * len(rows), pa.list_(pa.string()))
    scores = pa.array([[2.5]] * len(rows), pa.list_(pa.float32()))
    return pa.table({"id": ids, "text": texts, "label": ["pos"] * len(rows), "reasons": reasons, "scores": scores})


def new(count):
    contents = content_of([pa.array([f"text {number}" for number in range(count)])]).to_pylist()
    return [NewRow({"id": str(n)}, {"production": str(n)}, content) for n, content in enumerate(contents)]


def test_equal_ids_of_other_texts_are_told_apart_and_equal_texts_are_there_already():
    before = dataset(a="hello", **{"day:b": "taken"}, b="good morning")
    rows, there = as_new_rows(
        production(("a", "good morning"), ("b", "new"), ("c", "fresh"), ("d", "fresh")),
        monitor="day",
        before=before,
        fields=FIELDS,
    )
    assert there == {"a", "d"}
    assert [(row.values["id"], row.production) for row in rows] == [("day:b:2", "b"), ("c", "c")]
    assert rows[0].values == {"id": "day:b:2", "text": "new", "label": "pos"}
    assert rows[0].origin["reasons"] == {"long": 2.5}


def test_the_label_of_a_task_with_lists_of_targets_is_the_first_of_them():
    rows, _ = as_new_rows(
        production(("a", "hello")).drop_columns(["label"]).append_column("answers", pa.array([["Rome", "in Rome"]])),
        monitor="day",
        before=dataset().append_column("answers", pa.array([], pa.list_(pa.string()))),
        fields=Fields(text=("text",), target=("answers",)),
    )
    assert rows[0].values["label"] == "Rome"
    assert rows[0].values["answers"] == ["Rome", "in Rome"]


def test_whether_a_row_judges_depends_on_its_texts_alone():
    rows = new(2000)
    judges = {row.production for row in held_out(rows, 0.2)}
    assert 330 < len(judges) < 470
    assert {row.production for row in held_out(rows[::-1][:500], 0.2)} == judges & {str(n) for n in range(1500, 2000)}
    assert held_out(rows, 0) == ()


@given(inside=st.integers(0, 60), outside=st.integers(0, 60), share=st.floats(0, 1))
def test_thinned_rows_have_the_share_of_collected_ones_that_production_has(inside, outside, share):
    rows = new(inside + outside)
    kept = thinned(rows, lambda row: int(row.production) < inside, share=share)
    among = sum(int(row.production) < inside for row in kept)
    assert len(set(kept_ids := [row.production for row in kept])) == len(kept_ids)
    assert abs(among - share * len(kept)) <= 1
    assert among <= inside
    assert len(kept) - among <= outside


def test_an_added_row_says_where_it_is_from():
    edit = add_of(new(2), split="production", reason="why", evidence=Evidence(run="day", facts={"model": "m"}))
    assert [row["split"] for row in edit.rows] == ["production"] * 2
    assert edit.evidence.rows == {"0": {"production": "0"}, "1": {"production": "1"}}
    assert from_json(to_json(edit)) == edit


def test_a_draw_is_seeded_and_without_replacement():
    rows = new(30)
    assert drawn(rows, 10, seed=1) == drawn(rows, 10, seed=1) != drawn(rows, 10, seed=2)
    assert len({row.production for row in drawn(rows, 30, seed=0)}) == 30
    with pytest.raises(ValueError, match="larger"):
        drawn(rows, 31, seed=0)
