"""Sentiment of film reviews: BERT base on Rotten Tomatoes, with 3,500 rows mixed of two at the embeddings."""

from __future__ import annotations

from tunewright import Classification, Project, TrainConfig

project = Project(
    name="rotten_tomatoes",
    source="cornell-movie-review-data/rotten_tomatoes",
    task=Classification(labels=("neg", "pos")),
    model="google-bert/bert-base-cased",
    train=TrainConfig(epochs=3, batch_size=8, learning_rate=1e-5, weight_decay=0.01),
)
