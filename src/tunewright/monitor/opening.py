"""Whose folder it is that a monitor is to be opened in."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from tunewright.errors import MonitorError
from tunewright.files import claimed

__all__ = ["claim", "lock_of", "require_monitor_or_nothing", "require_name", "wipe_out"]

_LOCKS = "writers"


def lock_of(folder: Path, writer: str) -> Path:
    """The file that a writer keeps locked."""
    return folder / _LOCKS / f"{writer}.lock"


def claim(held: ExitStack, folder: Path, writer: str) -> None:
    """Keep the lock of a writer until the stack is left.

    Raises:
        MonitorError: if another process has it, or the folder cannot be written to.
    """
    try:
        free = held.enter_context(claimed(lock_of(folder, writer)))
    except OSError as error:
        raise MonitorError(f"{folder} cannot be written to ({error.strerror})", fix="see whose it is") from error
    if not free:
        raise MonitorError(
            f"another process writes to {folder} as {writer!r}",
            fix='close it, or give this one a name of its own: Monitor(..., writer="second")',
        )


def require_monitor_or_nothing(folder: Path) -> None:
    """Raises MonitorError if a folder holds something that is no monitor."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _LOCKS).is_dir():
        raise MonitorError(
            f"expected a monitor or nothing at {folder}, found something else", fix="give another folder"
        )


def require_name(name: str) -> None:
    """Raises MonitorError if a monitor's name cannot be that of a folder among the runs."""
    if name in ("", ".", "..") or Path(name).name != name:
        raise MonitorError(
            f"expected the name of a folder among the runs, found {name!r}", fix="leave out slashes, or give a folder"
        )


def wipe_out(folder: Path) -> None:
    """Delete a monitor that nobody writes to.

    Raises:
        MonitorError: if somebody does.
    """
    with ExitStack() as held:
        for lock in sorted((folder / _LOCKS).glob("*.lock")):
            if not held.enter_context(claimed(lock)):
                raise MonitorError(
                    f"{folder} cannot be overwritten: {lock.stem!r} writes to it", fix="close that monitor"
                )
        shutil.rmtree(folder, ignore_errors=True)
