from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tunewright.monitor.histogram import Histogram
from tunewright.monitor.integrity import Integrity
from tunewright.monitor.laws import laws
from tunewright.monitor.monitors import UserFold, merges
from tunewright.monitor.outcomes import Agreement, LabelShift, Outcome, accuracy
from tunewright.monitor.reference import Reference
from tunewright.monitor.slices import sliced
from tunewright.monitor.vocabulary import Vocabulary, vocabulary
from tunewright.monitor.windows import windowed

WORDS = ("the", "The", "cat", "cat.", "dog!", "person1", "12:30", "naïve", "(yes)", "—", "zebra", "yuan", "yuan,")
LABELS = ("a", "b", "c")


def rows_of(seed: int, number: int) -> pa.Table:
    random = np.random.default_rng(seed)

    def some(values):
        return [None if random.random() < 0.1 else random.choice(values) for _ in range(number)]

    start = datetime(2026, 1, 1, tzinfo=UTC)
    return pa.table(
        {
            "id": [f"{seed}-{row}" for row in random.permutation(number)],
            "text": pa.array(
                [
                    None if random.random() < 0.1 else " ".join(random.choice(WORDS, random.integers(0, 9)))
                    for _ in range(number)
                ],
                pa.string(),
            ),
            "predicted": pa.array(some(LABELS), pa.string()),
            "other": pa.array(some(LABELS), pa.string()),
            "label": pa.array(some(LABELS), pa.string()),
            "source": pa.array(some([f"s{k}" for k in range(6)]), pa.string()),
            "score": pa.array(random.normal(size=number)),
            "quality": pa.array([None if random.random() < 0.2 else random.random() for _ in range(number)]),
            "time": pa.array([start + timedelta(minutes=float(random.integers(0, 600))) for _ in range(number)]),
        }
    )


REFERENCE = Reference.from_table(rows_of(99, 60), labels=LABELS)


def identity(values):
    return values


def make():
    return [
        Vocabulary("text"),
        Vocabulary("text", exact=2, false_positives=0.01),
        vocabulary("text", by="source"),
        vocabulary("text", window=7, slide=3),
        vocabulary("text", window="2h", slide="1h", by="source"),
        Integrity(
            non_null=("label", "gone"),
            ranges={"score": (-1, None)},
            z={"score": 1.5},
            schema={"text": "string", "id": "int64"},
        ),
        accuracy("predicted", "label", baseline=0.4),
        Outcome(function=identity, columns=("quality",), called="quality"),
        Agreement(first="predicted", second="other"),
        LabelShift(),
        Histogram(column="score"),
        Histogram(column="text", of="words"),
        windowed(Histogram(column="text", of="characters"), "90min", slide="30min"),
        sliced(accuracy("predicted", "label"), "source", most=2, values=("s3",)),
        windowed(accuracy("predicted", "label"), 10),
        UserFold(name="counter", init=lambda own: setattr(own, "rows_seen", 0), check=count),
    ]


def count(own, inputs, outputs, gts=None, extra_args=None):
    own.rows_seen += len(inputs["text"])


@pytest.mark.parametrize("fold", make(), ids=lambda fold: fold.name)
@given(seed=st.integers(0, 10_000), number=st.integers(3, 40))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_built_in_folds_keep_the_laws(fold, seed, number):
    assert laws(fold, rows_of(seed, number), reference=REFERENCE, seed=seed) == []


def test_every_fold_has_a_name_and_a_fingerprint_of_its_own():
    folds = make()
    assert len({fold.fingerprint for fold in folds}) == len(folds)
    assert all(first.fingerprint == again.fingerprint for first, again in zip(folds[:-1], make()[:-1], strict=True))


class Forgetful:
    """Counts batches, keeps what it merges in, and loses its state when it is written."""

    name, needs, fingerprint = "forgetful", frozenset(), "1"

    def start(self, reference):
        return {"batches": 0, "last": None}

    def update(self, state, rows):
        return {"batches": state["batches"] + 1, "last": rows["id"][0].as_py()}

    def merge(self, a, b):
        a["batches"] += b["batches"]
        return {"batches": a["batches"], "last": a["last"]}

    def report(self, state):
        return dict(state)


def test_a_fold_that_breaks_laws_is_told_which():
    told = laws(Forgetful(), rows_of(1, 12))
    assert [one.partition(":")[0] for one in told] == [
        "batches",
        "empty batch",
        "merge, associative",
        "merge, commutative",
    ]


def test_what_a_fold_raises_is_told():
    class Broken(Forgetful):
        def report(self, state):
            raise ValueError("no report today")

    assert all("ValueError: no report today" in one for one in laws(Broken(), rows_of(1, 12)))


def test_sequential_folds_are_not_asked_to_merge():
    assert merges(make()[-1]) is None
