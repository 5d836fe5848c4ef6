from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tunewright.run import Run
from tunewright.toy import toy_texts
from tunewright.verbs.results import Result, encode


@dataclass(frozen=True, slots=True)
class Inner:
    value: float


@dataclass(frozen=True, slots=True)
class Outer(Result):
    items: tuple[Inner, ...]
    table: pa.Table
    array: np.ndarray


def test_everything_becomes_json():
    made = Outer((Inner(float("inf")), Inner(0.5)), pa.table({"a": [1, None]}), np.array([1.0, np.nan]))
    expected = {"items": [{"value": None}, {"value": 0.5}], "table": [{"a": 1}, {"a": None}], "array": [1.0, None]}
    assert made.to_json() == expected
    json.dumps(made.to_json(), allow_nan=False)


def test_numbers_of_numpy_and_runs(tmp_path):
    run = Run.create(tmp_path, kind="train", name="x", config={}, examples=toy_texts(2))
    assert encode({"run": run, 1: np.float32(0.5), "yes": np.bool_(True)}) == {"run": run.id, "1": 0.5, "yes": True}
