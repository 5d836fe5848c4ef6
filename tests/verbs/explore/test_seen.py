from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import tunewright as tw
from tunewright.toy import toy_run
from tunewright.verbs.explore import explorer as module
from tunewright.verbs.explore.explorer import Explorer
from tunewright.verbs.explore.seen import Seen
from tunewright.verbs.explore.snapshot import snapshot

NAMES = {"gold_probability", "loss", "margin", "correct"}


@pytest.fixture
def project(tmp_path):
    project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")), folder=tmp_path)
    toy_run(project.runs_folder, 200)
    return project


@pytest.fixture
def shot(project):
    """Of a run whose rows were not seen in one order, some in two windows, and some not at all."""
    explorer = Explorer(project)
    run = explorer.find("toy")
    for epoch in range(run.table("dynamics", ["epoch"])["epoch"].to_pylist()[-1] + 1):
        part = run.table("dynamics").filter(pa.compute.equal(run.table("dynamics")["epoch"], epoch))
        order = np.random.default_rng(epoch).permutation(part.num_rows)[: -10 * epoch or None]
        rows = part.take(order)
        again = rows.slice(0, 50)
        window = again.schema.get_field_index("window")
        again = again.set_column(window, "window", pa.array([1] * 50, again.schema.field("window").type))
        score = again.schema.get_field_index("gold_probability")
        type_ = again.schema.field("gold_probability").type
        again = again.set_column(score, "gold_probability", pa.array(np.linspace(0, 1, 50)).cast(type_))
        run.append("dynamics", f"part-{epoch:05d}", pa.concat_tables([rows, again]))
    return snapshot(project, run)


def test_a_row_is_the_same_from_the_files_as_from_memory(shot):
    whole, part = Seen(shot), Seen(shot)
    whole.read()
    for row in range(200):
        seen, alone = whole.row(row), part.row(row)
        assert seen.keys() == alone.keys() == NAMES
        for name in NAMES:
            np.testing.assert_array_equal(seen[name], alone[name], err_msg=f"{name} of row {row}")
    assert np.isnan([whole.row(row)["loss"] for row in range(200)]).any()


def test_without_windows_the_first_record_of_a_row_counts(project):
    run = Explorer(project).find("toy")
    part = run.table("dynamics").filter(pa.compute.equal(run.table("dynamics")["epoch"], 0))
    run.append("dynamics", "part-00000", pa.concat_tables([part, part.slice(0, 30).take(pa.array(range(29, -1, -1)))]))
    run.append("dynamics", "part-00009", part.take(pa.array(range(199, -1, -1))))
    shot = snapshot(project, run)
    whole, part = Seen(shot), Seen(shot)
    whole.read()
    ids, wanted = run.inputs([f"dynamics.{name}" for name in sorted(NAMES)])
    assert ids.to_pylist() == shot.rows["id"].to_pylist()
    for name in NAMES:
        np.testing.assert_allclose(whole.of(name), wanted[name], rtol=1e-6)
        np.testing.assert_array_equal(part.row(17)[name], whole.of(name)[17])


def test_of_many_rows_one_is_read_before_all_are(project, monkeypatch):
    few = Explorer(project).example("toy", 7).to_json()
    begun = []
    monkeypatch.setattr(module, "_MANY", 100)
    monkeypatch.setattr(module.Kept, "begin", lambda _, name, __, **more: begun.append((name, more["after"] > 0)))
    explorer = Explorer(project)
    assert explorer.example("toy", 7).to_json() == few
    explorer.prepare("toy")
    assert begun == [("all seen", True), ("index", True)]


def test_of_few_rows_nothing_is_begun(project, monkeypatch):
    monkeypatch.setattr(module.Kept, "begin", lambda *_, **__: 1 / 0)
    explorer = Explorer(project)
    explorer.prepare("toy")
    assert explorer.example("toy", 7).epochs
