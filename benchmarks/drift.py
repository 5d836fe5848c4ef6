"""Drift of embeddings: false alarms, power and speed, on real vectors.

clinc150 (questions within a scope of 150 intents, and others) and summaries of SAMSum, embedded once by the embedded
MiniLM and kept in a folder. Quiet windows are drawn without replacement from rows that are not in the reference, and
references are drawn anew, so that what is measured is the chance of a false alarm and not the luck of one reference.

- false alarms: share of 1,000 quiet windows with p <= .05;
- power: share of windows with foreign rows, another mean or another variance with p <= .05, against a permutation test
  of the exact kernel with 199 permutations of the same window and reference;
- quiet quarters: share of streams of 90 windows with an alarm;
- drifting streams: windows until the alarm with one question of ten out of scope;
- speed: rows of a window of 500 per second, against the domain classifier of Evidently 0.7, in its own environment if
  EVIDENTLY_PYTHON names one, otherwise the same classifier (SGD with log loss, half of the rows to learn from) here.

    python benchmarks/drift.py            # writes benchmarks/results/drift.json
    python benchmarks/drift.py --quick    # a tenth of the windows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import os
import subprocess
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
from tunewright.monitor.embedding_drift import EmbeddingDrift
from tunewright.monitor.reference import Reference

DATA = Path(os.environ.get("TUNEWRIGHT_DATA", Path(__file__).parents[2] / "shared" / "data"))
TEXTS = {"clinc150": "text", "samsum": "summary"}
ROWS = {"clinc150": None, "samsum": 6000}  # all questions, the first summaries
REFERENCES, WINDOW, QUARTER = 20, 100, 90
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
    rows = {name: embedded(name, arguments.cache) for name in TEXTS}
    result = {
        "false_alarms": {name: false_alarms(one.inside, references) for name, one in rows.items()},
        "power": power(rows["clinc150"], 5 if arguments.quick else 25),
        "quiet_quarters": quarters(rows["clinc150"].inside, references),
        "out_of_scope": out_of_scope(rows["clinc150"], references),
        "speed": speed(rows["clinc150"].inside),
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
    outside = np.array([split.startswith("oos") for split in table["split"].to_pylist()])
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
    return {"windows": len(p), "at_05": share(p, 0.05), "at_01": share(p, 0.01), "mean_p": float(np.mean(p))}


def power(rows: Rows, windows: int) -> dict[str, dict[str, float]]:
    """A reference of 2,000 questions, windows of 500."""
    random = np.random.default_rng(1)
    order = random.permutation(len(rows.inside))
    reference, others = rows.inside[order[:2000]], rows.inside[order[2000:]]
    baseline = fit_baseline(reference, 500)
    spread = rows.inside.std()
    direction = random.standard_normal(rows.inside.shape[1]).astype(np.float32)
    direction /= np.linalg.norm(direction)

    def drifted(kind: str) -> np.ndarray:
        window = others[random.choice(len(others), 500, replace=False)].copy()
        if kind == "mean":
            window += 2 * spread * direction
        elif kind == "variance":
            window += spread * 0.5 * random.standard_normal(window.shape).astype(np.float32)
        elif kind.startswith("mixture"):
            count = int(kind.split()[1]) * 5
            window[:count] = rows.outside[random.choice(len(rows.outside), count, replace=False)]
        return window

    found = {}
    for kind in ("none", "mean", "variance", "mixture 10", "mixture 20"):
        drawn = [drifted(kind) for _ in range(windows)]
        ours = [p_of(window, baseline) for window in drawn]
        theirs = [permutation_p(window, reference, random) for window in drawn]
        found[kind] = {"ours": share(ours, 0.05), "permutation": share(theirs, 0.05), "windows": windows}
    return found


def quarters(vectors: np.ndarray, references: int) -> dict[str, object]:
    """Streams of 90 windows of 100 in-scope questions; and what an alarm at a single window's p would do."""
    reports = [stream(vectors, None, seed, window=WINDOW) for seed in range(references)]
    p = [[p for p, length in zip(*looked(report), strict=True) if length == 1] for report in reports]
    return {
        "streams": len(reports),
        "windows": QUARTER,
        "with_an_alarm": float(np.mean([report["first_alarm"] is not None for report in reports])),
        "with_a_window_at_05": float(np.mean([min(one) <= 0.05 for one in p])),
    }


def out_of_scope(rows: Rows, references: int) -> dict[str, object]:
    """One question of ten out of scope, drawn anew when they are used up."""
    reports = [stream(rows.inside, rows.outside, seed, window=WINDOW) for seed in range(references)]
    first = [report["first_alarm"] for report in reports]
    caught = sorted(one + 1 for one in first if one is not None)
    return {"streams": len(first), "caught": len(caught) / len(first), "windows_until_alarm": caught}


def stream(inside: np.ndarray, outside: np.ndarray | None, seed: int, *, window: int) -> dict[str, object]:
    """A report after 90 windows; the reference has 10,000 rows."""
    random = np.random.default_rng(1000 + seed)
    order = random.permutation(len(inside))
    reference = Reference.from_table(logged(inside[order[:10_000]]))
    traffic = inside[order[10_000 : 10_000 + QUARTER * window]].copy()
    if outside is not None:
        foreign = random.permutation(len(traffic))[: len(traffic) // 10]
        traffic[foreign] = outside[random.permutation(len(outside))[: len(foreign)]]
    fold = EmbeddingDrift("vector", window=window)
    return fold.report(fold.update(fold.start(reference), logged(traffic)))


def speed(vectors: np.ndarray) -> dict[str, object]:
    """Rows per second of windows of 500 against a reference of 2,000, and of as much as one goes in."""
    reference, window = vectors[:2000], vectors[2000:2500]
    fold = EmbeddingDrift("vector", window=500)
    state = fold.start(Reference.from_table(logged(reference)))
    batch = logged(window)
    ours = min(timed(lambda: fold.update(state, batch), 30))
    evidently, how = classifier_seconds(reference, window)
    return {
        "rows_per_second": 500 / ours,
        "classifier_rows_per_second": 500 / evidently,
        "classifier": how,
        "times_faster": evidently / ours,
    }


def classifier_seconds(reference: np.ndarray, window: np.ndarray) -> tuple[float, str]:
    python = os.environ.get("EVIDENTLY_PYTHON")
    if not python:
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
    scale = median(square[: len(window)].ravel()[::97].tolist())
    kernel = sum(np.exp(-square / np.float32(2 * scale * width**2)) for width in (0.5, 1, 2))
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
