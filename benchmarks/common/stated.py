"""Whether the stated precision of a list is the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tunewright.analyze.trust import honest, stated

if TYPE_CHECKING:
    from common.evidence import Evidence, Truth
    from numpy.typing import NDArray

__all__ = ["stated_and_true"]

_KS = (50, 100, 200)


def stated_and_true(
    suspicion: NDArray[np.floating], flagged: NDArray[np.bool_], evidence: Evidence, truth: Truth
) -> list[dict[str, object]]:
    """What `tunewright suspects` says of its lists, and the share of wrong labels among their rows that are known.

    Args:
        suspicion: [n] of the combined detector.
        flagged: [n] rows beyond its threshold; their number is one more length of a list.
    """
    judged = honest(evidence.frozen, evidence.label, classes=len(evidence.labels))
    ks = sorted({k for k in (*_KS, int(flagged.sum())) if 1 <= k <= len(suspicion)})
    order = np.argsort(-np.nan_to_num(suspicion, nan=-1.0), kind="stable")
    found: list[dict[str, object]] = []
    for one in stated(suspicion, ks=ks, evidence=judged):
        first = order[: one.k][truth.known[order[: one.k]]]
        true = float(truth.wrong[first].mean()) if len(first) else None
        found.append(
            {"k": one.k, "stated": one.precision, "interval": one.interval, "true": true, "why_not": one.reason}
        )
    return found
