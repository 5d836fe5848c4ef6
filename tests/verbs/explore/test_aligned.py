"""Points of one run in the order of another's rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tunewright.verbs.explore.aligned import aligned
from tunewright.verbs.explore.snapshot import Snapshot


def shot(*ids):
    return Snapshot(
        run=None, etag="", rows=pa.table({"id": pa.array(ids, pa.string())}), own=len(ids), columns={}, epochs=0
    )


def test_rows_follow_the_other_run_and_what_is_not_there_is_missing():
    points = pa.table({"x": pa.array([1.0, 2.0], pa.float32()), "label": pa.array([0, 1], pa.uint8())})
    found = aligned(points, shot("a", "b"), shot("b", "c", "a"))
    assert found["label"].to_pylist() == [1, 255, 0]
    np.testing.assert_array_equal(found["x"].to_numpy(), np.array([2, np.nan, 1], dtype=np.float32))
    assert found.schema == points.schema


def test_a_run_without_rows_is_missing_everywhere():
    points = pa.table({"x": pa.array([], pa.float32()), "code": pa.array([], pa.uint16())})
    found = aligned(points, shot(), shot("a"))
    assert found["code"].to_pylist() == [65535]
    assert np.isnan(found["x"].to_numpy()).all()
