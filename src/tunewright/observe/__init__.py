"""Model and examples -> columns: predictions, embeddings."""

from __future__ import annotations

__all__: list[str] = []
