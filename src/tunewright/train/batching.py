"""The order in which a stock Trainer sees training examples.

The order lives in the dataset: the Trainer walks it sequentially and calls ``set_epoch`` through Accelerate, so an
epoch's order depends on the seed and the epoch alone, never on how much randomness was drawn before; a resumed
training sees the order of the uninterrupted one.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import torch.utils.data

from tunewright.train.pairs import PARENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunewright.tasks import Feature

__all__ = ["InOrder", "LengthGrouped", "padding_ratio"]

_MEGABATCH = 100


class InOrder(torch.utils.data.Dataset["Feature"]):
    """Features in the order in which they are given.

    Args:
        features: with ``id``.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = features
        self.ids = _ids(features)

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, position: int) -> Feature:
        return self.features[position]


class LengthGrouped(torch.utils.data.Dataset["Feature"]):
    """Features in an order whose consecutive batches hold similar lengths, drawn anew each epoch.

    A permutation is cut into megabatches of 100 batches; each is sorted by length and cut into batches, and the
    batches are shuffled among all. Incomplete batches come last. Sizes count every process: with ``batch_size``
    = per-device batch x processes, the batches that processes take in one step are alike as well.

    Args:
        features: with ``id`` and ``length`` (tokens).
        batch_size: examples that one forward pass of all processes sees.
        seed: of the order.
    """

    def __init__(self, features: Sequence[Feature], *, batch_size: int, seed: int) -> None:
        self.features = features
        self.batch_size = batch_size
        self.seed = seed
        self.ids = _ids(features)
        self.set_epoch(0)

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, position: int) -> Feature:
        return self.features[self.order[position]]

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch, counted from 0."""
        draw = random.Random(f"{self.seed}/{epoch}")
        order = list(range(len(self.features)))
        draw.shuffle(order)
        lengths = [feature["length"] for feature in self.features]
        batches = list(_grouped(order, lengths, self.batch_size))
        draw.shuffle(batches)
        batches.sort(key=lambda batch: len(batch) < self.batch_size)
        self.order = [position for batch in batches for position in batch]


def _ids(features: Sequence[Feature]) -> list[str]:
    """Names of the examples, without those of rows that are mixed of two."""
    return [feature["id"] for feature in features if PARENTS not in feature]


def _grouped(order: list[int], lengths: list[int], size: int) -> list[list[int]]:
    batches = []
    for start in range(0, len(order), size * _MEGABATCH):
        megabatch = sorted(order[start : start + size * _MEGABATCH], key=lengths.__getitem__)
        batches += [megabatch[at : at + size] for at in range(0, len(megabatch), size)]
    return batches


def padding_ratio(lengths: Sequence[int], batch_size: int) -> float:
    """Padded over real tokens when consecutive examples are padded to the longest of their batch; at least 1.

    >>> padding_ratio([2, 4, 3, 3], 2)
    1.1666666666666667
    """
    batches = [lengths[at : at + batch_size] for at in range(0, len(lengths), batch_size)]
    return sum(len(batch) * max(batch) for batch in batches) / sum(lengths)
