"""Summaries of chats: BART large, tuned on SAMSum; and what to watch when other conversations come."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tunewright import Project, Summarization, TrainConfig
from tunewright.monitor.signals import NEGATIONS, emb, text, truth

OUTLIERS = Path(__file__).parent / "outliers.npz"  # written by the README's last step
PLACES = ("yuan", "li", "wang", "taiwan", "zhang", "liu", "chinas", "sichuan", "singapore")

long = text.chars("dialogue") > 1700
copied = text.rouge_l("dialogue", "predicted", variant="sets") > 0.3
checks = [
    (long | (copied & text.has_any("dialogue", NEGATIONS))).edge("edge_case"),
    text.has_any("dialogue", PLACES, read="cleaned").edge("places"),
    text.truncated("predicted", stop_reason="stop_reason").edge("cut"),
    (text.rouge_l(truth("label"), "predicted") == 0).edge("nothing_in_common"),
    text.vocabulary("dialogue"),
    emb.drift("output_vector", window=200),
]
if OUTLIERS.exists():
    checks.append(emb.near("output_vector", **np.load(OUTLIERS), distance="l1").edge("near_outliers"))

project = Project(
    name="samsum",
    source="knkarthick/samsum",
    task=Summarization(document="dialogue", max_length=1024, beams=4, max_new_tokens=80),
    label="summary",
    model="facebook/bart-large-xsum",
    train=TrainConfig(epochs=3, batch_size=4, learning_rate=2e-5),
    monitors=tuple(checks),
    on_bad="skip",  # one chat of SAMSum has no text
)
