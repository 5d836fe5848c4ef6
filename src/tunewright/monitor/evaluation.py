"""Values of signals on a batch of rows.

Equal parts of the signals are computed once. Of ``a & b`` the cheaper side comes first, and the dearer one is computed
only for rows that the first leaves open; the values are those of computing everything (Kleene's logic is what makes
that so), only a dear side that no row needs cannot fail. An error stops the signals that contain its part, and no
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunewright.errors import DataError
from tunewright.monitor.operations import ARROW_TYPES, Operation, find
from tunewright.monitor.operators import plain, truth_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tunewright.monitor.expressions import Signal

    Mask = NDArray[np.bool_]

__all__ = ["Evaluated", "evaluate"]

_SHORTCUTS = {"&": False, "|": True}  # the value of one side that decides the row


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Values of signals on n rows.

    Attributes:
        values: [n] by name, null where something is missing; of a signal that failed, null everywhere.
        errors: what went wrong, by the name of the signal.
    """

    values: dict[str, pa.Array]
    errors: dict[str, str]


def evaluate(signals: Mapping[str, Signal], rows: pa.Table, *, reference: Any = None) -> Evaluated:
    """Compute signals on a batch.

    Args:
        signals: by name.
        rows: one row per example.
        reference: what signals such as ``emb.far_from_reference`` compare with.
    """
    batch = _Batch(rows, reference)
    everywhere = np.ones(rows.num_rows, dtype=bool)
    values: dict[str, pa.Array] = {}
    errors: dict[str, str] = {}
    for name, signal in signals.items():
        try:
            found = batch.value(signal, everywhere) if rows.num_rows else pa.nulls(0)
            values[name] = _filled(found, signal, rows.num_rows)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the other signals go on
            errors[name] = f"{type(error).__name__} in `{signal}`: {error}"
            values[name] = _filled(pa.nulls(rows.num_rows), signal, rows.num_rows)
    return Evaluated(values, errors)


def _filled(values: Any, signal: Signal, count: int) -> pa.Array:
    """As an array with one value per row, of a type also where all are missing."""
    if isinstance(values, pa.Scalar):
        values = pa.repeat(values, count)
    return values.cast(ARROW_TYPES.get(signal.gives, pa.null())) if pa.types.is_null(values.type) else values


@dataclass(slots=True)
class _Known:
    """Values of one part of an expression on those rows for which they were asked."""

    values: Any
    rows: Mask


@dataclass(slots=True)
class _Batch:
    """The rows, and what is known of them."""

    rows: pa.Table
    reference: Any
    known: dict[str, _Known] = field(default_factory=dict)
    failed: dict[str, BaseException] = field(default_factory=dict)

    def value(self, signal: Signal, where: Mask) -> Any:
        """One value per row, right where it is asked for; a constant is one value."""
        key = signal.fingerprint
        if key in self.failed:
            raise self.failed[key]
        known = self.known.get(key)
        if known is not None and not (where & ~known.rows).any():
            return known.values
        try:
            self.known[key] = self._compute(signal, where, known)
        except (Exception, SystemExit) as error:
            self.failed[key] = error
            raise
        return self.known[key].values

    def _compute(self, signal: Signal, where: Mask, known: _Known | None) -> _Known:
        operation, options = find(signal.op), self._options(signal)
        everywhere = np.ones_like(where)
        if not signal.inputs:
            return _Known(operation.compute(self.rows, **options), everywhere)
        if operation.whole:
            inputs = [self.value(part, everywhere) for part in signal.inputs]
            return _Known(_checked(operation, operation.compute(*inputs, **options), where), everywhere)
        reach = where if known is None else where | known.rows
        if signal.op in _SHORTCUTS:
            return _Known(operation.compute(*self._sides(signal, reach), **options), reach)
        inputs = [self.value(part, reach) for part in signal.inputs]
        if not operation.dense:
            return _Known(operation.compute(*inputs, **options), reach)
        todo = where if known is None else where & ~known.rows
        for part in inputs:
            todo = todo & part.is_valid().to_numpy(zero_copy_only=False)
        part = self._part(operation, inputs, options, todo)
        return _Known(_merged(part, todo, None if known is None else known.values), reach)

    def _options(self, signal: Signal) -> dict[str, Any]:
        compared = {"reference": self.reference} if find(signal.op).compares else {}
        return dict(signal.options) | compared

    def _sides(self, signal: Signal, where: Mask) -> list[Any]:
        """Both sides of ``&`` or ``|``, the dearer one only where the cheaper leaves the row open."""
        cheap, dear = sorted(signal.inputs, key=self._cost)
        first = self.value(cheap, where)
        decided = pc.fill_null(pc.equal(truth_value(first), _SHORTCUTS[signal.op]), False)
        undecided = where & ~_mask(decided, len(where))
        if not undecided.any():
            return [first, pa.nulls(len(where), pa.bool_())]
        return [first, self.value(dear, undecided)]

    def _part(self, operation: Operation, inputs: list[Any], options: Mapping[str, Any], todo: Mask) -> pa.Array:
        if not todo.any():
            return pa.nulls(0, ARROW_TYPES.get(operation.gives, pa.null()))
        chosen = inputs if todo.all() else [part.filter(pa.array(todo)) for part in inputs]
        return _checked(operation, operation.compute(*chosen, **options), todo)

    def _cost(self, signal: Signal) -> float:
        if signal.fingerprint in self.known:
            return 0.0
        return find(signal.op).cost + sum(map(self._cost, signal.inputs))


def _mask(values: Any, count: int) -> Mask:
    if isinstance(values, pa.Scalar):
        return np.full(count, values.as_py(), dtype=bool)
    mask: Mask = values.to_numpy(zero_copy_only=False)
    return mask


def _checked(operation: Operation, values: Any, where: Mask) -> pa.Array:
    expected = int(where.sum()) if not operation.whole else len(where)
    found = values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)
    if len(found) != expected:
        raise DataError(
            f"expected {expected} values of `{operation.name}`, one per row, found {len(found)}",
            fix="return one value for each row, None where there is none",
        )
    return plain(found) if operation.gives == "any" else found


def _merged(part: pa.Array, where: Mask, before: pa.Array | None) -> pa.Array:
    """Values of some rows, put in their places."""
    if where.all():
        return part
    if before is None or pa.types.is_null(before.type):
        before = pa.nulls(len(where), part.type)
    return pc.replace_with_mask(before, pa.array(where), part.cast(before.type))
