"""What a page shows of production beside its rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.errors import MonitorError
from tunewright.toy import toy_texts
from tunewright.verbs import monitor
from tunewright.verbs.explore.explorer import Explorer
from tunewright.verbs.explore.production import collected_rows


@pytest.fixture(scope="module")
def production(project, first, tmp_path_factory):
    rows = toy_texts(60, seed=5).select(["id", "text"])
    odd = pa.table({"id": ["odd-1", "odd-2"], "text": ["word " * 400, "zyx " * 300]})
    path = tmp_path_factory.mktemp("production") / "day.csv"
    pyarrow.csv.write_csv(pa.concat_tables([rows, odd]), path)
    monitor(project, path, run=first, name="gathering", window=20)
    return tw.Run.open(project.runs_folder / "gathering")


def test_collected_rows_are_counted_by_reason(project, production):
    found = collected_rows(project, production)
    by_reason = {one.reason: one for one in found.reasons}
    assert {"odd-1", "odd-2"} <= set(by_reason["long_text"].ids)
    assert all(one.rows == len(one.ids) and one.labelled == 0 for one in found.reasons)
    assert [one.rows for one in found.reasons] == sorted((one.rows for one in found.reasons), reverse=True)
    assert found.rows == len({id for one in found.reasons for id in one.ids}) <= found.budget


def test_a_training_collects_nothing(project, first):
    with pytest.raises(MonitorError):
        collected_rows(project, tw.Run.open(project.runs_folder / tw.verbs.runs(project).runs[0].id))


def test_the_reference_lies_where_the_map_has_it(project, production):
    explorer = Explorer(project)
    assert explorer.run("gathering").reference == 0
    assert explorer.reference("gathering").num_rows == 0
    points = np.array([[0.5, 1.5], [2.5, -1.0]])
    production.write("reference/map", pa.table({"umap1": points[:, 0], "umap2": points[:, 1], "method": ["umap"] * 2}))
    found = explorer.reference("gathering")
    assert explorer.run("gathering").reference == 2
    assert found.schema.types == [pa.float32(), pa.float32()]
    assert found.to_pydict() == {"x": [0.5, 2.5], "y": [1.5, -1.0]}
