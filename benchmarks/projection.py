"""How long a UMAP of 20,000 embeddings takes, and how true it is, against the first two principal components.

The vectors are those of benchmarks/neighbours.py. Trustworthiness (Venna & Kaski 2001) says how many of the ten
nearest rows in the picture are near in all dimensions, too; it is measured on 3,000 rows. A first small UMAP is not
counted, as it compiles the library.

    python benchmarks/projection.py            # writes benchmarks/results/projection.json
    python benchmarks/projection.py --quick    # a tenth of the rows; writes to benchmarks/results/scratch
"""

from __future__ import annotations

import common
import numpy as np
from neighbours import mixture, timed

from tunewright.analyze.projection import pca, umap

ROWS, SAMPLE = 20_000, 3_000


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    result = measure(ROWS // 10 if arguments.quick else ROWS)
    common.write("projection", arguments, result)
    print(
        f"{result['rows']:,} rows: UMAP {result['umap_seconds']:.1f} s, trustworthiness "
        f"{result['umap_trustworthiness']:.3f}; PCA {result['pca_seconds']:.2f} s, {result['pca_trustworthiness']:.3f}; "
        f"first UMAP of a process {result['first_seconds']:.1f} s more"
    )


def measure(rows: int) -> dict[str, object]:
    vectors = mixture(rows)
    first_seconds, _ = timed(lambda: umap(vector=vectors[:200]))
    umap_seconds, points = timed(lambda: umap(vector=vectors))
    pca_seconds, plane = timed(lambda: pca(vector=vectors))
    again = umap(vector=vectors)
    assert all((points[name] == again[name]).all() for name in points), "the same seed gives another picture"
    return {
        "rows": rows,
        "dimensions": vectors.shape[1],
        "first_seconds": first_seconds,
        "umap_seconds": umap_seconds,
        "pca_seconds": pca_seconds,
        "umap_trustworthiness": trust(vectors, points),
        "pca_trustworthiness": trust(vectors, plane),
        "sample": min(rows, SAMPLE),
    }


def trust(vectors: np.ndarray, columns: dict[str, np.ndarray]) -> float:
    from sklearn.manifold import trustworthiness

    sample = np.random.default_rng(0).permutation(len(vectors))[:SAMPLE]
    picture = np.stack(list(columns.values())[:2], axis=1)[sample]
    return float(trustworthiness(vectors[sample], picture, n_neighbors=10, metric="cosine"))


if __name__ == "__main__":
    main()
