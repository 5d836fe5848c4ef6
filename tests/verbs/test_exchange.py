from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow as pa
import pytest

import tunewright as tw
from tunewright.errors import DataError
from tunewright.run import Run
from tunewright.table import read
from tunewright.verbs import import_dynamics


def test_the_wide_table_in_three_formats(project, first, tmp_path):
    tw.map(project, first)
    with tw.export(project, first, path=tmp_path / "a.csv").path.open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    lines = tw.export(project, first, format="jsonl", path=tmp_path / "a.jsonl").path.read_text().splitlines()
    from_json = [json.loads(line) for line in lines]
    from_parquet = read(tw.export(project, first, format="parquet", path=tmp_path / "a.parquet").path).to_pylist()
    assert [row["id"] for row in from_csv] == [row["id"] for row in from_json] == [row["id"] for row in from_parquet]
    assert len(from_csv) == first.table("examples").num_rows
    assert float(from_csv[0]["confidence"]) == pytest.approx(from_parquet[0]["confidence"])
    assert {"text", "label", "aum", "region", "suspicion"} <= set(from_json[0])


def test_cells_that_a_spreadsheet_would_run_are_guarded(new, tmp_path):
    table = pa.table({"id": ["a"], "split": ["train"], "text": ["=1+1"], "n": [float("nan")]})
    run = Run.create(new.runs_folder, kind="train", name="x", config={}, examples=table)
    assert tw.export(new, run, path=tmp_path / "a.csv").path.read_bytes() == b"id,split,text,n\r\na,train,'=1+1,\r\n"


def test_dynamics_go_out_and_come_back(project, first, tmp_path):
    out = tw.export(project, first, format="cartography", path=tmp_path / "training_dynamics")
    assert sorted(path.name for path in out.path.iterdir()) == [f"dynamics_epoch_{epoch}.jsonl" for epoch in range(3)]
    run = import_dynamics(project, tmp_path)
    assert run.labels == ("neg", "pos")
    one, other = (tw.map(project, each).rows.sort_by("id") for each in (first, run))
    for name in ("confidence", "variability", "correctness", "aum", "el2n"):
        assert np.allclose(one[name].to_numpy(), other[name].to_numpy(), atol=1e-5)
    assert one["text"].to_pylist() == other["text"].to_pylist()
    assert tw.show(project, run).coverage == 1


def test_dynamics_of_unknown_rows(new, tmp_path, built, archive):
    for epoch in range(2):
        lines = [
            {"guid": number, f"logits_epoch_{epoch}": [1.0, 0.5, epoch], "gold": number % 3} for number in range(6)
        ]
        text = "\n".join(map(json.dumps, lines))
        (tmp_path / f"dynamics_epoch_{epoch}.jsonl").write_text(text)
    run = import_dynamics(new, tmp_path)
    assert run.labels == ("0", "1", "2")
    drawn = tw.map(new, run)
    assert drawn.rows.num_rows == 6
    assert all(one.text == () for one in drawn.first_suspects)
    answers, rows = archive(drawn.files[-1])
    assert answers["ids"] == [row["example"]["id"] for row in rows] == [str(number) for number in range(6)]


def test_an_unknown_format(project, first):
    with pytest.raises(DataError, match="'xls'"):
        tw.export(project, first, format="xls")
