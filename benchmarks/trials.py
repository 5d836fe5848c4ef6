"""How often a verdict is wrong, and how often it is found, on simulated trials whose truth is known.

Scores are drawn from a model of arms x seeds x rows (`common.trials.World`). Without an effect, "better" must appear in
at most 5 % of 1,000 trials and the 95 % interval must hold the truth in 93-97 %; beside it what two usual shortcuts say
of the same trials: McNemar's test of one seed, and a test of rows alone over all seeds. With an effect: how often it is
found. Looks after every seed: errors, and the seeds that are saved.

    python benchmarks/trials.py            # writes benchmarks/results/trials.json
    python benchmarks/trials.py --quick    # fewer trials; writes to benchmarks/results/scratch
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from time import perf_counter

import common
import numpy as np
from common.trials import World

from tunewright.analyze.sequential import boundaries, next_step
from tunewright.analyze.verdict import judge

NULLS = {  # arms: unchanged and one decision; or a random control and a second decision as well
    "usual": (World(), 4),
    "usual, two arms": (World(), 2),
    "small test set": (World(n=500), 4),
    "large test set": (World(n=2000), 4),
    "no luck of seeds": (World(seed_sd=0.0), 4),
    "much luck of seeds": (World(seed_sd=0.01), 4),
    "much luck of seeds, two arms": (World(seed_sd=0.01), 2),
    "arms differ in many rows": (World(within=0.04), 4),
    "two seeds": (World(seeds=2, seed_sd=0.01), 4),
    "five seeds": (World(seeds=5, seed_sd=0.01), 4),
}
EFFECTS = (0.01, 0.02, 0.03, 0.05)
SIZES = ((1000, 3), (1000, 5), (2000, 3))
ARMS = (2, 4)
LOOKS = (2, 3, 4, 5)  # seeds after which is looked
LOOK_EFFECTS = (0.0, 0.03)
WORKERS = 2
LIMITS = boundaries([seeds / LOOKS[-1] for seeds in LOOKS])


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    count = 50 if arguments.quick else 1000
    start = perf_counter()
    result = {
        "trials": count,
        **measure(count),
    }
    common.write("trials", arguments, {**result, "seconds": perf_counter() - start})
    for row in result["null"]:
        print(
            f"{row['name']:30}better {row['better']:.3f}  worse {row['worse']:.3f}  "
            f"coverage {row['coverage']:.3f}  one seed {row['wrong_one_seed']:.3f}  rows {row['wrong_rows']:.3f}"
        )
    for row in result["power"]:
        print(f"n {row['n']} seeds {row['seeds']} effect {row['effect']:.2f}: found {row['found']}")
    for row in result["sequential"]:
        print(f"looks, effect {row['effect']:.2f}: better {row['better']:.3f}, seeds {row['mean_seeds']:.2f}")


def measure(count: int) -> dict[str, list[dict[str, object]]]:
    with ProcessPoolExecutor(WORKERS) as workers:
        null = [workers.submit(under_null, name, *cell, count) for name, cell in NULLS.items()]
        sequential = [workers.submit(looks, effect, count // 5 if effect else count) for effect in LOOK_EFFECTS]
        found = [workers.submit(power, n, seeds, effect, count // 10) for n, seeds in SIZES for effect in EFFECTS]
        return {
            "null": [one.result() for one in null],
            "power": [one.result() for one in found],
            "sequential": [one.result() for one in sequential],
        }


def drawn(world: World, arms: int, count: int):
    """Scores [arms, seeds, n] of each trial."""
    random = np.random.default_rng(0)
    return (world.draw(random, arms=arms) for _ in range(count))


def under_null(name: str, world: World, arms: int, count: int) -> dict[str, object]:
    found = [judge(scores[0], scores[1], others=[*scores[2:]]) for scores in drawn(world, arms, count)]
    return {
        "name": name,
        **asdict(world),
        "arms": arms,
        "better": share(one.verdict == "better" for one in found),
        "worse": share(one.verdict == "worse" for one in found),
        "coverage": share(one.interval[0] <= 0 <= one.interval[1] for one in found),
        "half_width": float(np.mean([one.interval[1] - one.interval[0] for one in found])) / 2,
        "wrong_one_seed": share(one.per_seed[0].p < 0.05 for one in found),
        "wrong_rows": share(one.p_rows < 0.05 for one in found),
    }


def power(n: int, seeds: int, effect: float, count: int) -> dict[str, object]:
    """How often the effect is found, by the number of arms."""
    world = World(n=n, seeds=seeds, effect=effect)
    found = {}
    for arms in ARMS:
        judged = (judge(scores[0], scores[1], others=[*scores[2:]]) for scores in drawn(world, arms, count))
        found[f"{arms} arms"] = share(one.verdict == "better" for one in judged)
    return {"n": n, "seeds": seeds, "effect": effect, "found": found}


def looks(effect: float, count: int) -> dict[str, object]:
    world = World(seeds=LOOKS[-1], effect=effect)
    ended = [looked(scores) for scores in drawn(world, 4, count)]
    return {
        "effect": effect,
        "looks": LOOKS,
        "better": share(verdict == "better" for verdict, _, _ in ended),
        "worse": share(verdict == "worse" for verdict, _, _ in ended),
        "futile": share(action == "stop: futile" for _, action, _ in ended),
        "mean_seeds": float(np.mean([seeds for _, _, seeds in ended])),
    }


def looked(scores: np.ndarray) -> tuple[str, str, int]:
    """The verdict, why it ended, and the seeds that it took."""
    for seeds, limit in zip(LOOKS, LIMITS, strict=True):
        one = judge(scores[0, :seeds], scores[1, :seeds], others=[*scores[2:, :seeds]], alpha=limit)
        step = next_step(one.verdict, one.spread, look=seeds, looks=LOOKS[-1], alpha=LIMITS[-1])
        if step.action != "go on":
            return one.verdict, step.action, seeds
    raise AssertionError("the last look stops")


def share(truths) -> float:
    return float(np.mean([*truths]))


if __name__ == "__main__":
    main()
