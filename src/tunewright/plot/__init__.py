"""Pictures of columns: PNG and SVG, reports and heatmaps as self-contained HTML. Nothing here knows a dataset, a run or a model."""

from __future__ import annotations

__all__: list[str] = []
