"""Nearest neighbours by cosine: one index that everything asks for rows like other rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunewright.columns import analysis
from tunewright.errors import DataError

__all__ = ["EXACT_UP_TO", "Index", "nearest", "neighbours", "units"]

Floats = NDArray[np.floating]

EXACT_UP_TO = 200_000
"""Rows up to which ``kind="auto"`` searches them all."""

_BLOCK = 16_384  # rows that are normalised at once
_SPARE = 16  # candidates beyond k, so that rows that tie with the k-th are taken in order of their number
_TARGET_RECALL = 0.97  # of the 10 nearest of sampled rows, which the approximate index is widened to reach
_SAMPLE, _SAMPLE_K = 256, 10


@dataclass(frozen=True, slots=True)
class Index:
    """Rows to search by cosine similarity; made by ``Index.build``.

    Attributes:
        kind: exact compares with every row; approximate only with those of the nearest cells of an inverted file.
        rows: how many there are.
        dimensions: of each vector.
        recall: share of the 10 nearest rows that are found, measured on rows of the index; 1 if exact.
        cells: cells that are searched per query, and how many there are; 0 of 0 if exact.
    """

    kind: Literal["exact", "approximate"]
    rows: int
    dimensions: int
    recall: float
    cells: tuple[int, int]
    _index: Any = field(repr=False, compare=False)

    @classmethod
    def build(cls, vectors: Floats, *, kind: Literal["auto", "exact", "approximate"] = "auto", seed: int = 0) -> Index:
        """Normalise and store vectors.

        Args:
            vectors: [n, dimensions], float16 to float64, searched as float32; a row of zeros, or with a value that
                is not finite, has similarity 0 to everything.
            kind: "auto" is exact up to ``EXACT_UP_TO`` rows.
            seed: of the cells of an approximate index, and of the rows its recall is measured on.

        Raises:
            DataError: if the vectors are not a table of one row or more.
        """
        if vectors.ndim != 2 or 0 in vectors.shape:
            raise DataError(f"expected vectors [rows, dimensions] with one row or more, found shape {vectors.shape}")
        rows, dimensions = vectors.shape
        if kind == "exact" or (kind == "auto" and rows <= EXACT_UP_TO):
            return cls("exact", rows, dimensions, 1.0, (0, 0), _flat(vectors))
        index, recall = _inverted(vectors, seed)
        return cls("approximate", rows, dimensions, recall, (index.nprobe, index.nlist), index)

    def search(self, queries: Floats, k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The k most similar rows of each query.

        Args:
            queries: [m, dimensions], treated as the vectors are.
            k: in 1..rows.

        Returns:
            [m, k] cosine similarities in [-1, 1], largest first; and [m, k] row numbers. Ties go by row number among
            the k + 16 nearest.

        Raises:
            DataError: if k is out of range or the queries have other dimensions.
        """
        if not 1 <= k <= self.rows:
            raise DataError(f"expected k in 1..{self.rows}, the number of rows to find, found {k}")
        if queries.ndim != 2 or queries.shape[1] != self.dimensions:
            raise DataError(f"expected queries [m, {self.dimensions}], found shape {queries.shape}")
        similarity = np.empty((len(queries), k))
        row = np.empty((len(queries), k), dtype=np.int64)
        wanted = min(self.rows, k + _SPARE)
        for block, unit in units(queries):
            found, where = self._index.search(unit, wanted)
            short = np.flatnonzero(where[:, -1] < 0)  # the cells held fewer rows than were asked for
            if len(short):
                found[short], where[short] = _every_cell(self._index, unit[short], wanted)
            order = np.lexsort((where, -found))[:, :k]
            similarity[block] = np.take_along_axis(found, order, axis=1)
            row[block] = np.take_along_axis(where, order, axis=1)
        return np.clip(similarity, -1, 1), row


@analysis(
    needs=("embeddings.vector", "embeddings.id", "embeddings.split", "examples.label"),
    gives=("density", "neighbour", "neighbour_similarity", "neighbour_label"),
)
def neighbours(
    *,
    vector: Floats,
    id: NDArray[np.generic],
    split: NDArray[np.generic],
    label: NDArray[np.generic],
    k: int = 10,
) -> dict[str, NDArray[np.generic]]:
    """What each row lies near to among the *other* rows of split "train".

    Args:
        vector: [n, dimensions] embeddings.
        id: [n] names of the rows.
        split: [n] splits of the rows.
        label: [n] gold labels of the rows.
        k: how many neighbours the density averages over; all of them if there are fewer.

    Returns:
        [n] mean cosine similarity to the k nearest, and id, similarity and label of the very nearest.

    Raises:
        DataError: if there are fewer than two training rows.
    """
    base = np.flatnonzero(split == "train")
    if len(base) < 2:
        raise DataError(f"expected embeddings of two or more training rows, found {len(base)}")
    own = np.full(len(vector), -1)
    own[base] = np.arange(len(base))
    found, similarity = nearest(vector, vector[base], k=min(k, len(base) - 1), exclude=own)
    first = base[found[:, 0]]
    return {
        "density": similarity.mean(axis=1),
        "neighbour": id[first],
        "neighbour_similarity": similarity[:, 0],
        "neighbour_label": label[first],
    }


def nearest(
    queries: Floats, base: Floats | Index, *, k: int, exclude: NDArray[np.integer] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k most similar rows of ``base`` for each query, leaving out the query itself.

    Args:
        queries: [m, dimensions]; a zero vector has similarity 0 to everything.
        base: [n, dimensions], or an index of them.
        k: in 1..n, or 1..n-1 with ``exclude``.
        exclude: [m] one row of ``base`` that a query must not find (itself), or -1.

    Returns:
        [m, k] row numbers, most similar first, ties by row number; and [m, k] cosine similarities in [-1, 1].

    Raises:
        DataError: if there are fewer than k rows to find.
    """
    index = base if isinstance(base, Index) else Index.build(base)
    available = index.rows - (exclude is not None)
    if not 1 <= k <= available:
        raise DataError(f"expected k in 1..{available}, the number of rows to find, found {k}")
    if exclude is None:
        similarity, row = index.search(queries, k)
        return row, similarity
    similarity, row = index.search(queries, k + 1)
    hidden = row == exclude[:, None]
    hidden[~hidden.any(axis=1), -1] = True  # the last one goes where the row itself was not found
    return row[~hidden].reshape(-1, k), similarity[~hidden].reshape(-1, k)


def units(vectors: Floats) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Blocks of rows as (slice, [rows, dimensions]), of length 1, or 0 where a value is not finite or all are zero."""
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)  # whose squares neither vanish nor overflow
        block[~np.isfinite(block).all(axis=1)] = 0
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        unit = np.divide(block, lengths, out=np.zeros_like(block), where=lengths > 0)
        yield slice(start, start + len(block)), unit.astype(np.float32)


def _flat(vectors: Floats) -> Any:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    for _, block in units(vectors):
        index.add(block)
    return index


def _inverted(vectors: Floats, seed: int) -> tuple[Any, float]:
    """An inverted file (Sivic & Zisserman 2003) that looks into as many cells as the target recall takes."""
    import faiss

    random = np.random.default_rng(seed)
    rows, dimensions = vectors.shape
    cells = max(1, round(np.sqrt(rows)))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimensions), dimensions, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.spherical = seed, True
    index.cp.min_points_per_centroid = 1
    taught = np.sort(random.permutation(rows)[: 64 * cells])
    index.train(np.concatenate([block for _, block in units(vectors[taught])]))
    for _, block in units(vectors):
        index.add(block)
    asked = vectors[np.sort(random.permutation(rows)[:_SAMPLE])]
    return index, _widen(index, np.concatenate([block for _, block in units(asked)]))


def _widen(index: Any, queries: NDArray[np.float32]) -> float:
    """Double the cells that are searched until the recall of the sample is reached; the recall."""
    k = min(_SAMPLE_K, index.ntotal)
    expected = _every_cell(index, queries, k)[0][:, -1:] - 1e-6  # by similarity: of equal rows any one will do
    index.nprobe = min(4, index.nlist)
    while True:
        recall = float((index.search(queries, k)[0] >= expected).mean())
        if recall >= _TARGET_RECALL or index.nprobe == index.nlist:
            return recall
        index.nprobe = min(2 * index.nprobe, index.nlist)


def _every_cell(index: Any, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    import faiss

    everywhere = faiss.SearchParametersIVF()
    everywhere.nprobe = index.nlist
    found, row = index.search(queries, k, params=everywhere)
    return found, row
