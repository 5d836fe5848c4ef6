"""On which day a row came, in UTC whatever the zone of its time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

__all__ = ["day"]


def day(value: Any) -> str:
    """The day (UTC, ISO 8601) of a time; one that says no zone is UTC.

    Args:
        value: a datetime, a date, seconds since 1970, or a text in ISO 8601.

    >>> day("2025-01-02T03:00+09:00"), day("2025-01-02"), day(86400), day("2 Jan 25")
    ('2025-01-01', '2025-01-02', '1970-01-02', '2 Jan 25')
    """
    match value:
        case str():
            return _of_text(value)
        case int() | float():
            return _of_seconds(value)
        case datetime() if value.tzinfo is not None:
            value = value.astimezone(UTC)
    return str(value)[:10]


def _of_seconds(value: float) -> str:
    try:
        return datetime.fromtimestamp(value, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return str(value)


def _of_text(value: str) -> str:
    try:
        return day(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return value[:10]
