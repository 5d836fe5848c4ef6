"""What the monitor costs: rows per second with everything stored, size of the store, and the wait for one row.

Dialogues of SAMSum and DialogSum with stand-in outputs and vectors, where ../shared/data has them, else random words. The
three checks are those of a length, of a copied sentence with a negation, and of an unusual word. Waiting for one row is
waiting for the disk: the same is measured of bare appends to a file in the same folder, in turn, and again in memory,
where there is a folder in memory. UpTrain v0.1.2 cannot be installed beside it (it needs river 0.14 or older, of which
there is no wheel for Python 3.11), so there is no figure of it from this run.

    python benchmarks/monitor.py            # writes benchmarks/results/monitor.json
    python benchmarks/monitor.py --quick    # few rows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time

import common
import numpy as np
import pyarrow.parquet as pq

from tunewright.monitor.collector import Collector
from tunewright.monitor.signals import text
from tunewright.monitor.watch import Monitor

DATA = Path(os.environ.get("TUNEWRIGHT_DATA", "../shared/data"))
MEMORY = Path("/dev/shm")
ROWS, BATCH, DIMENSIONS = 13_200, 200, 384
LIMIT_ROWS_PER_SECOND, LIMIT_MEGABYTES, LIMIT_MILLISECONDS = 8_000, 30.65, 5.0
NEGATIONS = ("no", "not", "can't", "couldn't", "won't", "didn't", "don't")
PLACES = ("china", "chinese", "asia", "asian", "japan", "korea", "beijing", "shanghai", "sichuan")


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    rows = 1_000 if arguments.quick else ROWS
    dialogues, outputs = texts(rows)
    stream = batches(dialogues, outputs)
    times = 100 if arguments.quick else 1_000
    found = {"stream": throughput(stream), "one_row": latency(stream, times)}
    if MEMORY.is_dir():
        found["one_row_in_memory"] = latency(stream, times, where=MEMORY)
    common.write("monitor", arguments, {"rows": rows, "batch": BATCH, "dimensions": DIMENSIONS, **found})
    for name, figures in found.items():
        print(name, figures)


def texts(rows: int) -> tuple[list[str], list[str]]:
    """Dialogues, and for each the first words of it or its summary, cut as a model with a limit cuts them."""
    found: list[str] = []
    for name in ("samsum", "dialogsum"):
        if (DATA / f"{name}.parquet").exists():
            found += pq.read_table(DATA / f"{name}.parquet", columns=["dialogue"])["dialogue"].to_pylist()
    if len(found) < rows:
        draw = random.Random(0)
        found = [" ".join(f"word{draw.randrange(5000)}" for _ in range(130)) for _ in range(rows)]
    dialogues = found[:: len(found) // rows][:rows]
    return dialogues, [" ".join(dialogue.split()[:18]) for dialogue in dialogues]


def batches(dialogues: list[str], outputs: list[str]) -> list[dict]:
    draw = np.random.default_rng(0)
    return [
        {
            "id": [f"row-{number}" for number in range(start, min(start + BATCH, len(dialogues)))],
            "dialogue": dialogues[start : start + BATCH],
            "output": outputs[start : start + BATCH],
            "output_embedding": draw.normal(size=(len(dialogues[start : start + BATCH]), DIMENSIONS)).astype(
                np.float32
            ),
        }
        for start in range(0, len(dialogues), BATCH)
    ]


def checks() -> list:
    copied = text.rouge_l("dialogue", "output") > 0.3
    return [
        (text.chars("dialogue") > 1700).edge("long_dialogue"),
        (copied & text.has_any("dialogue", NEGATIONS)).edge("copied_with_negation"),
        text.has_any("dialogue", PLACES).edge("places"),
    ]


def throughput(stream: list[dict]) -> dict[str, float]:
    """Rows per second of processor time, which counts all threads, and of the clock, which also counts the disk."""
    rows = sum(len(batch["id"]) for batch in stream)
    with tempfile.TemporaryDirectory() as folder:
        monitor = Monitor("bench", folder=Path(folder) / "m", checks=checks(), collect=Collector())
        clock, processor = perf_counter(), process_time()
        for batch in stream:
            monitor.log(batch)
        monitor.close()
        clock, processor = perf_counter() - clock, process_time() - processor
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {
        "rows_per_second_per_core": rows / processor,
        "rows_per_second": rows / clock,
        "limit_rows_per_second": LIMIT_ROWS_PER_SECOND,
        "megabytes": size / 1e6,
        "limit_megabytes": LIMIT_MEGABYTES,
    }


def latency(stream: list[dict], times: int, where: Path | None = None) -> dict[str, float]:
    """Milliseconds until one row with six checks is acknowledged, beside those of a bare append with a flush."""
    six = [*checks(), text.empty("output").edge("empty"), (text.words("output") < 4).edge("short")]
    six.append((text.chars("output") > 400).edge("long_output"))
    rows = [
        {name: values[place : place + 1] for name, values in batch.items()}
        for batch in stream
        for place in range(BATCH)
    ]
    waits, bare, work = [], [], []
    with (
        tempfile.TemporaryDirectory(dir=where) as folder,
        counted_flushes() as flushes,
        (Path(folder) / "bare").open("ab", buffering=0) as file,
        Monitor("bench", folder=Path(folder) / "m", checks=six, collect=Collector()) as monitor,
    ):
        monitor.log(rows[times])
        flushes.clear()
        for row in rows[:times]:
            before, worked = perf_counter(), process_time()
            monitor.log(row)
            waits.append(perf_counter() - before)
            work.append(process_time() - worked)
            before = perf_counter()
            file.write(bytes(4_000))
            os.fsync(file.fileno())
            bare.append(perf_counter() - before)
        of_rows = len(flushes) - len(bare)
    return {
        "flushes_per_row": of_rows / times,
        **{f"p{share}_ms": 1e3 * float(np.percentile(waits, share)) for share in (50, 99)},
        **{f"p{share}_ms_of_processor_time": 1e3 * float(np.percentile(work, share)) for share in (50, 99)},
        **{f"p{share}_ms_bare_append": 1e3 * float(np.percentile(bare, share)) for share in (50, 99)},
        "limit_p99_ms": LIMIT_MILLISECONDS,
    }


@contextmanager
def counted_flushes() -> Iterator[list[int]]:
    """A list that grows with each flush to the disk of this process."""
    flush, seen = os.fsync, []

    def counting(descriptor: int) -> None:
        seen.append(1)
        flush(descriptor)

    os.fsync = counting
    try:
        yield seen
    finally:
        os.fsync = flush


if __name__ == "__main__":
    main()
