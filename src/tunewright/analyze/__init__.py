"""Pure functions from columns to columns; they know neither runs, datasets nor models."""

from __future__ import annotations

__all__: list[str] = []
