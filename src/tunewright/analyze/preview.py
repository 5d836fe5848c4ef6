"""A preview of a trial in seconds: logistic regression on frozen embeddings in place of every training.

It ranks decisions by what they do to a simple model. A fine-tuned model forgives other mistakes and reads what frozen
embeddings do not show, so a preview chooses what to try, and never says whether it helped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import logsumexp

from tunewright.analyze.crossed import spread
from tunewright.analyze.scores import Interval
from tunewright.errors import ComparisonError

__all__ = ["PreviewArm", "Previewed", "Ranked", "preview"]

Floats = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewArm:
    """What one arm trains on: labels [n] (codes, -1 leaves a row out) and weights [n] >= 0 (0 leaves it out).

    ``pairs`` [m, 2] are rows to mix and ``shares`` [m] how much of the first is in each mixture (MixUp, Zhang et al.
    2018), and so of its label in the soft label.
    """

    labels: Codes
    weights: Floats | None = None
    pairs: NDArray[np.integer[Any]] | None = None
    shares: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One arm in a preview. ``difference`` is to the unchanged arm, ``over_control`` to the random control if any."""

    name: str
    accuracy: float
    difference: float
    interval: Interval
    over_control: float | None
    control_interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """Arms, the most promising first. It is a preview: no verdict."""

    arms: tuple[Ranked, ...]
    unchanged: str
    control: str | None
    draws: int
    n: int
    level: float

    def sentence(self) -> str:
        """The ranking in words."""
        ranked = [arm for arm in self.arms if arm.name not in (self.unchanged, self.control)]
        said = "; ".join(f"{arm.name} {_points(arm.difference, arm.interval)}" for arm in ranked)
        return f"Preview on frozen embeddings, no verdict: {said}."


def preview(
    vectors: NDArray[np.floating[Any]],
    arms: Mapping[str, PreviewArm],
    test_vectors: NDArray[np.floating[Any]],
    test_labels: Codes,
    *,
    unchanged: str = "unchanged",
    control: str | None = None,
    draws: int = 5,
    level: float = 0.95,
    strength: float = 0.01,
    seed: int = 0,
) -> Previewed:
    """Rank decisions by a logistic regression on frozen embeddings.

    Every arm is trained on the same bootstrap draws of the training rows, so that its difference to the unchanged arm
    carries the luck of the training rows and of the test rows.

    Args:
        vectors: [n, d] embeddings of the training rows.
        arms: what each arm trains on; one of them is ``unchanged``.
        test_vectors: [t, d] embeddings of the test rows.
        test_labels: [t] their codes.
        unchanged: name of the arm that all are compared with.
        control: name of the arm with random edits.
        draws: bootstrap draws of the training rows, at least 2.
        level: of the intervals.
        strength: inverse of the penalty on squared coefficients of standardised vectors.
        seed: of the draws.

    Raises:
        ComparisonError: if an arm is missing or has not one label for each row.
    """
    missing = {name for name in (unchanged, control) if name is not None} - arms.keys()
    if missing:
        raise ComparisonError(f"expected an arm {min(missing)!r}, found {', '.join(arms)}")
    for name, arm in arms.items():
        if len(arm.labels) != len(vectors):
            raise ComparisonError(f"expected {len(vectors)} labels of arm {name!r}, found {len(arm.labels)}")
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-8
    train, test = (vectors - mean) / scale, (test_vectors - mean) / scale
    drawn = np.random.default_rng(seed).multinomial(len(train), np.full(len(train), 1 / len(train)), size=draws)
    right = {
        name: _right(train, arm, drawn, test=test, labels=test_labels, strength=strength) for name, arm in arms.items()
    }
    ranked = [_ranked(name, right, unchanged, control, level) for name in arms]
    return Previewed(
        arms=tuple(sorted(ranked, key=lambda arm: -arm.difference)),
        unchanged=unchanged,
        control=control,
        draws=draws,
        n=len(test_labels),
        level=level,
    )


def _ranked(name: str, right: Mapping[str, Floats], unchanged: str, control: str | None, level: float) -> Ranked:
    change = spread(right[unchanged], right[name], paired=True)
    over = None if control is None else spread(right[control], right[name], paired=True)
    return Ranked(
        name=name,
        accuracy=float(right[name].mean()),
        difference=change.difference,
        interval=change.interval(level),
        over_control=None if over is None else over.difference,
        control_interval=None if over is None else over.interval(level),
    )


def _examples(train: Floats, arm: PreviewArm, classes: int) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
    """Vectors, targets [m, classes], weights [m], and [m, 2] the two rows that each is made of."""
    weights = np.ones(len(train)) if arm.weights is None else arm.weights
    rows = np.flatnonzero((arm.labels >= 0) & (weights > 0))
    targets = np.eye(classes)[arm.labels[rows]]
    parents = np.stack([rows, rows], axis=1)
    if arm.pairs is None or arm.shares is None:
        return train[rows], targets, weights[rows], parents
    first, second = arm.pairs.T
    share = arm.shares[:, None]
    names = np.eye(classes)[arm.labels]
    return (
        np.concatenate([train[rows], share * train[first] + (1 - share) * train[second]]),
        np.concatenate([targets, share * names[first] + (1 - share) * names[second]]),
        np.concatenate([weights[rows], np.ones(len(share))]),
        np.concatenate([parents, arm.pairs]),
    )


def _fit(vectors: Floats, targets: Floats, weights: Floats, *, strength: float, start: Floats) -> Floats:
    """[d + 1, classes] coefficients, the last row the intercepts, which the penalty leaves out.

    The loss is minimised by L-BFGS in coordinates in which its upper bound on curvature, half of the vectors' second
    moments (Böhning 1992), is the identity: there a dozen steps are enough.
    """
    inputs = np.concatenate([vectors, np.ones((len(vectors), 1))], axis=1)
    penalty = np.append(np.full(vectors.shape[1], 1 / strength), 1e-6)
    factor = cholesky((inputs * weights[:, None]).T @ inputs / 2 + np.diag(penalty), lower=True)
    shape = (inputs.shape[1], targets.shape[1])

    def loss(flat: Floats) -> tuple[float, Floats]:
        coefficients = solve_triangular(factor, flat.reshape(shape), lower=True, trans="T")
        logits = inputs @ coefficients
        log_probability = logits - logsumexp(logits, axis=1, keepdims=True)
        shrunk = penalty[:, None] * coefficients
        value = float((coefficients * shrunk).sum()) / 2 - float(weights @ (targets * log_probability).sum(axis=1))
        slope = inputs.T @ (weights[:, None] * (np.exp(log_probability) - targets)) + shrunk
        return value, solve_triangular(factor, slope, lower=True).ravel()

    found = minimize(loss, (factor.T @ start).ravel(), jac=True, method="L-BFGS-B", options={"ftol": 1e-7})
    return np.asarray(solve_triangular(factor, found.x.reshape(shape), lower=True, trans="T"))


def _right(
    train: Floats, arm: PreviewArm, drawn: NDArray[np.integer[Any]], *, test: Floats, labels: Codes, strength: float
) -> Floats:
    """[draws, t] 1 where the arm, trained on each row as often as it was drawn, is right.

    A mixture is drawn as often as the rarer of its parents.
    """
    classes = int(max(labels.max(), arm.labels.max())) + 1
    vectors, targets, weights, parents = _examples(train, arm, classes)
    start = np.zeros((train.shape[1] + 1, classes))
    right = []
    for times in drawn:
        here = weights * times[parents].min(axis=1)
        kept = here > 0
        start = _fit(vectors[kept], targets[kept], here[kept], strength=strength, start=start)
        right.append((test @ start[:-1] + start[-1]).argmax(axis=1) == labels)
    return np.array(right, dtype=np.float64)


def _points(difference: float, interval: Interval) -> str:
    low, high = interval
    return f"{100 * difference:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
