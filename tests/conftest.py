from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Set before anything imports torch or a Hub client: tests use no network, and leave the cores to each other.
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
os.environ.update(MPLBACKEND="Agg", TOKENIZERS_PARALLELISM="false", HF_HUB_DISABLE_PROGRESS_BARS="1")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ["COLUMNS"] = "120"  # tables are as wide as a terminal says it is


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public data sets that lie beside the repository, or where TUNEWRIGHT_DATA says; absent, the test is skipped."""
    folder = Path(os.environ.get("TUNEWRIGHT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets in {folder} (set TUNEWRIGHT_DATA)")
    return folder


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection to another machine fails, by name."""
    import socket

    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in {"localhost", "127.0.0.1", "::1"}:
            raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def quick_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first principal components in place of the points of a UMAP, which takes 20 seconds to be compiled."""
    from tunewright.analyze import projection

    def points(wide, others, *, settings, **_):
        return wide[:, : settings["n_components"]], others[:, : settings["n_components"]]

    monkeypatch.setattr(projection, "_umap", points)


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
