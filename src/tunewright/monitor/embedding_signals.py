"""Signals of vectors: near some points, far from the reference, which cluster. Use it as ``emb``.

A vector with a number that is missing or infinite gives a missing value.
"""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from tunewright.analyze.neighbours import Index
from tunewright.errors import DataError
from tunewright.monitor.expressions import Signal, node, of
from tunewright.monitor.operations import operation
from tunewright.monitor.vectors import matrix

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from tunewright.monitor.reference import Reference

    Floats = NDArray[np.floating[Any]]

__all__ = ["FAR", "Points", "cluster", "drift", "far_from_reference", "near", "revived"]

FAR = "emb.far_from_reference"
"""What the signal of `far_from_reference` is called."""

SIGNALS = ("cluster", "far_from_reference", "near")
"""Names that formulas may call."""

Distance = Literal["cosine", "l2", "l1"]
_METRICS = {"l2": "euclidean", "l1": "cityblock"}
_BLOCK = 4096  # rows compared with all points at once
_CLUSTERS = 10  # of the points, whose spread gives a radius
_KEPT = 16  # what was learnt from references


@dataclass(frozen=True, eq=False)
class Points:
    """Vectors that are part of a signal.

    Attributes:
        content: float32 [m, dimensions], finite.
    """

    content: NDArray[np.float32]

    @classmethod
    def of(cls, values: ArrayLike) -> Points:
        """Points from anything that is a table of finite numbers.

        Raises:
            DataError: if it is not.
        """
        content = np.ascontiguousarray(np.atleast_2d(np.asarray(values, dtype=np.float32)))
        if content.ndim != 2 or not content.size or not np.isfinite(content).all():
            raise DataError(f"expected finite vectors [m, dimensions], found shape {content.shape}, or missing numbers")
        return cls(content)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of shape and numbers."""
        return hashlib.sha256(f"{self.content.shape}".encode() + self.content.tobytes()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """As formulas call it: how many, and which."""
        return f"{len(self.content)} points {self.fingerprint}"

    def to_json(self) -> dict[str, Any]:
        """Shape and numbers, in base64."""
        numbers = base64.b64encode(self.content.astype("<f4").tobytes()).decode()
        return {"points": numbers, "shape": list(self.content.shape)}


def revived(document: Mapping[str, Any]) -> Points:
    """The points that `Points.to_json` wrote."""
    numbers = np.frombuffer(base64.b64decode(document["points"]), dtype="<f4")
    return Points.of(numbers.reshape(document["shape"]))


def near(
    column: str | Signal,
    points: ArrayLike,
    radius: float | None = None,
    *,
    distance: Distance = "cosine",
    scale: ArrayLike | None = None,
) -> Signal:
    """Whether the nearest of some points is less than a radius away.

    ``distance="l1"`` with ``scale=np.abs(reference).max(axis=0)`` and no radius is the rule of UpTrain v0.

    Args:
        column: vectors.
        points: [m, dimensions].
        radius: None is half of the smallest mean spread of the points' clusters (at most 10, by k-means in the scaled
            space; clusters of one point have none), worked out now, so that the formula shows it.
        distance: "cosine" (1 minus the cosine), "l2" or "l1".
        scale: [dimensions] every dimension is divided by its number before, where that is not 0.

    Raises:
        DataError: if the points are no finite vectors, or there is no spread to take a radius from.
    """
    if distance not in {"cosine", *_METRICS}:
        raise ValueError(f"expected distance to be cosine, l2 or l1, found {distance!r}")
    kept, factors = Points.of(points), None if scale is None else Points.of(scale)
    if radius is None:
        radius = _spread(_scaled(kept.content, factors), distance) / 2
    return node("emb.near", of(column), points=kept, radius=float(radius), distance=distance, scale=factors)


def cluster(
    column: str | Signal,
    centers: ArrayLike | None = None,
    *,
    count: int = 8,
    seed: int = 0,
    vectors: str | None = None,
) -> Signal:
    """The number of the nearest centre by cosine, from 0: ``emb.cluster("vector", centers) == 3``.

    Args:
        column: vectors.
        centers: [k, dimensions]; None takes those that k-means finds among the reference's vectors.
        count: how many centres to find; of no effect with centers.
        seed: of k-means.
        vectors: name of the reference's vectors, if it is not the column's.
    """
    if centers is not None:
        return node("emb.cluster", of(column), centers=Points.of(centers))
    return node("emb.cluster", of(column), count=count, seed=seed, vectors=vectors or _name(column))


def far_from_reference(column: str | Signal, q: float = 0.99, *, seed: int = 0, vectors: str | None = None) -> Signal:
    """Whether the nearest of the reference's vectors is farther away (cosine) than is usual in the reference.

    The reference is cut in two at random. Usual is what a share q of one half keeps of the nearest row of the other
    half, so that of rows like the reference at most 1 - q are marked (split conformal, Papadopoulos et al. 2002).

    Args:
        column: vectors.
        q: share in (0, 1).
        seed: of the cut.
        vectors: name of the reference's vectors, if it is not the column's.
    """
    if not 0 < q < 1:
        raise ValueError(f"expected a share q between 0 and 1, found {q}")
    return node(FAR, of(column), q=float(q), seed=seed, vectors=vectors or _name(column))


def beyond_usual(far: Signal, reference: Reference) -> tuple[int, int]:
    """(rows marked, rows) of the half of the reference that says what is usual, for a `far_from_reference`.

    Raises:
        DataError: if the reference has too few vectors.
        ColumnError: if it has none of the name.
    """
    learnt = {name: value for name, value in far.options if name in {"q", "seed", "vectors"}}
    _learnt(reference, _usual, **learnt)
    held_out = len(_unit_rows(reference.vectors(learnt["vectors"]))) // 2
    return held_out - _rank(held_out, learnt["q"]), held_out


def drift(column: str, **options: Any) -> Any:
    """Drift of the vectors of a column against the reference, as a fold; see `monitor.embedding_drift`."""
    from tunewright.monitor.embedding_drift import EmbeddingDrift

    return EmbeddingDrift(column, **options)


@operation("emb.near", gives="bool", cost=500)
def _near(values: pa.Array, *, points: Points, radius: float, distance: str, scale: Points | None = None) -> pa.Array:
    there = _scaled(points.content, scale)

    def inside(vectors: Floats) -> NDArray[np.generic]:
        found: NDArray[np.bool_] = _distances(_scaled(vectors, scale), there, distance).min(axis=1) < radius
        return found

    return _on_finite(values, inside, there.shape[1], pa.bool_())


@operation("emb.cluster", gives="number", cost=100, compares=True)
def _cluster(values: pa.Array, *, reference: Any, centers: Points | None = None, **learnt: Any) -> pa.Array:
    middles = _learnt(reference, _middles, **learnt) if centers is None else centers.content
    return _on_finite(
        values, lambda vectors: _distances(vectors, middles, "cosine").argmin(axis=1), middles.shape[1], pa.int64()
    )


@operation(FAR, gives="bool", cost=800, compares=True)
def _far(values: pa.Array, *, reference: Any, **learnt: Any) -> pa.Array:
    index, usual = _learnt(reference, _usual, **learnt)
    return _on_finite(values, lambda vectors: _nearest(index, vectors) > usual, index.dimensions, pa.bool_())


def _name(column: str | Signal) -> str:
    """Of a column, which the reference's vectors are called as well."""
    signal = of(column)
    if signal.op != "col":
        raise ValueError(f"expected the name of the reference's vectors beside `{signal}`: give `vectors=`")
    return str(signal.option("name"))


def _on_finite(
    values: pa.Array, function: Callable[[Floats], NDArray[np.generic]], dimensions: int, kind: pa.DataType
) -> pa.Array:
    """What a function gives for the finite vectors, null for the others."""
    vectors = matrix(values)
    if vectors.shape[1] != dimensions:
        raise DataError(f"expected vectors of {dimensions} dimensions, found {vectors.shape[1]}")
    finite = np.isfinite(vectors).all(axis=1)
    found = np.zeros(len(vectors), dtype=kind.to_pandas_dtype())
    if finite.any():
        found[finite] = function(vectors[finite])
    return pa.array(found, kind, mask=~finite)


def _scaled(vectors: Floats, scale: Points | None) -> Floats:
    if scale is None:
        return vectors
    factors = scale.content[0]
    if factors.shape != vectors.shape[1:]:
        raise DataError(f"expected a scale of {vectors.shape[1]} dimensions, found {len(factors)}")
    return vectors / np.where(factors > 0, factors, 1)


def _distances(vectors: Floats, points: Floats, distance: str) -> Floats:
    """[n, m], block by block where the points are many."""
    if distance == "cosine":
        found: Floats = 1 - _units(vectors) @ _units(points).T
        return found
    from scipy.spatial.distance import cdist

    blocks = [
        cdist(vectors[start : start + _BLOCK], points, _METRICS[distance]) for start in range(0, len(vectors), _BLOCK)
    ]
    return np.concatenate(blocks)


def _units(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.where(lengths > 0, lengths, 1)
    return unit


def _spread(points: Floats, distance: str) -> float:
    """The smallest mean distance of a cluster's points from its mean, of clusters that have more than one place."""
    from sklearn.cluster import KMeans

    count = min(_CLUSTERS, len(np.unique(points, axis=0)) // 2)
    if not count:
        raise DataError(f"expected two different points or more to take a radius from, found {len(points)}")
    found = KMeans(count, n_init=4, random_state=0).fit(points)
    centres = found.cluster_centers_
    spreads = [
        float(_distances(points[found.labels_ == code], centres[code : code + 1], distance).mean())
        for code in range(count)
    ]
    return min(spread for spread in spreads if spread > 0)


def _middles(vectors: Floats, *, count: int, seed: int) -> Floats:
    """[count, dimensions] centres of k-means."""
    from sklearn.cluster import KMeans

    centers: Floats = KMeans(count, n_init=4, random_state=seed).fit(vectors).cluster_centers_
    return centers


def _usual(vectors: Floats, *, q: float, seed: int) -> tuple[Index, float]:
    """One half of the vectors, and how far the other half is from it, but for a share of 1 - q."""
    base, held_out = np.array_split(np.random.default_rng(seed).permutation(len(vectors)), 2)
    rank = _rank(len(held_out), q)
    if rank > len(held_out):
        least = 2 * int(np.ceil(q / (1 - q)))
        raise DataError(f"expected {least} vectors in the reference or more for q={q}, found {len(vectors)}")
    index = Index.build(vectors[base])
    return index, float(np.sort(_nearest(index, vectors[held_out]))[rank - 1])


def _rank(rows: int, q: float) -> int:
    """Place of the usual distance among those of so many rows, from 1 on."""
    return int(np.ceil((rows + 1) * q))


def _nearest(index: Index, vectors: Floats) -> NDArray[np.float64]:
    """[n] cosine distance to the nearest row."""
    distances: NDArray[np.float64] = 1 - index.search(vectors, 1)[0][:, 0]
    return distances


_LEARNT: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


def _learnt(reference: Any, learn: Callable[..., Any], *, vectors: str, **options: Any) -> Any:
    """What is learnt from a reference's vectors, once per version of the reference and not once per batch."""
    if reference is None:
        raise DataError("expected a reference, found none", fix="give `reference=Reference.from_run(run)`")
    key = (reference.version, learn, vectors, *sorted(options.items()))
    if key not in _LEARNT:
        _LEARNT[key] = learn(_unit_rows(reference.vectors(vectors)), **options)
        while len(_LEARNT) > _KEPT:
            _LEARNT.popitem(last=False)
    return _LEARNT[key]


def _unit_rows(vectors: Floats) -> Floats:
    """Finite rows only, of length 1, for the cosine is what is compared."""
    return _units(vectors[np.isfinite(vectors).all(axis=1)])
