"""A copy of a monitor as it is now, for those who read it while another process writes to it.

The catalogue and the journals are copied, segments are linked, so that a copy costs little and nothing that is done with
it reaches the monitor. It has every row that was acknowledged before it was made.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from tunewright.errors import MonitorError
from tunewright.files import claimed
from tunewright.monitor.opening import lock_of
from tunewright.monitor.store import PLACES

__all__ = ["copy_to", "is_written"]

_CATALOGUE, _JOURNALS, _RUN = "catalogue.sqlite", "journal", "run.json"
_APART = frozenset({*PLACES, _JOURNALS, "writers", _RUN})
_TRIES = 20


def is_written(folder: Path, writer: str = "main") -> bool:
    """Whether a process writes to a monitor under a name now."""
    with claimed(lock_of(folder, writer)) as free:
        return not free


def copy_to(folder: Path, copy: Path) -> None:
    """Copy a monitor into a new folder, in which it can be opened as it was made.

    Raises:
        MonitorError: if there is none, or its segments change faster than they can be read.
    """
    if not (folder / _CATALOGUE).is_file():
        raise MonitorError(f"expected a monitor at {folder}, found none")
    lock_of(copy, "main").parent.mkdir(parents=True)
    (copy / _JOURNALS).mkdir()
    missing = None
    for _ in range(_TRIES):
        with closing(sqlite3.connect(copy / _CATALOGUE)) as catalogue:
            _backup(folder / _CATALOGUE, catalogue)
            due = _journals(folder, catalogue)
            segments = [name for (name,) in catalogue.execute("SELECT name FROM segments")]
        before, missing = missing, [name for name in due if not _is_copied(folder, copy, name)]
        if not missing or missing == before:  # a segment took it after the catalogue was read; or there is none
            break
    else:
        raise MonitorError(f"{folder} changes faster than it can be read", fix="try again")
    _link(folder, copy, segments)
    shutil.copy(folder / _RUN, copy / _RUN)


def _backup(path: Path, into: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(path, timeout=30)) as source:
        source.backup(into)


def _journals(folder: Path, catalogue: sqlite3.Connection) -> list[str]:
    """Of each writer the journal that the next segment is made of."""
    due = dict(catalogue.execute("SELECT writer, next FROM writers").fetchall())
    writers = sorted({path.stem for path in lock_of(folder, "main").parent.glob("*.lock")} | {*due})
    return [f"{name}-{due.get(name, 0):08d}.journal" for name in writers]


def _is_copied(folder: Path, copy: Path, name: str) -> bool:
    """Copy a journal; False if there is none."""
    with suppress(FileNotFoundError):
        shutil.copy(folder / _JOURNALS / name, copy / _JOURNALS / name)
        return True
    return False


def _link(folder: Path, copy: Path, segments: list[str]) -> None:
    for place in PLACES:
        (copy / place).mkdir()
        for name in segments:
            if (file := (folder / place / f"{name}.parquet").resolve()).exists():
                (copy / place / file.name).symlink_to(file)
    for other in folder.iterdir():
        if other.name not in _APART and not other.name.startswith(_CATALOGUE):
            (copy / other.name).symlink_to(other.resolve())
