"""The decisions that were judged on a test set so far, for each of them makes a lucky result likelier.

``tries.jsonl``: one JSON object per line. A decision that is judged again with the same seeds replaces its line and is
no new try; with other seeds, or more, it is one: who repeats a trial until it is won looks more than once. `tunewright.analyze.verdict.judge` corrects for all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tunewright.files import claimed

__all__ = ["Try", "note", "tries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One decision judged.

    ``test`` is the fingerprint of the rows it was judged by; ``key`` says what was tried, whatever it was called;
    ``p`` is that of the decision against no change, not corrected.
    """

    test: str
    key: str
    name: str
    trial: str
    metric: str
    p: float
    time: str


def tries(path: Path, test: str) -> tuple[Try, ...]:
    """The decisions judged by one test set, in the order they were first tried, each as it was judged last."""
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    read = (_try(line) for line in lines)
    found = {one.key: one for one in read if one is not None and one.test == test}
    return tuple(found.values())


def note(path: Path, made: Sequence[Try]) -> None:
    """Append what was judged, all or none; several processes may do so at once."""
    with claimed(path.with_name(f".{path.name}.lock"), wait=True):
        torn = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
        text = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in made)
        with path.open("ab") as file:
            file.write(("\n" * bool(torn) + text).encode())
            file.flush()
            os.fsync(file.fileno())


def _try(line: bytes) -> Try | None:
    """The try of a line; None when a crash has torn it."""
    try:
        return Try(**json.loads(line))
    except (ValueError, TypeError):
        return None
