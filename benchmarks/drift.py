"""Drift of embeddings: false alarms, power and speed, on real vectors.

clinc150 (questions within a scope of 150 intents, and others), summaries of SAMSum and, foreign to them, DialogSum, embedded once by the embedded
MiniLM and kept in a folder. Quiet windows are drawn without replacement from rows that are not in the reference, and
references are drawn anew, so that what is measured is the chance of a false alarm and not the luck of one reference.

- false alarms: share of 1,000 quiet windows with p <= .05;
- small references: the same of references of 200 and 500 rows, in windows of half as many, and of the worst reference;
- power: share of windows with foreign rows, another mean, another variance or more of one cluster with p <= .05, against
  a permutation test of the exact kernel with 199 permutations of the same window and reference. What was chosen was
  chosen with other seeds;
- quiet quarters: share of streams of 90 windows of 200 with an alarm;
- drifting streams: windows of 200 until the alarm, one row of ten being foreign;
- speed: rows of a window of 500 per second, against the domain classifier of Evidently 0.7 in its own environment, which
  EVIDENTLY_PYTHON names or is made beside the vectors; where it cannot be, the same classifier (SGD with log loss, half
  of the rows to learn from) here, which is said.

    python benchmarks/drift.py            # writes benchmarks/results/drift.json
    python benchmarks/drift.py --quick    # a tenth of the windows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import common
import numpy as np
import pyarrow as pa

from tunewright import table as tables
from tunewright.analyze.mmd import Baseline, Sample, drift, fit_baseline
from tunewright.analyze.scores import wilson
from tunewright.monitor.embedding_drift import EmbeddingDrift
from tunewright.monitor.reference import Reference
from tunewright.monitor.state import copied

DATA = Path(os.environ.get("TUNEWRIGHT_DATA", Path(__file__).parents[2] / "shared" / "data"))
TEXTS = {"clinc150": "text", "samsum": "summary", "dialogsum": "summary"}
ROWS = {"clinc150": None, "samsum": 6000, "dialogsum": 3000}  # all questions, the first summaries
REFERENCES, WINDOW, QUARTER = 20, 100, 90
SMALL, SMALL_REFERENCES = (200, 500), 50
SETTINGS = [
    *(("clinc150", kind, 200) for kind in ("foreign 10", "foreign 20", "mean", "variance", "cluster 20")),
    *(("clinc150", kind, 500) for kind in ("foreign 10", "cluster 10")),
    *(("clinc150", kind, 100) for kind in ("foreign 20", "cluster 20")),
    *(("summaries", kind, 100) for kind in ("foreign 5", "foreign 10", "variance", "cluster 20")),
]
EVIDENTLY = """
import sys, time
import numpy as np, pandas as pd
from evidently.legacy.metrics.data_drift.embedding_drift_methods import model
arrays = [np.load(path) for path in sys.argv[1:3]]
method, seconds = model(), []
for _ in range(int(sys.argv[3])):
    reference, current = map(pd.DataFrame, arrays)  # the method adds a column to them
    start = time.perf_counter()
    method(current_emb=current, reference_emb=reference)
    seconds.append(time.perf_counter() - start)
print(min(seconds))
"""


@dataclass(frozen=True)
class Rows:
    """Vectors of a data set, those within its scope and the others."""

    inside: np.ndarray
    outside: np.ndarray


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tunewright-drift")
    arguments = parser.parse_args()
    references = 2 if arguments.quick else REFERENCES
    questions, summaries, others = (embedded(name, arguments.cache) for name in TEXTS)
    rows = {"clinc150": questions, "summaries": Rows(summaries.inside, others.inside)}
    result = {
        "false_alarms": {name: false_alarms(one.inside, references) for name, one in rows.items()},
        "small_references": [
            {"data": name, **small(one.inside, size, 2 * references if arguments.quick else SMALL_REFERENCES)}
            for name, one in rows.items()
            for size in SMALL
        ],
        "power": power(rows, references),
        "quiet_quarters": quarters(rows["clinc150"], references * 5 // 4),
        "drifting": {
            f"{name} after {start}": drifting(rows[name], references // 2, start)
            for name, start in (("clinc150", 0), ("clinc150", 30), ("summaries", 0))
        },
        "speed": speed(rows["clinc150"].inside, evidently(arguments.cache)),
    }
    common.write("drift", arguments, result)
    for name, figures in result.items():
        print(name, figures)


def embedded(name: str, cache: Path) -> Rows:
    table = tables.read(DATA / f"{name}.parquet").slice(0, ROWS[name])
    path = cache / f"{name}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(path, vectors_of(table[TEXTS[name]]))
    vectors = np.load(path)
    outside = np.array([str(split).startswith("oos") for split in table["split"].to_pylist()])
    return Rows(vectors[~outside], vectors[outside])


def vectors_of(texts: pa.ChunkedArray) -> np.ndarray:
    from transformers import AutoModel

    from tunewright.observe.embed import embed
    from tunewright.tasks.classify import Classification
    from tunewright.tasks.source import EMBEDDED, load_tokenizer, resolve

    folder = resolve(EMBEDDED)
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), load_tokenizer(folder)
    rows = pa.table({"id": [str(row) for row in range(len(texts))], "text": texts})
    task = Classification(labels=("one", "other"), max_length=64)
    return np.array(embed(model, task, tokenizer, rows, pooling="mean")["vector"].to_pylist(), dtype=np.float32)


def false_alarms(vectors: np.ndarray, references: int) -> dict[str, object]:
    """Windows of 100 rows, 50 for each reference of half of the rows, at most 5,000."""
    p = []
    for seed in range(references):
        random = np.random.default_rng(seed)
        order = random.permutation(len(vectors))
        size = min(5000, len(vectors) // 2)
        baseline = fit_baseline(vectors[order[:size]], WINDOW, seed=seed)
        others = order[size:]
        for window in range(1000 // REFERENCES):
            start = window * WINDOW % (len(others) - WINDOW)
            p.append(p_of(vectors[others[start : start + WINDOW]], baseline))
    at_05 = np.array(p) <= 0.05
    levels = {"at_05": share(p, 0.05), "at_05_95": proportion(at_05), "at_01": share(p, 0.01)}
    return {"windows": len(p), **levels, "mean_p": float(np.mean(p))}


def small(vectors: np.ndarray, size: int, references: int) -> dict[str, object]:
    """20 windows of half of the rows of each reference; windows that share one depend on each other."""
    found = []
    for seed in range(references):
        order = np.random.default_rng([seed, size]).permutation(len(vectors))
        baseline = fit_baseline(vectors[order[:size]], size // 2, seed=seed)
        windows = order[size : size + 10 * size].reshape(20, size // 2)
        found.append(np.mean([p_of(vectors[window], baseline) <= 0.05 for window in windows]))
    shares = {
        "at_05": float(np.mean(found)),
        "error": float(np.std(found) / references**0.5),
        "worst": float(max(found)),
    }
    return {"reference": size, "windows": 20 * references, **shares}


def power(rows: dict[str, Rows], references: int) -> list[dict[str, object]]:
    """References of 1,000 rows, a new one for every ten windows; both tests see the same windows."""
    found = []
    for name, kind, size in SETTINGS:
        ours, theirs = [], []
        for seed in range(references):
            random = np.random.default_rng([seed, size])
            order = random.permutation(len(rows[name].inside))
            reference, others = rows[name].inside[order[:1000]], rows[name].inside[order[1000:]]
            baseline = fit_baseline(reference, size, seed=seed)
            for _ in range(10):
                window = drifted(kind, others, rows[name].outside, size, random)
                ours.append(p_of(window, baseline))
                theirs.append(permutation_p(window, reference, random))
        found.append({"data": name, "drift": kind, "window": size, "windows": len(ours), **compared(ours, theirs)})
    return found


def compared(ours: list[float], theirs: list[float]) -> dict[str, object]:
    """Shares with p <= .05 and their intervals, and the interval of the difference, as windows are the same."""
    found, permuted = np.array(ours) <= 0.05, np.array(theirs) <= 0.05
    difference = found.astype(float) - permuted
    half = 1.96 * difference.std() / len(difference) ** 0.5
    return {
        "ours": float(found.mean()),
        "ours_95": proportion(found),
        "permutation": float(permuted.mean()),
        "permutation_95": proportion(permuted),
        "difference_95": [float(difference.mean() - half), float(difference.mean() + half)],
    }


def drifted(kind: str, others: np.ndarray, outside: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """A window of quiet rows, of which some or all are changed."""
    window = others[random.choice(len(others), size, replace=False)].copy()
    name, _, percent = kind.partition(" ")
    count, spread = int(percent or 0) * size // 100, others.std()
    if name == "mean":
        direction = random.standard_normal(window.shape[1]).astype(np.float32)
        window += (100 / size) ** 0.5 * spread * direction / np.linalg.norm(direction)
    elif name == "variance":
        window += spread * 0.4 * random.standard_normal(window.shape).astype(np.float32)
    elif name == "foreign":
        window[:count] = outside[random.choice(len(outside), count, replace=False)]
    elif name == "cluster":  # more of the rows that lie around one of them
        distance = ((others - others[0]) ** 2).sum(axis=1)
        window[:count] = others[random.choice(np.argsort(distance)[: len(others) // 30], count, replace=False)]
    return window


def quarters(rows: Rows, references: int) -> dict[str, object]:
    """Streams of 90 windows of 200 in-scope questions; and what an alarm at a single window's p would do."""
    reports = streams(rows, references)
    alarms = np.array([report["first_alarm"] is not None for report in reports])
    p = [[p for p, length in zip(*looked(report), strict=True) if length == 1] for report in reports]
    return {
        "streams": len(reports),
        "windows": QUARTER,
        "with_an_alarm": float(alarms.mean()),
        "with_an_alarm_95": proportion(alarms),
        "with_a_window_at_05": float(np.mean([min(one) <= 0.05 for one in p])),
    }


def drifting(rows: Rows, references: int, start: int) -> dict[str, object]:
    """After some quiet windows one row of ten is foreign; windows until the alarm."""
    reports = streams(rows, references, start=start, foreign=0.1)
    waited = [None if report["first_alarm"] is None else report["first_alarm"] + 1 - start for report in reports]
    caught = sorted(one for one in waited if one is not None and one > 0)
    return {
        "streams": len(reports),
        "after": start,
        "caught": len(caught) / len(reports),
        "median": float(median(caught)) if caught else None,
        "windows_until_alarm": caught,
    }


def streams(rows: Rows, references: int, *, start: int = 0, foreign: float = 0.0) -> list[dict[str, object]]:
    """Reports after 90 windows of 200 rows, three streams for each reference.

    Rows come again, in another order, when there are no more of them.
    """
    reports = []
    for seed in range(references):
        random = np.random.default_rng(1000 + seed)
        order = random.permutation(len(rows.inside))
        held = min(4500, len(order) // 2)
        fold = EmbeddingDrift("vector", window=200)
        known = Reference.from_table(logged(rows.inside[order[:held]]))
        begun = fold.start(known)
        for _ in range(3):
            traffic = again(rows.inside[order[held:]], QUARTER * 200, random)
            changed = np.flatnonzero((random.random(len(traffic)) < foreign) & (np.arange(len(traffic)) >= start * 200))
            if len(changed):
                traffic[changed] = again(rows.outside, len(changed), random)
            reports.append(fold.report(fold.update(copied(begun), logged(traffic))))
    return reports


def again(vectors: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    times = -(-count // len(vectors))
    return vectors[np.concatenate([random.permutation(len(vectors)) for _ in range(times)])[:count]]


def speed(vectors: np.ndarray, python: str | None) -> dict[str, object]:
    """Rows per second of windows of 500 against a reference of 2,000, and of as much as one goes in."""
    reference, window = vectors[:2000], vectors[2000:2500]
    fold = EmbeddingDrift("vector", window=500)
    state = fold.start(Reference.from_table(logged(reference)))
    batch = logged(window)
    ours = min(timed(lambda: fold.update(state, batch), 30))
    evidently, how = classifier_seconds(reference, window, python)
    return {
        "rows_per_second": 500 / ours,
        "classifier_rows_per_second": 500 / evidently,
        "classifier": how,
        "times_faster": evidently / ours,
    }


def evidently(cache: Path) -> str | None:
    """Python of an environment with Evidently, which does not import with pandas 3; None if there can be none."""
    if named := os.environ.get("EVIDENTLY_PYTHON"):
        return named
    python = cache / "evidently" / "bin" / "python"
    try:
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True, capture_output=True)
        install = [python, "-m", "pip", "install", "-q", "evidently==0.7.*", "pandas<3"]
        subprocess.run(install, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return str(python)


def classifier_seconds(reference: np.ndarray, window: np.ndarray, python: str | None) -> tuple[float, str]:
    if python is None:
        return min(timed(lambda: classifier(reference, window), 10)), "written as in Evidently 0.7"
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("reference.npy", "current.npy")]
        for path, array in zip(paths, (reference, window), strict=True):
            np.save(path, array)
        ran = subprocess.run([python, "-c", EVIDENTLY, *paths, "10"], check=True, capture_output=True, text=True)
    return float(ran.stdout.split()[-1]), "Evidently 0.7"


def classifier(reference: np.ndarray, window: np.ndarray) -> float:
    from sklearn.linear_model import SGDClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split

    rows, domain = np.concatenate([window, reference]), np.r_[np.ones(len(window)), np.zeros(len(reference))]
    train, held, known, true = train_test_split(rows, domain, test_size=0.5, random_state=42, shuffle=True)
    model = SGDClassifier(loss="log_loss", random_state=42).fit(train, known)
    return float(roc_auc_score(true, model.predict_proba(held)[:, 1]))


def p_of(window: np.ndarray, baseline: Baseline) -> float:
    return drift(Sample(len(window), len(window), baseline.features.total(window)), baseline).p


def permutation_p(window: np.ndarray, reference: np.ndarray, random: np.random.Generator) -> float:
    pooled = np.concatenate([window, reference])
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    square = np.maximum(2 - 2 * pooled @ pooled.T, 0)
    widest = np.exp(-square / np.float32(8 * np.median(square[::7, ::7])))
    middle = np.square(np.square(widest))
    kernel = widest + middle + np.square(np.square(middle))  # bandwidths of 2, 1 and .5 medians
    weight = np.r_[np.full(len(window), 1 / len(window)), np.full(len(reference), -1 / len(reference))]
    weights = np.stack([weight, *(random.permutation(weight) for _ in range(199))], axis=1).astype(np.float32)
    values = np.einsum("ij,ij->j", weights, kernel @ weights, dtype=np.float64)
    return float((values >= values[0]).mean())


def looked(report: dict[str, object]) -> tuple[list[float], list[int]]:
    return report["looks"]["p"].to_pylist(), report["looks"]["length"].to_pylist()


def logged(vectors: np.ndarray) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    ids = pa.array(np.arange(len(vectors))).cast(pa.string())
    return pa.table({"id": ids, "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})


def proportion(hits: np.ndarray) -> list[float]:
    """Wilson's interval."""
    low, high = wilson(float(hits.sum()), len(hits))
    return [float(low), float(high)]


def share(p: list[float], level: float) -> float:
    return float(np.mean(np.array(p) <= level))


def timed(function, times: int) -> list[float]:
    seconds = []
    for _ in range(times):
        start = perf_counter()
        function()
        seconds.append(perf_counter() - start)
    return seconds


if __name__ == "__main__":
    main()
