"""A Hub id goes through the real ``from_pretrained``: here it finds a tiny model in a local Hub cache."""

from __future__ import annotations

import os
import subprocess
import sys

from tunewright.toy import toy_model

SCRIPT = """
import sys
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer
from tunewright.toy import toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit

name, root = sys.argv[1:]
config = TrainConfig(epochs=1, batch_size=8, threads=1, precision="fp32")
run = fit(Classification(labels=("neg", "pos")), toy_texts(20), model=name, config=config, root=root)
print(run.meta["config"]["model"], run.meta["status"])
"""


def test_a_hub_id_is_found_in_the_local_cache(tmp_path):
    revision = "0" * 40
    repository = tmp_path / "home" / "hub" / "models--google-bert--bert-base-cased"
    toy_model(repository / "snapshots" / revision)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "google-bert/bert-base-cased", str(tmp_path / "runs")],
        env=os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["google-bert/bert-base-cased", "finished"]
