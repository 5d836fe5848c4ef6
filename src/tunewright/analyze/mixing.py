"""What a list of mixed pairs teaches beside the data, before anything is trained on it.

MixUp (Zhang et al. 2018) draws the share of the first parent from Beta(alpha, alpha): at alpha = 1 all shares are
alike, below it most mixtures are nearly copies of one parent, above it most are half and half.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunewright.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["COPY", "Audit", "audit", "distances", "draw_pairs", "label_entropy"]

COPY = 0.95
"""From this share on, a mixture is counted as a copy of one parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What mixed pairs are; shares are of the pairs, in [0, 1].

    ``repeated``: the pair was there before, in either order, or its two texts were. ``copies``: one parent has `COPY`
    of the mixture or more, or both parents have the same text. ``same_label``: mixing tells such rows nothing new of
    labels. ``entropy``: mean of the labels' entropy, in bits. ``covered``: share of the possible parents that are used;
    ``most_uses`` of one. ``labels``: label -> share in the mixed labels; ``labels_of_data`` in the parents to choose
    from. ``distance``: of frozen embeddings, the median cosine distance from a mixture to its nearer parent, and
    ``distance_of_rows``, that of random pairs, to compare with; None without embeddings.
    """

    pairs: int
    repeated: float
    copies: float
    same_label: float
    entropy: float
    covered: float
    most_uses: int
    labels: Mapping[str, float]
    labels_of_data: Mapping[str, float]
    distance: float | None = None
    distance_of_rows: float | None = None


def draw_pairs(rows: int, count: int, *, alpha: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of different rows, and the share of the first of each.

    All rows are paired at random, again and again until there are enough pairs: none is used a second time before the
    others were used once (but one, where their number is odd). No pair is drawn twice, in either order, as long as
    there are others.

    Args:
        rows: number of rows to choose from, 2 or more.
        count: number of pairs, 1 or more.
        alpha: of the Beta(alpha, alpha) that shares are drawn from, more than 0.
        seed: of everything drawn.

    Returns:
        int64 [count, 2] row numbers, and float64 [count] shares in [0, 1].

    Raises:
        DataError: if there are fewer than two rows, or a number is out of range.
    """
    if rows < 2:
        raise DataError(f"expected two labelled training rows or more to mix, found {rows}")
    if count < 1 or not 0 < alpha < np.inf:
        raise DataError(
            f"expected one pair or more and an alpha above 0, found {count} and {alpha:g}", fix="--count 3500 --alpha 1"
        )
    draw = np.random.default_rng(seed)
    seen: set[tuple[int, int]] = set()
    pairs: list[tuple[int, int]] = []
    possible = rows * (rows - 1) // 2
    while len(pairs) < count:
        order = draw.permutation(rows)
        for a, b in order[: rows // 2 * 2].reshape(-1, 2).tolist():
            key = (min(a, b), max(a, b))
            if key not in seen or len(seen) == possible:
                seen.add(key)
                pairs.append((a, b))
    return np.array(pairs[:count], np.int64), draw.beta(alpha, alpha, size=count)


def label_entropy(
    first: NDArray[np.generic], second: NDArray[np.generic], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[pairs] entropy of mixed labels in bits, from 0 (one label) to 1 (half and half).

    >>> label_entropy(np.array(["a", "a"]), np.array(["b", "a"]), np.array([0.5, 0.5])).tolist()
    [1.0, 0.0]
    """
    p = np.clip(share, 1e-12, 1 - 1e-12)
    bits: NDArray[np.float64] = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    return np.where((first == second) | (share <= 0) | (share >= 1), 0.0, bits)


def audit(
    pairs: NDArray[np.int64],
    share: NDArray[np.float64],
    *,
    labels: Sequence[str],
    texts: Sequence[str],
    vectors: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> Audit:
    """What a list of mixed pairs is, beside the rows it is drawn from.

    Args:
        pairs: int64 [pairs, 2] row numbers of the parents.
        share: [pairs] of the first parent, in [0, 1].
        labels: [rows] of the rows that parents may be, used or not.
        texts: [rows] their texts, or anything that is equal where texts are.
        vectors: [rows, dimensions] frozen embeddings; None leaves distances out.
        seed: of the random pairs that distances are compared with.

    Raises:
        DataError: if there is no pair.
    """
    if len(pairs) == 0:
        raise DataError("expected pairs to audit, found none")
    names = np.asarray(labels, dtype=object)
    first, second = names[pairs[:, 0]], names[pairs[:, 1]]
    codes = np.unique(np.asarray(texts, dtype=object).astype(str), return_inverse=True)[1][pairs]
    uses = np.bincount(pairs.ravel(), minlength=len(names))
    copies = (np.maximum(share, 1 - share) >= COPY) | (codes[:, 0] == codes[:, 1])
    near, apart = (None, None) if vectors is None else distances(vectors, pairs, share, seed=seed)
    return Audit(
        pairs=len(pairs),
        repeated=_repeated(codes),
        copies=float(copies.mean()),
        same_label=float((first == second).mean()),
        entropy=float(label_entropy(first, second, share).mean()),
        covered=float((uses > 0).mean()),
        most_uses=int(uses.max()),
        labels=_mixed_shares(first, second, share),
        labels_of_data=_mixed_shares(names, names, np.ones(len(names))),
        distance=near,
        distance_of_rows=apart,
    )


def distances(
    vectors: NDArray[np.floating], pairs: NDArray[np.int64], share: NDArray[np.float64], *, seed: int
) -> tuple[float, float]:
    """Median cosine distances: from the mixture of two embeddings to its nearer parent, and between random rows.

    The mixture of embeddings stands for the embedding of the mixture, which no model has computed yet.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    a, b = unit[pairs[:, 0]], unit[pairs[:, 1]]
    mixed = share[:, None] * a + (1 - share[:, None]) * b
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True).clip(min=1e-12)
    near = 1 - np.maximum((mixed * a).sum(1), (mixed * b).sum(1))
    draw = np.random.default_rng(seed)
    some, others = draw.integers(len(unit), size=(2, len(pairs)))
    apart = 1 - (unit[some] * unit[others]).sum(1)[some != others]
    return float(np.median(near)), float(np.median(apart)) if len(apart) else 0.0


def _repeated(codes: NDArray[np.int64]) -> float:
    """Share of pairs of texts that are there a second time or more, in either order."""
    times = Counter(map(tuple, np.sort(codes, axis=1).tolist()))
    return float(sum(count - 1 for count in times.values()) / len(codes))


def _mixed_shares(
    first: NDArray[np.generic], second: NDArray[np.generic], share: NDArray[np.float64]
) -> dict[str, float]:
    return {
        str(name): float((share * (first == name) + (1 - share) * (second == name)).mean())
        for name in sorted({*first.tolist(), *second.tolist()})
    }
