"""What we learn from: reading, checking, splitting and versioning tables of text."""

from __future__ import annotations

__all__: list[str] = []
