"""Sentiment of film reviews: BERT base on SST-2."""

from __future__ import annotations

from tunewright import Classification, Project, TrainConfig

project = Project(
    name="sst2",
    source="stanfordnlp/sst2",
    task=Classification(text="sentence", labels=("negative", "positive")),
    model="google-bert/bert-base-uncased",
    train=TrainConfig(epochs=6, batch_size=128, learning_rate=2e-5, trackers=("wandb",)),
)
