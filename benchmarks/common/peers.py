"""cleanlab beside our detectors, in an environment of its own: nothing of ours depends on it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = "2.9.0"
FILTERS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given")

_SCRIPT = """
import sys
import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

given = np.load(sys.argv[1])
labels, probability = given["labels"], given["probability"]
made = {name: find_label_issues(labels, probability, filter_by=name, n_jobs=1) for name in sys.argv[3:]}
made["quality"] = get_label_quality_scores(labels, probability, method="self_confidence")
np.savez(sys.argv[2], **made)
"""


def interpreter(folder: Path) -> Path | None:
    """The Python of an environment with cleanlab in ``folder``, made if it is not there; None if that fails."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    if _has(python):
        return python
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"cleanlab=={VERSION}"], check=False)
    return python if _has(python) else None


def cleanlab(python: Path, label: NDArray[np.int64], probability: NDArray[np.floating]) -> dict[str, NDArray]:
    """Flags [n] of each of its filters, and ``quality`` [n], low where it doubts the label."""
    with tempfile.TemporaryDirectory() as name:
        given, found = Path(name) / "given.npz", Path(name) / "found.npz"
        np.savez(given, labels=label, probability=probability)
        subprocess.run([python, "-c", _SCRIPT, given, found, *FILTERS], check=True, stdout=sys.stderr)
        return dict(np.load(found))


def tutorial_probabilities(vectors: NDArray[np.floating], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n, classes] out of fold, as cleanlab's tutorial on text has it: logistic regression, embeddings as they are."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    made: NDArray[np.float64] = cross_val_predict(
        LogisticRegression(max_iter=400), vectors, label, cv=5, method="predict_proba"
    )
    return made


def _has(python: Path) -> bool:
    return subprocess.run([python, "-c", "import cleanlab"], check=False, capture_output=True).returncode == 0
