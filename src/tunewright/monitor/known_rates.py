"""How often edges mark rows when nothing is wrong, where the reference tells.

Only rows that the model did not learn from tell it, as it is surer of the others. What production is compared with from
its first row on cannot be what went wrong before that row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tunewright.monitor.embedding_signals import FAR, beyond_usual
from tunewright.monitor.evaluation import evaluate
from tunewright.monitor.operations import find

if TYPE_CHECKING:
    from tunewright.monitor.expressions import Edge, Signal
    from tunewright.monitor.reference import Reference

__all__ = ["known_rates"]


def known_rates(edges: Mapping[str, Edge], reference: Reference | None) -> dict[str, tuple[int, int]]:
    """(rows marked, rows) of the reference by edge; without edges whose columns it lacks or that it says nothing about.

    Of `far_from_reference` they are those of the half that the usual distance is learnt from.
    """
    if reference is None or not reference.held_out:
        return {}
    return {name: counts for name, edge in edges.items() if (counts := _counts(edge, reference)) is not None}


def _counts(edge: Edge, reference: Reference) -> tuple[int, int] | None:
    if edge.signal.op == FAR:
        return beyond_usual(edge.signal, reference)
    if edge.signal.needs_truth or not edge.needs <= {*reference.columns} or any(map(_compares, _parts(edge.signal))):
        return None
    found = evaluate({edge.name: edge.signal}, reference.rows)
    values = found.values[edge.name].drop_null()
    if found.errors or not len(values):
        return None
    return int(pc.sum(values.cast(pa.bool_()).cast(pa.int64())).as_py()), len(values)


def _compares(signal: Signal) -> bool:
    """Whether it compares with the reference, which it would then do with itself."""
    return find(signal.op).compares


def _parts(signal: Signal) -> Iterator[Signal]:
    yield signal
    for part in signal.inputs:
        yield from _parts(part)
