"""How long the nearest neighbours of embeddings take, and how many of them the approximate index finds.

100,000 x 384 vectors from a mixture of 300 Gaussians, each with 20 directions of its own and a little noise in all
others; 1,000 further vectors of the mixture are the queries.

    python benchmarks/neighbours.py            # writes benchmarks/results/neighbours.json
    python benchmarks/neighbours.py --quick    # a tenth of the rows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

from time import perf_counter

import common
import numpy as np

from tunewright.analyze.neighbours import Index

ROWS, DIMENSIONS, GROUPS, OWN, QUERIES, K = 100_000, 384, 300, 20, 1_000, 10


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    result = measure(ROWS // 10 if arguments.quick else ROWS)
    common.write("neighbours", arguments, result)
    for kind in ("exact", "approximate"):
        print(
            f"{kind}: built in {result[f'{kind}_build_seconds']:.2f} s, {QUERIES:,} queries in "
            f"{result[f'{kind}_search_seconds']:.3f} s, recall@{K} {result[f'{kind}_recall']:.4f}"
        )


def measure(rows: int) -> dict[str, object]:
    import faiss

    vectors, queries = np.split(mixture(rows + QUERIES), [rows])
    sizes = {"rows": rows, "dimensions": DIMENSIONS, "queries": QUERIES, "k": K}
    result: dict[str, object] = sizes | {"faiss": faiss.__version__, "threads": faiss.omp_get_max_threads()}
    edge = None
    for kind in ("exact", "approximate"):
        build_seconds, index = timed(lambda kind=kind: Index.build(vectors, kind=kind))
        search_seconds, (similarity, _) = timed(lambda index=index: index.search(queries, K), times=3)
        edge = similarity[:, -1:] - 1e-6 if edge is None else edge
        result |= {
            f"{kind}_build_seconds": build_seconds,
            f"{kind}_search_seconds": search_seconds,
            f"{kind}_recall": float((similarity >= edge).mean()),
        }
    return result | {"recall_the_index_states": index.recall, "cells": list(index.cells)}


def mixture(rows: int) -> np.ndarray:
    random = np.random.default_rng(0)
    centres = random.normal(size=(GROUPS, DIMENSIONS))
    directions = random.normal(size=(GROUPS, OWN, DIMENSIONS)) * 1.5 / np.sqrt(OWN)
    group = random.integers(GROUPS, size=rows)
    vectors = np.empty((rows, DIMENSIONS), dtype=np.float32)
    for one in range(GROUPS):
        members = group == one
        own = random.normal(size=(int(members.sum()), OWN)) @ directions[one]
        vectors[members] = centres[one] + own + 0.3 * random.normal(size=own.shape)
    return vectors


def timed(function, *, times: int = 1):
    """The fewest seconds of some calls, and the last result."""
    seconds = []
    for _ in range(times):
        start = perf_counter()
        result = function()
        seconds.append(perf_counter() - start)
    return min(seconds), result


if __name__ == "__main__":
    main()
