"""How well wrong labels are found: our combined score, its parts, simple baselines and cleanlab, side by side.

Data sets that lie beside the repository (TUNEWRIGHT_DATA). Planted: 10 % of 4,000 rows of rotten_tomatoes and trec,
uniform (any other class) and confusable (rows that a TF-IDF model finds hard, to its best wrong class). Real:
noisy_agnews (people's errors against AG News), noisy_topics_hausa (word lists against people), and reviews of
rotten_tomatoes whose polarity a crowd contradicts. Trainings are kept in ``--cache`` and made where they are missing;
scoring takes seconds. What reviewing a fifth of the rows recovers of the accuracy is measured by logistic regression
on frozen embeddings. Every constant of the combined score was chosen on seed 0; the figures are of other seeds.

    python benchmarks/detectors.py --cache DIR --seeds 1,2,3    # writes benchmarks/results/detectors.json
    python benchmarks/detectors.py --cache DIR --quick          # only what the cache holds, to benchmarks/results/scratch
    python benchmarks/detectors.py --cache DIR --folds          # also cleanlab on fine-tuned folds, at three trainings more
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import common
from common import detection_scores as scores
from common.detecting import CLEANLAB, COMBINED, FINE_TUNED, detect
from common.evidence import load
from common.noisy import CONFIG, MODEL, NOISES, PLANTED, collect, collect_folds
from common.peers import VERSION, interpreter
from common.reviewing import after_training, before_training, shares
from common.stated import stated_and_true

from tunewright.analyze.mislabel import CONSTANTS
from tunewright.files import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

NATURAL = ("noisy_agnews", "rotten_tomatoes", "noisy_topics_hausa")
TUNED_ON = (0,)
REVIEWING = ("10 % wrong, trained on", "20 % wrong, before training")  # what a frozen logistic regression recovers
CACHE = common.RESULTS / "scratch" / "detectors"


def main() -> None:
    arguments = _arguments()
    python = None if arguments.no_peers else interpreter(arguments.cache / "cleanlab-environment")
    planted = [(data, noise, seed) for data in PLANTED for noise in NOISES for seed in arguments.seeds]
    wanted = planted + [(data, "natural", arguments.natural_seed) for data in NATURAL]
    measured = [found for case in wanted if (found := measure(*case, arguments, python))]
    summary = scores.summary(measured, COMBINED[:2])
    conditions = [found["figures"] for found in measured]
    folds = scores.ratios(conditions, COMBINED[:2], FINE_TUNED)
    reviewing = {name: shares([found[name] for found in measured if found[name]]) for name in REVIEWING}
    result = {
        "settings": {"model": MODEL, "training": asdict(CONFIG), "constants": CONSTANTS, "tuned_on_seeds": TUNED_ON},
        "seeds": arguments.seeds,
        "cleanlab": VERSION if python else "left out: --no-peers, or it could not be installed",
        "over_fine_tuned_folds": folds or "left out: they cost three trainings more per condition",
        "summary": summary,
        "recovered_by_reviewing_a_fifth": reviewing,
        "conditions": conditions,
    }
    common.write("detectors", arguments, result)
    print(scores.table(conditions))
    print(scores.sentence(summary))
    print(f"of the accuracy that wrong labels cost, reviewing a fifth of the rows recovers: {reviewing}")


def measure(
    dataset: str, noise: str, seed: int, arguments: argparse.Namespace, python: Path | None
) -> dict[str, object] | None:
    """Figures and bootstrap samples of one condition; None where its training is neither cached nor to be made."""
    folder = arguments.cache / f"{dataset}-{noise}-s{seed}"
    if not (folder / "done.json").exists():
        if arguments.quick or arguments.only_cached:
            return None
        collect(dataset, noise, seed, cache=arguments.cache)
    if arguments.folds:
        collect_folds(dataset, noise, seed, cache=arguments.cache)
    evidence, truth = load(folder)
    found = detect(evidence, python)
    figures = {
        "condition": f"{dataset} {noise}",
        "seed": seed,
        "rows": len(evidence.label),
        "judged": int(truth.known.sum()),
        "wrong": int(truth.wrong.sum()),
        "seconds_of_training": json.loads((folder / "done.json").read_text())["seconds"],
        "detectors": {name: scores.figures(one, truth) for name, one in found.items()},
        "stated": stated_and_true(found[COMBINED[1]], evidence, truth),
    }
    write_json(folder / "detectors.json", figures)
    made: dict[str, object] = {"figures": figures, "samples": scores.samples(found, truth, seed=seed)}
    if noise == "natural":
        return made | dict.fromkeys(REVIEWING)
    ours = {name: found[name] for name in COMBINED[:2]}
    reviewing = (after_training(evidence, truth, ours), before_training(dataset, noise, seed, folder))
    return made | dict(zip(REVIEWING, reviewing, strict=True))


def _arguments() -> argparse.Namespace:
    parser = common.parser(__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where trainings are kept")
    parser.add_argument("--seeds", type=_seeds, default=(1, 2, 3), help="of the planted errors, such as 1,2,3")
    parser.add_argument("--natural-seed", type=int, default=0, help="of the trainings on real errors")
    parser.add_argument("--only-cached", action="store_true", help="leave out what would have to be trained")
    parser.add_argument("--folds", action="store_true", help="fine-tune out of fold where that is not cached")
    parser.add_argument("--no-peers", action="store_true", help=f"leave out {CLEANLAB.partition(',')[0]}")
    return parser.parse_args()


def _seeds(text: str) -> Sequence[int]:
    return tuple(int(part) for part in text.split(","))


if __name__ == "__main__":
    main()
