"""Every analysis there is, by name: what help, documents and faces list."""

from __future__ import annotations

from tunewright.analyze.dynamics import aum, closeness, data_map, el2n, forgetting
from tunewright.analyze.mislabel import suspects
from tunewright.analyze.neighbours import neighbours
from tunewright.analyze.projection import pca, umap
from tunewright.columns import Analysis

__all__ = ["ANALYSES"]

ANALYSES: dict[str, Analysis] = {
    one.name: one for one in (data_map, forgetting, aum, el2n, closeness, suspects, neighbours, pca, umap)
}
