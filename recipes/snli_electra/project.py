"""Does the first sentence entail the second? ELECTRA small on SNLI."""

from __future__ import annotations

from tunewright import Classification, Project, TrainConfig

project = Project(
    name="snli",
    source="stanfordnlp/snli",
    task=Classification(
        text="premise",
        text_pair="hypothesis",
        labels=("entailment", "neutral", "contradiction"),
        max_length=128,
    ),
    model="google/electra-small-discriminator",
    train=TrainConfig(epochs=3, batch_size=32, learning_rate=5e-5),
    on_bad="skip",  # rows that cannot be used are listed by `check`; they need not stop 550,000 others
)
