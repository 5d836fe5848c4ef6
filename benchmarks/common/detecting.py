"""Every detector of label errors by name: ours, its parts, the simple baselines and cleanlab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from common.peers import FILTERS, cleanlab, tutorial_probabilities
from tunewright.analyze.confident import confident_issues, out_of_fold
from tunewright.analyze.dynamics import aum, data_map, el2n, forgetting
from tunewright.analyze.label_votes import label_votes
from tunewright.analyze.mislabel import mislabelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from common.evidence import Evidence

COMBINED = ("combined, training", "combined, training and passes", "combined, before training")
CLEANLAB = "cleanlab, frozen"
FINE_TUNED = "cleanlab, fine-tuned folds"


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector says: ``score`` [n], more for the suspicious; flags and suggestions [n] where it has them."""

    score: NDArray[np.float64]
    seconds: float
    flag: NDArray[np.bool_] | None = None
    suggested: NDArray[np.object_] | None = None


def detect(evidence: Evidence, python: Path | None) -> dict[str, Found]:
    """All detectors on one condition; cleanlab is left out where ``python`` is None."""
    found = {name: _timed(method, evidence) for name, method in DETECTORS.items()}
    return found | (_peers(evidence, python) if python else {})


def _timed(method: Callable[[Evidence], tuple[NDArray, ...]], evidence: Evidence) -> Found:
    start = perf_counter()
    score, *more = method(evidence)
    seconds = perf_counter() - start
    return Found(np.asarray(score, dtype=np.float64), seconds, *more)


def _combined(*, training: bool = True, passes: bool = True) -> Callable[[Evidence], tuple[NDArray, ...]]:
    def method(evidence: Evidence) -> tuple[NDArray, ...]:
        names = ("margin", "gold_probability", "other")
        given = {name: evidence.dynamics[name] for name in names} if training else {}
        given |= {"features": evidence.features} if training else {}
        given |= {f"passes_{name}": evidence.passes[name] for name in ("margin", "other")} if passes else {}
        made = mislabelled(label=evidence.label, labels=evidence.labels, frozen=evidence.frozen, **given)
        return made["suspicion"], made["suspect"], made["suggested"]

    return method


def _folds(evidence: Evidence) -> tuple[NDArray, ...]:
    classes = len(evidence.labels)
    likely = out_of_fold(evidence.frozen, evidence.label, classes=classes)
    return 1 - likely.own, confident_issues(likely, evidence.label, classes=classes).both


def _votes(vectors: NDArray[np.floating], label: NDArray[np.int64], k: int) -> tuple[NDArray, ...]:
    votes = label_votes(vectors, label, k=k)
    return 1 - votes.own, votes.probability[:, 0] > votes.own


def _confidence(columns: dict[str, NDArray[np.float64]]) -> NDArray[np.generic]:
    return data_map(gold_probability=columns["gold_probability"], correct=columns["correct"])["confidence"]


def _variability(evidence: Evidence) -> tuple[NDArray, ...]:
    columns = evidence.dynamics
    made = data_map(gold_probability=columns["gold_probability"], correct=columns["correct"])
    return (made["variability"],)


def _aum(columns: dict[str, NDArray[np.float64]]) -> tuple[NDArray, ...]:
    mean = aum(margin=columns["margin"])["aum"]
    return -mean, mean < 0


def _el2n(evidence: Evidence) -> tuple[NDArray, ...]:
    columns = evidence.dynamics
    made = el2n(gold_probability=columns["gold_probability"], sum_of_squares=columns["sum_of_squares"])
    return (made["el2n"],)


def _forgetting(evidence: Evidence) -> tuple[NDArray, ...]:
    made = forgetting(correct=evidence.dynamics["correct"])
    epochs = evidence.dynamics["correct"].shape[1]
    return (made["forgetting"] + epochs * made["never_learnt"],)


def _chance(evidence: Evidence) -> tuple[NDArray, ...]:
    return (np.random.default_rng(0).random(len(evidence.label)),)


DETECTORS: dict[str, Callable[[Evidence], tuple[NDArray, ...]]] = {
    "combined, training": _combined(passes=False),
    "combined, training and passes": _combined(),
    "combined, before training": _combined(training=False, passes=False),
    "AUM, training": lambda evidence: _aum(evidence.dynamics),
    "AUM, passes": lambda evidence: _aum(evidence.passes),
    "confidence, training": lambda evidence: (1 - _confidence(evidence.dynamics),),
    "confidence, passes": lambda evidence: (1 - _confidence(evidence.passes),),
    "last loss": lambda evidence: (evidence.dynamics["loss"][:, -1],),
    "EL2N": _el2n,
    "forgetting": _forgetting,
    "neighbours, features": lambda evidence: _votes(evidence.features, evidence.label, 50),
    "neighbours, frozen": lambda evidence: _votes(evidence.frozen, evidence.label, 100),
    "folds, frozen": _folds,
    "variability": _variability,
    "chance": _chance,
}


def _peers(evidence: Evidence, python: Path) -> dict[str, Found]:
    """cleanlab on frozen embeddings, and on fine-tuned models where they were trained; seconds include the folds."""
    start = perf_counter()
    probability = tutorial_probabilities(evidence.frozen, evidence.label)
    found = _cleanlab(CLEANLAB, python, evidence.label, probability, perf_counter() - start)
    if evidence.folds is None:
        return found
    return found | _cleanlab(FINE_TUNED, python, evidence.label, evidence.folds, evidence.seconds_of_folds)


def _cleanlab(
    title: str, python: Path, label: NDArray[np.int64], probability: NDArray[np.floating], fitting: float
) -> dict[str, Found]:
    """Its ranking by self-confidence, once for each of its filters."""
    start = perf_counter()
    made = cleanlab(python, label, probability)
    seconds = fitting + perf_counter() - start
    ranked = Found(1 - made["quality"], seconds, made[FILTERS[0]])
    others = {f"{title}, {name}": Found(ranked.score, seconds, made[name]) for name in FILTERS[1:]}
    return {title: ranked, **others}
