from __future__ import annotations

import gzip
import json
import math

import numpy as np
import pyarrow as pa
import pytest

from tunewright.data.cartography import from_statistics, read_dynamics, read_map, statistics, write_dynamics
from tunewright.errors import DataError


def table_of(logits, gold, *, epochs=1):
    rows = len(logits) // epochs
    return pa.table(
        {
            "id": [f"x{row}" for row in range(rows)] * epochs,
            "epoch": pa.array(np.repeat(np.arange(epochs, dtype=np.int32), rows)),
            "logits": pa.array(np.asarray(logits, float).tolist(), pa.list_(pa.float64())),
            "gold": np.asarray(gold),
        }
    )


def test_the_published_sample_comes_back_as_it_was(shared_data, tmp_path):
    folder = shared_data / "cartography"
    table = read_dynamics(folder)
    assert table.column_names == ["id", "epoch", "logits", "gold"]
    assert sorted(set(table["epoch"].to_pylist())) == [0, 1, 2, 3, 4]
    write_dynamics(table, tmp_path / "training_dynamics")
    for epoch in range(5):
        name = f"dynamics_epoch_{epoch}.jsonl"
        published = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        written = (tmp_path / "training_dynamics" / name).read_text().splitlines()
        assert [json.loads(line) for line in written] == published
    assert read_dynamics(tmp_path) == table


def test_statistics_of_the_published_sample_are_those_of_its_formulas(shared_data):
    table = read_dynamics(shared_data / "cartography")
    found = statistics(table).to_pylist()
    for row, got in zip(table.to_pylist(), found, strict=True):
        powers = [math.exp(logit) for logit in row["logits"]]
        probabilities = [power / sum(powers) for power in powers]
        others = [logit for code, logit in enumerate(row["logits"]) if code != row["gold"]]
        assert got["gold_probability"] == pytest.approx(probabilities[row["gold"]])
        assert got["loss"] == pytest.approx(-math.log(probabilities[row["gold"]]))
        assert got["sum_of_squares"] == pytest.approx(sum(value**2 for value in probabilities))
        assert got["margin"] == pytest.approx(row["logits"][row["gold"]] - max(others))
        assert row["logits"][got["other"]] == max(others) == got["other_logit"]
        assert got["correct"] == (max(range(3), key=row["logits"].__getitem__) == row["gold"])


def test_the_published_map_is_the_one_the_paper_shows(shared_data):
    table = read_map(shared_data / "cartography" / "winogrande_roberta_map.jsonl.gz")
    assert table.column_names == ["id", "confidence", "variability", "correctness"]
    assert table.num_rows == 40_398
    assert len(set(table["id"].to_pylist())) == 40_398
    correctness, confidence, variability = (
        table[name].to_numpy() for name in ("correctness", "confidence", "variability")
    )
    assert set(correctness) == set(range(7))
    assert np.mean(correctness == 6) == pytest.approx(0.616, abs=5e-4)
    assert np.median(confidence) == pytest.approx(0.915, abs=5e-4)
    assert np.quantile(variability, 2 / 3) == pytest.approx(0.190, abs=5e-4)


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_exported_statistics_have_the_scores_of_the_true_logits(labels, tmp_path):
    random = np.random.default_rng(labels)
    gold = np.tile(random.integers(0, labels, 50), 3)
    true = table_of(random.normal(0, 3, (150, labels)), gold, epochs=3)
    kept = statistics(true)
    exported = from_statistics(kept, gold=pa.table({"id": true["id"][:50], "gold": gold[:50]}), labels=labels)
    write_dynamics(exported, tmp_path)
    again = statistics(read_dynamics(tmp_path))
    for name in ("gold_probability", "loss", "margin", "gold_logit", "other_logit", "log_sum_exp"):
        assert again[name].to_numpy() == pytest.approx(kept[name].to_numpy(), abs=1e-9)
    assert again["correct"] == kept["correct"]
    assert again["id"] == kept["id"]
    if labels == 2:
        assert np.array(exported["logits"].to_pylist()) == pytest.approx(np.array(true["logits"].to_pylist()))


def test_large_logits_overflow_nothing():
    got = statistics(table_of([[1000.0, -1000.0], [-1000.0, 1000.0]], [0, 0]))
    assert got["gold_probability"].to_pylist() == [1.0, 0.0]
    assert got["loss"].to_pylist() == [0.0, 2000.0]


def test_a_tie_is_not_correct():
    assert statistics(table_of([[1.0, 1.0]], [0]))["correct"].to_pylist() == [False]


def test_ids_that_are_names_stay_names(tmp_path):
    write_dynamics(table_of([[0.5, 1.0]], [1]), tmp_path)
    assert read_dynamics(tmp_path)["id"].to_pylist() == ["x0"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "found the epochs"),
        ({1: '{"guid": 1, "logits_epoch_1": [0, 1], "gold": 0}'}, r"found the epochs \[1\]"),
        ({0: "nonsense"}, "expected JSON Lines"),
        ({0: '{"guid": 1, "gold": 0}'}, "expected guid, logits_epoch_0 and gold"),
        ({0: ""}, "expected JSON Lines"),
    ],
)
def test_a_folder_of_another_format_is_an_error(tmp_path, files, message):
    for epoch, text in files.items():
        (tmp_path / f"dynamics_epoch_{epoch}.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        read_dynamics(tmp_path)


def test_rows_that_do_not_fit_are_an_error():
    with pytest.raises(DataError, match="gold labels from 0 to 1, found 0 to 2"):
        statistics(table_of([[0, 1], [1, 0]], [0, 2]))
    ragged = pa.table({"id": ["a", "b"], "epoch": [0, 0], "logits": [[0.0, 1.0], [0.0, 1.0, 2.0]], "gold": [0, 0]})
    with pytest.raises(DataError, match="the same number in every row"):
        statistics(ragged)
    with pytest.raises(DataError, match="no.* such as x0|none for 1 rows such as x0"):
        from_statistics(statistics(table_of([[0, 1]], [0])), gold=pa.table({"id": ["y"], "gold": [0]}), labels=2)


def test_a_map_of_another_format_is_an_error(tmp_path):
    path = tmp_path / "map.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"guid": 1, "confidence": 0.5}\n'))
    with pytest.raises(DataError, match=r"found no \['variability', 'correctness'\]"):
        read_map(path)
    with pytest.raises(DataError, match="expected JSON Lines"):
        read_map(tmp_path / "missing.jsonl")
