"""What vocabulary coverage costs, against a plain loop over the rows.

The loop is that of UpTrain's tutorial on summaries of conversations, without what its dashboard costs: it reads each
dialogue, counts the words outside of the training vocabulary, and after every row writes the fifty most frequent to a
file and takes the mean of all coverages so far. Both read the dialogues of SAMSum's test and DialogSum's training set
after SAMSum's training set, in batches of 200, in one process by turns; the time is that of the processor. Coverage and
counts must agree. Beside it stands the loop that neither writes nor takes a mean before the last row.

    python benchmarks/vocabulary.py            # writes benchmarks/results/vocabulary.json
    python benchmarks/vocabulary.py --quick    # few rows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from time import process_time

import common
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tunewright.monitor.reference import Reference
from tunewright.monitor.vocabulary import Vocabulary

DATA = Path(os.environ.get("TUNEWRIGHT_DATA", "../shared/data"))
BATCH, TURNS = 200, 3
LIMIT_TIMES = 40.0
DELETED = (".", ",", "'", "?", "#", ":", "!")


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    train, production = rows(quick=arguments.quick)
    fold = Vocabulary("dialogue")
    start = fold.start(Reference.from_table(train))
    known = {word for text in train["dialogue"].to_pylist() for word in words(text)}
    ours, theirs, once = [], [], []
    for _ in range(1 if arguments.quick else TURNS):
        begin = process_time()
        coverage, unknown = loop(production["dialogue"].to_pylist(), known)
        theirs.append(process_time() - begin)
        begin = process_time()
        loop(production["dialogue"].to_pylist(), known, every_row=False)
        once.append(process_time() - begin)
        state = fold.start(Reference.from_table(train))
        begin = process_time()
        for place in range(0, production.num_rows, BATCH):
            state = fold.update(state, production.slice(place, BATCH))
        report = fold.report(state)
        ours.append(process_time() - begin)
        assert abs(report["coverage"] - coverage) < 1e-9
        assert all(unknown[one["word"]] == one["texts"] for one in report["unknown"].to_pylist())
    figures = {
        "rows": production.num_rows,
        "known_words": start["reference"]["size"],
        "coverage": report["coverage"],
        "normal_coverage": report["normal_coverage"],
        "rows_per_second": production.num_rows / median(ours),
        "loop_rows_per_second": production.num_rows / median(theirs),
        "times_faster": median(slow / fast for slow, fast in zip(theirs, ours, strict=True)),
        "times_faster_than_a_loop_that_tells_once": median(slow / fast for slow, fast in zip(once, ours, strict=True)),
        "limit_times": LIMIT_TIMES,
    }
    common.write("vocabulary", arguments, figures)
    print(figures)


def rows(*, quick: bool) -> tuple[pa.Table, pa.Table]:
    samsum, dialogsum = (
        pq.read_table(DATA / f"{name}.parquet", columns=["id", "dialogue", "split"]) for name in ("samsum", "dialogsum")
    )
    train, test = (samsum.filter(pc.equal(samsum["split"], split)) for split in ("train", "test"))
    later = dialogsum.filter(pc.equal(dialogsum["split"], "train"))
    return train, pa.concat_tables([test.slice(0, 100 if quick else 800), later.slice(0, 900 if quick else 12_400)])


def words(text: str) -> set[str]:
    text = text.lower()
    for mark in DELETED:
        text = text.replace(mark, "")
    return set(text.split())


def loop(texts: list[str], known: set[str], *, every_row: bool = True) -> tuple[float, Counter]:
    shares, unknown = [], Counter()
    with tempfile.TemporaryDirectory() as folder:
        for place, text in enumerate(texts, start=1):
            found = words(text)
            shares.append(len(found & known) / len(found))
            unknown.update(Counter(found - known))
            if every_row or place == len(texts):
                with Path(folder, "unknown.json").open("w") as file:
                    json.dump(unknown.most_common(50), file)
                coverage = sum(shares) / len(shares)
    return coverage, unknown


if __name__ == "__main__":
    main()
