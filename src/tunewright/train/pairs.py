"""Which rows of a batch are mixed with which: recipes and fresh pairs, as features and as collators.

A synthetic feature holds its parents; `Blending` puts the inputs of both into the batch, with the `Blend` that makes
one row of the two. The rows of the batch are then those of the features, of which the inputs are more.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tunewright.tasks import Collator, Feature

__all__ = ["BLEND", "PARENTS", "SHARE", "Arranged", "Blending", "Marked", "drawn", "from_recipes", "numbered"]

BLEND = "tunewright_blend"
"""The key under which a batch says what is mixed; a forward pre-hook takes it off."""
PARENTS, SHARE = "parents", "share"
"""Keys of a synthetic feature: the features (a, b) it is mixed of, and the share of a in [0, 1]."""
_ROW, _DRAW = "row", "draw"


def numbered(features: Sequence[Feature]) -> list[Feature]:
    """The features with their number, by which a parent is found again in a batch that holds it already."""
    return [{**feature, _ROW: number} for number, feature in enumerate(features)]


def from_recipes(features: Sequence[Feature], recipes: pa.Table) -> list[Feature]:
    """Synthetic features of the recipes whose parents are both among the features, in the order of the recipes.

    Args:
        features: `numbered` training inputs, one per row.
        recipes: columns id, a, b (ids of the parents) and weight (the share of ``a`` in [0, 1]).
    """
    known = {feature["id"]: feature for feature in features}
    rows = recipes.select(["id", "a", "b", "weight"]).to_pylist()
    return [
        _mixture(row["id"], known[row["a"]], known[row["b"]], row["weight"])
        for row in rows
        if row["a"] in known and row["b"] in known
    ]


def drawn(features: Sequence[Feature], *, alpha: float, seed: str) -> list[Feature]:
    """As many fresh pairs as there are features, each of them once a first and once a second parent.

    The share of the first is drawn from Beta(alpha, alpha) (Zhang et al. 2018), for every pair anew.
    """
    draw = random.Random(seed)
    order = list(features)
    draw.shuffle(order)
    return [
        _mixture(f"{a['id']} + {b['id']}", a, b, draw.betavariate(alpha, alpha))
        for a, b in zip(order, [*order[1:], *order[:1]], strict=True)
        if a is not b
    ]


def _mixture(name: str, a: Feature, b: Feature, share: float) -> Feature:
    length = max(a["length"], b["length"])
    return {"id": name, "window": 0, "length": length, "teaches": True, PARENTS: (a, b), SHARE: float(share)}


class Marked(torch.utils.data.Dataset["Feature"]):
    """A dataset whose features say when they are drawn, so that a collator can draw pairs without memory.

    What is drawn for a batch depends on the seed, the epoch and the places of its rows: a resumed training, and a
    worker that has run ahead, draw what an uninterrupted one does. Features without the mark, which are those of an
    evaluation, are left alone.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.ids = inner.ids
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, position: int) -> Feature:
        return {**self.inner[position], _DRAW: f"{self.epoch}/{position}"}

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch, counted from 0."""
        self.epoch = epoch
        if hasattr(self.inner, "set_epoch"):
            self.inner.set_epoch(epoch)


@dataclass(frozen=True, slots=True)
class Arranged:
    """A collator that puts real rows before synthetic ones and, with ``alpha``, adds fresh pairs of the real ones."""

    inner: Collator
    alpha: float | None
    seed: int

    def __call__(self, features: Sequence[Feature]) -> dict[str, Any]:
        real = [feature for feature in features if PARENTS not in feature]
        synthetic = [feature for feature in features if PARENTS in feature]
        if self.alpha is not None and real and _DRAW in real[0]:
            when = ",".join(feature[_DRAW] for feature in real)
            synthetic += drawn(real, alpha=self.alpha, seed=f"{self.seed}/{when}")
        return self.inner([*real, *synthetic])


@dataclass(frozen=True, slots=True)
class Blending:
    """A collator of features of which some are synthetic.

    The inputs are those of the real rows and of parents that are not among them, [sources, tokens]; ``labels`` are
    distributions times weights, float32 [rows, classes], of every batch alike. Where a row is mixed, the batch says
    under `BLEND` how: ``first`` and ``second``, the sources of each row, int64 [rows] (equal where nothing is mixed),
    ``share`` of the first, float32 [rows], and ``mixed``, the positions of synthetic rows, int64.
    """

    inner: Collator
    classes: int

    def __call__(self, features: Sequence[Feature]) -> dict[str, Any]:
        if not any(PARENTS in feature for feature in features):
            batch = dict(self.inner(features))
            return batch | {"labels": _distributions(batch["labels"], self.classes)}
        sources, blend = _blend(features)
        batch = dict(self.inner(sources))
        labels, share = _distributions(batch["labels"], self.classes), blend["share"].unsqueeze(1)
        mixed = share * labels[blend["first"]] + (1 - share) * labels[blend["second"]]
        return batch | {"labels": mixed, BLEND: blend}


def _blend(features: Sequence[Feature]) -> tuple[list[Feature], dict[str, torch.Tensor]]:
    """The sources of a batch, each once and real rows first, and how its rows are made of them."""
    pairs = [_parents(feature) for feature in features]
    real = [feature for feature in features if PARENTS not in feature]
    sources = {feature[_ROW]: feature for feature in [*real, *(parent for pair in pairs for parent in pair)]}
    place = {row: position for position, row in enumerate(sources)}
    return list(sources.values()), {
        "first": torch.tensor([place[a[_ROW]] for a, _ in pairs]),
        "second": torch.tensor([place[b[_ROW]] for _, b in pairs]),
        "share": torch.tensor([feature.get(SHARE, 1.0) for feature in features]),
        "mixed": torch.tensor([row for row, feature in enumerate(features) if PARENTS in feature]),
    }


def _parents(feature: Feature) -> tuple[Feature, Feature]:
    """Both parents; one alone twice, so that nothing of a parent without a share is attended to."""
    a, b = feature.get(PARENTS, (feature, feature))
    match feature.get(SHARE, 1.0):
        case 1.0:
            return a, a
        case 0.0:
            return b, b
        case _:
            return a, b


def _distributions(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Class indices [rows] as float32 [rows, classes], all 0 for a row without; distributions as they are."""
    if labels.ndim == 2:
        return labels
    return torch.nn.functional.one_hot(labels.clamp(min=0), classes).float() * (labels >= 0).unsqueeze(1)
