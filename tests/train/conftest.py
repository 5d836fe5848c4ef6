from __future__ import annotations

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
