from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from tunewright.errors import ProjectError
from tunewright.monitor.monitors import UserFold, as_fold, merged
from tunewright.monitor.outcomes import accuracy
from tunewright.monitor.slices import MISSING, OTHER, sliced
from tunewright.monitor.windows import seconds, windowed

FOLD = accuracy("predicted", "label")
START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(right, minutes=None, source=None):
    columns = {"id": [str(k) for k in range(len(right))], "predicted": ["x" if yes else "y" for yes in right]}
    columns |= {"label": ["x"] * len(right), "source": source or ["s"] * len(right)}
    columns["time"] = [None if m is None else START + timedelta(minutes=m) for m in (minutes or range(len(right)))]
    return pa.table(columns)


def told(fold, *batches):
    state = fold.start(None)
    for batch in batches:
        state = fold.update(state, batch)
    return fold.report(state)


def test_tumbling_windows_of_rows():
    report = told(windowed(FOLD, 4), rows([1, 1, 1, 1, 0, 0]), rows([0, 0, 1]))
    assert report["windows"]["mean"].to_pylist() == [1, 0]
    assert (report["mean"], report["rows"], report["all_rows"]) == (0, 4, 9)


def test_sliding_windows_overlap():
    report = told(windowed(FOLD, 4, slide=2), rows([1, 1, 1, 1, 0, 0, 0, 0]))
    assert report["windows"]["mean"].to_pylist() == [1, 0.5, 0]
    assert report["windows"]["start"].to_pylist() == [0, 2, 4]


def test_only_so_many_windows_are_kept():
    fold = windowed(FOLD, 2, keep=3)
    state = fold.update(fold.start(None), rows([1] * 100))
    assert fold.report(state)["windows"].num_rows == 3
    assert len(state["panes"]) <= 5


def test_windows_of_event_time_wait_for_a_later_row_and_take_late_ones():
    fold = windowed(FOLD, "1h")
    first = rows([1, 0, 1], minutes=[5, 50, 61])
    assert told(fold, first)["windows"]["mean"].to_pylist() == [0.5]
    report = told(fold, first, rows([0, 0, 1], minutes=[10, None, 130]))
    assert report["windows"]["mean"].to_pylist() == [1 / 3, 1.0]
    assert report["left_out"] == 1
    assert report["windows"]["start"][0].as_py() == START


def test_a_window_without_rows_is_there():
    report = told(windowed(FOLD, "1h"), rows([1, 1], minutes=[0, 200]))
    assert report["windows"]["rows"].to_pylist() == [1, 0, 0]


def test_windows_that_do_not_fit_are_refused():
    for window, slide in ((0, None), (4, 5), ("1h", 3)):
        with pytest.raises(ProjectError):
            windowed(FOLD, window, slide=slide)
    with pytest.raises(ProjectError, match="'1h'"):
        seconds("an hour")
    with pytest.raises(ProjectError, match="no `merge`"):
        windowed(windowed(FOLD, 4), 8)


def test_slices_have_a_cap_and_a_rest():
    batch = rows([1, 0, 1, 0], source=["a", "b", "c", None])
    report = told(sliced(FOLD, "source", most=2, values=("b", "a")), batch)
    slices = dict(zip(report["slices"]["source"].to_pylist(), report["slices"]["mean"].to_pylist(), strict=True))
    assert slices == {"a": 1, "b": 0, OTHER: 0.5}
    assert report["mean"] == 0.5
    assert MISSING in told(sliced(FOLD, "source"), batch)["slices"]["source"].to_pylist()


def test_slices_of_windows_tell_the_windows_of_each():
    report = told(sliced(windowed(FOLD, 2), "source"), rows([1, 1, 0, 0], source=["a", "b", "a", "b"]))
    assert report["windows"].select(["source", "mean"]).to_pylist() == [
        {"source": "a", "mean": 0.5},
        {"source": "b", "mean": 0.5},
    ]


class Seen:
    def init(self):
        self.words = set()

    def check(self, inputs, outputs, gts=None, extra_args=None):
        self.words |= set(inputs["source"])
        return {"different": len(self.words), "right": sum(a == b for a, b in zip(outputs, gts, strict=True))}


def test_functions_of_a_user_are_a_sequential_fold():
    from tunewright.monitor.monitors import Arguments

    fold = as_fold(Seen(), arguments=Arguments(output="predicted", truth="label"))
    assert isinstance(fold, UserFold)
    assert told(fold, rows([1, 0], source=["a", "b"]), rows([1], source=["c"])) == {
        "rows": 3,
        "different": 3,
        "right": 1,
    }
    with pytest.raises(ProjectError, match="3 partitions"):
        merged(fold, [fold.start(None)] * 3)
    assert as_fold(fold) is fold
    with pytest.raises(ProjectError, match="`init` and `check`"):
        as_fold(3)


def test_functions_that_log_to_a_dashboard_run_as_they_are():
    def begin(self):
        self.lengths = []

    def look(self, inputs, outputs, gts=None, extra_args={}):  # noqa: B006 - as people write it
        for text in inputs["predicted"]:
            self.lengths.append(len(text))
            mean = sum(self.lengths) / len(self.lengths)
            self.log_handler.add_scalars("lengths", {"y_mean": mean}, len(self.lengths), "lengths", file_name="lengths")

    fold = as_fold({"type": "custom", "initialize_func": begin, "check_func": look}, name="lengths")
    assert told(fold, rows([1, 0]), rows([1])) == {"rows": 3, "y_mean": 1.0}
