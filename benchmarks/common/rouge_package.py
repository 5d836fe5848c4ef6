"""The ``rouge`` package beside our clone of its ROUGE-L, in an environment of its own: nothing of ours depends on it."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np

VERSION = "1.0.1"


def scorer(folder: Path) -> Callable[[str, str], tuple[float, float, float]] | None:
    """Precision, recall and F of a gold and a predicted text, NaN where the package raises; None without the package.

    It is pure Python, so that it is imported from its environment, which is made in ``folder`` if it is not there.
    """
    if not any(folder.glob("lib/*/site-packages/rouge")):
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", f"rouge=={VERSION}"], check=False)
    before = sys.path
    sys.path = [
        *map(str, folder.glob("lib/*/site-packages")),
        *before,
    ]  # first, for a benchmark is called rouge as well
    try:
        from rouge import Rouge
    except ImportError:
        return None
    finally:
        sys.path = before
    return lambda gold, predicted: _score(Rouge(metrics=["rouge-l"]), gold, predicted)


def _score(package, gold: str, predicted: str) -> tuple[float, float, float]:
    try:
        found = package.get_scores(predicted.lower(), gold.lower())[0]["rouge-l"]
    except ValueError:
        return np.nan, np.nan, np.nan
    return found["p"], found["r"], found["f"]
