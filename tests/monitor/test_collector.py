from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from tunewright.data import edits
from tunewright.errors import ColumnError, DataError, MonitorError
from tunewright.monitor.collector import Collector, Marked, to_edit

SMALL = Collector(budget=4, per_reason=3, weights={"rare": 5.0})


def marked(*numbers: int) -> list[Marked]:
    reasons = (("long",), ("rare",), ("long", "rare"), ("odd",))
    return [Marked(f"r{n:03d}", n * 7919, f"2026-01-{1 + n % 3:02d}", reasons[n % 4]) for n in numbers]


def rows(candidates) -> pa.Table:
    """Rows with texts that are alike for nobody."""
    texts = [np.random.default_rng(int(row.id[1:])).bytes(40).hex() for row in candidates]
    return pa.table({"id": [row.id for row in candidates], "text": texts})


def chosen(collector: Collector, state) -> list[str]:
    candidates = collector.candidates(state)
    return [row.id for row in collector.draw(candidates, rows=rows(candidates))]


numbers = st.lists(st.integers(0, 300), unique=True, max_size=120)


@settings(max_examples=60, deadline=None)
@given(found=numbers, cut=st.integers(0, 120), per_day=st.sampled_from([None, 2]))
def test_partitions_in_any_order_draw_what_one_process_draws(found, cut, per_day):
    collector = Collector(budget=4, per_reason=3, per_day=per_day, weights={"rare": 5.0})
    whole = collector.update(collector.start(), marked(*found))
    first = collector.update(collector.start(), marked(*reversed(found[:cut])))
    second = collector.start()
    for number in found[cut:]:
        second = collector.settled(collector.update(second, marked(number)))
    merged = collector.merge(second, first)
    assert merged == collector.merge(first, second)
    assert collector.settled(whole) == merged
    assert chosen(collector, whole) == chosen(collector, merged)


def test_budgets_are_kept():
    collector = Collector(budget=20, per_reason={"odd": 3}, per_day=5)
    state = collector.update(collector.start(), marked(*range(200)))
    drawn = collector.draw(collector.candidates(state), rows=rows(collector.candidates(state)))
    days = [row.day for row in drawn]
    assert len(drawn) == 15
    assert max(map(days.count, days)) == 5
    assert sum("odd" in row.reasons for row in drawn) <= 3


def test_a_heavy_reason_is_drawn_more_often_and_the_seed_decides():
    collector, other = (Collector(budget=40, weights={"rare": 5.0}, seed=seed) for seed in (0, 1))
    state = collector.update(collector.start(), marked(*range(300)))
    drawn = collector.candidates(state)[:20]
    assert sum("rare" in row.reasons for row in drawn) > 12  # half of the rows have the reason
    assert chosen(other, state) != chosen(collector, state)


def test_rows_with_the_same_content_are_one_with_all_reasons():
    collector = Collector(budget=5)
    same = [Marked("b", 1, "2026-01-01", ("long",)), Marked("a", 1, "2026-01-02", ("odd",))]
    (row,) = collector.candidates(collector.update(collector.start(), same))
    assert (row.id, row.reasons) == ("b", ("long", "odd"))


def table(texts: list[str], vectors: list[list[float]] | None = None) -> pa.Table:
    columns = {"id": [f"r{n:03d}" for n in range(len(texts))], "text": texts}
    if vectors:
        flat = pa.array(np.array(vectors, np.float32).ravel())
        columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, len(vectors[0]))
    return pa.table(columns)


LONG = "the quick brown fox jumps over the lazy dog near the river bank"


@pytest.mark.parametrize(
    ("collector", "drawn"),
    [
        (Collector(budget=9), 2),
        (Collector(budget=9, near_duplicates=None), 3),
        (Collector(budget=9, near_duplicates=0.99, vectors="vector"), 2),
    ],
)
def test_near_duplicates_are_drawn_once(collector, drawn):
    given = table([LONG, LONG + "s", "another thing altogether, and longer"], [[1, 0], [0, 1], [0, 2]])
    state = collector.update(collector.start(), [Marked(f"r{n:03d}", n, "2026-01-01", ("odd",)) for n in range(3)])
    candidates = collector.candidates(state)
    order = [int(row.id[1:]) for row in candidates]
    assert len(collector.draw(candidates, rows=given.take(order))) == drawn


def test_rows_drawn_before_stay_and_count():
    collector = Collector(budget=3)
    state = collector.update(collector.start(), marked(*range(50)))
    candidates = collector.candidates(state)
    taken, rest = candidates[5:7], [row for row in candidates if row not in candidates[5:7]]
    assert len(collector.draw(rest, rows=rows([*taken, *rest]), taken=taken)) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"budget": 0}, "budgets of one row or more, found 0"),
        ({"weights": {"odd": 0.0}}, "positive finite weights"),
        ({"near_duplicates": 1.5}, "in \\(0, 1\\], found 1.5"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(DataError, match=message):
        Collector(**settings)


def collected() -> pa.Table:
    return pa.table({
        "id": ["a", "b"],
        "dialogue": ["hello", "bye"],
        "gts": ["gold", None],
        "reasons": [["long", "odd"], ["odd"]],
        "scores": [[9.0, 1.0], [1.0]],
        "step": ["labelled", "new"],
    })  # fmt: skip


def test_collected_rows_become_an_edit_with_evidence():
    edit = to_edit(
        collected(),
        fields={"document": "dialogue", "summary": "gts"},
        run="run-1",
        rule="odd",
        provenance={"model": "m2"},
    )
    assert edit.rows[0] == {"id": "a", "document": "hello", "summary": "gold"}
    assert edit.evidence.facts == {"model": "m2"}
    assert edit.evidence.rows["a"]["production"] == "a"
    assert list(edit.evidence.rows["a"]["reasons"]) == ["long", "odd"]
    assert (edit.evidence.run, edit.evidence.analysis, edit.evidence.rule) == ("run-1", "monitor", "odd")
    assert edits.from_json(edits.to_json(edit)) == edit
    assert set(to_edit(collected()).rows[1]) == {"id", "dialogue", "gts"}


def test_an_edit_of_nothing_or_of_unknown_columns_is_refused():
    with pytest.raises(MonitorError, match="found none"):
        to_edit(collected().slice(0, 0))
    with pytest.raises(ColumnError, match="no column of the production rows is called 'dialog'"):
        to_edit(collected(), fields={"text": "dialog"})
