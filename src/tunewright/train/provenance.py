"""What a run must say about where its numbers come from."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from typing import Any

__all__ = ["provenance", "versions"]

_PACKAGES = ("tunewright", "torch", "transformers", "accelerate", "tokenizers", "numpy", "pyarrow")


def provenance() -> dict[str, Any]:
    """Library versions, machine and git commit, as JSON values."""
    return {
        "versions": versions(),
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
        "git": _commit(),
    }


def versions() -> dict[str, str]:
    """Of Python and of the libraries that a training rests on."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str | None:
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"],  # noqa: S607  whichever git the user has
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() or None
