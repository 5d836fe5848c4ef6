"""A stream that a process logs until it is killed; run as a script by the tests and by benchmarks/kills.py.

python kill_scenario.py FOLDER  logs every batch of the stream, attaches some labels, and prints a line after each
acknowledgement. Run again, it starts the stream anew, as a sender does that does not know what arrived.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tunewright.monitor.alerts import Alert
from tunewright.monitor.collector import Collector
from tunewright.monitor.conditions import Evidence, above
from tunewright.monitor.expressions import col, truth
from tunewright.monitor.sinks import JsonLines
from tunewright.monitor.watch import Monitor

BATCHES = 24
ROWS = 7
WORDS = ("apple", "river", "cloud", "stone", "paper", "engine", "window", "green", "sea", "lamp")


class Sums:
    """A fold of floats, so that an order or a repetition that differs would be seen."""

    name, needs, fingerprint = "sums", frozenset({"length", "output_embedding"}), "1"

    def start(self, reference):
        return {"rows": 0, "sum": np.zeros(8)}

    def update(self, state, rows):
        vectors = rows["output_embedding"].combine_chunks().flatten().to_numpy().reshape(rows.num_rows, -1)
        return {"rows": state["rows"] + rows.num_rows, "sum": state["sum"] + vectors.sum(axis=0)}

    def report(self, state):
        return {"rows": state["rows"], "sum": state["sum"].tolist()}


class Counting:
    """A user's monitor with init and check, which is sequential."""

    name = "counting"

    def init(self):
        self.calls = 0
        self.rows = 0

    def check(self, inputs, outputs, gts, extra_args):
        self.calls += 1
        self.rows += len(inputs["length"])


def opened(folder: Path) -> Monitor:
    checks = [
        (col("length") > 60).edge("long"),
        (col("odd") == 1).edge("odd"),
        (col("output") != truth("gts")).edge("wrong"),
        Sums(),
        Counting,
    ]
    alerts = [
        Alert(metric="long.rate", condition=above(0.4), window=14),
        Alert(metric="wrong.rate", condition=above(0.9), window=8),
        Alert(metric="odd.rate", condition=Evidence(baseline=42), window=14),
    ]
    return Monitor(
        "killed",
        folder=folder,
        checks=checks,
        collect=Collector(budget=20, per_reason=15),
        alerts=alerts,
        sinks=[JsonLines(_sent(folder))],
        time="day",
        segment=20,
    )


def _sent(folder: Path) -> Path:
    """Where events are sent: beside the monitor."""
    return folder.with_suffix(".jsonl")


def batch(number: int) -> dict:
    draw = np.random.default_rng(number)
    ids = [number * ROWS + row for row in range(ROWS)]
    return {
        "id": [f"row-{id}" for id in ids],
        "text": [f"{id} " + " ".join(draw.choice(WORDS, 8)) for id in ids],
        "output": [str(draw.choice(WORDS)) for _ in ids],
        "length": draw.integers(1, 100, ROWS).tolist(),
        "odd": [id % 2 for id in ids],
        "day": [f"2026-01-{1 + id // 30:02d}" for id in ids],
        "output_embedding": draw.normal(size=(ROWS, 8)).astype(np.float32),
    }


def result(monitor: Monitor) -> dict:
    """All that must be the same however often the process was killed."""
    report = monitor.report()
    rows = monitor.rows().drop_columns(["logged"]).sort_by("id")
    events = [(event.key, event.state, event.value, event.n) for event in monitor.alerts.events]
    sent = {json.loads(line)["key"] for line in _sent(monitor.folder).read_text().splitlines()}
    return {
        "report": {name: report[name] for name in ("rows", "labels", "checks", "notes")},
        "rows": [{**row, "reasons": sorted(row["reasons"])} for row in rows.drop_columns(["scores"]).to_pylist()],
        "collected": monitor.collected()["id"].to_pylist(),
        "events": events,
        "sent": sorted(sent),  # perhaps twice
        "standings": {name: (at.state, at.value, at.n) for name, (_, at) in monitor.alerts.standings.items()},
    }


def say(kind: str, ids: Sequence[str]) -> None:
    """Tell the sender that these were acknowledged."""
    sys.stdout.write(" ".join((kind, *ids)) + "\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    with opened(folder) as monitor:
        for number in range(BATCHES):
            logged = monitor.log(batch(number))
            say("rows", logged.ids)
            if number % 3 == 2:
                ids = logged.ids[::2]
                monitor.attach(ids, [WORDS[number % len(WORDS)]] * len(ids))
                say("labels", ids)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
