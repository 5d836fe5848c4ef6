"""How long the data map of a large data set takes.

550,000 examples x 6 epochs (the size of SNLI): from arrays, from the long table of a run, and, on a sample, against
a loop over examples as in the published code of Swayamdipta et al. (2020), which must give the same numbers.

    python benchmarks/map.py            # writes benchmarks/results/map.json
    python benchmarks/map.py --quick    # a tenth of the rows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

from time import perf_counter

import common
import numpy as np
import pyarrow as pa

from tunewright import table as tables
from tunewright.analyze.dynamics import data_map

EXAMPLES, EPOCHS, CLASSES, SAMPLE = 550_000, 6, 3, 10_000
LIMIT_SECONDS = 3.0


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    result = measure(EXAMPLES // 10 if arguments.quick else EXAMPLES, SAMPLE // 10 if arguments.quick else SAMPLE)
    common.write("map", arguments, result)
    print(
        f"{result['examples']:,} x {EPOCHS}: {result['seconds']:.2f} s from arrays, "
        f"{result['seconds_from_table']:.2f} s from a table (limit {LIMIT_SECONDS:g} s); "
        f"{result['times_faster_than_loop']:.0f} x the loop, largest difference {result['largest_difference']:.1e}"
    )


def measure(examples: int, sample: int) -> dict[str, float]:
    logits, gold = dynamics(examples)
    arrays = columns(logits, gold)
    seconds, mapped = best(lambda: data_map(**arrays))
    long = long_table(arrays)
    from_table, again = best(lambda: data_map(**wide(long, examples)), times=1)
    loop_seconds, expected = best(lambda: loop(logits[:sample], gold[:sample]), times=1)
    vectorised_seconds, _ = best(lambda: data_map(**columns(logits[:sample], gold[:sample])))
    found = np.stack([mapped["confidence"], mapped["variability"], mapped["correctness"] * EPOCHS], axis=1)
    difference = float(np.abs(found[:sample] - expected).max())
    assert difference < 1e-6, f"the loop gives other numbers, by {difference}"
    assert all(np.array_equal(mapped[name], again[name]) for name in mapped)
    return {
        "examples": examples,
        "epochs": EPOCHS,
        "seconds": seconds,
        "seconds_from_table": from_table,
        "sample": sample,
        "loop_seconds": loop_seconds,
        "vectorised_seconds": vectorised_seconds,
        "times_faster_than_loop": loop_seconds / vectorised_seconds,
        "largest_difference": difference,
    }


def dynamics(examples: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits [n, epochs, classes] that grow towards the gold label, and the labels [n]."""
    random = np.random.default_rng(0)
    gold = random.integers(CLASSES, size=examples)
    logits = random.normal(size=(examples, EPOCHS, CLASSES)).astype(np.float32)
    logits[np.arange(examples), :, gold] += np.linspace(0, 4, EPOCHS, dtype=np.float32)
    return logits, gold


def columns(logits: np.ndarray, gold: np.ndarray) -> dict[str, np.ndarray]:
    """What the recorder stores of them."""
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    chosen = np.take_along_axis(weights, gold[:, None, None], axis=2)[:, :, 0]
    correct = logits.argmax(axis=2) == gold[:, None]
    return {"gold_probability": chosen / weights.sum(axis=2), "correct": correct.astype(np.float32)}


def loop(logits: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """[n, 3] confidence, variability and correct epochs, one example and one epoch at a time."""
    rows = []
    for example, label in zip(logits, gold, strict=True):
        chances, right = [], 0
        for epoch in example:
            weights = np.exp(epoch.astype(np.float64) - epoch.max())
            chances.append(float((weights / weights.sum())[label]))
            right += int(np.argmax(epoch) == label)
        rows.append((np.mean(chances), np.std(chances), right))
    return np.array(rows)


def long_table(arrays: dict[str, np.ndarray]) -> pa.Table:
    """One row per epoch and example, in the order of training: shuffled within each epoch."""
    examples = len(arrays["correct"])
    random = np.random.default_rng(1)
    rows = np.concatenate([random.permutation(examples) for _ in range(EPOCHS)])
    epochs = np.repeat(np.arange(EPOCHS), examples)
    return pa.table(
        {
            "id": names(examples).take(pa.array(rows)),
            "epoch": epochs.astype(np.int32),
            **{name: values[rows, epochs] for name, values in arrays.items()},
        }
    )


def wide(long: pa.Table, examples: int) -> dict[str, np.ndarray]:
    ids = names(examples)
    return {name: tables.pivot(long, name, ids=ids) for name in ("gold_probability", "correct")}


def names(examples: int) -> pa.Array:
    return pa.array([f"train-{row}" for row in range(examples)])


def best(function, *, times: int = 3):
    """The fewest seconds of some calls, and the last result."""
    seconds = []
    for _ in range(times):
        start = perf_counter()
        result = function()
        seconds.append(perf_counter() - start)
    return min(seconds), result


if __name__ == "__main__":
    main()
