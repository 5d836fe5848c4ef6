"""A service of a monitor that asks no model; run as a script by the tests, which kill it.

python service_scenario.py FOLDER TOKEN  prints where it listens, serves until it is told to stop, and says so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from tunewright import col, text
from tunewright.monitor.alerts import Alert
from tunewright.monitor.collector import Collector
from tunewright.monitor.conditions import above
from tunewright.monitor.watch import Monitor
from tunewright.project import Project
from tunewright.tasks.classify import Classification
from tunewright.verbs.receiver import Receiver


@contextmanager
def receiving(folder: Path, *, seconds: float = 0.0) -> Iterator[Receiver]:
    """A receiver of reviews that somebody else predicts; ``seconds`` is how long it takes over a batch."""

    class Slow(Receiver):
        def log(self, batch):
            time.sleep(seconds)
            return super().log(batch)

    task = Classification(labels=("negative", "positive"))
    project = Project(name="reviews", source="reviews.csv", task=task, fields=("source",))
    with Monitor(
        "production",
        checks=[(col("probability") < 0.5).edge("unsure"), (text.chars("text") > 20).edge("long")],
        collect=Collector(budget=1000),
        alerts=[Alert(metric="unsure.rate", condition=above(0.9), window=50)],
        folder=folder,
        model="first",
        truth=("label",),
        segment=64,
    ) as watch:
        model = SimpleNamespace(project=project, run=SimpleNamespace(id="first"))
        yield Slow(watch, model, predicts=False)


def main() -> None:
    from tunewright.serve.service import serve_monitor

    folder, token = sys.argv[1:]

    def ready(at) -> None:
        sys.stdout.write(f"{at.port}\n")
        sys.stdout.flush()

    serve_monitor(partial(receiving, Path(folder)), token=token, ready=ready)
    sys.stdout.write("stopped\n")


if __name__ == "__main__":
    main()
