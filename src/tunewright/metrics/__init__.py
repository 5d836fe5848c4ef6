"""How near one text is to another: the published scores of answers and summaries."""

from __future__ import annotations

__all__: list[str] = []
