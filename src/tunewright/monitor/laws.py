"""The laws of folds, tried on rows: for the built-in ones in the tests, for a user's own in ``tunewright check``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tunewright.monitor.monitors import Fold, merges
from tunewright.monitor.state import State, copied, from_bytes, joined, split, to_bytes

if TYPE_CHECKING:
    from tunewright.monitor.reference import Reference

__all__ = ["agree", "laws"]

_CLOSE = 1e-9


def laws(fold: Fold, rows: pa.Table, *, reference: Reference | None = None, seed: int = 0) -> list[str]:
    """What a fold does that it must not, in words; nothing if it keeps all laws on these rows.

    Reports are compared, numbers of them to a billionth. What a fold raises is told as a failure.

    Args:
        fold: to be tried.
        rows: ten or more, as production has them.
        reference: to start from.
        seed: of the places where the rows are cut.
    """
    constant, blank = split(fold.start(reference))

    def start() -> State:
        return joined(constant, copied(blank))  # starting from a reference may take its time

    pieces = _pieces(rows, np.random.default_rng(seed))
    laws = [
        _batches,
        _rows_stay,
        _empty,
        _round_trip,
        _report_changes,
        *([_associative, _commutative] if merges(fold) else []),
    ]
    return [told for law in laws if (told := _tried(law, fold, start, pieces))]


def agree(a: Any, b: Any) -> bool:
    """Whether two reports say the same, numbers to a billionth of the larger one."""
    if isinstance(a, pa.Table) and isinstance(b, pa.Table):
        return a.column_names == b.column_names and agree(a.to_pydict(), b.to_pydict())
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(agree(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple | np.ndarray) and isinstance(b, list | tuple | np.ndarray):
        return len(a) == len(b) and all(map(agree, a, b))
    if isinstance(a, float | np.floating) and isinstance(b, float | np.floating | int):
        return math.isclose(a, b, rel_tol=_CLOSE, abs_tol=_CLOSE) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)


_Law = Callable[[Fold, Callable[[], State], Sequence[pa.Table]], str]


def _tried(law: _Law, fold: Fold, start: Callable[[], State], pieces: Sequence[pa.Table]) -> str:
    try:
        return law(fold, start, pieces)
    except Exception as error:  # noqa: BLE001 - whatever a user's fold raises is what this function tells
        return f"{(law.__doc__ or '').partition(':')[0].lower()}: raises {type(error).__name__}: {error}"


def _pieces(rows: pa.Table, random: np.random.Generator) -> list[pa.Table]:
    """Three, of which none is empty if there are three rows."""
    cuts = sorted(random.choice(np.arange(1, max(rows.num_rows, 3)), size=2, replace=False).tolist())
    return [rows.slice(start, stop - start) for start, stop in zip([0, *cuts], [*cuts, rows.num_rows], strict=True)]


def _folded(fold: Fold, state: State, pieces: Iterable[pa.Table]) -> State:
    return reduce(fold.update, pieces, state)


def _batches(fold: Fold, start: Callable[[], State], pieces: Sequence[pa.Table]) -> str:
    """Batches: rows in any batches give what they give in one."""
    one = fold.report(fold.update(start(), pa.concat_tables(pieces)))
    three = fold.report(_folded(fold, start(), pieces))
    single = fold.report(_folded(fold, start(), _rows(pieces)))
    return _differ("batches", "in one batch", one, "in three", three) or _differ(
        "batches", "in one batch", one, "row by row", single
    )


def _rows(pieces: Sequence[pa.Table]) -> list[pa.Table]:
    return [piece.slice(row, 1) for piece in pieces for row in range(piece.num_rows)]


def _rows_stay(fold: Fold, start: Callable[[], State], pieces: Sequence[pa.Table]) -> str:
    """Rows: updating changes none of them."""
    given = pa.concat_tables(pieces)
    before = given.to_pydict()
    fold.update(start(), given)
    changed = sorted(name for name, values in given.to_pydict().items() if not agree(values, before[name]))
    return f"rows: updating changes column {changed[0]}" if changed else ""


def _empty(fold: Fold, start: Callable[[], State], pieces: Sequence[pa.Table]) -> str:
    """Empty batch: a batch without rows changes nothing."""
    state = _folded(fold, start(), pieces)
    before = fold.report(state)
    after = fold.report(fold.update(state, pieces[0].slice(0, 0)))
    return _differ("empty batch", "before it", before, "after it", after)


def _round_trip(fold: Fold, start: Callable[[], State], pieces: Sequence[pa.Table]) -> str:
    """Round trip: a state that is written and read goes on as if it had not been."""
    state = _folded(fold, start(), pieces[:2])
    read = from_bytes(to_bytes(state, fold.fingerprint), fold.fingerprint)
    kept, back = (fold.report(fold.update(one, pieces[2])) for one in (state, read))
    return _differ("round trip", "without it", kept, "with it", back)


def _report_changes(fold: Fold, start: Callable[[], State], pieces: Sequence[pa.Table]) -> str:
    """Report: it changes no state."""
    state = _folded(fold, start(), pieces)
    return _differ("report", "the first time", fold.report(state), "the second", fold.report(state))


def _associative(fold: Fold, start: Callable[[], State], pieces: Sequence[pa.Table]) -> str:
    """Merge, associative: it does not matter which states are merged first, nor that they were in one."""
    a, b, c = (fold.update(start(), piece) for piece in pieces)
    merge = merges(fold)
    assert merge is not None
    left = fold.report(merge(merge(a, b), c))
    right = fold.report(merge(a, merge(b, c)))
    one = fold.report(fold.update(start(), pa.concat_tables(pieces)))
    return _differ("merge, associative", "(a b) c", left, "a (b c)", right) or _differ(
        "merge", "merged", left, "in one batch", one
    )


def _commutative(fold: Fold, start: Callable[[], State], pieces: Sequence[pa.Table]) -> str:
    """Merge, commutative: a with b is b with a, and neither is changed."""
    a, b = (fold.update(start(), piece) for piece in pieces[:2])
    before = fold.report(copied(a)), fold.report(copied(b))
    merge = merges(fold)
    assert merge is not None
    one, other = fold.report(merge(a, b)), fold.report(merge(b, a))
    after = fold.report(a), fold.report(b)
    return _differ("merge, commutative", "a b", one, "b a", other) or _differ(
        "merge", "states before it", dict(enumerate(before)), "after it", dict(enumerate(after))
    )


def _differ(law: str, one: str, a: dict[Any, Any], other: str, b: dict[Any, Any]) -> str:
    if agree(a, b):
        return ""
    names = sorted(str(name) for name in {*a, *b} if name not in a or name not in b or not agree(a[name], b[name]))
    shown = names[0]
    return f"{law}: {one} and {other} differ in {', '.join(names)} ({shown}: {_short(a, shown)} and {_short(b, shown)})"


def _short(report: dict[Any, Any], name: str) -> str:
    value = next((value for key, value in report.items() if str(key) == name), "nothing")
    text = repr(value.to_pylist() if isinstance(value, pa.Table) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
