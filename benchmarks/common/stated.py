"""Whether the stated precision of a list is the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tunewright.analyze.trust import honest, stated

if TYPE_CHECKING:
    from common.detecting import Found
    from common.evidence import Evidence, Truth

__all__ = ["stated_and_true"]

_KS = (50, 100, 200)


def stated_and_true(found: Found, evidence: Evidence, truth: Truth) -> list[dict[str, object]]:
    """What `tunewright suspects` says of its lists, and the share of wrong labels among their rows that are known.

    The last list has all flagged rows. What cannot be told is None, and says why.
    """
    flagged = 0 if found.flag is None else int(found.flag.sum())
    judged = honest(evidence.frozen, evidence.label, classes=len(evidence.labels))
    ks = sorted({k for k in (*_KS, flagged) if 1 <= k <= len(found.score)})
    order = np.argsort(-np.nan_to_num(found.score, nan=-1.0), kind="stable")
    said: list[dict[str, object]] = []
    for one in stated(found.score, ks=ks, evidence=judged):
        first = order[: one.k][truth.known[order[: one.k]]]
        true = float(truth.wrong[first].mean()) if len(first) else None
        said.append(
            {"k": one.k, "stated": one.precision, "interval": one.interval, "true": true, "why_not": one.reason}
        )
    return said
