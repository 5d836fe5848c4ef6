"""Several trainings on the same rows, alike but for the seed: what they agree on, and how sure a place on the map is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GIVES", "across", "mean_and_error"]

GIVES = (
    "across_confidence",
    "confidence_error",
    "across_variability",
    "variability_error",
    "across_aum",
    "aum_error",
    "across_correctness",
    "across_suspicion",
    "across_suspect",
    "agreement",
    "runs_seen",
)


def across(
    *,
    confidence: NDArray[np.floating],
    variability: NDArray[np.floating],
    aum: NDArray[np.floating],
    correctness: NDArray[np.floating],
    suspicion: NDArray[np.floating],
    suspect: NDArray[np.bool_],
) -> dict[str, NDArray[np.generic]]:
    """Combine what the dynamics of each run say about each row.

    The error of a mean is the standard error over the runs that saw the row: the sample standard deviation divided by
    the root of their number. It says how far another seed would move the row, not how right the label is.

    Args:
        confidence: [runs, n], NaN where a run did not see the row; the other floats alike.
        variability: [runs, n].
        aum: [runs, n] mean margin.
        correctness: [runs, n] in [0, 1].
        suspicion: [runs, n] in [0, 1].
        suspect: [runs, n]; what a run that did not see the row says does not count.

    Returns:
        [n] means (``across_...``) and errors (NaN for fewer than two runs); ``across_suspect``: more than half of the
        runs flag the row; ``agreement`` in [0.5, 1]: the share of the runs that say the same about the flag; and
        ``runs_seen``.
    """
    seen = ~np.isnan(confidence)
    count = seen.sum(axis=0)
    flagged = _share((suspect & seen).sum(axis=0), count)
    found: dict[str, NDArray[np.generic]] = {}
    for name, values in (("confidence", confidence), ("variability", variability), ("aum", aum)):
        found[f"across_{name}"], found[f"{name}_error"] = mean_and_error(values)
    return found | {
        "across_correctness": mean_and_error(correctness)[0],
        "across_suspicion": mean_and_error(suspicion)[0],
        "across_suspect": flagged > 1 / 2,
        "agreement": np.maximum(flagged, 1 - flagged),
        "runs_seen": count,
    }


def mean_and_error(values: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean over the runs and its standard error.

    Args:
        values: [runs, n], NaN where a run has none.

    Returns:
        [n] each; the mean is NaN without a value, the error with fewer than two.
    """
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    mean = _share(np.where(known, values, 0).sum(axis=0, dtype=np.float64), count)
    squares = np.where(known, (values - mean) ** 2, 0).sum(axis=0, dtype=np.float64)
    return mean, np.sqrt(_share(squares, (count - 1) * count))


def _share(total: NDArray[Any], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n] total / count; NaN where nothing is counted."""
    shares: NDArray[np.float64] = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return shares
