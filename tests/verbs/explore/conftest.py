from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import tunewright as tw
from tunewright.project import open_dataset
from tunewright.run import Run
from tunewright.verbs.evaluations import new_evaluation
from tunewright.verbs.explore.snapshot import snapshot

LABELS = ("negative", "positive")


def _reviews() -> pa.Table:
    """400 reviews: 240 to train on, 60 to validate, 100 to test, with planted copies."""
    names = [f"film {number} was {'fine' if number % 2 else 'dull'} on day {number % 7}" for number in range(400)]
    label = [LABELS[number % 2] for number in range(400)]
    split = ["train"] * 240 + ["validation"] * 60 + ["test"] * 100
    names[300], names[301] = names[0], names[1]  # test rows that repeat training rows
    names[11], label[11] = names[13], "negative"  # one text, two labels
    names[20] = names[22]  # a copy with its label
    return pa.table({"id": [f"r{number:03}" for number in range(400)], "text": names, "label": label, "split": split})


@pytest.fixture
def planted(tmp_path):
    """A project without a model, whose reviews have planted flaws."""
    pyarrow.csv.write_csv(_reviews(), tmp_path / "reviews.csv")
    project = tw.Project(
        name="reviews", source="reviews.csv", task=tw.Classification(text="text", labels=LABELS), folder=tmp_path
    )
    open_dataset(project)
    return project


@pytest.fixture
def trained(planted):
    """A function that makes a training run of it whose numbers are made up."""

    def make(**columns) -> Run:
        dataset = open_dataset(planted)
        rows = dataset.table()
        seen = rows.filter(pa.compute.not_equal(rows["split"], "test"))
        run = Run.create(
            planted.runs_folder,
            kind="train",
            name="made-up",
            config={},
            examples=seen,
            dataset=planted.name,
            version=dataset.resolve("main"),
            labels=list(LABELS),
            coverage=[{"seen": 240, "expected": 240}] * 3,
        )
        n = seen.num_rows
        told = {
            "correctness": np.ones(n),
            "loss": np.full(n, 0.1),
            **{name: make(seen) for name, make in columns.items()},
        }
        run.write(
            "columns/made-up", pa.table({"id": seen["id"], **{name: pa.array(one) for name, one in told.items()}})
        )
        run.update(status="finished")
        return run

    return make


@pytest.fixture
def shot(planted):
    """A function from a run to its rows."""
    return lambda run: snapshot(planted, run)


@pytest.fixture
def evaluation(planted):
    """A function that makes an evaluation on the test rows in which these rows are wrong."""

    def make(parent: Run, wrong: set[int]) -> Run:
        dataset = open_dataset(planted)
        version = dataset.resolve("main")
        rows = dataset.table()
        rows = rows.filter(pa.compute.equal(rows["split"], "test"))
        label = rows["label"].to_pylist()
        said = [LABELS[1 - LABELS.index(one)] if place in wrong else one for place, one in enumerate(label)]
        predictions = pa.table(
            {
                **{name: rows[name] for name in ("id", "split", "label")},
                "predicted": said,
                "probability": [0.9] * len(said),
                "correct": [one == other for one, other in zip(said, label, strict=True)],
            }
        )
        return new_evaluation(
            planted,
            rows,
            predictions,
            split="test",
            version=version,
            version_name="main",
            fingerprint=dataset.fingerprint("test", version),
            name="made-up",
            parent=parent.id,
        )

    return make
