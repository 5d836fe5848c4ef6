"""Two processes on one machine (gloo): one dynamics shard each, together complete."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tunewright.run import runs

SCRIPT = """
import sys
from tunewright.tasks.classify import Classification
from tunewright.toy import toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit

config = TrainConfig(epochs=2, batch_size=4, learning_rate=1e-2, threads=1, precision="fp32", record=sys.argv[3])
fit(Classification(labels=("neg", "pos")), toy_texts(75), model=sys.argv[1], config=config, root=sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.parametrize("record", ["train", "epoch_end"])
def test_two_processes_record_everything_once(tmp_path, source, record):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", f"--master-port={port}"]
    done = subprocess.run(
        [sys.executable, *launch, str(script), source, str(tmp_path / "runs"), record],
        env=os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = runs(tmp_path / "runs")
    rows = run.table("dynamics").to_pydict()
    seen = list(zip(rows["id"], rows["epoch"], strict=True))
    assert set(rows["rank"]) == {0, 1}
    train = run.table("examples").to_pylist()
    expected = {(row["id"], epoch) for row in train if row["split"] == "train" for epoch in (0, 1)}
    assert set(seen) == expected
    # 47 rows do not divide by two processes: Accelerate repeats a few, so that both take equal steps
    assert len(seen) <= 2 * 48
    assert run.meta["coverage"] == [{"epoch": epoch, "seen": 47, "expected": 47} for epoch in (0, 1)]
    assert run.meta["status"] == "finished"
    losses = [entry["loss"] for entry in run.meta["history"] if "loss" in entry]
    assert losses[0] == pytest.approx(0.69, abs=0.1), "the loss is a mean, however many processes share it"
    assert (run.model_folder / "model.safetensors").exists()
