"""Files of JSON objects, one per line, that only grow.

A line is written whole or, after a crash, torn: the beginning of an object, which is never a whole one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Line", "appending", "numbered"]

Line = dict[str, Any]


@contextmanager
def appending(path: Path) -> Iterator[list[Line]]:
    """A list to put lines in; they are appended at the end, together, if nothing was raised.

    Whoever appends holds the file's lock, so two processes cannot lose each other's lines.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        lines: list[Line] = []
        yield lines
        if lines:
            _append(descriptor, lines)
    finally:
        os.close(descriptor)  # gives the lock back


def numbered(path: Path) -> Iterator[tuple[int, Line | None]]:
    """Lines that are not blank by their number, from 1; None is what is no object. A file that is missing has none."""
    data = path.read_bytes() if path.exists() else b""
    for number, raw in enumerate(data.split(b"\n"), start=1):
        if raw.strip():
            yield number, _object(raw)


def _object(raw: bytes) -> Line | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def _append(descriptor: int, lines: Sequence[Line]) -> None:
    written = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines).encode()
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        written = b"\n" + written  # what a crash has torn stays a line of its own
    while written:
        written = written[os.write(descriptor, written) :]
    os.fsync(descriptor)
