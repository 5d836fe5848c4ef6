"""What training says about each row: every analysis of the dynamics, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.analyze.dynamics import aum, closeness, data_map, el2n, forgetting
from tunewright.analyze.regions import name_regions
from tunewright.table import left_join
from tunewright.verbs.suspicion import suspicion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.run import Run

__all__ = ["arrays", "coverage", "last", "last_answers", "learnt"]


def learnt(run: Run) -> pa.Table:
    """The rows that were trained on, with what the dynamics say about them; computed once, kept in the run.

    Returns:
        columns id, those that data_map, forgetting, aum, el2n and closeness give, those of `suspicion`, and region.

    Raises:
        RunError: if the run has no dynamics.
    """
    table = run.compute(data_map)
    for analysis in (forgetting, aum, el2n, closeness):
        table = left_join(table, run.compute(analysis))
    table = left_join(table, suspicion(run))
    regions = pa.table({"id": table["id"], "region": pa.array(name_regions(arrays(table)).tolist(), pa.string())})
    run.write("columns/regions", regions)
    return left_join(table, regions)


def coverage(run: Run) -> float | None:
    """Records there are over records there should be, in [0, 1]; None if the run does not say."""
    epochs = run.meta.get("coverage") or []
    expected = sum(epoch["expected"] for epoch in epochs)
    return sum(epoch["seen"] for epoch in epochs) / expected if expected else None


def last_answers(run: Run) -> pa.Table:
    """What the model said about each row when it saw it last.

    Returns:
        columns id, predicted (null where it is wrong and targets are no list), probability (of what is predicted) and
        correct; rows never seen are left out.
    """
    needs = ("correct", "other", "gold_logit", "other_logit", "log_sum_exp")
    ids, seen = run.inputs([f"dynamics.{name}" for name in needs])
    final = {name: last(seen[name].astype(np.float64)) for name in needs}
    known = ~np.isnan(final["log_sum_exp"])
    correct = final["correct"] == 1
    rival = _names(run)[np.where(known, final["other"], -1).astype(int)]
    largest = np.where(correct, final["gold_logit"], final["other_logit"])
    examples = run.table("examples", ["id", "label"])
    gold = examples["label"].take(pc.index_in(ids, value_set=examples["id"].combine_chunks())).to_pylist()
    table = pa.table(
        {
            "id": ids,
            "predicted": pa.array(np.where(correct, np.array(gold, object), rival).tolist(), pa.string()),
            "probability": np.exp(largest - final["log_sum_exp"]),
            "correct": correct,
        }
    )
    return table.filter(pa.array(known))


def arrays(table: pa.Table) -> dict[str, NDArray[np.generic]]:
    """Columns as arrays, strings as objects, as analyses and pictures take them."""
    return {name: table[name].combine_chunks().to_numpy(zero_copy_only=False) for name in table.column_names}


def last(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, epochs] -> [n] the value of the last epoch that is not NaN."""
    position = values.shape[1] - 1 - np.argmax(~np.isnan(values)[:, ::-1], axis=1)
    last: NDArray[np.float64] = values[np.arange(len(values)), position]
    return last


def _names(run: Run) -> NDArray[np.object_]:
    """Label names by code; the last one, code -1, is None."""
    most = 0 if run.labels else int(pc.max(run.table("dynamics", ["other"])["other"]).as_py() or 0) + 1
    return np.array([*(run.labels or map(str, range(most))), None], dtype=object)
