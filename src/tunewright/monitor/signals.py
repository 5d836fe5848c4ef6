"""Signals: expressions over rows of production, and what evaluates them.

    from tunewright.monitor.signals import NEGATIONS, col, emb, metric, text, truth, user

    long = text.chars("dialogue") > 1700
    copied = (text.rouge_l("dialogue", "output") > 0.3) & text.has_any("dialogue", NEGATIONS)
    values, errors = evaluate({"long": long, "copied": copied}, rows)

What is in ``text``, ``emb`` and ``metric`` is in the modules of these names; ``user`` takes functions.
"""

from __future__ import annotations

from tunewright.monitor import embedding_signals as emb, metric_signals as metric, text_signals as text
from tunewright.monitor.evaluation import Evaluated, evaluate
from tunewright.monitor.expressions import Edge, Signal, col, truth
from tunewright.monitor.text_signals import NEGATIONS
from tunewright.monitor.user_functions import user

__all__ = ["NEGATIONS", "Edge", "Evaluated", "Signal", "col", "emb", "evaluate", "metric", "text", "truth", "user"]
