"""What one detector says about the label of each row, in a form in which detectors can be added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunewright.analyze.confident import Likely
from tunewright.analyze.dynamics import row_mean

__all__ = ["Opinion", "from_dynamics", "from_likely"]

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]

_FLOOR = 0.01  # of a probability in log-odds: a hundred neighbours cannot say less


@dataclass(frozen=True, slots=True)
class Opinion:
    """One detector's view of n labels.

    Attributes:
        margin: [n] for the label (positive) or against it (negative), in units of the detector; NaN for no view.
        own: [n] probability of the label, NaN for no view.
        rivals: [n, m] codes of other classes, the same one perhaps more than once; -1 for none.
        probability: [n, m] theirs, to be summed over equal codes; 0 for none.
    """

    margin: NDArray[np.float64]
    own: NDArray[np.float64]
    rivals: Codes
    probability: NDArray[np.float64]

    def of(self, code: Codes) -> NDArray[np.float64]:
        """[n] probability of one class per row; 0 where it is -1 or no rival."""
        named = (self.rivals == code[:, None]) & (code >= 0)[:, None]
        total: NDArray[np.float64] = np.where(named, self.probability, 0.0).sum(axis=1)
        return total

    def best(self) -> Codes:
        """[n] the likeliest rival, -1 for none; ties go by the lower code."""
        found, most = np.full(len(self.own), -1, dtype=np.int64), np.zeros(len(self.own))
        for code in self.rivals.T:
            chance = self.of(code)
            better = (chance > most) | ((chance == most) & (code >= 0) & (code < found))
            found, most = np.where(better, code, found), np.where(better, chance, most)
        return found

    def against(self) -> NDArray[np.bool_]:
        """[n] whether a rival is likelier than the label."""
        return self.of(self.best()) > self.own


def from_dynamics(
    margin: Floats, other: Floats, known: NDArray[np.bool_], probability: Floats | None = None
) -> Opinion:
    """Training or clean passes: the mean margin (AUM, Pleiss et al. 2020) and mean probabilities over the epochs.

    Args:
        margin: [n, epochs] gold logit minus the largest other; NaN where not seen.
        other: [n, epochs] code of the largest other class; -1 or NaN for unknown.
        known: [n] rows that have a label.
        probability: [n, epochs] of the label; from the margin, as between two classes, if None.
    """
    margin = np.where(known[:, None], margin, np.nan).astype(np.float64)
    ratio = np.exp(-np.clip(margin, -50, 50))
    own = 1 / (1 + ratio) if probability is None else np.where(np.isnan(margin), np.nan, probability)
    seen = np.maximum((~np.isnan(margin)).sum(axis=1, keepdims=True), 1)
    rivals = np.where(np.isnan(other) | np.isnan(margin), -1, other).astype(np.int64)
    share = np.where(rivals >= 0, np.minimum(own * ratio, 1 - own), 0.0) / seen
    return Opinion(row_mean(margin), row_mean(own), rivals, share)


def from_likely(likely: Likely) -> Opinion:
    """Out-of-fold probabilities or votes of neighbours; the margin is the log-odds of the label and the best rival."""
    best = likely.probability[:, 0]
    margin = np.log(np.maximum(likely.own, _FLOOR)) - np.log(np.maximum(best, _FLOOR))
    return Opinion(margin, likely.own, likely.rivals, np.nan_to_num(likely.probability))
