from __future__ import annotations

from pathlib import Path

import pytest

from tunewright.tasks.classify import Classification
from tunewright.toy import toy_model
from tunewright.train.config import TrainConfig


@pytest.fixture(scope="session")
def source(tmp_path_factory) -> str:
    return toy_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def task() -> Classification:
    return Classification(labels=("neg", "pos"))


@pytest.fixture
def config() -> TrainConfig:
    """Quick, and the same on every machine."""
    return TrainConfig(epochs=3, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


@pytest.fixture(scope="session")
def same_dynamics():
    """Assert that two runs recorded the same rows with the same numbers, whatever the order of the parts."""

    def compare(first, second) -> None:
        keys = [("epoch", "ascending"), ("id", "ascending")]
        one, two = (run.table("dynamics").sort_by(keys) for run in (first, second))
        assert one.num_rows == two.num_rows
        for name in one.column_names:
            assert one[name].to_pylist() == two[name].to_pylist(), name

    return compare


@pytest.fixture(scope="session")
def weights():
    """The bytes of a run's final weights."""

    def read(run) -> bytes:
        return Path(run.model_folder, "model.safetensors").read_bytes()

    return read
