"""How fast ROUGE is, against the packages `rouge-score` and `rouge`.

Pairs of a dialogue and its summary, and of a summary and another, from SAMSum where ../shared/data has it, else of
random words. Both ways take the same pairs in turn in one process; the ratio is the median over the turns, of processor
time, and every number must agree to 1e-12. The stems of words seen before are cached between turns, as they are between
batches.
`rouge` 1.0.1 goes into an environment of its own, and is left out where it cannot be installed.

    python benchmarks/rouge.py            # writes benchmarks/results/rouge.json
    python benchmarks/rouge.py --quick    # few pairs; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import process_time

import common
import common.rouge_package
import numpy as np
import pyarrow.parquet as pq
from rouge_score.rouge_scorer import RougeScorer

from tunewright.metrics.rouge import KINDS, rouge
from tunewright.metrics.rouge_sets import rouge_l_sets

SAMSUM = Path(os.environ.get("TUNEWRIGHT_DATA", "../shared/data")) / "samsum.parquet"
PAIRS, TURNS = 400, 7
LIMIT_TIMES = {"rouge-score": 12.0, "rouge": 15.0}
PACKAGE = Path(os.environ.get("TUNEWRIGHT_CACHE", Path.home() / ".cache" / "tunewright")) / "rouge-environment"


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--package", type=Path, default=PACKAGE, help="folder of the environment with `rouge`")
    arguments = parser.parse_args()
    dialogues, summaries = texts(40 if arguments.quick else PAIRS)
    others = [*summaries[1:], summaries[0]]
    cases = {
        f"{name}, {'rougeL' if kinds == ('rougeL',) else 'all three'}{', stemmed' if stem else ''}": compare(
            summaries, said, kinds=kinds, stem=stem, turns=2 if arguments.quick else TURNS
        )
        for name, said in (("dialogues", dialogues), ("summaries", others))
        for kinds in (("rougeL",), KINDS)
        for stem in (False, True)
    }
    score = common.rouge_package.scorer(arguments.package)
    if score is None:
        print("the `rouge` package cannot be installed here: no figures against it")
    else:
        turns = 2 if arguments.quick else TURNS
        pairs = {"summaries": (summaries, others), "dialogues, of their summaries": (dialogues, summaries)}
        pairs["summaries, of their dialogues"] = (summaries, dialogues)
        cases |= {f"{name}, sets": compare_sets(*texts, score=score, turns=turns) for name, texts in pairs.items()}
    data = "samsum" if SAMSUM.exists() else "random words"
    common.write(
        "rouge", arguments, {"data": data, "pairs": len(summaries), "limit_times": LIMIT_TIMES, "cases": cases}
    )
    for name, case in cases.items():
        print(f"{name}: {case['times_faster']:.0f} x, {1e6 * case['seconds'] / len(summaries):.0f} µs a pair")


def texts(pairs: int) -> tuple[list[str], list[str]]:
    if SAMSUM.exists():
        rows = pq.read_table(SAMSUM, columns=["dialogue", "summary"]).slice(0, pairs).to_pydict()
        return rows["dialogue"], rows["summary"]
    draw = random.Random(0)
    return tuple(
        [" ".join(f"word{draw.randrange(80)}" for _ in range(words)) for _ in range(pairs)] for words in (120, 25)
    )


def compare(
    gold: Sequence[str], predicted: Sequence[str], *, kinds: Sequence[str], stem: bool, turns: int
) -> dict[str, float]:
    scorer = RougeScorer(list(kinds), use_stemmer=stem)
    theirs, ours = [], []
    for _ in range(turns):
        start = process_time()
        expected = [scorer.score(*pair) for pair in zip(gold, predicted, strict=True)]
        middle = process_time()
        found = rouge(gold, predicted, kinds=kinds, stem=stem)
        theirs.append(middle - start)
        ours.append(process_time() - middle)
    difference = max(
        float(np.abs(found[kind].f1 - [score[kind].fmeasure for score in expected]).max()) for kind in kinds
    )
    assert difference < 1e-12, f"the package gives other numbers, by {difference}"
    return {
        "seconds": median(ours),
        "package_seconds": median(theirs),
        "times_faster": median(slow / fast for slow, fast in zip(theirs, ours, strict=True)),
        "largest_difference": difference,
    }


def compare_sets(gold: Sequence[str], predicted: Sequence[str], *, score, turns: int) -> dict[str, float]:
    theirs, ours = [], []
    for _ in range(turns):
        start = process_time()
        expected = [score(*pair) for pair in zip(gold, predicted, strict=True)]
        middle = process_time()
        found = rouge_l_sets(gold, predicted)
        theirs.append(middle - start)
        ours.append(process_time() - middle)
    both = np.stack([found.precision, found.recall, found.f1], axis=1)
    assert np.array_equal(both, expected, equal_nan=True), "the package gives other numbers"
    return {
        "seconds": median(ours),
        "package_seconds": median(theirs),
        "times_faster": median(slow / fast for slow, fast in zip(theirs, ours, strict=True)),
        "largest_difference": 0.0,
    }


if __name__ == "__main__":
    main()
