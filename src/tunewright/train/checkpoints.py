"""Checkpoints of a Trainer: which one can be trusted, and when to let them go."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["discard", "last_complete"]

_STATE = "trainer_state.json"


def last_complete(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end, or None.

    The Trainer writes ``trainer_state.json`` after everything else in a checkpoint, so one whose state can be read
    and names the checkpoint's own step is complete; a process killed while writing leaves it missing or cut short.
    Incomplete newer checkpoints are removed, or the Trainer would count them against its limit.
    """
    numbered = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)
    for path in numbered:
        if _is_complete(path):
            return path
        shutil.rmtree(path, ignore_errors=True)  # another process of the training may be at it, too
    return None


def discard(folder: Path) -> None:
    """Remove all checkpoints of a finished training."""
    shutil.rmtree(folder, ignore_errors=True)


def _is_complete(path: Path) -> bool:
    try:
        state = json.loads((path / _STATE).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return False
    return bool(state.get("global_step") == int(path.name.rpartition("-")[2]))
