from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest


def learn(n: int, *, epochs: int = 5, seed: int = 0) -> dict[str, np.ndarray]:
    """Columns of a made-up training: examples that differ in difficulty, learnt over the epochs."""
    generator = np.random.default_rng(seed)
    start, slope = generator.normal(1.5, 2.2, n)[:, None], generator.normal(0.8, 0.8, n)[:, None]
    noise = generator.normal(0, 0.9, (n, epochs))
    probability = 1 / (1 + np.exp(-start - slope * np.arange(epochs) - noise))
    return {
        "id": np.array([f"row-{i}" for i in range(n)]),
        "confidence": probability.mean(axis=1),
        "variability": probability.std(axis=1),
        "correctness": (probability > 0.5).mean(axis=1),
    }


@pytest.fixture
def columns() -> dict[str, np.ndarray]:
    return learn(200)


@pytest.fixture(scope="session")
def many() -> dict[str, np.ndarray]:
    return learn(100_000)


@pytest.fixture(scope="session")
def published(shared_data: Path) -> dict[str, np.ndarray]:
    """The map of WinoGrande that its authors published; correctness there is a count of six epochs."""
    with gzip.open(shared_data / "cartography" / "winogrande_roberta_map.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    columns = {name: np.array([row[name] for row in rows]) for name in ("confidence", "variability", "correctness")}
    return columns | {"id": np.array([str(row["guid"]) for row in rows]), "correctness": columns["correctness"] / 6}
