from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tunewright.monitor.checks import Checks
from tunewright.monitor.conditions import Evidence
from tunewright.monitor.default_alerts import default_alerts
from tunewright.monitor.embedding_signals import far_from_reference
from tunewright.monitor.evaluation import evaluate
from tunewright.monitor.expressions import col, truth
from tunewright.monitor.known_rates import known_rates
from tunewright.monitor.reference import Reference

FAR = far_from_reference("vector", 0.9).edge("far")
UNSURE = (col("probability") < 0.3).edge("unsure")
OTHERS = [(truth("label") == col("predicted")).edge("right"), (col("length") > 3).edge("long")]


def edges(*given):
    return Checks.of(given).edges


@pytest.fixture
def reference() -> Reference:
    random = np.random.default_rng(0)
    rows = pa.table({"id": [str(row) for row in range(400)], "probability": [0.1, 0.2, None, 0.9] * 100})
    vectors = {"vector": random.standard_normal((400, 8))}
    return Reference.from_table(rows, vectors=vectors, origin={"split": "validation"})


def test_the_reference_tells_how_often_an_edge_marks_its_rows(reference):
    assert known_rates(edges(UNSURE, *OTHERS), reference) == {"unsure": (200, 300)}


def test_vectors_that_are_learnt_from_are_not_counted(reference):
    marked, rows = known_rates(edges(FAR), reference)["far"]
    assert rows == 200
    found = evaluate({"far": FAR.signal}, pa.table({"vector": [*map(list, reference.vectors())]}), reference=reference)
    assert marked == sum(found.values["far"].to_pylist())


@pytest.mark.parametrize("origin", [{}, {"split": "train"}, {"split": "validation", "compared": "train"}])
def test_rows_that_the_model_learnt_from_tell_nothing(reference, origin):
    assert known_rates(edges(UNSURE, FAR), replace(reference, origin=origin)) == {}
    assert known_rates(edges(UNSURE, FAR), None) == {}


def test_default_alerts_learn_what_the_reference_does_not_tell(reference):
    alerts = default_alerts(Checks.of([UNSURE, OTHERS[1]]), reference=reference, baseline=300)
    told = {alert.metric: alert.condition.baseline for alert in alerts if isinstance(alert.condition, Evidence)}
    assert told == {"unsure.rate": (200, 300), "long.rate": 300}
