from __future__ import annotations

from collections import Counter

from hypothesis import given, strategies as st

from tunewright.monitor.catalogue import Pane
from tunewright.monitor.collector import Collector
from tunewright.monitor.expressions import col
from tunewright.monitor.retention import compacted
from tunewright.monitor.watch import Monitor

DAY = 86_400
NOW = 100 * DAY + 7_000.0


def total(panes: list[Pane]) -> Counter[str]:
    return sum((Counter(pane.counts) for pane in panes), Counter())


@given(st.lists(st.tuples(st.integers(0, int(NOW) // 60), st.integers(1, 9)), max_size=60))
def test_compacting_changes_no_sum_and_is_done_once(found):
    panes = [Pane(60, minute * 60, {"rows": rows}) for minute, rows in found]
    once = compacted(panes, now=NOW)
    assert total(once) == total(panes)
    assert compacted(once, now=NOW) == once
    assert compacted(compacted(panes, now=NOW), now=NOW + 3 * DAY) == compacted(panes, now=NOW + 3 * DAY)


def test_panes_widen_with_their_age():
    panes = [Pane(60, int(NOW) - age, {"rows": 1}) for age in (60, 2 * DAY, 2 * DAY + 60, 40 * DAY)]
    assert [pane.width for pane in compacted(panes, now=NOW)] == [DAY, 3600, 60]


def batch(*numbers: int) -> dict[str, list[object]]:
    return {
        "id": [f"r{n}" for n in numbers],
        "text": [f"{n * 7919} is a text" for n in numbers],
        "odd": [n % 2 for n in numbers],
    }


def test_old_rows_go_and_collected_ones_stay(tmp_path):
    settings = {"checks": [(col("odd") == 1).edge("odd")], "collect": Collector(budget=2, near_duplicates=None)}
    with Monitor("m", folder=tmp_path / "m", segment=5, **settings) as monitor:
        monitor.log(batch(*range(10)))
        collected = monitor.collected()["id"].to_pylist()
        assert monitor.forget(days=-1) == 8
        assert sorted(monitor.rows()["id"].to_pylist()) == sorted(collected)
        assert monitor.report()["rows"] == 10
        assert monitor.log(batch(3)).duplicates == 1
        assert monitor.collected()["id"].to_pylist() == collected
        assert monitor.forget(days=-1) == 0
