"""Two processes on one machine (gloo): one dynamics shard each, together complete."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys

import pytest

from tunewright.run import runs

SCRIPT = """
import sys
import pyarrow as pa
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.classify import Classification
from tunewright.toy import toy_answers, toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit

source, root, record, kind = sys.argv[1:]
config = TrainConfig(epochs=2, batch_size=4, learning_rate=1e-2, threads=1, precision="fp32", record=record)
recipes = {"id": ["m1", "m2"], "a": ["toy-0000", "toy-0001"], "b": ["toy-0002", "toy-0003"], "weight": [0.3, 0.6]}
mixed = None
if kind == "mixed":
    config, mixed = config.with_changes(mixup_alpha=0.4), pa.table({**recipes, "layer": ["embeddings"] * 2})
task, rows = {
    "texts": (Classification(labels=("neg", "pos")), toy_texts(75)),
    "mixed": (Classification(labels=("neg", "pos")), toy_texts(75)),
    "answers": (QuestionAnswering(max_length=28, stride=8), toy_answers(75)),
}[kind]
fit(task, rows, model=source, config=config, root=root, mixed=mixed)
"""
FIRST_LOSS = {
    "texts": math.log(2),
    "mixed": math.log(2),
    "answers": 2 * math.log(26),
}  # of about 26 tokens, where it starts and ends


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "record"), [("texts", "train"), ("texts", "epoch_end"), ("answers", "train"), ("mixed", "train")]
)
def test_two_processes_record_everything_once(tmp_path, source, kind, record):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", f"--master-port={port}"]
    done = subprocess.run(
        [sys.executable, *launch, str(script), source, str(tmp_path / "runs"), record, kind],
        env=os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = runs(tmp_path / "runs")
    rows = run.table("dynamics").to_pydict()
    seen = list(zip(rows["id"], rows["window"], rows["epoch"], strict=True))
    assert set(rows["rank"]) == {0, 1}
    train = {row["id"] for row in run.table("examples").to_pylist() if row["split"] == "train"}
    assert {(name, epoch) for name, _, epoch in seen} == {(name, epoch) for name in train for epoch in (0, 1)}
    # Accelerate fills the last step of an epoch, 8 features, so that both processes take equal ones
    assert len(seen) - len(set(seen)) < 2 * 8
    expected = len(train)
    assert run.meta["coverage"] == [{"epoch": epoch, "seen": expected, "expected": expected} for epoch in (0, 1)]
    assert run.meta["status"] == "finished"
    losses = [entry["loss"] for entry in run.meta["history"] if "loss" in entry]
    assert losses[0] == pytest.approx(FIRST_LOSS[kind], rel=0.15), "a mean, however many processes share it"
    assert (run.model_folder / "model.safetensors").exists()
    assert run.has("synthetic") == (kind == "mixed")
    if kind == "mixed":
        synthetic = run.table("synthetic").to_pydict()
        assert set(synthetic["rank"]) == {0, 1}
        fresh = [name for name in synthetic["id"] if " + " in name]
        assert len(fresh) == len(seen), "as many fresh pairs as rows, in each process"
        assert {"m1", "m2"} <= set(synthetic["id"])
