"""Who decided something, and when."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

from tunewright.data.edits import Evidence

__all__ = ["author", "signed"]


def signed(*, run: str = "", analysis: str = "", rule: str = "") -> Evidence:
    """Evidence by whoever runs this, now (UTC, to the second)."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Evidence(run=run, analysis=analysis, rule=rule, author=author(), time=now)


def author() -> str:
    """Whoever runs this, by the name that the system knows; empty if it knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in some containers
        return ""
