"""A monitor of a classifier of questions: quiet while they are of its 150 intents, and what it does when some are not.

A classifier (logistic regression on frozen vectors of the embedded MiniLM: as accurate on these questions as what is
fine-tuned in minutes, and anew for every stream) learns from 6,000 questions of clinc150. 3,000 others are the
reference, and 13,500 the pool that production is drawn from. Each stream has a partition of its own, goes through
`Monitor` with the default checks, the default alerts and a collector, in batches of 100 rows without labels:

- quiet: 90 windows of 150 rows, which is all of the pool, each question once (rows that are drawn again and again are
  not independent: what sets a pool apart by chance comes in every window);
- foreign: 12,000 rows, each once, of which one of ten is out of scope, from the first row on;
- foreign later: the same, after 3,000 rows of the pool.

Of what is collected, precision is the share of questions out of scope (base rate .1), by budget and by reason.

    python benchmarks/clinc150.py            # writes benchmarks/results/clinc150.json
    python benchmarks/clinc150.py --quick    # one stream of each; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

import common
import numpy as np
import pyarrow as pa
from drift import DATA, embedded

from tunewright import table as tables
from tunewright.analyze.scores import wilson
from tunewright.monitor.checks import Checks
from tunewright.monitor.collector import Collector
from tunewright.monitor.default_alerts import default_alerts
from tunewright.monitor.defaults import default_checks, default_weights
from tunewright.monitor.reference import Reference
from tunewright.monitor.watch import Monitor

STREAMS, WINDOW, QUIET_WINDOW = 25, 500, 150
LEARNT, COMPARED, BATCH, QUIET_ROWS = 6000, 3000, 100, 3000
BUDGETS = (100, 200, 500, 2000)


@dataclass(frozen=True)
class Questions:
    """Texts, unit vectors, codes of intents (-1: out of scope) and their names."""

    texts: np.ndarray
    vectors: np.ndarray
    codes: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Partition:
    """What one stream's monitor knows, and the rows that it may meet."""

    reference: Reference
    said: pa.Table
    pool: np.ndarray
    foreign: np.ndarray
    accuracy: float


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tunewright-drift")
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    questions = read(arguments.cache)
    streams = 1 if arguments.quick else arguments.streams
    found: dict[str, list[dict[str, Any]]] = {}
    with ProcessPoolExecutor(arguments.processes) as pool:
        for seed, told in enumerate(pool.map(partial(stream, questions), range(streams))):
            for name, one in told.items():
                found.setdefault(name, []).append(one)
                print(seed, name, {key: value for key, value in one.items() if key != "precision"}, flush=True)
            common.write("clinc150", arguments, summary(found) | {"streams": found})  # an interruption costs few


def stream(questions: Questions, seed: int) -> dict[str, dict[str, Any]]:
    """What is said of each traffic of one partition."""
    part = partition(questions, seed)
    return {
        name: watched(part, rows, window) | {"accuracy": part.accuracy}
        for name, (rows, window) in traffic(part, seed).items()
    }


def read(cache: Path) -> Questions:
    table = tables.read(DATA / "clinc150.parquet")
    rows = embedded("clinc150", cache)
    outside = np.array([split.startswith("oos") for split in table["split"].to_pylist()])
    vectors = np.empty((len(outside), rows.inside.shape[1]), np.float32)
    vectors[~outside], vectors[outside] = rows.inside, rows.outside
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes = np.where(outside, -1, table["label"].to_numpy())
    names = tuple(f"intent {code}" for code in range(codes.max() + 1))
    return Questions(np.array(table["text"].to_pylist(), dtype=object), vectors, codes, names)


def partition(questions: Questions, seed: int) -> Partition:
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(seed)
    inside = random.permutation(np.flatnonzero(questions.codes >= 0))
    learnt, compared, pool = np.split(inside, [LEARNT, LEARNT + COMPARED])
    model = LogisticRegression(C=10, max_iter=200).fit(questions.vectors[learnt], questions.codes[learnt])
    probabilities = model.predict_proba(questions.vectors)
    codes = model.classes_[probabilities.argmax(axis=1)]
    true = np.array([*questions.names, None], dtype=object)[questions.codes]  # the last one of those out of scope
    said = logged(questions, np.array(questions.names, dtype=object)[codes], probabilities.max(axis=1))
    known = said.take(compared).append_column("label", pa.array(true[compared], pa.string()))
    texts = pa.table({"text": pa.array(questions.texts[learnt], pa.string())})
    reference = Reference.from_table(
        pa.concat_tables([texts, known.drop_columns(["text", "vector"])], promote_options="default"),
        vectors={"vector": questions.vectors[compared]},
        labels=questions.names,
        origin={"split": "validation"},  # the model did not learn from the rows that are compared
    )
    foreign = random.permutation(np.flatnonzero(questions.codes < 0))
    return Partition(reference, said, pool, foreign, float((codes == questions.codes)[pool].mean()))


def logged(questions: Questions, predicted: np.ndarray, probability: np.ndarray) -> pa.Table:
    flat = pa.array(questions.vectors.ravel())
    return pa.table(
        {
            "text": pa.array(questions.texts, pa.string()),
            "predicted": pa.array(predicted, pa.string()),
            "probability": pa.array(probability, pa.float64()),
            "vector": pa.FixedSizeListArray.from_arrays(flat, questions.vectors.shape[1]),
        }
    )


def traffic(part: Partition, seed: int) -> dict[str, tuple[np.ndarray, int]]:
    """By name the places of the rows, in their order, and the window."""
    random = np.random.default_rng(1000 + seed)
    inside = random.permutation(part.pool)
    mixed = np.concatenate([inside[: 9 * len(part.foreign)], part.foreign])
    later = np.concatenate([inside[QUIET_ROWS:], part.foreign[: (len(inside) - QUIET_ROWS) // 9]])
    return {
        "quiet": (inside, QUIET_WINDOW),
        "foreign": (random.permutation(mixed), WINDOW),
        "foreign later": (np.concatenate([inside[:QUIET_ROWS], random.permutation(later)]), WINDOW),
    }


def watched(part: Partition, places: np.ndarray, window: int) -> dict[str, Any]:
    """What a monitor says of a stream: rows until the first alarm of each alert, and the precision of what it collects."""
    checks = default_checks(part.reference, texts=("text",), labels=True, window=window)
    alerts = default_alerts(Checks.of(checks, truth=("label",)), window=window, reference=part.reference)
    foreign = np.isin(places, part.foreign)
    collector = Collector(budget=max(BUDGETS), weights=default_weights(checks))
    began = perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        Monitor(
            "clinc150", folder=f"{folder}/m", reference=part.reference, checks=checks, alerts=alerts, collect=collector,
            truth=("label",),
        ) as monitor,
    ):  # fmt: skip
        alarms = first_alarms(monitor, part, places)
        seconds = perf_counter() - began
        collected = monitor.collected()
        report = monitor.report()
        errors = sum(check["errors"] for check in report["checks"].values())
    told = {"rows": len(places), "alarms": alarms, "errors": errors, "rows_per_second": len(places) / seconds}
    if not foreign.any():
        return told | {"collected": collected.num_rows}
    return told | {"precision": precision(collected, foreign), "found": recall(collected, foreign)}


def first_alarms(monitor: Monitor, part: Partition, places: np.ndarray) -> dict[str, int]:
    """By alert, rows until it first fired."""
    first: dict[str, int] = {}
    for start in range(0, len(places), BATCH):
        some = places[start : start + BATCH]
        ids = pa.array([str(start + row) for row in range(len(some))], pa.string())
        monitor.log(part.said.take(some).add_column(0, "id", ids))
        firing = [name for name, (_, standing) in monitor.alerts.standings.items() if standing.state == "firing"]
        for name in firing:
            first.setdefault(name, start + len(some))
    return first


def precision(collected: pa.Table, foreign: np.ndarray) -> dict[str, list[int]]:
    """[foreign rows, rows] by budget, by reason, and of rows with several reasons."""
    drawn = collected["id"].to_pylist()  # in the order of the draw, which a smaller budget would have cut short
    reasons = dict(zip(drawn, collected["reasons"].to_pylist(), strict=True))
    names = sorted({name for some in reasons.values() for name in some})
    groups = {f"budget {size}": drawn[:size] for size in BUDGETS}
    groups |= {name: [id for id in drawn if name in reasons[id]] for name in names}
    groups["several reasons"] = [id for id in drawn if len(reasons[id]) > 1]
    return {name: [sum(bool(foreign[int(id)]) for id in ids), len(ids)] for name, ids in groups.items()}


def recall(collected: pa.Table, foreign: np.ndarray) -> float:
    return float(sum(foreign[int(id)] for id in collected["id"].to_pylist()) / foreign.sum())


def summary(found: dict[str, list[dict[str, Any]]]) -> dict[str, object]:
    said: dict[str, object] = {"accuracy": mean(one["accuracy"] for one in found["quiet"])}
    for name, streams in found.items():
        alarmed = sum(bool(one["alarms"]) for one in streams)
        interval = wilson(alarmed, len(streams))
        said[name] = {"streams": len(streams), "with_an_alarm": alarmed / len(streams), "interval": interval}
        if "precision" in streams[0]:
            said[name] |= {"caught": dict(caught(streams)), "precision": dict(precisions(streams))}
            said[name] |= {"found": mean(one["found"] for one in streams)}
    return said


def caught(streams: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, object]]]:
    """Rows until the first alarm, of any alert and of each."""
    names = sorted({name for one in streams for name in one["alarms"]})
    first = {"any": [min(one["alarms"].values()) for one in streams if one["alarms"]]}
    first |= {name: [one["alarms"][name] for one in streams if name in one["alarms"]] for name in names}
    for name, rows in first.items():
        yield name, {"caught": len(rows) / len(streams), "rows": [min(rows), median(rows), max(rows)] if rows else None}


def precisions(streams: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, object]]]:
    """Means over the streams; the interval is that of one stream, of as many rows as one has."""
    for name in streams[0]["precision"]:
        pairs = [one["precision"].get(name, [0, 0]) for one in streams]
        hits, rows = (mean(column) for column in zip(*pairs, strict=True))
        if rows:
            yield name, {"precision": hits / rows, "rows": rows, "interval": wilson(hits, rows)}


if __name__ == "__main__":
    main()
