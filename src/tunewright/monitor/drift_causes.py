"""Why vectors drifted: the rows, words and slices behind it, and how well the rows can be told from the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunewright.analyze.shift import NEEDED, Shift, domain_auc
from tunewright.analyze.witness import Witnesses, witnesses
from tunewright.monitor.embedding_drift import stacked
from tunewright.monitor.monitors import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from tunewright.monitor.embedding_drift import EmbeddingDrift
    from tunewright.monitor.reference import Reference
    from tunewright.monitor.state import State

__all__ = ["DriftCauses", "drift_causes"]

_REFERENCE = 5000  # rows of it that are scored


@dataclass(frozen=True, slots=True)
class DriftCauses:
    """Why vectors drifted.

    Attributes:
        ids: of the most foreign rows, the most foreign first.
        score: [rows] of each row with a vector, in their order: like the last window and unlike the reference.
        witnesses: words and slices of the foreign rows.
        domain: how well a classifier tells the rows from the reference; None of fewer than ten rows.
    """

    ids: tuple[str, ...]
    score: tuple[float, ...]
    witnesses: Witnesses
    domain: Shift | None


def drift_causes(
    fold: EmbeddingDrift,
    state: State,
    rows: pa.Table,
    reference: Reference,
    *,
    text: str | None = None,
    metadata: Sequence[str] = (),
) -> DriftCauses:
    """Explain drift by rows of production, such as those of the last window.

    Args:
        fold, state: the monitor, and what it knows.
        rows: with ids, vectors, and the columns that are named.
        reference: that the monitor was started with.
        text: column of texts, of production and of the reference.
        metadata: columns of production whose values may explain it.

    Raises:
        ColumnError: if a column is missing.
        DataError: if no window was closed yet, or no row has a vector.
    """
    require(fold, rows)
    there = rows.filter(rows[fold.column].is_valid())
    vectors = stacked(there[fold.column], fold.column)
    known = reference.vectors(fold.column)
    known = known[np.random.default_rng(fold.seed).permutation(len(known))[:_REFERENCE]]
    score = fold.witness(state, vectors)
    found = witnesses(
        score,
        fold.witness(state, known),
        texts=[value or "" for value in there[text].to_pylist()] if text else (),
        reference_texts=reference.texts(text) if text else (),
        metadata={name: there[name].to_pylist() for name in metadata},
    )
    ids = there["id"].take(np.array(found.rows)).to_pylist()
    return DriftCauses(tuple(map(str, ids)), tuple(score.tolist()), found, _domain(known, vectors))


def _domain(known: NDArray[np.float32], vectors: NDArray[np.float32]) -> Shift | None:
    if min(len(known), len(vectors)) < NEEDED:
        return None
    return domain_auc(np.concatenate([known, vectors]), np.arange(len(known) + len(vectors)) >= len(known))
